"""Randomness in a closed room: nothing here reads or moves a global generator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state

from sklearn_cclm._tools.locks import Lock

_lock = Lock()  # a build within a build takes it again


@contextmanager
def isolated_seed(seed: int) -> Iterator[None]:
    """Seed torch's global generator of the CPU for the block alone, one thread at a time."""
    with _lock, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed accelerators too
        yield


def draw_seed(random_state: Any) -> int:
    """Draw a seed; None, unlike in scikit-learn, stands for fresh entropy."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**31 - 1))
    return check_random_state(random_state).randint(2**31 - 1)
