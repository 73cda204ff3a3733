"""Entities as one tag per character, and back: what a tagger is trained on and what it says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from unicodedata import category

import numpy as np

from sklearn_cclm._targets.entities import Span
from sklearn_cclm._text.codes import code_points

_SPACE, _LETTER, _MARK = range(3)


@dataclass(frozen=True)
class TagSet:
    """The tags that a character can have: outside, and two for each label.

    Code 0 is "O"; the first character of an entity is "B-label", the others are "I-label".

    Attributes
    ----------
    labels : tuple of str
        What entities can be, each once.
    """

    labels: tuple[str, ...]

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

        Spans do not overlap. A label that the set lacks is a ValueError.
        """
        begin = {label: 1 + 2 * i for i, label in enumerate(self.labels)}
        if unknown := {span.label for row in spans for span in row} - set(begin):
            raise ValueError(
                f"Entities have the labels {sorted(unknown)}, and known are {list(self.labels)}: "
                "drop these entities, or fit on texts that have them."
            )
        ends = np.cumsum(lengths, dtype=np.int64)
        places = [
            (offset + start, offset + end, begin[label])
            for row, offset in zip(spans, (ends - lengths).tolist(), strict=True)
            for start, end, label in row
        ]
        starts, stops, codes = np.array(places, dtype=np.int64).reshape(-1, 3).T
        steps = np.zeros(ends[-1] + 1 if len(ends) else 1, dtype=np.int64)
        steps[starts] += codes + 1
        steps[stops] -= codes + 1
        tags = np.cumsum(steps[:-1])
        tags[starts] = codes
        return tags

    def decode(self, scores: np.ndarray, texts: Sequence[str]) -> list[list[Span]]:
        """Return the entities of texts.

        A word is what its characters say on average, and an entity is a run of words of the same
        label, which ends where a word begins with "B" rather than "I".

        Parameters
        ----------
        scores : float array of shape (characters of all texts, n_tags)
            Probability of each tag at each character.
        texts : sequence of str
            The texts.
        """
        starts, ends, owners = words(texts)
        begin, inside = scores[:, 1::2], scores[:, 2::2]
        votes = np.concatenate([scores[:, :1], begin + inside], axis=1)
        said = _means(votes, starts, ends).argmax(axis=1)  # 0 outside, then the labels
        label = np.maximum(said - 1, 0)
        cut = (said == 0) | (begin[starts, label] > inside[starts, label])
        cut[1:] |= (said[1:] != said[:-1]) | (owners[1:] != owners[:-1])
        cut[:1] = True
        first = np.flatnonzero(cut)
        last = np.append(first[1:], len(cut))[: len(first)] - 1
        named = said[first] > 0
        first, last = first[named], last[named]
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        offset = (np.cumsum(lengths) - lengths)[owners[first]]
        places = np.stack(
            [owners[first], starts[first] - offset, ends[last] - offset, label[first]]
        )
        spans: list[list[Span]] = [[] for _ in texts]
        for owner, start, end, index in places.T.tolist():
            spans[owner].append(Span(start, end, self.labels[index]))
        return spans


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


def entity_f1(
    true: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]], texts: Sequence[str]
) -> float:
    """Return the F1 score over all entities: right are those with the same place and label.

    The definition is that of CoNLL, by seqeval; 0 where there is no entity to find.
    """
    try:
        from seqeval.metrics import f1_score
    except ImportError as error:
        raise ImportError(
            'The entity-level F1 score needs seqeval: pip install "sklearn-cclm[entities]".'
        ) from error
    tags = TagSet.of([*true, *predicted])
    names = np.array(tags.names, dtype=object)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    splits = np.cumsum(lengths)[:-1]

    def named(spans: Sequence[Sequence[Span]]) -> list[list[str]]:
        rows = np.split(names[tags.encode(spans, lengths)], splits)
        return [row.tolist() for row in rows]

    return float(f1_score(named(true), named(predicted), zero_division=0))


def words(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the words of texts: runs of letters and digits, and single punctuation marks.

    Entities begin and end with words, in text that is split into tokens and in text that is not.

    Returns
    -------
    starts, ends : int64 arrays of shape (n_words,)
        Places in all texts in a row.
    owners : int64 array of shape (n_words,)
        The text of each word.
    """
    points, lengths = code_points(texts)
    distinct, where = np.unique(points, return_inverse=True)
    kinds = np.array([_kind(chr(point)) for point in distinct.tolist()], dtype=np.int8)[where]
    text = np.repeat(np.arange(len(texts)), lengths)
    joined = (kinds[1:] == _LETTER) & (kinds[:-1] == _LETTER) & (text[1:] == text[:-1])
    solid = kinds != _SPACE
    starts = np.flatnonzero(solid & ~np.append(False, joined)[: len(points)])
    ends = np.flatnonzero(solid & ~np.append(joined, False)[: len(points)]) + 1
    return starts, ends, text[starts]


def _kind(character: str) -> int:
    if character.isspace():
        return _SPACE
    return _MARK if category(character)[0] in "PS" else _LETTER


def _means(values: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the mean of the rows of values from each start to its end."""
    totals = np.zeros((len(values) + 1, values.shape[1]))
    np.cumsum(values, axis=0, out=totals[1:])
    return (totals[ends] - totals[starts]) / (ends - starts)[:, None]
