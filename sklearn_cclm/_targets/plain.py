"""Rows of any library as lists, dicts and scalars of Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

_METHODS = ("to_dicts", "tolist", "to_list", "to_pylist", "as_py")


def plain(value: Any) -> Any:
    """Return nested rows as lists, tuples and dicts, and scalars as those of Python.

    Arrays, Series, frames, Arrow, tensors, sets and iterators become what they hold, named tuples
    dicts; what is of no such kind stays.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, list | tuple):
        scalars = set(map(type, value)) <= {str, int}  # as most rows are: much faster
        return value if scalars else type(value)(map(plain, value))
    if isinstance(value, Iterator | Set):
        return [plain(item) for item in value]
    if hasattr(value, "to_dict") and hasattr(value, "columns") and hasattr(value, "iloc"):
        return plain(value.to_dict("records"))
    for method in _METHODS:
        if hasattr(value, method):
            found = getattr(value, method)()
            return plain(found) if isinstance(found, list | tuple) else found
    return value
