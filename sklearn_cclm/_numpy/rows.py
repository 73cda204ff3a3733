"""Sums of table rows, of floats or of bytes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_PAD = 0
_SCALE_AND_OFFSET = 8  # bytes
_AT_ONCE = 1024  # rows that are read at once: as floats they stay in the cache


class FloatTable:
    """A table of float rows, of which row 0 counts as zeros.

    Parameters
    ----------
    rows : float32 array of shape (n_rows, d)
        The table.
    """

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = rows
        self.width = rows.shape[1]

    def sum(self, rows: np.ndarray) -> np.ndarray:
        """Add up rows: (n, k) becomes (n, d)."""
        out = np.zeros((len(rows), self.width), dtype=np.float32)
        for texts, places in _blocks(rows):
            found = self.rows.take(places, axis=0)
            weights = (places != _PAD).astype(np.float32)
            out[texts] += (weights[:, None] @ found)[:, 0]
        return out


class ByteTable:
    """A table of rows as bytes, which are summed as they are; row 0 counts as zeros.

    Parameters
    ----------
    packed : uint8 array of shape (n_rows, d + 8)
        For each row its values, then scale and offset as float32.
    """

    def __init__(self, packed: np.ndarray) -> None:
        self.packed = packed
        self.width = packed.shape[1] - _SCALE_AND_OFFSET

    def sum(self, rows: np.ndarray) -> np.ndarray:
        """Add up rows: (n, k) becomes (n, d)."""
        out = np.zeros((len(rows), self.width), dtype=np.float32)
        for texts, places in _blocks(rows):
            found = self.packed.take(places, axis=0)
            tail = found[..., self.width :].copy().view(np.float32)
            tail[places == _PAD] = 0
            values = found[..., : self.width].astype(np.float32)
            out[texts] += (tail[:, None, :, 0] @ values)[:, 0]
            out[texts] += tail[..., 1].sum(axis=1, keepdims=True)
        return out


def _blocks(rows: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield blocks of row numbers, (n, k), with the sums that each block is part of."""
    n, k = rows.shape
    tall = max(1, _AT_ONCE // max(1, k))
    for start in range(0, n, tall):
        texts = slice(start, start + tall)
        for left in range(0, k, _AT_ONCE):
            yield texts, rows[texts, left : left + _AT_ONCE]
