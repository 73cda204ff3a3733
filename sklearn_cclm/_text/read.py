"""The one place where user input becomes a list of str."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import reduce
from itertools import chain, islice
from numbers import Real
from operator import getitem
from reprlib import repr as short_repr
from typing import Any

import numpy as np

from sklearn_cclm._text.elsewhere import refuse_elsewhere

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
        or a Dataset, IterableDataset or mapping with `column`. Iterators and IterableDatasets are
        read through once.
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
        If X is no iterable, is a set or mapping, does not hold its texts itself, or a row is not a
        str.
    """
    check_reading(missing, column)
    texts = list(read_rows(X, column))
    if not set(map(type, texts)) <= {str}:
        texts = [_text(row, index, missing) for index, row in enumerate(texts)]
    if len(texts) < min_texts:
        raise ValueError(
            f"Found array with {len(texts)} sample(s) while a minimum of {min_texts} is required."
        )
    return texts


def text_rows(X: Any, *, missing: str, column: str | int | None) -> Iterator[str]:
    """Yield the texts of X one by one, checked as by `check_texts`."""
    check_reading(missing, column)
    for index, row in enumerate(read_rows(X, column)):
        yield row if type(row) is str else _text(row, index, missing)


def check_reading(missing: str, column: str | int | None) -> None:
    """Raise ValueError or TypeError for a parameter that is not allowed."""
    if missing not in ("error", "empty"):
        raise ValueError(f"missing={missing!r} must be 'error' or 'empty'.")
    if isinstance(column, bool) or not isinstance(column, str | int | None):
        raise TypeError(f"column={column!r} must be the name of a column or None.")


def read_rows(X: Any, column: str | int | None) -> Iterable[Any]:
    """Return what X holds row by row, of whatever type."""
    if isinstance(X, str | bytes | bytearray):
        raise ValueError(
            f"An iterable of texts is expected, got a single {type(X).__name__}: put it in a list."
        )
    if isinstance(X, Set):
        raise TypeError(f"Texts need an order, which a {type(X).__name__} lacks: {_HOW}.")
    if isinstance(X, Mapping) and column is not None:
        return read_rows(X[_column_name(X, list(X), column)], None)
    refuse_elsewhere(X)
    if type(X).__name__ == "RecordBatchReader":
        X = X.read_all()
    if type(X).__module__.partition(".")[0] == "datasets":
        return _dataset_rows(X, column)
    names = column_names(X)
    if names is not None:
        return _listed(X[_column_name(X, names, column)])
    shape: tuple[int, ...] = getattr(X, "shape", (0,))
    if len(shape) > 1:
        if len(shape) != 2 or shape[1] != 1:
            raise ValueError(f"One column of texts is expected, got shape {tuple(shape)}: {_HOW}.")
        return _listed(X[:, 0])
    if shape != () and isinstance(X, Iterable):
        return _listed(X)
    if shape != () and hasattr(type(X), "__len__") and hasattr(type(X), "__getitem__"):
        return (X[place] for place in range(len(X)))
    raise TypeError(f"An iterable of texts is expected, got {type(X).__name__}: {_HOW}.")


def _dataset_rows(X: Any, column: str | int | None) -> Iterable[Any]:
    """Return the rows of a Hugging Face column, or of one column of a dataset."""
    stored = hasattr(X, "__len__")
    if not hasattr(X, "column_names"):
        return _listed(X[:]) if stored else _streamed_column(X)
    if stored:
        return _listed(X[_column_name(X, X.column_names, column, only=False)][:])
    rows = iter(X.with_format(None))
    names = X.column_names
    if names is None:  # a stream that does not know: its first row does
        head = list(islice(rows, 1))
        names = list(*head) or [column]
        rows = chain(head, rows)
    name = _column_name(X, names, column, only=False)
    return (row.get(name) for row in rows)


def _streamed_column(X: Any) -> Iterator[Any]:
    """Yield the values of a streamed column, which may be inside another one, in no format."""
    path = []
    while not hasattr(X, "column_names"):
        path.append(X.column_name)
        X = X.source
    return (reduce(getitem, reversed(path), row) for row in X.with_format(None))


def column_names(X: Any) -> list | None:
    """Return the column names of a frame or table; None for anything else."""
    for name in ("column_names", "columns"):
        if hasattr(type(X), name):  # of the type: pandas makes attributes of labels as well
            return list(getattr(X, name))
    return None


def _column_name(X: Any, names: list, column: str | int | None, *, only: bool = True) -> Any:
    """Return the name of the column to read; with `only`, a single column needs none."""
    if column is None and not (only and len(names) == 1):
        raise ValueError(
            f"X is of type {type(X).__name__} and has the columns {names}: say with column= which "
            "one holds the texts."
        )
    name = names[0] if column is None else column
    if name not in names:
        raise ValueError(f"column={name!r} is not among the columns {names}.")
    if names.count(name) > 1:
        raise ValueError(f"column={name!r} names several columns of {names}: rename them.")
    return name


def _listed(X: Any) -> Iterable[Any]:
    """Return the values of a column as a list, by its own fast method if it has one."""
    for method in ("tolist", "to_list", "to_pylist"):
        if hasattr(X, method):
            return getattr(X, method)()
    return np.asarray(X).tolist() if hasattr(X, "__array__") else X


def _text(row: Any, index: int, missing: str) -> str:
    """Return one row as a str."""
    if isinstance(row, str):
        return str.__str__(row)  # plain str() drops a numpy string's last NULs, and names an Enum
    if is_missing(row):
        if missing == "empty":
            return ""
        raise ValueError(
            f"Text {index} is missing ({row!r}, a {type(row).__name__}): drop the row, or set "
            "missing='empty' to read it as an empty text."
        )
    raise TypeError(
        f"Text {index} is not a str but {type(row).__name__} ({short_repr(row)}): {_advice(row)}."
    )


def is_missing(row: Any) -> bool:
    """Whether a row is None, NaN, NaT or pandas' NA."""
    return (
        row is None
        or (isinstance(row, Real) and row != row)
        or type(row).__name__ in ("NAType", "NaTType")
    )


def _advice(row: Any) -> str:
    """Return what to do with rows of another type than str."""
    if isinstance(row, bytes | bytearray):
        return "decode it first"
    if isinstance(row, Mapping) and row:
        return f"pass [row[{next(iter(row))!r}] for row in X], or whichever holds the text"
    if isinstance(row, Sequence) and row:
        return "pass [row[0] for row in X], or whichever place holds the text"
    return "convert it to str first"
