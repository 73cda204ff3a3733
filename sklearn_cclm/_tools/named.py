"""Estimators made of named parts, whose parameters are reached by the parts' names."""

from __future__ import annotations

from typing import Any, Self


class NamedPartsMixin:
    """Read and set parts, and their parameters, as scikit-learn's compositions do.

    Attributes
    ----------
    _parts : str
        The parameter that holds the (name, part) pairs.
    """

    _parts: str

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
        try:
            return [(name, entry) for name, entry in getattr(self, self._parts)]
        except (TypeError, ValueError):
            return []

    def _check_names(self) -> list[str]:
        """Return the names of the parts, or raise ValueError for one that is not allowed."""
        entries, parts = self._entries(), getattr(self, self._parts)
        if not entries or len(entries) != len(parts):
            raise ValueError(
                f"{self._parts}={parts!r} must be a list of (name, "
                f"{self._parts.removesuffix('s')}) pairs, at least one."
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
