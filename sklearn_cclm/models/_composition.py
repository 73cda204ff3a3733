"""What `ComposedModel` and `ComposedEmbedder` share: named towers as parameters, and their fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import joblib
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._device import check_device
from sklearn_cclm._params import check_bool, check_integer, check_option, check_real
from sklearn_cclm._tags import TextTagsMixin
from sklearn_cclm._texts import check_texts
from sklearn_cclm.models._inference import Member
from sklearn_cclm.models._values import Base, Tower


class Composition(TextTagsMixin, TransformerMixin, BaseEstimator):
    """Towers by name: parameters as in scikit-learn's compositions, and results as values."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters.

        Parameters
        ----------
        deep : bool, default=True
            Whether to add each tower by its name, and the parameters of unfitted pretrainers.

        Returns
        -------
        dict
            Values by parameter name.
        """
        params = super().get_params(deep=False)
        if not deep:
            return params
        for name, entry in self._entries():
            params[name] = entry
            if hasattr(entry, "get_params") and not isinstance(entry, type):
                inner = entry.get_params(deep=True)
                params.update({f"{name}__{key}": value for key, value in inner.items()})
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters, towers by their names, and parameters of unfitted pretrainers.

        Parameters
        ----------
        **params
            Such as ``pooling="max"``, ``mlm="drop"`` or ``mlm__max_epochs=3``.

        Returns
        -------
        Composition
            This estimator.
        """
        if "towers" in params:
            self.towers = params.pop("towers")
        named = {name for name, _ in self._entries()} & params.keys()
        if named:
            new = {name: params.pop(name) for name in named}
            self.towers = [(name, new.get(name, entry)) for name, entry in self.towers]
        return super().set_params(**params)

    def _entries(self) -> list[tuple[str, Any]]:
        """Return the (name, entry) pairs, or none where `towers` is not such a list."""
        try:
            return [(name, entry) for name, entry in self.towers]
        except (TypeError, ValueError):
            return []

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the towers, and train the unfitted ones if `fit_towers` says so.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.
        y : array-like of shape (n,), default=None
            Passed on to the pretrainers.

        Returns
        -------
        Composition
            This estimator, with `towers_`.

        Raises
        ------
        ValueError, TypeError
            If a parameter, a tower or a text is not allowed.
        """
        self._check_params()
        texts = check_texts(X, missing=self.missing, column=self.column, min_texts=1)
        towers = self._trained(texts, y)
        self._check_towers(towers)
        self.towers_ = towers
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Fit to the texts and transform them.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts; an iterator is read once.
        y : array-like of shape (n,), default=None
            Passed on to the pretrainers.

        Returns
        -------
        ndarray
            As `transform` returns it.
        """
        if isinstance(X, Iterator):
            X = list(X)
        return self.fit(X, y).transform(X)

    def _texts(self, X: Any) -> list[str]:
        """Return the texts to transform; parameters may have changed since `fit`."""
        check_is_fitted(self)
        self._check_params()
        self._check_towers(self.towers_)
        return check_texts(X, missing=self.missing, column=self.column)

    def _readable(self, texts: list[str]) -> list[str]:
        """Return the texts normalised, and cut to what every base reads, as `truncation` says."""
        readings = [
            tower.base.preprocessor(truncation=self.truncation) for _, tower in self.towers_
        ]
        preprocessor = min(readings, key=lambda reading: reading.max_example_len - reading.add_cls)
        return preprocessor.truncate(preprocessor.normalize(texts))

    def _trained(self, texts: list[str], y: Any) -> list[tuple[str, Tower]]:
        """Return the towers, training unfitted pretrainers; equal base recipes share a base."""
        bases: dict[str, Base] = {}
        towers = []
        for name, entry in self.towers:
            if isinstance(entry, Tower):
                towers.append((name, entry))
            elif isinstance(entry, FrozenEstimator):
                towers.append((name, _frozen_tower(name, entry)))
            elif hasattr(entry, "fit") and hasattr(entry, "base"):
                towers.append((name, self._train(name, entry, texts, y, bases)))
            elif not isinstance(entry, str) or entry != "drop":
                raise TypeError(_wrong_entry(name, entry))
        return towers

    def _train(
        self, name: str, entry: Any, texts: list[str], y: Any, bases: dict[str, Base]
    ) -> Tower:
        """Train a clone of a pretrainer, on the base of an earlier one of equal recipe."""
        if not self.fit_towers:
            raise ValueError(
                f"Tower {name!r} is a {type(entry).__name__}, which scikit-learn's clone would "
                f"strip of what it learned. Pass its tower_ once it is fitted, or set "
                "fit_towers=True to train it within this fit."
            )
        pretrainer = clone(entry)
        key = joblib.hash(pretrainer.base)
        pretrainer.set_params(base=bases.get(key, pretrainer.base)).fit(texts, y)
        bases.setdefault(key, pretrainer.base_)
        return pretrainer.tower_

    def _check_params(self) -> None:
        """Raise ValueError or TypeError for a parameter that is not allowed."""
        entries = self._entries()
        if not entries or len(entries) != len(self.towers):
            raise ValueError(
                f"towers={self.towers!r} must be a list of (name, tower) pairs, at least one."
            )
        names = [name for name, _ in entries]
        taken = set(super().get_params(deep=False))
        for name in names:
            if not isinstance(name, str) or "__" in name or name in taken:
                raise ValueError(
                    f"Tower name {name!r} must be a string without '__' that is no parameter "
                    f"of {type(self).__name__}."
                )
        if len(set(names)) < len(names):
            raise ValueError(f"Tower names must differ, got {names}.")
        check_integer("batch_chars", self.batch_chars, 1)
        self._check_weights(names)
        check_bool("fit_towers", self.fit_towers)
        check_option("truncation", self.truncation, self._truncations)
        check_device(self.device)

    def _check_weights(self, names: list[str]) -> None:
        weights = self.tower_weights or {}
        unknown = sorted(set(weights) - set(names))
        if unknown:
            raise ValueError(f"tower_weights names {unknown}, but the towers are {names}.")
        for name, weight in weights.items():
            check_real(f"tower_weights[{name!r}]", weight, -np.inf, np.inf, ends="neither")

    def _check_towers(self, towers: list[tuple[str, Tower]]) -> None:
        if not towers:
            raise ValueError("Every tower is 'drop'; keep at least one.")

    def _members(self) -> list[Member]:
        """Return each tower with its columns and weight."""
        check_is_fitted(self)
        members, start, weights = [], 0, self.tower_weights or {}
        for name, tower in self.towers_:
            stop = start + self._columns(tower)
            members.append(Member(tower, slice(start, stop), float(weights.get(name, 1.0))))
            start = stop
        return members

    def _columns(self, tower: Tower) -> int:
        """Return how many features a tower gives."""
        return tower.width

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the features, such as "mlm__0".

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str objects
            One name per feature.
        """
        check_is_fitted(self)
        names = [
            f"{name}__{i}"
            for (name, _), member in zip(self.towers_, self._members(), strict=True)
            for i in range(member.columns.stop - member.columns.start)
        ]
        return np.array(names, dtype=object)


def _frozen_tower(name: str, entry: FrozenEstimator) -> Tower:
    if not isinstance(getattr(entry, "tower_", None), Tower):
        raise ValueError(
            f"Tower {name!r} is a frozen {type(entry.estimator).__name__} that has no tower_: "
            "fit it before freezing it."
        )
    return entry.tower_


def _wrong_entry(name: str, entry: Any) -> str:
    return (
        f"Tower {name!r} must be a Tower (a pretrainer's tower_), a FrozenEstimator of a fitted "
        f"pretrainer, 'drop', or with fit_towers=True a pretrainer; got {entry!r}."
    )
