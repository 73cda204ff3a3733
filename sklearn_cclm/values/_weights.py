"""`Weights`: arrays by name, read as float32, whatever they are kept as."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np

from sklearn_cclm._persistence._rows import Rows, arrays, as_float32

_AT_ONCE = 2**20  # numbers


class Weights(Mapping[str, np.ndarray]):
    """Read-only arrays by name.

    Parameters
    ----------
    kept : mapping of str to ndarray, ByteRows or ChangedRows
        Float32 or float16 arrays, or what stands for one; they are made read-only.

    Attributes
    ----------
    kept : mapping of str to ndarray, ByteRows or ChangedRows
        The same, sorted by name.
    """

    def __init__(self, kept: Mapping[str, np.ndarray | Rows]) -> None:
        self.kept = MappingProxyType({name: kept[name] for name in sorted(kept)})
        for array in self._arrays():
            array.setflags(write=False)

    def __getitem__(self, name: str) -> np.ndarray:
        array = self.kept[name]
        dense = as_float32(array)
        dense.setflags(write=False)
        return dense

    def __iter__(self) -> Iterator[str]:
        return iter(self.kept)

    def __len__(self) -> int:
        return len(self.kept)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, as they are kept."""
        return sum(array.nbytes for array in self._arrays())

    def _arrays(self) -> list[np.ndarray]:
        return [array for kept in self.kept.values() for array in arrays(kept)]

    def is_narrow(self, name: str) -> bool:
        """Whether an array is kept in fewer bytes than it is read in."""
        array = self.kept[name]
        return isinstance(array, Rows) or array.dtype == np.float16

    def chunks(self, name: str) -> Iterator[np.ndarray]:
        """Yield an array as it is read, some of it at a time if it is kept in fewer bytes."""
        array = self.kept[name]
        if isinstance(array, Rows):
            yield from (rows for _, rows in array.chunks())
        elif array.dtype == np.float16:
            flat = array.ravel()
            for start in range(0, len(flat), _AT_ONCE):
                yield flat[start : start + _AT_ONCE].astype(np.float32)
        else:
            yield np.ascontiguousarray(array)
