"""Matrices kept in fewer bytes: as bytes with a scale for each row, and what differs of such."""

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


@dataclass(frozen=True, eq=False)
class ChangedRows:
    """A matrix of which some rows differ from one that is kept as bytes.

    Attributes
    ----------
    others : ByteRows
        The other matrix.
    numbers : int64 array of shape (k,)
        Which rows differ, in ascending order.
    values : float32 array of shape (k, d)
        Those rows.
    """

    others: ByteRows
    numbers: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, old: ByteRows | ChangedRows, new: np.ndarray) -> ChangedRows | np.ndarray:
        """Return what was trained from an old matrix, whole if half of its rows have changed."""
        others = old.others if isinstance(old, ChangedRows) else old
        changed = [
            (new[start : start + len(rows)].view(np.uint32) != rows.view(np.uint32)).any(axis=1)
            for start, rows in others.chunks()
        ]
        numbers = np.flatnonzero(np.concatenate(changed))
        return new if 2 * len(numbers) > len(new) else cls(others, numbers, new[numbers])

    @property
    def shape(self) -> tuple[int, int]:
        """Of the matrix that it stands for."""
        return self.others.shape

    def dense(self) -> np.ndarray:
        """Return the matrix as float32."""
        out = self.others.dense()
        out[self.numbers] = self.values
        return out

    def chunks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the matrix in pieces: the first row of each, and the rows as float32."""
        for start, rows in self.others.chunks():
            first, last = np.searchsorted(self.numbers, [start, start + len(rows)])
            rows[self.numbers[first:last] - start] = self.values[first:last]
            yield start, rows


Rows = ByteRows | ChangedRows


def arrays(kept: np.ndarray | Rows) -> list[np.ndarray]:
    """Return the arrays that weights are kept in."""
    if isinstance(kept, ChangedRows):
        return [kept.others.packed, kept.numbers, kept.values]
    return [kept.packed if isinstance(kept, ByteRows) else kept]


def as_float32(kept: np.ndarray | Rows) -> np.ndarray:
    """Return weights as they are read: floats of bytes and of float16."""
    if isinstance(kept, Rows):
        return kept.dense()
    return kept.astype(np.float32) if kept.dtype == np.float16 else kept
