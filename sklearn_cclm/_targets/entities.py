"""The one place where what users give becomes texts and the entities in them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from numbers import Integral, Real
from reprlib import repr as short_repr
from typing import Any, NamedTuple, Self

import numpy as np

from sklearn_cclm._targets.plain import plain
from sklearn_cclm._targets.tag_schemes import read_scheme, tagged_runs
from sklearn_cclm._text.read import check_reading, check_texts, read_rows

_KEYS = (("start", "start_offset"), ("end", "end_offset"), ("label", "entity_group"))
_BRAT = re.compile(r"[TEREAMN*#]\d*\t")


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

    def _asdict(self) -> dict[str, Any]:
        return {**super()._asdict(), "score": self.score}

    def _replace(self, **parts: Any) -> Self:
        return type(self)(**{**self._asdict(), **parts})


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
        (BIO), IOBES, BMES or BILOU, letters before or after the labels or alone, or labels alone.
        None where the entities are not known.
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

    Warns
    -----
    UserWarning
        If spans have blanks at an end, which are left out, with those of blanks alone.
    """
    rows = input_rows(X, missing=missing, column=column)
    tokenized = are_tokens(rows)
    texts = [" ".join(tokens) for tokens in rows] if tokenized else rows
    if y is None:
        return texts, None
    answers = [plain(answer) for answer in _rows(y, None)]
    if len(rows) != len(answers):
        raise ValueError(
            f"X has {len(rows)} rows and y {len(answers)}: pass one row of y for each text."
        )
    read = _spans_of_tokens if tokenized else _spans_of_texts
    return texts, _checked(read(rows, answers), texts)


def input_rows(X: Any, *, missing: str = "error", column: str | int | None = None) -> list[Any]:
    """Return checked texts, or a checked list of tokens for each of them."""
    check_reading(missing, column)
    rows = [plain(row) for row in _rows(X, column)]
    if are_tokens(rows):
        return [_tokens(row, index) for index, row in enumerate(rows)]
    return check_texts(rows, missing=missing)


def are_tokens(rows: Sequence[Any]) -> bool:
    """Whether rows of `input_rows`, or some of them, are lists of tokens."""
    return any(isinstance(row, list | tuple) for row in rows)


def given_entities(texts: Sequence[str], y: Any) -> tuple[list[list[Span]], bool] | None:
    """Return the entities of checked texts, and whether tags of characters tell them.

    None if what is right of the texts is something else, such as labels.
    """
    try:
        answers = [plain(answer) for answer in _rows(y, None)]
    except (TypeError, ValueError):  # as of a frame of several targets
        return None
    items = [i for a in answers if isinstance(a, list | tuple) for i in a]
    spans = any(isinstance(answer, Mapping) for answer in answers)
    spans |= any(isinstance(item, list | tuple | Mapping) for item in items)
    tagged = bool(items) and all(
        answer in ([], ()) or (_are_tags(answer) and len(answer) == len(text))
        for text, answer in zip(texts, answers, strict=True)
    )
    if not spans and not tagged:
        return None
    return _checked(_spans_of_texts(texts, answers), texts), tagged


def _rows(values: Any, column: str | int | None) -> Iterable[Any]:
    """Return rows as `read_rows` does, also those that numpy has stacked."""
    column_or_row = not isinstance(values, np.ndarray) or values.shape[1:] in ((), (1,))
    return read_rows(values, column) if column_or_row else values


def _tokens(row: Any, index: int) -> list[str]:
    """Return one row as a list of tokens."""
    if not isinstance(row, list | tuple):
        raise TypeError(
            f"Row {index} is a {type(row).__name__} ({short_repr(row)}) where other rows are lists "
            "of tokens: pass lists of tokens throughout, or texts throughout."
        )
    if {*map(type, row)} == {str} and all(row):  # as most rows are: much faster
        return list(row)
    for place, token in enumerate(row):
        if not isinstance(token, str) or not token:
            raise ValueError(
                f"Token {place} of text {index} is {token!r}, where a str that is not empty is "
                "expected: drop it and its tag, or convert it."
            )
    return [str(token) for token in row]


def _spans_of_tokens(rows: Sequence[list[str]], answers: Sequence[Any]) -> list[list[Span]]:
    """Return the entities of tagged tokens."""
    for index, (tokens, tags) in enumerate(zip(rows, answers, strict=True)):
        if not isinstance(tags, list | tuple):
            raise TypeError(f"The tags of text {index} are {tags!r}: pass a list, one tag a token.")
        if len(tokens) != len(tags):
            spans = any(isinstance(tag, list | tuple | Mapping) for tag in tags)
            raise ValueError(
                f"Text {index} has {len(tokens)} tokens and {len(tags)} tags: pass one tag a token"
                f"{', or spans beside texts, not beside lists of tokens' if spans else ''}."
            )
    scheme = read_scheme(answers)
    found = []
    for tokens, tags in zip(rows, answers, strict=True):
        starts = [0, *accumulate(len(token) + 1 for token in tokens)]
        runs = tagged_runs(tags, scheme)
        found.append([Span(starts[one], starts[end] - 1, label) for one, end, label in runs])
    return found


def _spans_of_texts(texts: Sequence[str], answers: Sequence[Any]) -> list[list[Span]]:
    """Return the entities of texts, from their spans or a tag for each character."""
    tagged = list(map(_are_tags, answers))
    for index, (text, tags) in enumerate(zip(texts, answers, strict=True)):
        if tagged[index]:
            _check_character_tags(text, tags, index)
    scheme = read_scheme(tags if are else () for tags, are in zip(answers, tagged, strict=True))
    return [
        [Span(*run) for run in tagged_runs(answer, scheme)]
        if tagged[index]
        else _given_spans(texts[index], answer, index)
        for index, answer in enumerate(answers)
    ]


def _are_tags(answer: Any) -> bool:
    tags = isinstance(answer, list | tuple) and len(answer) > 0
    return tags and all(isinstance(tag, str) for tag in answer)


def _check_character_tags(text: str, tags: list[str], index: int) -> None:
    if _BRAT.match(tags[0]):
        raise ValueError(
            f"Text {index} has lines of brat, such as {tags[0]!r}: pass (start, end, label) of "
            "each, and of a discontinuous one, 'PER 0 5;9 12', each part or the whole stretch."
        )
    if len(tags) != len(text):
        raise ValueError(
            f"Text {index} has {len(text)} characters and {len(tags)} tags: pass one tag a "
            "character, or lists of tokens and one tag a token, such as "
            "[text.split() for text in X]."
        )


def _given_spans(text: str, spans: Any, index: int) -> list[Span]:
    """Return the entities of a text, in any order."""
    if isinstance(spans, Mapping):
        spans = _transposed(spans)
    if isinstance(spans, str | Mapping) or not isinstance(spans, Iterable):
        raise ValueError(
            f"The spans of text {index} are {spans!r}: pass a list of (start, end, label), which "
            "is [] for a text without entities."
        )
    return [_span(given, text, index) for given in spans]


def _transposed(spans: Mapping) -> Any:
    """Return lists of starts, ends and labels, as `datasets` has them, as a list of spans."""
    parts = _parts(spans)
    lists = all(isinstance(part, list) and len(part) == len(parts[0]) for part in parts)
    return list(zip(*parts, strict=True)) if lists else spans


def _parts(span: Mapping) -> list[Any]:
    """Return start, end and label of a mapping, each None if it is missing."""
    return [next((span[key] for key in keys if key in span), None) for keys in _KEYS]


def _span(given: Any, text: str, index: int) -> Span:
    """Return one span, checked."""

    def error(advice: str) -> ValueError:
        return ValueError(f"Span {given!r} of text {index} ({short_repr(text)}) {advice}")

    parts = _parts(given) if isinstance(given, Mapping) else given
    if isinstance(parts, str) or not isinstance(parts, Sequence) or len(parts) != len(_KEYS):
        raise error(
            "is not (start, end, label) or a dict with these keys: pass places in characters and "
            "a str."
        )
    start, end, label = parts
    if any(isinstance(place, list | tuple) for place in (start, end)):
        raise error("is discontinuous: pass each part, or the whole stretch, as a span.")
    if not isinstance(start, Integral) or not isinstance(end, Integral):
        raise error("does not start and end with integers: pass places in characters.")
    if isinstance(label, Integral):
        raise error(f"has the number {label} for a label: pass its name, feature.names[{label}].")
    if not isinstance(label, str) or not label.strip():
        raise error(f"has the label {label!r}: pass a str that is not empty.")
    start, end = int(start), int(end)
    if not 0 <= start < end <= len(text):
        raise error(
            f"is empty or leaves the text, which has {len(text)} characters: 0 <= start < end <= "
            f"{len(text)} must hold."
        )
    score = given.get("score") if isinstance(given, Mapping) else None
    score = float(score) if isinstance(score, Real) else None
    return Span(start, end, str(label).strip(), score)


def _checked(spans: list[list[Span]], texts: Sequence[str]) -> list[list[Span]]:
    """Return spans in order and without blanks at their ends, or say which overlap."""
    found = [sorted(trimmed(row, text)) for row, text in zip(spans, texts, strict=True)]
    for index, row in enumerate(found):
        for one, other in pairwise(row):
            if one.end > other.start:
                raise ValueError(
                    f"Spans {one[:3]} and {other[:3]} of text {index} "
                    f"({short_repr(texts[index])}) overlap: keep one of them."
                )
    _warn_of_blanks(spans, found)
    return found


def trimmed(spans: Iterable[Span], text: str) -> list[Span]:
    """Return spans without blanks at their ends, and without those of blanks alone."""
    found = []
    for span in spans:
        part = text[span.start : span.end]
        start = span.end - len(part.lstrip())
        end = span.start + len(part.rstrip())
        if start < end:
            found.append(span._replace(start=start, end=end))
    return found


def _warn_of_blanks(given: list[list[Span]], kept: list[list[Span]]) -> None:
    """Warn once of all spans that had blanks at their ends."""
    n_given, n_kept = (sum(map(len, rows)) for rows in (given, kept))
    cut = [
        (index, span)
        for index, (row, left) in enumerate(zip(given, kept, strict=True))
        if sorted(row) != left
        for span in sorted(set(row) - set(left))
    ]
    if cut:
        index, span = cut[0]
        warnings.warn(
            f"{len(cut)} of {n_given} spans begin or end with spaces or other blanks, which are "
            f"left out, such as {span[:3]} of text {index}; {n_given - n_kept} of them hold "
            "nothing else and are dropped.",
            UserWarning,
            stacklevel=3,
        )


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
