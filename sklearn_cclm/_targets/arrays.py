"""Labels and numbers, in whatever container they were given, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array
from sklearn.utils.validation import column_or_1d

from sklearn_cclm._targets.numbers import as_numbers
from sklearn_cclm._text.read import is_missing, read_rows

_LISTS = (list, tuple, set, frozenset, np.ndarray)
_SHOWN = 5  # rows that a message names


def label_array(y: Any, name: str = "y") -> np.ndarray:
    """Return labels as an array, (n,), or where texts may have several (n, n_classes).

    Parameters
    ----------
    y : array-like or sparse matrix
        Labels, missing ones among them or not.
    name : str, default="y"
        What a message calls it.

    Returns
    -------
    ndarray
        Of numbers or strings, not of objects.

    Raises
    ------
    ValueError
        If labels are missing, lists, or strings beside others.
    """
    values = target_array(y, name)
    return column_or_1d(values, warn=True) if values.shape[1:] == (1,) else values


def number_array(y: Any, name: str = "y") -> np.ndarray:
    """Return numbers, also as tensors or vectors in the cells of a column, as an array."""
    return np.asarray(target_array(as_numbers(y, name), name), order="C")


def target_array(y: Any, name: str = "y") -> np.ndarray:
    """Return labels or numbers as an array of the shape that they have."""
    if issparse(y):
        return check_array(y, accept_sparse="csr", input_name=name).toarray()
    if len(getattr(y, "shape", ())) > 1 or not hasattr(y, "__iter__") and hasattr(y, "__array__"):
        y = np.asanyarray(y)
    unordered = isinstance(y, str | bytes | Set | Mapping)
    if unordered or not hasattr(y, "__iter__") or getattr(y, "shape", (0,)) == ():
        raise ValueError(f"{name} must be a list, an array or a column, got a {type(y).__name__}.")
    if not isinstance(y, np.ndarray):
        rows = list(read_rows(y, None))
        shape: tuple[int, ...] = (len(rows),)
    elif y.dtype.kind in "OT" or np.ma.isMaskedArray(y):
        rows, shape = y.ravel().tolist(), y.shape
    else:
        if y.dtype.kind in "fmM":
            _check_missing(np.isnan(y), name)
        return y
    if any(isinstance(row, _LISTS) for row in rows):
        return _listed(rows, name)
    _check_missing(np.reshape([is_missing(row) for row in rows], shape), name)
    if len({isinstance(row, str) for row in rows}) > 1:
        found = sorted({type(row).__name__ for row in rows})
        raise ValueError(f"{name} has values of the types {found}: convert them to one.")
    return np.array(rows).reshape(shape)


def _listed(rows: list[Any], name: str) -> np.ndarray:
    """Return lists of numbers as an array, or raise ValueError for lists of labels."""
    lists = [list(row) if isinstance(row, _LISTS) else [row] for row in rows]
    of_labels = any(isinstance(row, set | frozenset) for row in rows) or any(
        isinstance(value, str) for values in lists for value in values
    )
    if of_labels or len(set(map(len, lists))) > 1:
        raise ValueError(
            f"{name} has a list for each text, and these are no rows of numbers. Pass a column of "
            "0 and 1 for each label, such as sklearn.preprocessing.MultiLabelBinarizer()"
            f".fit_transform({name})."
        )
    _check_missing(np.array([any(map(is_missing, values)) for values in lists]), name)
    return np.array(lists)


def _check_missing(missing: np.ndarray, name: str) -> None:
    """Raise ValueError if what is given for a text is missing."""
    rows = np.flatnonzero(missing.any(axis=tuple(range(1, missing.ndim)))).tolist()
    if rows:
        more = " and others" if len(rows) > _SHOWN else ""
        raise ValueError(
            f"Input {name} contains NaN, None or NA: {len(rows)} missing value(s), in the rows "
            f"{rows[:_SHOWN]}{more}. Leave these texts out, or fill in what is missing."
        )
