"""The one place where user input becomes a list of str."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Set
from typing import Any

__all__ = ["check_texts"]

_HOW = "pass a list, array or column of texts"


def check_texts(
    X: Any, *, missing: str = "error", column: str | int | None = None, min_texts: int = 0
) -> list[str]:
    """Return texts as a list of str, or say what is wrong with them.

    Parameters
    ----------
    X : iterable of str
        A list, tuple, numpy array or any other sequence or iterator of texts; a pandas or polars
        Series or one-column DataFrame; an Arrow array or one-column table; a Hugging Face Column,
        or a Dataset or IterableDataset with `column`. Iterators and IterableDatasets are read
        through once.
    missing : {"error", "empty"}, default="error"
        Whether None, NaN and NA raise ValueError or become empty texts.
    column : str or int, default=None
        The column to read from frames, tables and Hugging Face datasets.
    min_texts : int, default=0
        Fewer texts are a ValueError.

    Returns
    -------
    list of str
        The texts.

    Raises
    ------
    ValueError
        If X is one text, has several columns or too few rows, or a text is missing.
    TypeError
        If X is no iterable, is a set or dict, or a row is not a str.
    """
    if missing not in ("error", "empty"):
        raise ValueError(f"missing={missing!r} must be 'error' or 'empty'.")
    if not (column is None or isinstance(column, str | int)):
        raise TypeError(f"column={column!r} must be the name of a column or None.")
    texts = list(_rows(X, column))
    if not set(map(type, texts)) <= {str}:
        texts = [_text(row, index, missing) for index, row in enumerate(texts)]
    if len(texts) < min_texts:
        raise ValueError(
            f"Found array with {len(texts)} sample(s) while a minimum of {min_texts} is required."
        )
    return texts


def _rows(X: Any, column: str | int | None) -> Any:
    """Return what X holds row by row, of whatever type."""
    if isinstance(X, str | bytes | bytearray):
        raise ValueError(
            f"An iterable of texts is expected, got a single {type(X).__name__}: put it in a list."
        )
    if isinstance(X, Set | Mapping):
        raise TypeError(f"Texts need an order, which a {type(X).__name__} lacks: {_HOW}.")
    names = _column_names(X)
    if names is not None:
        return _column(X, names, column)
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) > 1:
        if len(shape) != 2 or shape[1] != 1:
            raise ValueError(f"One column of texts is expected, got shape {tuple(shape)}: {_HOW}.")
        return X[:, 0]
    if shape == () or not hasattr(X, "__iter__"):
        raise TypeError(f"An iterable of texts is expected, got {type(X).__name__}: {_HOW}.")
    if hasattr(X, "to_pylist"):
        return X.to_pylist()
    return X[:] if type(X).__module__.startswith("datasets") else X


def _column_names(X: Any) -> list | None:
    """Return the column names of a frame, table or dataset; None for anything else."""
    if type(X).__module__.startswith("datasets") and hasattr(X, "column_names"):
        if X.column_names is None:  # a stream that does not know: its first row does
            return list(next(iter(X), {}))
        return list(X.column_names)
    if type(X).__module__.startswith("pyarrow") and hasattr(X, "column_names"):
        return list(X.column_names)
    names = getattr(X, "columns", None)
    return None if names is None else list(names)


def _column(X: Any, names: list, column: str | int | None) -> Iterable[Any]:
    """Return one column of a frame, table or dataset."""
    dataset = type(X).__module__.startswith("datasets")
    if column is None:
        if len(names) != 1 or dataset:
            raise ValueError(
                f"A {type(X).__name__} has the columns {names}: say with column= which one holds "
                "the texts."
            )
        column = names[0]
    if column not in names:
        raise ValueError(f"column={column!r} is not among the columns {names}.")
    if dataset and not hasattr(X, "__getitem__"):
        return (row[column] for row in X)
    values = X[column]
    if getattr(values, "ndim", 1) != 1:
        raise ValueError(f"column={column!r} names several columns of {names}: rename them.")
    if dataset:
        return values[:]
    return values.to_pylist() if hasattr(values, "to_pylist") else values


def _text(row: Any, index: int, missing: str) -> str:
    """Return one row as a str."""
    if isinstance(row, str):
        return str(row)
    if _is_missing(row):
        if missing == "empty":
            return ""
        raise ValueError(
            f"Text {index} is missing ({row!r}, a {type(row).__name__}): drop the row, or set "
            "missing='empty' to read it as an empty text."
        )
    advice = "decode it first" if isinstance(row, bytes | bytearray) else "convert it to str first"
    raise TypeError(f"Text {index} is not a str but {type(row).__name__} ({row!r}): {advice}.")


def _is_missing(row: Any) -> bool:
    """Whether a row is None, NaN, NaT or pandas' NA."""
    return (
        row is None
        or (isinstance(row, float) and math.isnan(row))
        or type(row).__name__ in ("NAType", "NaTType")
    )
