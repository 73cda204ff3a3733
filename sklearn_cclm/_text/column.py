"""The column that the texts of `fit` came from: it gives the features their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from os import PathLike
from typing import Any, Self

import numpy as np

from sklearn_cclm._text.read import check_texts, column_names


class OneReadMixin:
    """Fit and transform at once what can be read through once."""

    missing: str
    column: Any

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """Fit to the texts and transform them.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts; an iterator is read once.
        y : array-like of shape (n,), default=None
            Passed on to `fit`.
        **fit_params
            Passed on to `fit`.

        Returns
        -------
        array
            As `transform` returns it.
        """
        if isinstance(X, Iterator):
            X = check_texts(X, missing=self.missing, column=self.column)
        return super().fit_transform(X, y, **fit_params)  # type: ignore[misc]


class ColumnMixin(OneReadMixin):
    """Name features after the column that the texts came from, if it has a name.

    Attributes
    ----------
    column_ : str
        The name of the column that `fit` read; there is none if that has none.
    """

    column_: str

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the features.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str objects
            One name per feature; behind that of the column that `fit` read, as in
            "title__charpreprocessor0", where it has one.
        """
        return self._named(super().get_feature_names_out(input_features))  # type: ignore[misc]

    def _set_column(self, X: Any) -> None:
        """Keep the name of the column that texts were read from, or forget an earlier one."""
        vars(self).pop("column_", None)
        name = column_of(X, self.column)
        if name is not None:
            self.column_ = name

    def _named(self, names: Iterable[str]) -> np.ndarray:
        """Return the names of features behind that of the column."""
        before = f"{self.column_}__" if hasattr(self, "column_") else ""
        return np.array([f"{before}{name}" for name in names], dtype=object)

    def _stored(self, add: Callable[[Any], int]) -> tuple[dict[str, Any], Mapping[str, Any]]:
        state, weights = super()._stored(add)  # type: ignore[misc]
        own = {"column": self.column_} if hasattr(self, "column_") else {}
        return {**state, **own}, weights

    @classmethod
    def _from_stored(cls, state: Any, part: Callable, weights: Callable) -> Self:
        own = {"column": state.pop("column")} if "column" in state else {}
        component = super()._from_stored(state, part, weights)  # type: ignore[misc]
        for name in own.values():
            if not isinstance(name, str) or not any(key.endswith("_") for key in vars(component)):
                raise ValueError(f"column={name!r} must be the name of what was read in fit.")
            component.column_ = name
        return component


def column_of(X: Any, column: str | int | None) -> str | None:
    """Return the name of the column that texts are read from; None where there is none."""
    name: Any = None
    if isinstance(X, Mapping):
        name = column
    elif type(X).__module__.partition(".")[0] == "datasets":
        name = column if hasattr(X, "column_names") else X.column_name
    elif (names := column_names(X)) is not None:
        name = names[0] if column is None else column
    elif hasattr(type(X), "name") and not isinstance(X, PathLike):
        name = X.name
    return name if isinstance(name, str) and name else None
