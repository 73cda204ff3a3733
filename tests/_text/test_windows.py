"""Long texts in pieces."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_cclm._text.windows import windows

CI = settings(derandomize=True, deadline=None, max_examples=200)
TEXTS = st.lists(st.text("abc\0\ud800🙂", max_size=25), max_size=5)


@st.composite
def sizes(draw):
    """Draw a size and a smaller overlap."""
    size = draw(st.integers(1, 8))
    return size, draw(st.integers(0, size - 1))


def test_pieces_follow_their_texts():
    pieces, owners = windows(["abcdefghij", "", "abc"], 4, 1)
    assert pieces == ["abcd", "defg", "ghij", "", "abc"]
    assert owners.tolist() == [0, 0, 0, 1, 2]


def test_short_texts_are_their_own_windows():
    texts = ("abcd", "", "a")
    pieces, owners = windows(texts, 4, 3)
    assert pieces == list(texts)
    assert owners.tolist() == [0, 1, 2]


def test_no_texts_have_no_windows():
    pieces, owners = windows([], 4)
    assert pieces == []
    assert owners.shape == (0,)


def test_windows_do_not_overlap_by_default():
    assert windows(["abcdefgh"], 4)[0] == ["abcd", "efgh"]


@CI
@given(TEXTS, sizes())
def test_texts_are_rebuilt_from_their_windows(texts, sizes):
    size, overlap = sizes
    pieces, owners = windows(texts, size, overlap)
    rebuilt = [""] * len(texts)
    for owner, piece in zip(owners, pieces, strict=True):
        rebuilt[owner] += piece[overlap:] if rebuilt[owner] else piece
    assert rebuilt == texts


@CI
@given(TEXTS, sizes())
def test_every_window_fits_and_all_but_the_last_are_full(texts, sizes):
    pieces, owners = windows(texts, *sizes)
    assert all(len(piece) <= sizes[0] for piece in pieces)
    followed = np.flatnonzero(np.diff(owners) == 0)
    assert all(len(pieces[i]) == sizes[0] for i in followed)


@CI
@given(TEXTS, sizes())
def test_no_window_is_part_of_the_one_before(texts, sizes):
    size, overlap = sizes
    pieces, owners = windows(texts, size, overlap)
    later = 1 + np.flatnonzero(np.diff(owners) == 0)
    assert all(len(pieces[i]) > overlap for i in later)


@CI
@given(TEXTS, sizes())
def test_every_text_owns_a_window_in_order(texts, sizes):
    owners = windows(texts, *sizes)[1]
    assert owners.dtype == np.int64
    assert np.unique(owners).tolist() == list(range(len(texts)))
    assert (np.diff(owners) >= 0).all()
