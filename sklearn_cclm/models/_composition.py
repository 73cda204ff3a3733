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
from sklearn_cclm._named import NamedPartsMixin
from sklearn_cclm._params import check_bool, check_integer, check_option, check_real
from sklearn_cclm._tags import TextTagsMixin
from sklearn_cclm._texts import check_texts
from sklearn_cclm.models._inference import Member
from sklearn_cclm.models._values import Base, Tower


class Composition(TextTagsMixin, TransformerMixin, NamedPartsMixin, BaseEstimator):
    """Towers by name: parameters as in scikit-learn's compositions, and results as values."""

    _parts = "towers"

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
        names = self._check_names()
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
