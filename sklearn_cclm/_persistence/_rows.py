"""`ByteRows`: a matrix kept as bytes, with a scale for each row, as it was stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_ZERO = 128  # the byte that stands for 0
_TAIL = 8  # bytes of a row's scale and offset, behind its values
_AT_ONCE = 4096  # rows


@dataclass(frozen=True, eq=False)
class ByteRows:
    """Rows of bytes: each value is its byte times the row's scale, plus the row's offset.

    The layout is that of torch's quantized ``embedding_bag``: the values, then scale and offset
    as float32.

    Attributes
    ----------
    packed : uint8 array of shape (n, d + 8)
        The rows.
    """

    packed: np.ndarray

    @classmethod
    def of(cls, multiples: np.ndarray, scales: np.ndarray) -> ByteRows:
        """Pack int8 multiples, (n, d), of the scale of each row, (n,)."""
        n, width = multiples.shape
        packed = np.empty((n, width + _TAIL), dtype=np.uint8)
        np.add(multiples, np.int16(_ZERO), out=packed[:, :width], casting="unsafe")
        tail = np.stack([scales, np.float32(-_ZERO) * scales], axis=1, dtype=np.float32)
        packed[:, width:] = tail.view(np.uint8)
        return cls(packed)

    @property
    def shape(self) -> tuple[int, int]:
        """Of the matrix that it stands for."""
        return self.packed.shape[0], self.packed.shape[1] - _TAIL

    def dense(self) -> np.ndarray:
        """Return the matrix as float32."""
        out = np.empty(self.shape, dtype=np.float32)
        for start, rows in self.chunks():
            out[start : start + len(rows)] = rows
        return out

    def chunks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the matrix in pieces: the first row of each, and the rows as float32."""
        width = self.shape[1]
        for start in range(0, len(self.packed), _AT_ONCE):
            some = self.packed[start : start + _AT_ONCE]
            scales = some[:, width : width + 4].copy().view(np.float32)
            yield start, (some[:, :width].astype(np.float32) - np.float32(_ZERO)) * scales
