"""Entities as one tag per character, and back: what a tagger is trained on and what it says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sklearn_cclm._targets.entities import Span
from sklearn_cclm._targets.words import parts, sums, words

_LEAST = 1e-6  # probability, lest one character overrule a word


@dataclass(frozen=True)
class TagSet:
    """The tags that a character can have: outside, and two for each label.

    Code 0 is "O"; the first character of an entity is "B-label", the others are "I-label".

    Attributes
    ----------
    labels : tuple of str
        What entities can be, each once.
    inside_words : float, default=0.0
        Share of the ends of entities that lie inside words; at 0 entities are whole words.
    """

    labels: tuple[str, ...]
    inside_words: float = 0.0

    @classmethod
    def of(cls, spans: Iterable[Sequence[Span]]) -> TagSet:
        """Return the tags that these entities need, by sorted labels."""
        return cls(tuple(sorted({span.label for row in spans for span in row})))

    @property
    def names(self) -> tuple[str, ...]:
        """The tags in the order of their codes."""
        return ("O", *(f"{prefix}-{label}" for label in self.labels for prefix in "BI"))

    def encode(self, spans: Sequence[Sequence[Span]], lengths: np.ndarray) -> np.ndarray:
        """Return the code of each character of all texts in a row, int64 (sum of lengths,).

        Spans do not overlap. An entity whose label the set lacks is outside.
        """
        begin = {label: 1 + 2 * i for i, label in enumerate(self.labels)}
        ends = np.cumsum(lengths, dtype=np.int64)
        places = [
            (offset + start, offset + end, begin[label])
            for row, offset in zip(spans, (ends - lengths).tolist(), strict=True)
            for start, end, label in row
            if label in begin
        ]
        starts, stops, codes = np.array(places, dtype=np.int64).reshape(-1, 3).T
        steps = np.zeros(ends[-1] + 1 if len(ends) else 1, dtype=np.int64)
        steps[starts] += codes + 1
        steps[stops] -= codes + 1
        tags = np.cumsum(steps[:-1])
        tags[starts] = codes
        return tags

    def decode(self, scores: np.ndarray, texts: Sequence[str]) -> list[list[Span]]:
        """Return the entities of texts, each with its score.

        A word, or a part of one where entities may begin and end inside words, is what its
        characters say on average. An entity is a run of them of the same label, which ends where
        one begins with "B" rather than "I"; its score is what its characters say on average.

        Parameters
        ----------
        scores : float array of shape (characters of all texts, n_tags)
            Probability of each tag at each character.
        texts : sequence of str
            The texts.
        """
        if not self.labels:
            return [[] for _ in texts]
        owners, starts, ends, kinds, sure = (x.tolist() for x in self._found(scores, texts))
        labels = [self.labels[kind - 1] for kind in kinds]
        spans: list[list[Span]] = [[] for _ in texts]
        for owner, span in zip(owners, map(Span, starts, ends, labels, sure), strict=True):
            spans[owner].append(span)
        return spans

    def _found(self, scores: np.ndarray, texts: Sequence[str]) -> tuple[np.ndarray, ...]:
        """Return text, start, end, label and score of each entity, labels numbered from 1."""
        starts, ends, owners = words(texts)
        begin, inside = scores[:, 1::2], scores[:, 2::2]
        votes = np.concatenate([scores[:, :1], begin + inside], axis=1)
        if self.inside_words:
            starts, ends, word = self._parts(scores, votes, starts, ends)
            owners = owners[word]
        totals, lengths = sums(votes, starts, ends), ends - starts
        said = (totals / lengths[:, None]).argmax(axis=1)  # 0 outside, then the labels
        cut = (said == 0) | (_said(begin[starts] - inside[starts], said) > 0)
        cut[1:] |= (said[1:] != said[:-1]) | (owners[1:] != owners[:-1])
        cut[:1] = True
        first = np.flatnonzero(cut)
        means = np.add.reduceat(totals, first) / np.add.reduceat(lengths, first)[:, None]
        last = np.append(first[1:], len(cut))[: len(first)] - 1
        sizes = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        offset = (np.cumsum(sizes) - sizes)[owners[first]]
        sure = _said(means[:, 1:], said[first]).clip(max=1)
        columns = owners[first], starts[first] - offset, ends[last] - offset, said[first], sure
        return tuple(column[said[first] > 0] for column in columns)

    def _parts(
        self, scores: np.ndarray, votes: np.ndarray, starts: np.ndarray, ends: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the parts of words that are likeliest, as `parts` does."""
        begins = scores[:, 1::2] * self.inside_words - scores[:, 2::2]
        cuts = _said(begins, votes.argmax(axis=1)) > 0
        likely = np.log(np.maximum(votes, _LEAST))
        return parts(likely, cuts, starts, ends, cost=-math.log(self.inside_words))


class CharacterTags:
    """Tags of all characters in a row, by the rows of the texts or windows they belong to.

    Consecutive windows without overlap have the characters of their texts in the same order, so
    that the tags are those of the texts and `lengths` those of the windows.
    """

    def __init__(self, tags: np.ndarray, lengths: np.ndarray) -> None:
        self.tags = tags
        self.ends = np.cumsum(lengths, dtype=np.int64)
        self.starts = self.ends - lengths

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Return the tags of the characters of these rows, one row after the other."""
        runs = zip(self.starts[rows].tolist(), self.ends[rows].tolist(), strict=True)
        return np.concatenate([self.tags[:0], *(self.tags[start:end] for start, end in runs)])


def entity_f1(true: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]]) -> float:
    """Return the F1 score over all entities: right are those with the same place and label.

    The definition is that of CoNLL and seqeval; 0 where there is no entity to find.
    """
    right = sum(len({*a} & {*b}) for a, b in zip(true, predicted, strict=True))
    n = sum(map(len, true)) + sum(map(len, predicted))
    return 2 * right / n if n else 0.0


def f1_by_label(
    true: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]]
) -> dict[str, float]:
    """Return the F1 score over the entities of each label that there is, by sorted labels."""
    labels = sorted({span.label for rows in (true, predicted) for row in rows for span in row})

    def only(label: str, rows: Sequence[Sequence[Span]]) -> list[list[Span]]:
        return [[span for span in row if span.label == label] for row in rows]

    return {label: entity_f1(only(label, true), only(label, predicted)) for label in labels}


def share_inside_words(spans: Sequence[Sequence[Span]], texts: Sequence[str]) -> float:
    """Return the share of the ends of entities, first and last, that lie inside words."""
    starts, ends, _ = words(texts)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    rows = zip(spans, (np.cumsum(lengths) - lengths).tolist(), strict=True)
    edges = [place + k for row, k in rows for start, end, _ in row for place in (start, end)]
    places = np.array(edges, dtype=np.int64)
    word = np.searchsorted(starts, places) - 1  # the last that begins before the place, or -1
    inside = np.append(ends, 0)[word] > places
    return float(inside.sum() / max(1, len(places)))


def _said(values: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Return the value of the label that is said, numbered from 1, and 0 where none is."""
    found = values[np.arange(len(said)), np.maximum(said - 1, 0)]
    return np.where(said > 0, found, 0)
