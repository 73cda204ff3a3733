"""Finding entities: what a tagger and the pretrainer of that task share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import accumulate, groupby
from os import PathLike
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._targets.entities import Span, read_entities
from sklearn_cclm._targets.entity_tags import CharacterTags, TagSet, entity_f1
from sklearn_cclm._targets.moved_spans import original_spans
from sklearn_cclm._training.cut import Cut
from sklearn_cclm._training.entity_task import EntityTask
from sklearn_cclm._training.predict import logits
from sklearn_cclm._training.reader import Reader
from sklearn_cclm._training.trainer import Trainer
from sklearn_cclm.datasets import read_conll
from sklearn_cclm.preprocessing._unread import warn_unread

_AT_ONCE = 2**20  # characters, once normalised


class EntityFinder(Trainer):
    """A trainer whose task is an `EntityTask`."""

    entity_weight: float
    labels_: tuple[str, ...]

    def _task(self) -> EntityTask:
        return EntityTask(self.entity_weight)

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
        return entity_f1(entities.spans, self._find(texts), texts)

    def _texts(self, X: Any) -> list[str]:
        """Return checked texts, or tokens joined by spaces, of which nothing is known."""
        check_is_fitted(self)
        if isinstance(X, PathLike):
            X, _ = read_conll(X)
        texts, _ = read_entities(X, missing=self.missing, column=self.column)
        warn_unread(texts, self._reader(self._known()).preprocessors, missing=self.missing)
        return texts

    def _find(self, texts: list[str]) -> list[list[Span]]:
        """Return the entities of checked texts."""
        return find_entities(self._reader(self._known()), self._module(), texts)


def find_entities(reader: Reader, module: Any, texts: list[str]) -> list[list[Span]]:
    """Return the entities of texts, read by an `EntityTask`.

    They are read in groups of some 10^6 characters, which bounds the memory, but for that of a
    longer text, which is read whole.
    """
    return [
        spans
        for group in _groups(texts, reader.preprocessors[0])
        for spans in _find(reader, module, group)
    ]


def _groups(texts: list[str], preprocessor: Any) -> Iterator[list[str]]:
    ends = accumulate(len(preprocessor.normalize([text], whole=True)[0]) for text in texts)
    pairs = zip(texts, ends, strict=True)
    for _, group in groupby(pairs, key=lambda pair: pair[1] // _AT_ONCE):
        yield [text for text, _ in group]


def _find(reader: Reader, module: Any, texts: list[str]) -> list[list[Span]]:
    task: Any = reader.task
    cut = Cut.of(texts, reader.preprocessors[0])
    tags = TagSet(task.labels)
    scores = np.zeros((cut.lengths.sum(), len(tags.names)), dtype=np.float32)
    places = CharacterTags(np.arange(len(scores)), cut.lengths)
    blank = CharacterTags(np.zeros_like(places.tags), cut.lengths)
    for rows, found in logits(reader, module, cut, blank):
        scores[places[rows]] = found.softmax(1).cpu().numpy()
    normalize = partial(cut.preprocessor.normalize, whole=True)
    return original_spans(tags.decode(scores, normalize(texts)), texts, normalize)
