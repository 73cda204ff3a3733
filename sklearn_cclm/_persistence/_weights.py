"""Float32 weights as safetensors: as they are, as float16, or as int8 with a scale per row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from safetensors.numpy import load, save

from sklearn_cclm._persistence._rows import ByteRows

DTYPES = ("float32", "float16", "int8")
_SCALE = "/scale"
_MAX_HEADER = 2**22
_TINY = np.float32(1e-30)


def encode(weights: Mapping[str, np.ndarray], dtype: str) -> dict[str, np.ndarray]:
    """Return the arrays that are stored for weights."""
    stored = {}
    for name, array in weights.items():
        if array.dtype != np.float32 or not np.isfinite(array).all():
            raise ValueError(f"Weights {name!r} must be finite float32, to be saved.")
        if dtype == "int8" and array.ndim > 1:
            stored[name], stored[name + _SCALE] = _to_int8(array)
        else:
            stored[name] = _narrowed(name, array, dtype)
    return stored


def decode(
    tensors: dict[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]], dtype: str
) -> dict[str, np.ndarray]:
    """Take float32 weights of these shapes out of stored arrays, or raise ValueError."""
    return {
        name: array.dense() if isinstance(array, ByteRows) else array.astype(np.float32)
        for name, array in decode_as_stored(tensors, shapes, dtype).items()
    }


def decode_as_stored(
    tensors: dict[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]], dtype: str
) -> dict[str, np.ndarray | ByteRows]:
    """Take weights of these shapes out of stored arrays, in the type that they have there."""
    return {name: _decoded(tensors, name, shape, dtype) for name, shape in shapes.items()}


def pack(tensors: Mapping[str, np.ndarray]) -> bytes:
    """Return arrays as the bytes of a safetensors file, the same for the same arrays."""
    return save({name: np.asarray(tensors[name], order="C") for name in sorted(tensors)})


def unpack(content: bytes) -> dict[str, np.ndarray]:
    """Return the arrays of a safetensors file, or raise an error if it is none."""
    header = int.from_bytes(content[:8], "little")
    if header > _MAX_HEADER:
        raise ValueError(
            f"model.safetensors has a header of {header} bytes; {_MAX_HEADER} at most."
        )
    return load(content)


def _narrowed(name: str, array: np.ndarray, dtype: str) -> np.ndarray:
    if dtype != "float16":
        return array
    with np.errstate(over="ignore"):
        narrow = array.astype(np.float16)
    if not np.isfinite(narrow).all():
        raise ValueError(f"Weights {name!r} are too large for float16; save them as float32.")
    return narrow


def _to_int8(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows as whole multiples, from -127 to 127, of the scale of each.

    A scale has 16 significant bits, so that the multiples are exact in float32 and what is loaded
    becomes the same bytes again.
    """
    rows = array.reshape(len(array), -1)
    peak = np.abs(rows).max(axis=1, initial=0)
    bits = (peak / np.float32(127)).view(np.uint32)
    scale = ((bits + np.uint32(0xFF)) & np.uint32(0xFFFFFF00)).view(np.float32)
    scale = np.where(peak < _TINY, np.float32(0), scale)
    multiples = np.rint(rows / np.where(scale == 0, np.float32(1), scale)[:, None])
    return multiples.astype(np.int8).reshape(array.shape), scale


def _decoded(
    tensors: dict[str, np.ndarray], name: str, shape: tuple[int, ...], dtype: str
) -> np.ndarray | ByteRows:
    if dtype == "int8" and len(shape) > 1:
        multiples = _take(tensors, name, shape, "int8")
        scales = _take(tensors, name + _SCALE, shape[:1], "float32")
        with np.errstate(over="ignore", invalid="ignore"):
            _check_finite(name, scales * np.float32(128))
        rows = ByteRows.of(multiples.reshape(len(multiples), -1), scales)
        return rows if len(shape) == 2 else rows.dense().reshape(shape)
    array = _take(tensors, name, shape, "float16" if dtype == "float16" else "float32")
    _check_finite(name, array)
    return array


def _check_finite(name: str, array: np.ndarray) -> None:
    if not np.isfinite(array).all():
        raise ValueError(f"the weights {name!r} are not all finite.")


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
