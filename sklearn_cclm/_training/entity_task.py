"""`EntityTask`: learning the entities of texts, a tag for each character."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from os import PathLike
from typing import Any, Self

import numpy as np

from sklearn_cclm._targets.entities import Span, read_entities
from sklearn_cclm._targets.entity_tags import CharacterTags, TagSet
from sklearn_cclm._targets.moved_spans import normalized_spans
from sklearn_cclm._tools.params import check_real
from sklearn_cclm._training.cut import Cut
from sklearn_cclm._training.task import Task
from sklearn_cclm._training.views import View
from sklearn_cclm.datasets import read_conll
from sklearn_cclm.nn.heads import TagHead
from sklearn_cclm.nn.task import Head
from sklearn_cclm.noise import TypoNoise
from sklearn_cclm.noise.masking import is_character


@dataclass(frozen=True)
class Entities:
    """Texts as they were given, and the entities in them."""

    texts: list[str]
    spans: list[list[Span]]


@dataclass(frozen=True)
class EntityTask(Task):
    """Tell what names are in texts, and of what kind."""

    name = "entity"
    learned = ("labels",)
    needs_y = True
    auto_noise = TypoNoise("scramble", rate=0.3)

    entity_weight: float = 5.0
    labels: tuple[str, ...] = field(default=(), repr=False, compare=False)

    def check(self, noise: Any) -> None:
        check_real("entity_weight", self.entity_weight, 0, np.inf, ends="neither")

    def read(self, X: Any, y: Any, **how: Any) -> tuple[list[str], Entities]:
        if isinstance(X, PathLike):
            X, y = read_conll(X)
        texts, spans = read_entities(X, y, **how)
        if spans is None:
            raise ValueError(
                "Learning entities requires y to be passed, but the target y is None: for each "
                "text a list of (start, end, label), or for each list of tokens their tags."
            )
        if not texts:
            raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
        return texts, Entities(texts, spans)

    def targets(self, y: Entities) -> np.ndarray:
        return np.fromiter(y.spans, dtype=object, count=len(y.spans))

    def learn(self, texts: Any, y: Entities, preprocessor: Any) -> Self:
        labels = TagSet.of(y.spans).labels
        if not labels:
            raise ValueError(f"There is no entity in these {len(texts)} texts: pass some.")
        return replace(self, labels=labels)

    def examples(self, cut: Cut, y: Entities) -> CharacterTags:
        normalize = partial(cut.preprocessor.normalize, whole=True)
        spans = normalized_spans(y.spans, y.texts, normalize)
        whole = np.bincount(cut.owners, weights=cut.lengths, minlength=len(y.texts))
        tags = TagSet(self.labels).encode(spans, whole.astype(np.int64))
        return CharacterTags(tags, cut.lengths)

    def batch(
        self, view: View, example: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        tags = np.zeros_like(view.clean)
        tags[is_character(view.clean)] = example
        positions = np.flatnonzero(is_character(view.ids))
        targets = view.of_origin(tags).ravel()[positions]
        return view.ids, targets, {"positions": positions}

    def head(self, width: int, n_chars: int) -> Head:
        n_tags = len(TagSet(self.labels).names)
        return TagHead(width, n_tags, entity_weight=self.entity_weight)
