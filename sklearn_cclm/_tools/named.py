"""Estimators made of named parts, whose parameters are reached by the parts' names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from reprlib import repr as short_repr
from typing import Any, Self

from sklearn.pipeline import FeatureUnion


class NamedPartsMixin:
    """Read and set parts, and their parameters, as scikit-learn's compositions do.

    Attributes
    ----------
    _parts : str
        The parameter that holds the (name, part) pairs.
    _naming : str
        What the advice about parts without names ends with.
    """

    _parts: str
    _naming = ""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters.

        Parameters
        ----------
        deep : bool, default=True
            Whether to add each part by its name, and the parameters of unfitted estimators.

        Returns
        -------
        dict
            Values by parameter name.
        """
        params = super().get_params(deep=deep)  # type: ignore[misc]
        if not deep:
            return params
        for name, entry in self._entries():
            params[name] = entry
            if hasattr(entry, "get_params") and not isinstance(entry, type):
                inner = entry.get_params(deep=True)
                params.update({f"{name}__{key}": value for key, value in inner.items()})
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters, parts by their names, and parameters of unfitted estimators.

        Parameters
        ----------
        **params
            Such as ``mlm="drop"`` or ``mlm__max_epochs=3``, where a part is named "mlm".

        Returns
        -------
        NamedPartsMixin
            This estimator.
        """
        if self._parts in params:
            setattr(self, self._parts, params.pop(self._parts))
        named = {name for name, _ in self._entries()} & params.keys()
        if named:
            new = {name: params.pop(name) for name in named}
            parts = [(name, new.get(name, entry)) for name, entry in getattr(self, self._parts)]
            setattr(self, self._parts, parts)
        return super().set_params(**params)  # type: ignore[misc]

    def _entries(self) -> list[tuple[str, Any]]:
        """Return the (name, part) pairs, or none where they are not such a list."""
        parts = getattr(self, self._parts)
        listed = isinstance(parts, list | tuple) and all(map(_is_pair, parts))
        return [(name, entry) for name, entry in parts] if listed else []

    def _shown(self) -> list[tuple[str, Any]]:
        """Return the (name, part) pairs that a diagram has, as blocks side by side."""
        return self._entries()

    def _sk_visual_block_(self) -> Any:
        return FeatureUnion(self._shown())._sk_visual_block_()

    def _check_names(self) -> list[str]:
        """Return the names of the parts, or raise ValueError for one that is not allowed."""
        entries, parts = self._entries(), getattr(self, self._parts)
        if not entries:
            raise ValueError(
                f"{self._parts}={short_repr(parts)} must be a list of (name, "
                f"{self._parts.removesuffix('s')}) pairs, at least one"
                f"{_as_pairs(parts, self._naming)}."
            )
        names = [name for name, _ in entries]
        taken = set(self.get_params(deep=False))
        for name in names:
            if not isinstance(name, str) or "__" in name or name in taken:
                raise ValueError(
                    f"{self._parts.removesuffix('s').capitalize()} name {name!r} must be a string "
                    f"without '__' that is no parameter of {type(self).__name__}."
                )
        if len(set(names)) < len(names):
            raise ValueError(
                f"{self._parts.removesuffix('s').capitalize()} names must differ, got {names}."
            )
        return names


def task_names(parts: Sequence[Any]) -> list[str]:
    """Return names for parts: of a name itself, of what has a task that of it, else the class's.

    Names that would repeat get a number.
    """
    tasks = list(map(_task_name, parts))
    total, seen = Counter(tasks), Counter[str]()
    names = []
    for task in tasks:
        seen[task] += 1
        names.append(f"{task}-{seen[task]}" if total[task] > 1 else task)
    return names


def _task_name(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(getattr(part, "task", None), str):
        return part.task
    return part._task().name if hasattr(part, "_task") else type(part).__name__.lower()


def _is_pair(entry: Any) -> bool:
    return isinstance(entry, list | tuple) and len(entry) == 2


def _as_pairs(parts: Any, naming: str) -> str:
    """Return how to write as pairs what is none, or nothing where it cannot be told."""
    if isinstance(parts, Mapping) and parts:
        return ": pass list(mapping.items())"
    if isinstance(parts, tuple) and _is_pair(parts) and not isinstance(parts[1], str):
        return ": put the pair in a list"
    listed = parts if isinstance(parts, list | tuple) else [parts]
    bare = [part for part in listed if not _is_pair(part)]
    if not bare or not all(map(_may_be_part, bare)):
        return ""
    names = iter(task_names(bare))
    pairs = [part if _is_pair(part) else (next(names), part) for part in listed]
    written = ", ".join(f"({name!r}, {short_repr(part)})" for name, part in pairs)
    return f": pass [{written}]{naming}"


def _may_be_part(part: Any) -> bool:
    if isinstance(part, str | type):
        return isinstance(part, str) and part != ""
    return hasattr(part, "fit") or hasattr(part, "task")
