"""Arrays by name as a safetensors file, and back without copying them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from safetensors.numpy import save

from sklearn_cclm._persistence._config import check_keys, parse

_DTYPES = {"F32": "<f4", "F16": "<f2", "I8": "i1", "U8": "u1"}
_MAX_HEADER = 2**22


def pack(tensors: Mapping[str, np.ndarray]) -> bytes:
    """Return arrays as the bytes of a safetensors file, the same for the same arrays."""
    return save({name: np.asarray(tensors[name], order="C") for name in sorted(tensors)})


def unpack(content: np.ndarray) -> dict[str, np.ndarray]:
    """Return the arrays of a safetensors file, or raise an error if it is none.

    They lie in the bytes that are given, where the library's own reader copies them.
    """
    size = int.from_bytes(content[:8].tobytes(), "little")
    if size > _MAX_HEADER:
        raise ValueError(f"model.safetensors has a header of {size} bytes; {_MAX_HEADER} at most.")
    header, data = parse(content[8 : 8 + size].tobytes()), content[8 + size :]
    for name, said in header.items():
        check_keys(name, said, ("dtype", "shape", "data_offsets"))
    tensors, end = {}, 0
    for name, said in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        start, stop = said["data_offsets"]
        if start != end or stop < start:
            raise ValueError(f"the weights {name!r} do not begin where those before them end.")
        tensors[name] = _array(name, data[start:stop], said)
        end = stop
    if end != len(data):
        raise ValueError(f"model.safetensors holds {len(data) - end} bytes too many.")
    return tensors


def _array(name: str, content: np.ndarray, said: dict) -> np.ndarray:
    """Return bytes as the array that a header says they are."""
    if said["dtype"] not in _DTYPES:
        raise ValueError(f"the weights {name!r} are {said['dtype']}, not one of {list(_DTYPES)}.")
    array = content.view(_DTYPES[said["dtype"]]).reshape(said["shape"])
    if list(array.shape) != said["shape"]:
        raise ValueError(f"the weights {name!r} have the shape {said['shape']}.")
    return np.require(array, requirements="A")
