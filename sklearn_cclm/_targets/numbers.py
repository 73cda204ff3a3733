"""Numbers beside texts, one or several for each: read from whatever holds them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Set
from typing import Any

import numpy as np
from scipy.sparse import issparse


def as_numbers(given: Any, name: str) -> Any:
    """Return numbers in a form that scikit-learn checks.

    Parameters
    ----------
    given : array-like
        Arrays, sparse matrices, frames and tensors of any kind, or lists of them; columns of
        pandas, polars, Arrow or Hugging Face whose cells are numbers or vectors.
    name : str
        What it is called in errors.

    Returns
    -------
    array-like or sparse matrix
        An array where there were vectors in cells, or tensors.

    Raises
    ------
    ValueError, TypeError
        If the vectors are not all of one length, or this is nothing that has rows.
    """
    if given is None or isinstance(given, Mapping | Set | Iterator):
        raise TypeError(
            f"{name} is of type {type(given).__name__}: an array, frame, tensor, list or column of "
            "numbers or vectors is needed."
        )
    if type(given).__module__.partition(".")[0] == "datasets":
        given = given[:]
    if issparse(given) or isinstance(given, np.ndarray) and given.dtype != object:
        return given
    if _is_tensor(given):
        return _of_tensor(given)
    rows = given if isinstance(given, list | tuple) else np.asarray(given)
    if isinstance(rows, np.ndarray):
        if rows.ndim == 2 and rows.shape[1] == 1:
            rows = rows[:, 0]  # a frame with a column of vectors, maybe
        if rows.ndim != 1 or rows.dtype != object:
            return rows if rows.ndim != 1 else given
    return _stacked(list(rows), given, name)


def _stacked(rows: list[Any], given: Any, name: str) -> Any:
    """Return vectors as the rows of an array; what holds none as it was given."""
    rows = [_of_tensor(row) if _is_tensor(row) else row for row in rows]
    vectors = [_is_vector(row) for row in rows]
    if not any(vectors):
        return rows if isinstance(given, list | tuple) else given
    if not all(vectors):
        row = vectors.index(False)
        raise ValueError(f"Row {row} of {name} is {rows[row]!r}, and others are vectors.")
    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1:
        raise ValueError(f"{name} has vectors of lengths {lengths}: they must be of one length.")
    return np.array([np.asarray(row) for row in rows])


def _is_tensor(given: Any) -> bool:
    """Whether this is one of torch, without which there is none."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(given, torch.Tensor)


def _of_tensor(tensor: Any) -> np.ndarray:
    """Return a tensor, wherever it is, as an array; of a type that numpy lacks as float32."""
    import torch

    tensor = tensor.detach().cpu()
    tensor = tensor if tensor.layout is torch.strided else tensor.to_dense()
    known = tensor.dtype in (torch.float16, torch.float32, torch.float64)
    return (tensor if known or not tensor.is_floating_point() else tensor.float()).numpy()


def _is_vector(row: Any) -> bool:
    return hasattr(row, "__len__") and not isinstance(row, str | bytes) and np.ndim(row) == 1
