"""Slips on a keyboard."""

import string

import numpy as np
import pytest

from sklearn_cclm._codes import code_points, pad
from sklearn_cclm.noise import misspell, slip_keys

# read off a QWERTY keyboard, not off the code
NEIGHBOURS = {
    "q": "wa", "a": "qwsz", "g": "fhtyvb", "s": "adwezx", "p": "ol", "l": "kop", "z": "asx",
    "m": "njk", "y": "tugh",
}  # fmt: skip


def global_state():
    """Return the state of numpy's global generator."""
    _, key, position, *_ = np.random.get_state()  # noqa: NPY002
    return key.tobytes(), position


def array(texts):
    """Return texts as padded code points."""
    points, lengths = code_points(texts)
    return pad(points, lengths, dtype=np.uint32)


def replacements(letter, n=400):
    """Return all letters that a letter is replaced by."""
    return set(misspell([letter * n], 1.0, random_state=0)[0])


@pytest.mark.parametrize("letter", sorted(NEIGHBOURS))
def test_letters_become_their_neighbours(letter):
    assert replacements(letter) == set(NEIGHBOURS[letter])


def test_neighbours_are_chosen_alike():
    n = 6000
    slipped = misspell(["g" * n], 1.0, random_state=0)[0]
    counts = np.array([slipped.count(letter) for letter in NEIGHBOURS["g"]])
    assert np.all(np.abs(counts - n / 6) < 4 * np.sqrt(n * (1 / 6) * (5 / 6)))


def test_neighbourhood_is_symmetric():
    neighbours = {letter: replacements(letter) for letter in string.ascii_lowercase}
    for letter, others in neighbours.items():
        assert others
        assert letter not in others
        assert all(letter in neighbours[other] for other in others)


def test_case_is_kept():
    for letter in string.ascii_uppercase:
        assert replacements(letter) == {other.upper() for other in replacements(letter.lower())}


def test_other_characters_and_padding_stay():
    text = "1!- \t\n\x00\x7f[`{@äßЖ中😀\ud800"
    assert misspell([text, ""], 1.0, random_state=0) == [text, ""]
    points = array([text, "abc"])
    slipped = slip_keys(points, 1.0, np.random.default_rng(0))
    assert slipped.dtype == np.uint32
    assert np.array_equal(slipped[1, 3:], points[1, 3:])
    assert np.all(slipped[1, :3] != points[1, :3])


def test_given_array_stays_as_it_is():
    points = array(["some text"])
    points.setflags(write=False)
    before = points.copy()
    slip_keys(points, 1.0, np.random.default_rng(0))
    assert np.array_equal(points, before)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_letters_are_replaced_at_the_rate(rate):
    text = "the quick brown fox jumps over the lazy dog. " * 1000
    slipped = misspell([text], rate, random_state=0)[0]
    n = sum(letter.isalpha() for letter in text)
    share = sum(a != b for a, b in zip(text, slipped, strict=True)) / n
    assert abs(share - rate) < 4 * np.sqrt(rate * (1 - rate) / n)


def test_each_text_may_have_its_own_rate():
    n, rates = 5000, np.array([0.0, 0.1, 0.6, 1.0])
    points = array(["a" * n] * 4)
    share = (slip_keys(points, rates, np.random.default_rng(0)) != points).mean(axis=1)
    assert np.all(np.abs(share - rates) <= 4 * np.sqrt(rates * (1 - rates) / n))


def test_rate_zero_changes_nothing():
    assert misspell(["some text"], 0.0, random_state=0) == ["some text"]


@pytest.mark.parametrize("rate", [-0.1, 1.1, np.nan, 10])
def test_rate_must_be_a_share(rate):
    with pytest.raises(ValueError, match="between 0 and 1"):
        misspell(["some text"], rate)
    with pytest.raises(ValueError, match="between 0 and 1"):
        slip_keys(array(["a", "b"]), np.array([0.1, rate]), np.random.default_rng(0))


def test_lengths_are_kept():
    texts = ["", "a", "keyboard", "zwei Wörter", ""] * 3
    assert list(map(len, misspell(texts, 0.5, random_state=0))) == list(map(len, texts))


def test_no_texts_give_none():
    assert misspell([], 0.5, random_state=0) == []


def test_seed_decides():
    text = ["some rather long text to slip in"]
    one, same, other = (misspell(text, 0.5, random_state=seed) for seed in (0, 0, 1))
    assert one == same != other
    assert misspell(text, 0.5, random_state=np.random.default_rng(0)) == one


def test_texts_of_later_chunks_slip_in_their_own_way():
    slipped = misspell(["abcdefgh"] * 5000, 0.5, random_state=0)
    assert len(slipped) == 5000
    assert slipped[:100] != slipped[4096:4196]


def test_global_generator_is_untouched():
    before = global_state()
    misspell(["some text"], 0.5)
    misspell(["some text"], 0.5, random_state=0)
    assert global_state() == before
