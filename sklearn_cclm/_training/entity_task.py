"""`EntityTask`: learning the entities of texts, a tag for each character."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import accumulate, groupby
from os import PathLike
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._targets.entities import Span, read_entities
from sklearn_cclm._targets.entity_tags import CharacterTags, TagSet, entity_f1
from sklearn_cclm._targets.moved_spans import normalized_spans, original_spans
from sklearn_cclm._training.trainer import Trainer
from sklearn_cclm._training.views import View
from sklearn_cclm.datasets import read_conll
from sklearn_cclm.noise.masking import is_character

_AT_ONCE = 2**20  # characters, once normalised


@dataclass(frozen=True)
class Entities:
    """Texts as they were given, and the entities in them."""

    texts: list[str]
    spans: list[list[Span]]


class EntityTask(Trainer):
    """What a tagger and the pretrainer of that task share."""

    needs_y = True
    labels_: tuple[str, ...]

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
        texts, entities = self._check_inputs(X, y)
        return entity_f1(entities.spans, self._find(texts), texts)

    def _read(self, X: Any, y: Any) -> tuple[list[str], Any]:
        """Return texts and their entities."""
        if isinstance(X, PathLike):
            X, y = read_conll(X)
        return read_entities(X, y, missing=self.missing, column=self.column)

    def _check_inputs(self, X: Any, y: Any) -> tuple[list[str], Entities]:
        texts, spans = self._read(X, y)
        if spans is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: for "
                "each text a list of (start, end, label), or for each list of tokens their tags."
            )
        if not texts:
            raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
        return texts, Entities(texts, spans)

    def _learn(self, texts: Any, y: Entities) -> None:
        self.labels_ = TagSet.of(y.spans).labels
        if not self.labels_:
            raise ValueError(f"There is no entity in these {len(texts)} texts: pass some.")

    def _examples(self, texts: list[str], y: Entities, owners: np.ndarray) -> CharacterTags:
        spans = normalized_spans(
            y.spans, y.texts, partial(self._preprocessor().normalize, whole=True)
        )
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        whole = np.bincount(owners, weights=lengths, minlength=len(y.texts)).astype(np.int64)
        return CharacterTags(TagSet(self.labels_).encode(spans, whole), lengths)

    def _make_batch(
        self, view: View, example: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        tags = np.zeros_like(view.clean)
        tags[is_character(view.clean)] = example
        positions = np.flatnonzero(is_character(view.ids))
        targets = view.of_origin(tags).ravel()[positions]
        return view.ids, targets, {"positions": positions}

    def _find(self, texts: list[str]) -> list[list[Span]]:
        """Return the entities of checked texts.

        They are read in groups of some 10^6 characters, which bounds the memory, but for that of
        a longer text, which is read whole.
        """
        normalize = partial(self._preprocessor().normalize, whole=True)
        ends = accumulate(len(normalize([text])[0]) for text in texts)
        groups = groupby(zip(texts, ends, strict=True), key=lambda pair: pair[1] // _AT_ONCE)
        return [row for _, some in groups for row in self._find_in([text for text, _ in some])]

    def _find_in(self, texts: list[str]) -> list[list[Span]]:
        preprocessor = self._preprocessor()
        pieces, _ = self._reader().cut(texts)
        lengths = np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces))
        tags = TagSet(self.labels_)
        scores = np.zeros((lengths.sum(), len(tags.names)), dtype=np.float32)
        places = CharacterTags(np.arange(len(scores)), lengths)
        anything = CharacterTags(np.zeros_like(places.tags), lengths)
        for rows, logits in self._logits(pieces, anything):
            scores[places[rows]] = logits.softmax(1).cpu().numpy()
        whole = preprocessor.normalize(texts, whole=True)
        return original_spans(
            tags.decode(scores, whole), texts, partial(preprocessor.normalize, whole=True)
        )
