"""The one place where what users give becomes texts and the entities in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from numbers import Integral
from reprlib import repr as short_repr
from typing import Any, NamedTuple, Self

import numpy as np

from sklearn_cclm._text.read import check_reading, check_texts, read_rows

_STARTS = ("B", "S", "U")
_ENDS = ("E", "S", "L", "U")
_PREFIXES = ("B", "I", "E", "S", "L", "U")


class _Place(NamedTuple):
    start: int
    end: int
    label: str


class Span(_Place):
    """An entity: the characters ``text[start:end]`` and what they name.

    A triple, which compares and unpacks as one.

    Attributes
    ----------
    score : float or None
        How sure a model is that this is an entity of that label, of 1; None where it was given.
    """

    score: float | None = None

    def __new__(cls, start: int, end: int, label: str, score: float | None = None) -> Self:
        span = super().__new__(cls, start, end, label)
        span.score = score
        return span

    def _replace(self, **parts: Any) -> Self:
        return type(self)(**{**self._asdict(), "score": self.score, **parts})


def read_entities(
    X: Any, y: Any = None, *, missing: str = "error", column: str | int | None = None
) -> tuple[list[str], list[list[Span]] | None]:
    """Return texts and their entities, or say what is wrong with them.

    Parameters
    ----------
    X : iterable of str, or of lists of str
        Texts, as `check_texts` takes them, or lists of tokens, which are joined by single spaces.
    y : iterable, default=None
        For each text its spans: ``(start, end, label)``, or mappings with these three keys, in
        characters, or a tag for each character. For each list of tokens their tags, in IOB1, IOB2
        (BIO), IOBES or BILOU. None where the entities are not known.
    missing, column
        As for `check_texts`; `missing` is about texts, not tokens.

    Returns
    -------
    texts : list of str
        The texts.
    spans : list of list of Span, or None
        The entities of each text, by their place in it.

    Raises
    ------
    ValueError, TypeError
        If a text, token, tag or span is not allowed, or X and y differ in length.
    """
    check_reading(missing, column)
    rows = list(read_rows(X, column))
    tokenized = any(isinstance(row, list | tuple | np.ndarray) for row in rows)
    if tokenized:
        rows = [_tokens(row, index) for index, row in enumerate(rows)]
        texts = [" ".join(tokens) for tokens in rows]
    else:
        rows = texts = check_texts(rows, missing=missing)
    if y is None:
        return texts, None
    y = list(read_rows(y, None))
    if len(rows) != len(y):
        raise ValueError(f"X has {len(rows)} rows and y {len(y)}: pass one row of y for each text.")
    read = _tagged_spans if tokenized else _given_spans
    return texts, [
        read(row, answer, i) for i, (row, answer) in enumerate(zip(rows, y, strict=True))
    ]


def _tokens(row: Any, index: int) -> list[str]:
    """Return one row as a list of tokens."""
    if not isinstance(row, list | tuple | np.ndarray):
        raise TypeError(
            f"Row {index} is a {type(row).__name__} ({short_repr(row)}) where other rows are lists "
            "of tokens: pass lists of tokens throughout, or texts throughout."
        )
    for place, token in enumerate(row):
        if not isinstance(token, str) or not token:
            raise ValueError(
                f"Token {place} of text {index} is {token!r}, where a str that is not empty is "
                "expected: drop it and its tag, or convert it."
            )
    return [str(token) for token in row]


def _tagged_spans(tokens: list[str], tags: Any, index: int) -> list[Span]:
    """Return the entities of tagged tokens, in any of the schemes."""
    if isinstance(tags, str) or not isinstance(tags, Iterable):
        raise TypeError(f"The tags of text {index} are {tags!r}: pass a list, one tag a token.")
    tags = list(tags)
    if len(tokens) != len(tags):
        raise ValueError(
            f"Text {index} has {len(tokens)} tokens and {len(tags)} tags: pass one tag a token."
        )
    spans: list[Span] = []
    start, inside = 0, ""  # the label of the entity that is not over yet
    for token, tag in zip(tokens, tags, strict=True):
        prefix, label = _parse(tag, index)
        end = start + len(token)
        if label and (prefix in _STARTS or label != inside):
            spans.append(Span(start, end, label))
        elif label:
            spans[-1] = spans[-1]._replace(end=end)
        inside = "" if prefix in _ENDS else label
        start = end + 1
    return spans


def _parse(tag: Any, index: int) -> tuple[str, str]:
    """Return a tag's prefix and label, both of them empty for "O"."""
    if isinstance(tag, Integral):
        raise TypeError(
            f"Text {index} has the number {tag} for a tag, as Hugging Face stores them: pass their "
            'names, [[names[i] for i in row] for row in dataset["ner_tags"]] with names = '
            'dataset.features["ner_tags"].feature.names.'
        )
    if tag == "O":
        return "", ""
    prefix, _, label = tag.partition("-") if isinstance(tag, str) else ("", "", "")
    if prefix not in _PREFIXES or not label:
        raise ValueError(
            f"Text {index} has the tag {tag!r}: tags are 'O', or one of {', '.join(_PREFIXES)} "
            "with a hyphen and a label, such as 'B-person'."
        )
    return prefix, str(label)


def _given_spans(text: str, spans: Any, index: int) -> list[Span]:
    """Return the checked entities of a text in order."""
    if _are_tags(spans):
        return _character_spans(text, spans, index)
    if isinstance(spans, str | Mapping) or not isinstance(spans, Iterable):
        raise ValueError(
            f"The spans of text {index} are {spans!r}: pass a list of (start, end, label), which "
            "is [] for a text without entities."
        )
    found = sorted(_span(given, text, index) for given in spans)
    for one, other in pairwise(found):
        if one.end > other.start:
            raise ValueError(
                f"Spans {tuple(one)} and {tuple(other)} of text {index} ({short_repr(text)}) "
                "overlap: keep one of them."
            )
    return found


def _span(given: Any, text: str, index: int) -> Span:
    """Return one span, checked."""

    def error(advice: str) -> ValueError:
        return ValueError(f"Span {given!r} of text {index} ({short_repr(text)}) {advice}")

    keys = Span._fields
    parts = [given.get(key) for key in keys] if isinstance(given, Mapping) else given
    if isinstance(parts, str) or not isinstance(parts, Sequence) or len(parts) != len(keys):
        raise error(
            "is not (start, end, label) or a dict with these keys: pass places in characters and "
            "a str."
        )
    start, end, label = parts
    if not isinstance(start, Integral) or not isinstance(end, Integral):
        raise error("does not start and end with integers: pass places in characters.")
    if not isinstance(label, str) or not label:
        raise error(f"has the label {label!r}: pass a str that is not empty.")
    start, end = int(start), int(end)
    if not 0 <= start < end <= len(text):
        raise error(
            f"is empty or leaves the text, which has {len(text)} characters: 0 <= start < end <= "
            f"{len(text)} must hold."
        )
    return Span(start, end, str(label))


def _are_tags(answer: Any) -> bool:
    tags = isinstance(answer, list | tuple | np.ndarray) and len(answer) > 0
    return tags and all(isinstance(tag, str) for tag in answer)


def _character_spans(text: str, tags: Any, index: int) -> list[Span]:
    """Return the entities of tagged characters, which are tokens without gaps."""
    if len(tags) != len(text):
        raise ValueError(
            f"Text {index} has {len(text)} characters and {len(tags)} tags: pass one tag a "
            "character, or lists of tokens and one tag a token, such as "
            "[text.split() for text in X]."
        )
    spans = _tagged_spans(list(text), tags, index)
    return [Span(start // 2, (end + 1) // 2, label) for start, end, label in spans]


def token_probabilities(scores: np.ndarray, tokens: Sequence[str]) -> np.ndarray:
    """Return the probability of each tag at each token, of those at the characters of a text.

    The text is the tokens with a space in between. A label is what all characters of the token
    say, and whether it begins there what the first one does.
    """
    lengths = np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens))
    starts = np.cumsum(lengths + 1) - lengths - 1
    found = np.empty((len(tokens), scores.shape[1]), dtype=scores.dtype)
    for row, (start, length) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
        found[row] = scores[start : start + length].mean(axis=0)
    labels = found[:, 1::2] + found[:, 2::2]
    begin, inside = scores[starts, 1::2], scores[starts, 2::2]
    found[:, 1::2] = labels * begin / np.maximum(begin + inside, np.finfo(begin.dtype).tiny)
    found[:, 2::2] = labels - found[:, 1::2]
    return found


def token_tags(
    rows: Sequence[Sequence[str]], spans: Sequence[Sequence[Span]], *, gap: int
) -> list[list[str]]:
    """Return BIO tags of tokens, which stand `gap` characters apart.

    A token belongs to the first entity that has a character of it.
    """
    labels = {span.label for row in spans for span in row}
    names = {label: (f"B-{label}", f"I-{label}") for label in labels}
    found = []
    for tokens, entities in zip(rows, spans, strict=True):
        tags, end, last = [], 0, None
        left = list(reversed(entities))
        for token in tokens:
            start, end = end, end + len(token)
            while left and left[-1].end <= start:
                left.pop()
            hit = left[-1] if left and left[-1].start < end else None
            tags.append("O" if hit is None else names[hit.label][hit is last])
            last, end = hit, end + gap
        found.append(tags)
    return found
