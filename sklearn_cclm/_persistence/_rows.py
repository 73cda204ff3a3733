"""`ByteRows`: a matrix kept as bytes, with a scale for each row, as it was stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

_ZERO = 128  # the byte that stands for 0
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

    TAIL: ClassVar[int] = 8  # bytes of a row's scale and offset, behind its values
    packed: np.ndarray

    @classmethod
    def of(cls, multiples: np.ndarray, scales: np.ndarray) -> ByteRows:
        """Pack int8 multiples, (n, d), of the scale of each row, (n,)."""
        n, width = multiples.shape
        packed = np.empty((n, width + cls.TAIL), dtype=np.uint8)
        np.add(multiples, np.int16(_ZERO), out=packed[:, :width], casting="unsafe")
        offsets = np.float32(-_ZERO) * scales + np.float32(0)  # which makes -0 a 0
        tail = np.stack([scales, offsets], axis=1, dtype=np.float32)
        packed[:, width:] = tail.view(np.uint8)
        return cls(packed)

    @property
    def shape(self) -> tuple[int, int]:
        """Of the matrix that it stands for."""
        return self.packed.shape[0], self.packed.shape[1] - self.TAIL

    def check(self, name: str) -> None:
        """Raise ValueError unless each row has a finite scale, and the offset that goes with it."""
        scales, offsets = self.packed[:, -self.TAIL :].copy().view(np.float32).T
        if not np.isfinite(offsets).all():
            raise ValueError(f"the weights {name!r} are not all finite.")
        if (offsets / np.float32(-_ZERO) != scales).any():
            raise ValueError(f"the weights {name!r} have offsets that are not {-_ZERO} scales.")

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


def as_float32(kept: np.ndarray | ByteRows) -> np.ndarray:
    """Return weights as they are read: floats of bytes and of float16."""
    if isinstance(kept, ByteRows):
        return kept.dense()
    return kept.astype(np.float32) if kept.dtype == np.float16 else kept
