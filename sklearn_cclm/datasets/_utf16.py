"""Places that tools count in units of UTF-16, as places in characters."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np

from sklearn_cclm._targets.entities import Span, read_entities


def spans_from_utf16(X: Iterable[str], y: Iterable) -> list[list[Span]]:
    """Return spans in characters of spans that count units of UTF-16.

    Tools written in JavaScript or Java, such as doccano, count a character beyond U+FFFF, as most
    emoji are, as two; Python, and all of this package, as one.

    Parameters
    ----------
    X : iterable of str
        Texts.
    y : iterable
        For each text its spans, as `EntityPretrainer` takes them but for the unit of their places.

    Returns
    -------
    list of list of Span
        The spans of each text, to be passed to `fit` and `score`.

    Raises
    ------
    ValueError, TypeError
        If a text or a span is not allowed, or a span begins or ends within a character.

    See Also
    --------
    read_conll : Reads files of tagged tokens.

    Examples
    --------
    >>> from sklearn_cclm.datasets import spans_from_utf16
    >>> spans_from_utf16(["🙂 Ada met Bob"], [[(3, 6, "person"), (11, 14, "person")]])
    [[Span(start=2, end=5, label='person'), Span(start=10, end=13, label='person')]]
    """
    texts, _ = read_entities(X)
    spans = read_entities(list(map(_units, texts)), y)[1] or []
    return [_moved(row, text, i) for i, (row, text) in enumerate(zip(spans, texts, strict=True))]


def _units(text: str) -> str:
    """Return a text with each unit of its UTF-16 as a character."""
    return "".join(map(chr, np.frombuffer(text.encode("utf-16-le", "surrogatepass"), dtype="<u2")))


def _moved(spans: Sequence[Span], text: str, index: int) -> list[Span]:
    """Return the spans of one text in characters."""
    places = [0, *accumulate(1 + (character > "\uffff") for character in text)]
    found = []
    for span in spans:
        start, end = (bisect_left(places, place) for place in (span.start, span.end))
        if (places[start], places[end]) != (span.start, span.end):
            raise ValueError(
                f"Span {span[:3]} of text {index} begins or ends within a character: its places "
                "do not count units of UTF-16."
            )
        found.append(span._replace(start=start, end=end))
    return found


def spans_to_utf16(texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[list[Span]]:
    """Return spans that count units of UTF-16, of spans in characters."""
    found = []
    for text, row in zip(texts, spans, strict=True):
        places = [0, *accumulate(1 + (character > "\uffff") for character in text)]
        found.append([s._replace(start=places[s.start], end=places[s.end]) for s in row])
    return found
