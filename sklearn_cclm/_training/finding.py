"""Finding entities: what a tagger and the pretrainer of that task share."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._targets.entities import (
    Span,
    are_tokens,
    input_rows,
    token_probabilities,
)
from sklearn_cclm._targets.entity_tags import TagSet, entity_f1
from sklearn_cclm._targets.rows import Rows
from sklearn_cclm._training.entity_task import EntityTask, Named
from sklearn_cclm._training.tagging import find_entities, tag_scores
from sklearn_cclm._training.trainer import Trainer
from sklearn_cclm.datasets import read_conll
from sklearn_cclm.preprocessing._unread import warn_unread


class EntityFinder(Trainer):
    """A trainer whose task is an `EntityTask`."""

    _score_name = "F1 of entities"
    entity_weight: float
    labels_: tuple[str, ...]
    head_weights_: dict[str, np.ndarray]
    inside_words_ = 0.0  # of those that were pickled before there was any
    all_named_ = False
    of_words_ = False

    def _task(self) -> EntityTask:
        return EntityTask(self.entity_weight)

    @property
    def tags_(self) -> tuple[str, ...]:
        """The tags, in the order of the columns of `predict_proba`."""
        check_is_fitted(self)
        return self._known().tags.names

    def partial_fit(self, X: Any, y: Any = None, classes: Any = None) -> Self:
        """Go on training, with one pass over texts at a constant learning rate.

        Parameters
        ----------
        X : iterable of str, iterable of lists of str, or path-like
            As for `fit`.
        y : iterable, default=None
            As for `fit`.
        classes : iterable of str, default=None
            All labels that will ever come, which these texts need not have. Without it, each call
            may bring new ones, for which the output layer grows.

        Returns
        -------
        EntityPretrainer or ComposedTagger
            The fitted estimator; `optimizer_state_` is kept for the next call.

        Raises
        ------
        ValueError, TypeError, FloatingPointError
            As for `fit`; also if a label is none of the classes.
        """
        return self._partial_fit(X, Named(y, classes))

    def predict_proba(self, X: Any) -> list[np.ndarray]:
        """Return the probability of each tag: of lists of tokens at each token, else character.

        Parameters
        ----------
        X : iterable of str, iterable of lists of str, or path-like
            As for `fit`.

        Returns
        -------
        list of ndarray of shape (n_tokens or n_characters, n_tags)
            For each text; the columns are `tags_`, such as "O", "B-person" and "I-person".
        """
        texts, tokens = self._texts(X)
        scores = tag_scores(self._reader(self._known()), self._predictor(), texts)
        if tokens is None:
            return Rows(scores)
        return Rows(map(token_probabilities, scores, tokens))

    def score(self, X: Any, y: Any = None) -> float:
        """Return the F1 score over entities, as CoNLL's script and seqeval define it.

        Parameters
        ----------
        X : iterable of str, iterable of lists of str, or path-like
            As for `fit`.
        y : iterable, default=None
            The true entities, as for `fit`.

        Returns
        -------
        float
            An entity is right if its place and label are.
        """
        check_is_fitted(self)
        texts, entities = self._read(self._task(), X, y)
        return entity_f1(entities.spans, self._find(texts))

    def _go_on(self, texts: Any, y: Any) -> Any:
        before = TagSet(self.labels_).names
        task = super()._go_on(texts, y)
        self._grow(before, task.tags.names)
        return task

    def _grow(self, before: tuple[str, ...], after: tuple[str, ...]) -> None:
        """Give the output layer zeros for new tags; its optimizer begins anew with that layer.

        Optimizers remember of a layer what they like, in shapes of their own.
        """
        if before == after:
            return
        places = [after.index(tag) for tag in before]

        def grown(array: np.ndarray) -> np.ndarray:
            new = np.zeros((len(after), *array.shape[1:]), dtype=array.dtype)
            new[places] = array
            return new

        def is_output(name: str) -> bool:
            return name.endswith(("output.weight", "output.bias"))

        self.head_weights_ = {
            name: grown(array) if is_output(name) else array
            for name, array in self.head_weights_.items()
        }
        if kept := getattr(self, "optimizer_state_", None):
            state = {name: of for name, of in kept["state"].items() if not is_output(name)}
            self.optimizer_state_ = {**kept, "state": state}

    def _texts(self, X: Any) -> tuple[list[str], list[Sequence[str]] | None]:
        """Return checked texts of which nothing is known, and their tokens if they are such."""
        check_is_fitted(self)
        if isinstance(X, PathLike):
            X, _ = read_conll(X)
        rows = input_rows(X, missing=self.missing, column=self.column)
        tokens = rows if are_tokens(rows) else None
        texts = rows if tokens is None else list(map(" ".join, tokens))
        warn_unread(texts, self._reader(self._known()).preprocessors, missing=self.missing)
        return texts, tokens

    def _find(self, texts: list[str]) -> list[list[Span]]:
        """Return the entities of checked texts."""
        return Rows(find_entities(self._reader(self._known()), self._predictor(), texts))
