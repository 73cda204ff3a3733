"""What format version 1 stored otherwise: matrices as int8 with their scales apart."""

from __future__ import annotations

import numpy as np

from sklearn_cclm._persistence._rows import ByteRows

_SCALE = "/scale"


def upgraded(tensors: dict[str, np.ndarray]) -> None:
    """Put rows of bytes in the place of int8 arrays and their scales, or raise ValueError.

    All is copied, so that a file whose rows are of no more use does not stay mapped.
    """
    tensors.update({name: a.copy() for name, a in tensors.items() if a.dtype != np.int8})
    for name in [name for name in tensors if name.endswith(_SCALE)]:
        scales, matrix = tensors.pop(name), name.removesuffix(_SCALE)
        multiples = tensors.get(matrix, scales)
        rows = multiples.dtype == np.int8 and multiples.ndim > 1
        if not rows or scales.dtype != np.float32 or scales.shape != multiples.shape[:1]:
            raise ValueError(f"the weights {name!r} are no scales of the rows of {matrix!r}.")
        with np.errstate(over="ignore", invalid="ignore"):
            tensors[matrix] = ByteRows.of(multiples.reshape(len(multiples), -1), scales).packed
