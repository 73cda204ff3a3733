"""What `ComposedModel` and `ComposedEmbedder` share: named towers as parameters, and their fit."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any, Self

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._text.column import ColumnMixin
from sklearn_cclm._text.read import check_reading, check_texts
from sklearn_cclm._tools.check_device import check_device
from sklearn_cclm._tools.fit_tasks import CallbackSupportMixin, FitTask, fit_task, with_callbacks
from sklearn_cclm._tools.params import check_bool, check_integer, check_option, check_real
from sklearn_cclm._tools.tags import TextTagsMixin
from sklearn_cclm.models._blocks import feature_names
from sklearn_cclm.models._inference import Member
from sklearn_cclm.models._named_towers import PUBLISHED, NamedTowers, is_made, only_towers
from sklearn_cclm.preprocessing._unread import warn_unread
from sklearn_cclm.values import Tower


class Composition(TextTagsMixin, ColumnMixin, TransformerMixin, NamedTowers, CallbackSupportMixin):
    """Towers by name: parameters as in scikit-learn's compositions, and results as values.

    With values and names alone `fit` learns nothing but the name of a column, so that none is
    needed.
    """

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the towers, train pretrainers if `fit_towers` says so, and fit transformers.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.
        y : array-like of shape (n,), default=None
            Passed on to pretrainers and transformers.

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
        with fit_task(self, self._n_fits()) as task:
            self._learn(texts, y, task)
            self._set_column(X)
        return self

    def _learn(self, texts: list[str], y: Any, fit: FitTask | None) -> None:
        towers = self._trained(texts, y, fit)
        self._check_towers(towers)
        self._use(towers, texts)

    def _learns(self) -> bool:
        """Whether `fit` has something to learn from texts."""
        entries = PUBLISHED if self.towers is None else self._entries()
        return not entries or not all(is_made(entry) for _, entry in entries)

    def _fitted(self) -> Self:
        """Return this, or a copy with its towers where none were learned or are to be learned."""
        if hasattr(self, "towers_") or self._learns():
            check_is_fitted(self)
            return self
        found = copy(self)
        found._check_params()
        found._learn([], None, None)
        return found

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of a text transformer, which may have nothing to fit."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = self._learns()
        return tags

    def _texts(self, X: Any) -> list[str]:
        """Return the texts to transform; parameters may have changed since `fit`."""
        self._check_params()
        self._check_towers(self.towers_)
        texts = check_texts(X, missing=self.missing, column=self.column)
        bases = dict.fromkeys(tower.base for _, tower in only_towers(self.towers_))
        warn_unread(texts, [base.preprocessor() for base in bases], missing=self.missing)
        return texts

    def _readable(self, texts: list[str]) -> list[str]:
        """Return the texts normalised, and cut to what every base reads, as `truncation` says."""
        readings = [
            tower.base.preprocessor(truncation=self.truncation)
            for _, tower in only_towers(self.towers_)
        ]
        preprocessor = min(readings, key=lambda reading: reading.max_example_len - reading.add_cls)
        return preprocessor.truncate(preprocessor.normalize(texts))

    def _check_params(self) -> None:
        """Raise ValueError or TypeError for a parameter that is not allowed."""
        names = self._check_names()
        check_integer("batch_chars", self.batch_chars, 1)
        self._check_weights(names)
        check_bool("fit_towers", self.fit_towers)
        check_option("truncation", self.truncation, self._truncations)
        check_device(self.device)
        check_reading(self.missing, self.column)

    def _check_weights(self, names: list[str]) -> None:
        weights = self.tower_weights or {}
        unknown = sorted(set(weights) - set(names))
        if unknown:
            raise ValueError(f"tower_weights names {unknown}, but the towers are {names}.")
        for name, weight in weights.items():
            check_real(f"tower_weights[{name!r}]", weight, -np.inf, np.inf, ends="neither")

    def _weights(self) -> dict[str, float]:
        """Return what the features of each tower and transformer are multiplied by."""
        weights = self.tower_weights or {}
        return {name: float(weights.get(name, 1.0)) for name, _ in self.towers_}

    def _members(self, towers: list[tuple[str, Any]], weights: Mapping[str, float]) -> list[Member]:
        """Return each tower with its weight and its columns among the towers'."""
        members, start = [], 0
        for name, tower in only_towers(towers):
            stop = start + self._columns(tower)
            members.append(Member(tower, slice(start, stop), weights[name]))
            start = stop
        return members

    def _columns(self, tower: Tower) -> int:
        """Return how many features a tower gives."""
        return tower.width

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the features, such as "mlm__0" or "tfidf__ab".

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str objects
            One name per feature; behind that of the column that `fit` read, as in
            "title__mlm__0", where it has one.
        """
        fitted = self._fitted()
        parts = fitted._features_by_part()
        return fitted._named(feature for _, names in parts for feature in names)

    def _features_by_part(self) -> list[tuple[str, list[str]]]:
        """Return the name of each tower and transformer with the names of its features."""
        return [
            (
                name,
                [f"{name}__{i}" for i in range(self._columns(part))]
                if isinstance(part, Tower)
                else feature_names(name, part),
            )
            for name, part in self.towers_
        ]
