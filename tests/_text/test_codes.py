"""Strings to and from flat arrays of code points, and their padding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_cclm._text.codes import CLS, MASK, N_RESERVED, PAD, UNKNOWN, code_points, pad, strings

ANY_TEXT = st.text(st.characters(categories=None, min_codepoint=0), max_size=20)  # surrogates too
CI = settings(derandomize=True, deadline=None, max_examples=100)


def test_reserved_codes_come_first():
    assert (PAD, MASK, UNKNOWN, CLS) == tuple(range(N_RESERVED))


@CI
@given(st.lists(ANY_TEXT, max_size=5))
def test_strings_is_the_inverse_of_code_points(texts):
    assert strings(*code_points(texts)) == texts


@CI
@given(st.lists(ANY_TEXT, max_size=5))
def test_code_points_are_those_of_ord(texts):
    points, lengths = code_points(texts)
    assert (points.dtype, lengths.dtype) == (np.uint32, np.int64)
    assert points.tolist() == list(map(ord, "".join(texts)))
    assert lengths.tolist() == list(map(len, texts))


def test_neighbouring_surrogates_of_two_texts_stay_apart():
    texts = ["\ud83d", "\ude42", "\ud83d\ude42"]
    assert strings(*code_points(texts)) == texts


def test_strings_takes_code_points_of_any_integer_type():
    assert strings(np.array([97, 0x1F642]), np.array([1, 0, 1])) == ["a", "", "🙂"]


@CI
@given(st.lists(st.integers(0, 6), max_size=6), st.integers(0, 3))
def test_rows_are_padded_on_the_right(lengths, extra):
    flat = np.arange(1, sum(lengths) + 1)
    length = max([1, *lengths]) + extra
    padded = pad(flat, np.array(lengths, dtype=np.int64), length=length)
    assert padded.shape == (len(lengths), length)
    assert padded[padded > 0].tolist() == flat.tolist()
    for row, n in zip(padded, lengths, strict=True):
        assert (row[:n] > 0).all()
        assert not row[n:].any()


def test_width_is_the_longest_row_and_at_least_one():
    assert pad(np.array([1, 2, 3]), np.array([1, 0, 2])).tolist() == [[1, 0], [0, 0], [2, 3]]
    assert pad(np.array([], dtype=int), np.array([0])).tolist() == [[0]]
    assert pad(np.array([], dtype=int), np.array([], dtype=int)).shape == (0, 1)


def test_type_of_the_result_is_chosen():
    assert pad(np.array([1]), np.array([1])).dtype == np.int64
    assert pad(np.array([1]), np.array([1]), dtype=np.uint16).dtype == np.uint16


def test_row_that_does_not_fit_is_an_error():
    with pytest.raises(ValueError, match="a row of 2 values does not fit into length=1"):
        pad(np.array([1, 2]), np.array([2]), length=1)
