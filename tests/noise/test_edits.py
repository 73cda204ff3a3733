"""Characters lost, doubled and swapped."""

import numpy as np
import pytest

from sklearn_cclm._text.codes import code_points, pad
from sklearn_cclm.noise import change_spaces, drop_characters, repeat_characters, swap_neighbours


def array(texts):
    """Return texts as padded code points."""
    return pad(*code_points(texts), dtype=np.uint32)


def read(ids):
    """Return the texts of padded code points."""
    return ["".join(map(chr, row[row > 0])) for row in ids]


def rng(seed=0):
    return np.random.default_rng(seed)


def near(count, n, rate):
    """Whether a count of n is within four standard deviations."""
    return abs(count - rate * n) < 4 * np.sqrt(n * rate * (1 - rate))


def test_the_character_that_stays_is_any():
    left = read(drop_characters(array(["abc"] * 3000), 1.0, rng()))
    assert set(left) == {"a", "b", "c"}
    assert all(near(left.count(letter), 3000, 1 / 3) for letter in "abc")


def test_characters_are_dropped_independently():
    left = read(drop_characters(array(["ab"] * 4000), 0.5, rng()))
    assert near(left.count("ab"), 4000, 0.25)
    assert near(left.count("a"), 4000, 0.375)  # alone, or the one that stays
    assert "" not in left


def test_repeated_characters_stand_side_by_side():
    assert read(repeat_characters(array(["a\u0301😀\ud800", ""]), 1.0, rng())) == [
        "aa\u0301\u0301😀😀\ud800\ud800",
        "",
    ]


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5, 0.8, 1.0])
def test_each_pair_is_swapped_at_the_rate_up_to_a_half(rate):
    n = 20_000
    _, origin = swap_neighbours(array(["abcdde"] * n), rate, rng(), return_origin=True)
    swapped = (origin[:, :-1] > origin[:, 1:]).sum(axis=0)
    assert swapped[3] == 0  # d and d
    for pair in (0, 1, 2, 4):
        assert near(swapped[pair], n, min(rate, 0.5))


def test_swaps_do_not_overlap():
    ids, origin = swap_neighbours(array(["ab" * 500]), 0.4, rng(), return_origin=True)
    descents = origin[0, :-1] > origin[0, 1:]
    assert descents.sum() > 300
    assert not np.any(descents[:-1] & descents[1:])
    assert sorted(origin[0]) == list(range(1000))
    assert np.array_equal(ids[0], array(["ab" * 500])[0, origin[0]])


def test_half_of_the_spaces_are_lost_and_half_doubled():
    left = read(change_spaces(array(["a b"] * 4000), 0.4, rng()))
    assert set(left) == {"a b", "ab", "a  b"}
    assert near(left.count("ab"), 4000, 0.2)
    assert near(left.count("a  b"), 4000, 0.2)


def test_only_spaces_are_lost():
    text = "a\tb\nc\u00a0d\u3000e"
    assert read(change_spaces(array([text]), 1.0, rng())) == [text]


def test_a_text_of_spaces_does_not_become_empty():
    assert {len(text) for text in read(change_spaces(array([" "] * 99), 1.0, rng()))} == {1, 2}
    assert min(map(len, read(change_spaces(array(["  "] * 99), 1.0, rng())))) == 1
