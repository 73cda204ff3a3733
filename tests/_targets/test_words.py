"""Words, and their parts where what their characters say changes."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_cclm._targets.entities import Span
from sklearn_cclm._targets.entity_tags import TagSet, share_inside_words
from sklearn_cclm._targets.words import parts

CI = settings(derandomize=True, deadline=None, max_examples=200)
INSIDE = TagSet(("x", "y"), inside_words=0.5)


def said(codes, sure=0.98):
    """Return codes as probabilities of the five tags, each as sure as the others."""
    return np.where(np.eye(5)[codes] > 0, sure, (1 - sure) / 4)


def split(votes, cuts, starts, ends, cost):
    starts, ends = (np.array(column, dtype=np.int64) for column in (starts, ends))
    found = parts(votes, cuts, starts, ends, cost=cost)
    return [column.tolist() for column in found]


@CI
@given(st.integers(1, 6), st.integers(0, 2**32), st.floats(0, 1))
def test_parts_are_those_that_say_most(length, seed, cost):
    """One word, beside all ways to split it where its characters disagree."""
    votes = np.random.default_rng(seed).random((length, 3))
    best = votes.argmax(axis=1)
    fixed = [i for i in range(1, length) if best[i] == best[i - 1]]  # no way changes there
    ways = [
        way for way in product(range(3), repeat=length) if all(way[i] == way[i - 1] for i in fixed)
    ]

    def worth(way):
        changes = sum(a != b for a, b in zip(way[1:], way, strict=False))
        return votes[np.arange(length), way].sum() - cost * changes

    way = max(ways, key=worth)
    edges = [0, *(i for i in range(1, length) if way[i] != way[i - 1])]
    found = split(votes, np.zeros(length, dtype=bool), [0], [length], cost)
    assert found == [edges, [*edges[1:], length], [0] * len(edges)]


def test_words_are_split_each_for_itself():
    votes = np.eye(2)[[0, 1, 1, 0, 0, 0, 1, 0]]
    cuts = np.array([False, False, True, True, False, True, False, False])
    found = split(votes, cuts, [0, 4], [3, 8], 0.1)  # the character between them is of no word
    assert found == [[0, 1, 2, 4, 5, 6, 7], [1, 2, 3, 5, 6, 7, 8], [0, 0, 0, 1, 1, 1, 1]]
    assert split(votes, np.zeros(8, dtype=bool), [0, 4], [3, 8], 9.0) == [[0, 4], [3, 8], [0, 1]]
    assert split(votes[:0], cuts[:0], [], [], 1.0) == [[], [], []]


TEXTS = {
    "dose and unit": ("take 450mg", [(5, 8, "x"), (8, 10, "y")]),
    "no spaces": ("张伟在北京", [(0, 2, "x"), (3, 5, "y")]),
    "adjacent": ("北京上海", [(0, 2, "x"), (2, 4, "x")]),
    "adjacent characters": ("abcd", [(0, 1, "x"), (1, 2, "x"), (3, 4, "y")]),
    "suffix": ("Ankarada, ok", [(0, 6, "x")]),
    "Thai": ("สมชายไปกรุงเทพ", [(0, 5, "x"), (7, 14, "y")]),
    "with a space": ("preNew Yorker", [(3, 11, "x")]),
}


@pytest.mark.parametrize(("text", "spans"), TEXTS.values(), ids=TEXTS)
def test_what_is_given_in_characters_is_found_in_characters(text, spans):
    given = [[Span(*span) for span in spans]]
    codes = INSIDE.encode(given, np.array([len(text)]))
    assert INSIDE.decode(said(codes), [text]) == given
    whole = TagSet(INSIDE.labels).decode(said(codes), [text])
    assert whole != given


def test_a_word_is_split_only_for_more_than_that_is_rare():
    """One of nine characters says something else, 3 to 1: too little where splits are rare."""
    scores = np.full((9, 3), [0.05, 0.05, 0.9])
    scores[8] = [0.75, 0.0, 0.25]
    for share, end in ((0.9, 8), (0.01, 9), (0.0, 9)):
        (spans,) = TagSet(("x",), inside_words=share).decode(scores, ["Lindqvist"])
        assert [(span.start, span.end) for span in spans] == [(0, end)]


def test_score_is_what_the_characters_say_on_average():
    scores = np.array([[0.1, 0.9, 0.0], [0.2, 0.1, 0.7], [0.9, 0.0, 0.1], [0.3, 0.0, 0.7]])
    ((span,),) = TagSet(("x",)).decode(scores, ["ab c"])
    assert span == (0, 4, "x")
    assert span.score == pytest.approx((0.9 + 0.8 + 0.7) / 3)


def test_share_of_ends_inside_words():
    texts = ["450mg now", "", "北京。", "a b"]
    spans = [[Span(0, 3, "x"), Span(3, 5, "y")], [], [Span(0, 1, "x")], [Span(0, 1, "x")]]
    assert share_inside_words(spans, texts) == 3 / 8
    assert share_inside_words([[]], ["ab"]) == share_inside_words([], []) == 0
    assert share_inside_words([[Span(0, 2, "x")]], ["  "]) == 0
