"""Where entities are once their text is normalised, and back, and once it is corrupted."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TypeAlias
from unicodedata import category, normalize

import numpy as np

from sklearn_cclm._targets.entities import Span, trimmed

Normalize: TypeAlias = Callable[[Sequence[str]], list[str]]
_JOINING = {*map(chr, [*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)]), "\U00016d67"}


def normalized_spans(
    spans: Sequence[Sequence[Span]], texts: Sequence[str], normalize: Normalize
) -> list[list[Span]]:
    """Return where spans are once their texts are normalised, without those that vanish."""
    return _moved(spans, texts, normalize, _Runs.forward)


def original_spans(
    spans: Sequence[Sequence[Span]], texts: Sequence[str], normalize: Normalize
) -> list[list[Span]]:
    """Return where spans of normalised texts are in the texts as they were given."""
    return _moved(spans, texts, normalize, _Runs.back)


def corrupted_spans(
    spans: Sequence[Sequence[Span]], texts: Sequence[str], origins: Sequence[np.ndarray]
) -> list[list[Span]]:
    """Return where spans are in corrupted texts, whose characters come from places in clean ones.

    A place is where as many characters stand before it as come from before it: what is swapped
    over the end of a span leaves it where it is, so that spans never overlap. Spans of which no
    character is left vanish, and blanks at their ends are no part of them.
    """
    found = []
    for row, text, origin in zip(spans, texts, origins, strict=True):
        before = np.sort(origin)
        row = [
            span._replace(
                start=int(before.searchsorted(span.start)), end=int(before.searchsorted(span.end))
            )
            for span in row
        ]
        found.append(trimmed(row, text))
    return found


def _moved(
    spans: Sequence[Sequence[Span]],
    texts: Sequence[str],
    normalize: Normalize,
    move: Callable[[_Runs, int], int],
) -> list[list[Span]]:
    """Return spans with their ends moved, without those that become empty."""
    found = []
    for row, text, normal in zip(spans, texts, normalize(texts), strict=True):
        row = list(row)
        if row and text != normal:
            runs = _Runs(text, normalize)
            row = [s._replace(start=move(runs, s.start), end=move(runs, s.end)) for s in row]
        found.append([span for span in row if span.start < span.end])
    return found


def original_places(texts: Sequence[str], normalize: Normalize) -> list[np.ndarray]:
    """Return for each character of texts its place once they are normalised.

    Characters that become fewer share the last of their places.
    """
    return [
        np.arange(len(text)) if text == normal else _Runs(text, normalize).places()
        for text, normal in zip(texts, normalize(texts), strict=True)
    ]


class _Runs:
    """A text in runs that are normalised each for itself: its places, and those they become.

    A run is a letter and its marks, as a rule; a place costs time in proportion to its run.
    """

    def __init__(self, text: str, normalize: Normalize) -> None:
        self.text, self.normalize = text, normalize
        self.starts = [0, *(i for i, c in enumerate(text) if i and begins_run(c)), len(text)]
        normal = normalize([text[start:end] for start, end in pairwise(self.starts)])
        self.normal_starts = [0, *accumulate(map(len, normal))]

    def forward(self, place: int) -> int:
        """Return how long the text up to a place is once it is normalised."""
        run = bisect_right(self.starts, place) - 1
        start = self.starts[run]
        return self.normal_starts[run] + len(self.normalize([self.text[start:place]])[0])

    def back(self, place: int) -> int:
        """Return the last place up to which the normalised text is not longer than `place`.

        Within a run whose marks are composed in another order than they stand in, a place up to
        which it is as long.
        """
        run = bisect_right(self.normal_starts, place) - 1
        places = range(self.starts[run], self.starts[min(run + 1, len(self.starts) - 1)] + 1)
        return places[bisect_right(places, place, key=self.forward) - 1]

    def places(self) -> np.ndarray:
        """Return where the normalised text has what becomes of each character."""
        lengths = np.diff(self.starts)
        moved = np.subtract(self.normal_starts[:-1], self.starts[:-1])
        last = np.subtract(self.normal_starts[1:], 1)
        place = np.arange(len(self.text)) + np.repeat(moved, lengths)
        return np.minimum(place, np.repeat(last, lengths)).clip(min=0)


@lru_cache(maxsize=4096)
def begins_run(character: str) -> bool:
    """Whether a character, whatever is before it, is neither composed nor reordered with that.

    What can be is a mark, a jamo of Hangul that is not the first of a syllable, or a vowel of Kirat
    Rai that Unicode has for a letter; or begins with one once it is decomposed (UAX 15).
    """
    first = normalize("NFKD", character)[0]
    return category(first)[0] != "M" and first not in _JOINING
