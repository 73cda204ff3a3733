"""Places of a text, and those they become once it is normalised."""

import sys
from itertools import pairwise
from unicodedata import combining, decomposition, normalize

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_cclm._targets.entities import Span
from sklearn_cclm._targets.moved_spans import (
    _Runs,
    begins_run,
    corrupted_spans,
    normalized_spans,
    original_spans,
)

FORMS = ["NFC", "NFD", "NFKC", "NFKD"]
MARKED = "ae \u0301\u0323\u00e9\ufb01\ufdfa\u09c7\u09be\u0f73\uff9e\u3046\ud800"
JAMO = "\u1100\u1161\u11a8\uac00"


def by(form):
    return lambda texts: [normalize(form, text) for text in texts]


def test_spans_move_with_their_text():
    text = "ﬁne cafe\u0301 Zoe\u0308, a\u0301b"  # a ligature and marks
    given = [[Span(4, 9, "x"), Span(10, 14, "y"), Span(16, 19, "z")]]
    moved = normalized_spans(given, [text], by("NFKC"))
    plain = normalize("NFKC", text)
    assert [plain[s:e] for s, e, _ in moved[0]] == ["café", "Zoë", "áb"]
    assert original_spans(moved, [text], by("NFKC")) == given


def test_a_span_that_vanishes_is_dropped():
    assert normalized_spans([[Span(1, 2, "x")]], ["e\u0301"], by("NFKC")) == [[]]


@pytest.mark.parametrize("form", FORMS)
@settings(derandomize=True, deadline=None)
@given(text=st.text(MARKED + JAMO, min_size=1) | st.text(st.characters(), min_size=1, max_size=30))
def test_places_are_those_of_the_whole_text(form, text):
    runs = _Runs(text, by(form))
    lengths = [len(normalize(form, text[:place])) for place in range(len(text) + 1)]
    assert [runs.forward(place) for place in range(len(text) + 1)] == lengths
    for place in range(lengths[-1] + 1):
        last = max(at for at, length in enumerate(lengths) if length <= place)
        assert runs.back(place) == last


def test_what_joins_the_character_before_begins_no_run():
    joining = {c for c in map(chr, range(sys.maxunicode + 1)) if combining(c)}
    for parts in map(decomposition, map(chr, range(sys.maxunicode + 1))):
        if parts and not parts.startswith("<"):
            joining.update(chr(int(part, 16)) for part in parts.split()[1:])
    joining.add("\U00016d67")  # composed since Unicode 16
    joining.update(map(chr, [*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)]))  # jamo, by rule
    assert len(joining) > 900
    assert not any(map(begins_run, joining))
    assert all(map(begins_run, "aZ9 .é\u4e00\uac00\uac01\u1100\ufb01\U0001f469\ud800"))


@pytest.mark.parametrize(
    ("text", "origin", "expected"),
    [
        ("Ada met", [0, 1, 2, 3, 4, 5, 6], [(0, 3, "x"), (4, 7, "y")]),
        ("Aa mett", [0, 2, 3, 4, 5, 6, 6], [(0, 2, "x"), (3, 7, "y")]),
        ("Ad amet", [0, 1, 3, 2, 4, 5, 6], [(0, 2, "x"), (4, 7, "y")]),
        ("met", [4, 5, 6], [(0, 3, "y")]),
        (" ", [3], []),
        ("", [], []),
    ],
    ids=["same", "dropped and doubled", "swapped over an end", "gone", "all gone", "nothing left"],
)
def test_spans_move_with_the_characters(text, origin, expected):
    spans = [[Span(0, 3, "x"), Span(4, 7, "y")]]
    assert corrupted_spans(spans, [text], [np.array(origin, dtype=np.int64)]) == [expected]


@settings(derandomize=True, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=30), st.sets(st.integers(0, 10), max_size=6))
def test_spans_that_move_never_overlap(origin, ends):
    spans = [Span(start, end, "x") for start, end in pairwise(sorted(ends))]
    text = ("ab c " * 6)[: len(origin)]
    (found,) = corrupted_spans([spans], [text], [np.array(origin)])
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(0 <= span.start < span.end <= len(origin) for span in found)
