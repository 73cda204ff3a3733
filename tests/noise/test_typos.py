"""Slips of the keyboard: to a neighbouring key, at the rate asked for, and nothing else."""

import numpy as np
import pytest

from sklearn_cclm.noise import misspell, slip_keys
from sklearn_cclm.noise.typos import _neighbours

TEXT = "The quick Brown fox, 42 jumps över the lazy dog \U0001f642! "


def differing(before, after):
    return [(a, b) for a, b in zip(before, after, strict=True) if a != b]


@pytest.mark.parametrize(
    ("key", "others"), [("g", "tyfhvb"), ("a", "qwsz"), ("p", "ol"), ("m", "njk"), ("q", "wa")]
)
def test_neighbours_touch_the_key(key, others):
    assert sorted(_neighbours()[key]) == sorted(others)


def test_neighbours_are_mutual():
    neighbours = _neighbours()
    assert len(neighbours) == 26
    assert all(key in neighbours[other] for key in neighbours for other in neighbours[key])


def test_letters_become_neighbours_of_the_same_case():
    (noisy,) = misspell([TEXT * 20], 0.5, random_state=0)
    changes = differing(TEXT * 20, noisy)
    assert changes
    assert all(b.lower() in _neighbours()[a.lower()] for a, b in changes)
    assert all(a.isupper() == b.isupper() for a, b in changes)


def test_rate_one_changes_each_letter_and_nothing_else():
    (noisy,) = misspell([TEXT], 1.0, random_state=0)
    for before, after in zip(TEXT, noisy, strict=True):
        assert (before != after) == (before.isascii() and before.isalpha())


def test_rate_zero_changes_nothing():
    assert misspell([TEXT, ""], 0, random_state=0) == [TEXT, ""]


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.3])
def test_rate_is_the_share_of_letters(rate):
    (noisy,) = misspell(["abcdefghij" * 3000], rate, random_state=0)
    assert len(differing("abcdefghij" * 3000, noisy)) / 30_000 == pytest.approx(rate, abs=0.01)


def test_each_text_can_have_its_own_rate():
    points = np.full((2, 5000), ord("k"), dtype=np.uint32)
    slipped = slip_keys(points, np.array([0.0, 0.2]), np.random.default_rng(0))
    assert (slipped[0] == points[0]).all()
    assert (slipped[1] != points[1]).mean() == pytest.approx(0.2, abs=0.03)


def test_padding_stays_and_input_is_kept():
    points = np.array([[ord("a"), 0, 0]], dtype=np.uint32)
    slipped = slip_keys(points, 1.0, np.random.default_rng(0))
    assert slipped[0, 1:].tolist() == [0, 0]
    assert points[0, 0] == ord("a")


@pytest.mark.parametrize("rate", [-0.1, 1.1, np.nan])
def test_rate_out_of_range_is_refused(rate):
    with pytest.raises(ValueError, match="between 0 and 1"):
        misspell([TEXT], rate)


def test_seed_decides_and_global_generator_is_untouched():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - it is what must not move
    many = [TEXT] * 5000
    assert misspell(many, 0.1, random_state=0) == misspell(many, 0.1, random_state=0)
    assert misspell(many, 0.1, random_state=0) != misspell(many, 0.1, random_state=1)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002
