"""Weights as arrays that are stored: float32, float16, or int8 with a scale per row."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from sklearn_cclm._persistence._rows import ByteRows, Rows, as_float32

DTYPES = ("float32", "float16", "int8")
_TINY = np.float32(1e-30)


def encode(weights: Mapping[str, np.ndarray | Rows], dtype: str) -> dict[str, np.ndarray]:
    """Return the arrays that are stored for weights, whatever these are kept as."""
    return {name: _encoded(name, kept, dtype) for name, kept in weights.items()}


def decode(
    tensors: dict[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]], dtype: str
) -> dict[str, np.ndarray]:
    """Take float32 weights of these shapes out of stored arrays, or raise ValueError."""
    return {
        name: np.require(as_float32(kept), requirements="W")
        for name, kept in decode_as_stored(tensors, shapes, dtype).items()
    }


def decode_as_stored(
    tensors: dict[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]], dtype: str
) -> dict[str, np.ndarray | ByteRows]:
    """Take weights of these shapes out of stored arrays, in the type that they have there."""
    return {name: _decoded(tensors, name, shape, dtype) for name, shape in shapes.items()}


def _encoded(name: str, kept: np.ndarray | Rows, dtype: str) -> np.ndarray:
    if isinstance(kept, ByteRows) and dtype == "int8":
        return kept.packed
    array = as_float32(kept)
    if array.dtype != np.float32 or not _is_finite(array):
        raise ValueError(f"Weights {name!r} must be finite float32, to be saved.")
    if dtype == "int8" and array.ndim > 1:
        return _to_bytes(array.reshape(len(array), -1)).packed
    return _narrowed(name, array, dtype)


def _narrowed(name: str, array: np.ndarray, dtype: str) -> np.ndarray:
    if dtype != "float16":
        return array
    with np.errstate(over="ignore"):
        narrow = array.astype(np.float16)
    if not _is_finite(narrow):
        raise ValueError(f"Weights {name!r} are too large for float16; save them as float32.")
    return narrow


def _to_bytes(rows: np.ndarray) -> ByteRows:
    """Return rows as whole multiples, from -127 to 127, of the scale of each.

    A scale has 16 significant bits, so that the multiples are exact in float32 and what is loaded
    becomes the same bytes again.
    """
    peak = np.abs(rows).max(axis=1, initial=0)
    bits = (peak / np.float32(127)).view(np.uint32)
    scale = ((bits + np.uint32(0xFF)) & np.uint32(0xFFFFFF00)).view(np.float32)
    scale = np.where(peak < _TINY, np.float32(0), scale)
    multiples = np.rint(rows / np.where(scale == 0, np.float32(1), scale)[:, None])
    return ByteRows.of(multiples.astype(np.int8), scale)


def _decoded(
    tensors: dict[str, np.ndarray], name: str, shape: tuple[int, ...], dtype: str
) -> np.ndarray | ByteRows:
    if dtype == "int8" and len(shape) > 1:
        packed = shape[0], math.prod(shape[1:]) + ByteRows.TAIL
        rows = ByteRows(_take(tensors, name, packed, "uint8"))
        rows.check(name)
        return rows if len(shape) == 2 else rows.dense().reshape(shape)
    array = _take(tensors, name, shape, "float16" if dtype == "float16" else "float32")
    if not _is_finite(array):
        raise ValueError(f"the weights {name!r} are not all finite.")
    return array


def _is_finite(array: np.ndarray) -> bool:
    """Whether all numbers are; without an array of answers, beside a table that may be large."""
    ends = array.min(initial=0), array.max(initial=0)
    return bool(np.isfinite(ends).all())


def _take(
    tensors: dict[str, np.ndarray], name: str, shape: tuple[int, ...], dtype: str
) -> np.ndarray:
    array = tensors.pop(name, None)
    if array is None:
        raise ValueError(f"the weights {name!r} are missing.")
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(
            f"the weights {name!r} are {array.dtype} of shape {array.shape}, and the network's "
            f"are {dtype} of shape {shape}."
        )
    return array
