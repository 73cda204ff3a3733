"""`EntityTask`: learning the entities of texts, a tag for each word or character."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from scipy.sparse import csr_array

from sklearn_cclm._targets.entities import Span, read_entities
from sklearn_cclm._targets.entity_tags import (
    CharacterTags,
    TagSet,
    entity_f1,
    share_inside_words,
)
from sklearn_cclm._targets.moved_spans import normalized_spans
from sklearn_cclm._targets.word_layout import word_layout, word_tags
from sklearn_cclm._tools.params import check_real
from sklearn_cclm._training.cut import Cut
from sklearn_cclm._training.hold_out import kinds_of
from sklearn_cclm._training.tagging import find_entities
from sklearn_cclm._training.task import Task
from sklearn_cclm._training.views import View
from sklearn_cclm.datasets import read_conll
from sklearn_cclm.noise import TypoNoise
from sklearn_cclm.noise.masking import is_character

if TYPE_CHECKING:
    from sklearn_cclm.nn.task import Head

_FEW_INSIDE = 0.01  # of the ends of entities inside words: those are slips


class Named(NamedTuple):
    """What is given beside the texts, and all labels that will ever come, unchecked."""

    y: Any
    classes: Any


@dataclass(frozen=True)
class Entities:
    """Texts as they were given, and the entities in them.

    Attributes
    ----------
    texts : list of str
        The texts.
    spans : list of list of Span
        The entities of each.
    labels : tuple of str
        All labels that will ever come, if they were named.
    to_go_on : bool
        Whether others are to follow, so that these need not have any entity.
    """

    texts: list[str]
    spans: list[list[Span]]
    labels: tuple[str, ...] = ()
    to_go_on: bool = False


@dataclass(frozen=True)
class EntityTask(Task):
    """Tell what names are in texts, and of what kind."""

    name = "entity"
    learned = ("labels", "all_named", "inside_words", "of_words")
    needs_y = True
    auto_noise = TypoNoise("scramble", rate=0.3)

    entity_weight: float = 5.0
    labels: tuple[str, ...] = field(default=(), repr=False, compare=False)
    all_named: bool = field(default=False, repr=False, compare=False)
    inside_words: float = field(default=0.0, repr=False, compare=False)
    of_words: bool = field(default=False, repr=False, compare=False)

    @property
    def tags(self) -> TagSet:
        """The tags that a character can have: its word's, where words are tagged."""
        return TagSet(self.labels, 0.0 if self.of_words else self.inside_words)

    @property
    def n_outputs(self) -> int:
        return len(self.tags.names)

    def check(self, noise: Any) -> None:
        check_real("entity_weight", self.entity_weight, 0, np.inf, ends="neither")

    def read(self, X: Any, y: Any, **how: Any) -> tuple[list[str], Entities]:
        to_go_on = isinstance(y, Named)
        y, classes = y if isinstance(y, Named) else (y, None)
        named = () if classes is None else _names(classes)
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
        return texts, Entities(texts, spans, named, to_go_on)

    def targets(self, y: Entities) -> np.ndarray:
        return np.fromiter(y.spans, dtype=object, count=len(y.spans))

    def learn(self, texts: Any, y: Entities, preprocessor: Any) -> Self:
        labels = y.labels or TagSet.of(y.spans).labels
        if not (labels or y.to_go_on):
            raise ValueError(
                f"There is no entity in these {len(texts)} texts: pass some, or use partial_fit, "
                "which may meet the first one later."
            )
        known = replace(self, labels=labels, all_named=bool(y.labels))
        known = known.learn_more(texts, y, preprocessor)
        whole = any(y.spans) and known.inside_words < _FEW_INSIDE
        return replace(known, of_words=whole)

    def learn_more(self, texts: Any, y: Entities, preprocessor: Any) -> Self:
        if self.all_named and y.labels not in ((), self.labels):
            raise ValueError(f"classes={list(y.labels)} differ from the known {list(self.labels)}.")
        labels = {*self.labels, *TagSet.of(y.spans).labels}
        named = self.labels if self.all_named else y.labels
        if named and (unknown := labels - {*named}):
            raise ValueError(
                f"There are entities with the labels {sorted(unknown)}, and classes named "
                f"{list(named)} as all: drop these entities, or begin anew with all classes."
            )
        normalize = partial(preprocessor.normalize, whole=True)
        spans = normalized_spans(y.spans, y.texts, normalize)
        inside = share_inside_words(spans, normalize(y.texts))
        return replace(
            self,
            labels=tuple(sorted({*labels, *named})),
            all_named=bool(named),
            inside_words=max(self.inside_words, inside),
        )

    def examples(self, cut: Cut, y: Entities) -> CharacterTags:
        normalize = partial(cut.preprocessor.normalize, whole=True)
        spans = normalized_spans(y.spans, y.texts, normalize)
        whole = np.bincount(cut.owners, weights=cut.lengths, minlength=len(y.texts))
        tags = self.tags.encode(spans, whole.astype(np.int64))
        return CharacterTags(tags, cut.lengths)

    def kinds(self, y: Entities) -> csr_array:
        owners = np.repeat(np.arange(len(y.spans)), [len(spans) for spans in y.spans])
        labels = [span.label for spans in y.spans for span in spans]
        return kinds_of(owners, labels, n=len(y.spans))

    def batch(
        self, view: View, example: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        tags = np.zeros_like(view.clean)
        tags[is_character(view.clean)] = example
        positions = np.flatnonzero(is_character(view.ids))
        targets = view.of_origin(tags).ravel()[positions]
        if not self.of_words:
            return view.ids, targets, {"positions": positions}
        layout = word_layout(view.characters, np.nonzero(is_character(view.ids))[0])
        targets = word_tags(targets, layout["words"], layout["columns"])
        return view.ids, targets, {"positions": positions, **layout}

    def head(self, width: int, n_chars: int) -> Head:
        from sklearn_cclm.nn.heads import TagHead
        from sklearn_cclm.nn.word_tags import WordTagHead

        head = WordTagHead if self.of_words else TagHead
        return head(width, self.n_outputs, entity_weight=self.entity_weight)

    def measure(self, reader: Any, module: Any, y: Entities, rows: np.ndarray) -> dict[str, float]:
        found = find_entities(reader, module, [y.texts[row] for row in rows])
        return {"f1": entity_f1([y.spans[row] for row in rows], found)}


def _names(classes: Any) -> tuple[str, ...]:
    """Return the labels that were named, sorted."""
    several = isinstance(classes, Iterable) and not isinstance(classes, str)
    labels = list(classes) if several else []
    if not labels or not all(isinstance(label, str) and label.strip() for label in labels):
        raise ValueError(f"classes={classes!r} must be labels of entities, such as ['person'].")
    return tuple(sorted({str(label).strip() for label in labels}))
