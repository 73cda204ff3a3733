"""Torch randomness in a closed room: initialisation neither reads nor moves the global RNG."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_lock = threading.RLock()  # a build within a build takes it again


@contextmanager
def isolated_seed(seed: int) -> Iterator[None]:
    """Seed torch's global generator for the block alone, one thread at a time."""
    with _lock, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
