"""Randomness in a closed room: nothing here reads or moves torch's global generator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from sklearn_cclm._tools.locks import Lock

_lock = Lock()  # a build within a build takes it again


@contextmanager
def isolated_seed(seed: int) -> Iterator[None]:
    """Seed torch's global generator of the CPU for the block alone, one thread at a time."""
    with _lock, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed accelerators too
        yield
