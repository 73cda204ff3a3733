"""Slips on keyboards."""

import string

import numpy as np
import pytest

from sklearn_cclm._text.codes import code_points, pad
from sklearn_cclm.noise import insert_characters, slip_keys

# read off keyboards, not off the code
NEIGHBOURS = {
    "qwerty": {
        "q": "wa", "a": "qwsz", "g": "fhtyvb", "s": "adwezx", "p": "ol", "l": "kop", "z": "asx",
        "m": "njk", "y": "tugh", "P": "OL", "Z": "ASX",
    },
    "qwertz": {
        "z": "tugh", "y": "asx", "ß": "pü", "ü": "pßöä", "ö": "lpüä", "ä": "öü", "p": "oßüöl",
        "P": "OÜÖL", "Ä": "ÖÜ", "a": "qwsy", "m": "njk",
    },
    "azerty": {
        "a": "zqé", "q": "azsw", "w": "qsx", "m": "lpù", "é": "az", "è": "yu", "ç": "ioà",
        "à": "opç", "ù": "m", "A": "ZQ", "M": "LP", "n": "bhj",
    },
}  # fmt: skip
# letters without a key, or without a capital on theirs
KEYLESS = {"qwerty": "äéß", "qwertz": "éÉẞ", "azerty": "äößÉÈÇÀÙ"}


def array(texts):
    """Return texts as padded code points."""
    return pad(*code_points(texts), dtype=np.uint32)


def replacements(letter, layout="qwerty", n=400):
    """Return all letters that a letter is replaced by."""
    ids = slip_keys(array([letter * n]), 1.0, np.random.default_rng(0), layout=layout)
    return set(map(chr, ids[0]))


@pytest.mark.parametrize("layout", NEIGHBOURS)
def test_letters_become_their_neighbours(layout):
    for letter, expected in NEIGHBOURS[layout].items():
        assert replacements(letter, layout) == set(expected)


def test_neighbours_are_chosen_alike():
    n = 6000
    slipped = slip_keys(array(["g" * n]), 1.0, np.random.default_rng(0))
    counts = np.array([(slipped == ord(letter)).sum() for letter in NEIGHBOURS["qwerty"]["g"]])
    assert np.all(np.abs(counts - n / 6) < 4 * np.sqrt(n * (1 / 6) * (5 / 6)))


@pytest.mark.parametrize("layout", NEIGHBOURS)
def test_neighbourhood_is_symmetric(layout):
    letters = string.ascii_lowercase + {"qwerty": "", "qwertz": "äöüß", "azerty": "éèçàù"}[layout]
    neighbours = {letter: replacements(letter, layout) for letter in letters}
    for letter, others in neighbours.items():
        assert others
        assert letter not in others
        assert all(letter in neighbours[other] for other in others)


@pytest.mark.parametrize("layout", NEIGHBOURS)
def test_case_is_kept(layout):
    for letter in string.ascii_letters:
        assert {other.isupper() for other in replacements(letter, layout)} == {letter.isupper()}


@pytest.mark.parametrize("layout", NEIGHBOURS)
def test_letters_without_a_key_stay(layout):
    for letter in KEYLESS[layout]:
        assert replacements(letter, layout) == {letter}


def test_other_characters_and_padding_stay():
    ids = array(["1!- \t\n\x00\x7f[`{@ÿĀЖ中😀\ud800\U0010ffff", "abc"])
    slipped = slip_keys(ids, 1.0, np.random.default_rng(0))
    assert np.array_equal(slipped[0], ids[0])
    assert np.array_equal(slipped[1, 3:], ids[1, 3:])
    assert np.all(slipped[1, :3] != ids[1, :3])


def test_neighbours_are_inserted_behind_letters():
    ids = insert_characters(
        array(["ß" * 50 + "Q" * 50]), 1.0, np.random.default_rng(0), layout="qwertz"
    )
    assert set(map(chr, ids[0, 1:100:2])) == {"p", "ü"}
    assert set(map(chr, ids[0, 101::2])) == {"W", "A"}


@pytest.mark.parametrize("character", [" ", "7", "Ж", "😀", "\ud800", "\u0301", "\0"])
def test_any_letter_is_inserted_behind_the_rest(character):
    ids = insert_characters(array([character * 600 + "."]), 1.0, np.random.default_rng(0))
    assert set(map(chr, ids[0, :1200:2])) == {character}
    assert set(map(chr, ids[0, 1:1200:2])) == set(string.ascii_lowercase)


@pytest.mark.parametrize("function", [slip_keys, insert_characters])
def test_layout_must_be_known(function):
    with pytest.raises(ValueError, match="layout='dvorak' must be one of .*'azerty'"):
        function(array(["a"]), 0.1, np.random.default_rng(0), layout="dvorak")
