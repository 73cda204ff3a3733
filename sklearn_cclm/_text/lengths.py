"""Texts of like length together, so that little is padded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def length_batches(lengths: np.ndarray, batch_chars: int) -> Iterator[np.ndarray]:
    """Yield rows of like length, so many that a padded batch has at most `batch_chars`."""
    order = np.argsort(lengths, kind="stable")
    ordered = np.maximum(lengths[order], 1)
    start = 0
    while start < len(order):
        stop = start + 1
        limit = min(len(order), start + batch_chars // ordered[start])
        if limit > stop:  # the longest of a batch is its last: search for the last that fits
            cost = ordered[start:limit] * np.arange(1, limit - start + 1)
            stop = start + max(1, int(np.searchsorted(cost, batch_chars, side="right")))
        yield order[start:stop]
        start = stop
