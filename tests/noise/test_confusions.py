"""Case and look-alikes."""

import unicodedata

import numpy as np
import pytest

from sklearn_cclm._text.codes import code_points, pad
from sklearn_cclm.noise import change_case, confuse_lookalikes


def array(texts):
    """Return texts as padded code points."""
    return pad(*code_points(texts), dtype=np.uint32)


def confused(text, n=600):
    """Return all that a text can be taken for."""
    ids = confuse_lookalikes(array([text] * n), 1.0, np.random.default_rng(0))
    return {"".join(map(chr, row[row > 0])) for row in ids}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aZ", "Az"), ("äÖÿŸ", "ÄöŸÿ"), ("жΣ", "Жσ"), ("𐐀𐐨", "𐐨𐐀"), ("e\u0301", "E\u0301"),
        # no single letter of the other case, or none that comes back
        ("ßŉİıſς\u212a", "ßŉİıſς\u212a"), ("7 中😀\ud800\U0010ffff", "7 中😀\ud800\U0010ffff"),
    ],
)  # fmt: skip
def test_case_changes_where_one_letter_swaps_with_one(text, expected):
    ids = change_case(array([text]), 1.0, np.random.default_rng(0))
    assert "".join(map(chr, ids[0])) == expected


def test_case_is_that_of_python_for_every_letter():
    points = np.arange(1, 0x110000, dtype=np.uint32)[None]
    changed = change_case(points, 1.0, np.random.default_rng(0))[0]
    for point, other in zip(points[0], changed, strict=True):
        swapped = chr(point).swapcase()
        pair = len(swapped) == 1 and swapped.swapcase() == chr(point)
        assert chr(other) == (swapped if pair else chr(point))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", "lI|"), ("l", "1I|"), ("|", "1lI"), ("I", "1l|ІΙ"), ("0", "O"), ("O", "0ОΟ"),
        ("5", "S"), ("S", "5Ѕ"), ("8", "B"), ("2", "Z"), ("6", "G"), ("o", "оο"), ("о", "o"),
        ("h", "bһ"), ("c", "eс"), ("e", "cе"), ("а", "a"), ("Α", "A"), ("A", "АΑ"),
        ("q", "q"), ("7", "7"), ("中", "中"), ("😀", "😀"), ("\ud800", "\ud800"),
    ],
)  # fmt: skip
def test_characters_become_their_lookalikes(text, expected):
    assert confused(text) == set(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rn", {"m"}), ("m", {"rn"}), ("cl", {"d"}), ("d", {"cl"}), ("vv", {"w"}), ("w", {"vv"}),
        ("vvv", {"wν"}), ("vvvv", {"ww"}), ("rnq", {"mq"}), ("rq", {"rq"}), ("nr", {"nr"}),
    ],
)  # fmt: skip
def test_pairs_are_taken_for_one_and_one_for_pairs(text, expected):
    assert confused(text) == expected


def test_characters_of_a_pair_that_is_spared_stay():
    ids = confuse_lookalikes(array(["cl"] * 2000), 0.3, np.random.default_rng(0))
    found = ["".join(map(chr, row[row > 0])) for row in ids]
    assert set(found) == {"cl", "d"}
    assert abs(found.count("d") - 600) < 4 * np.sqrt(2000 * 0.3 * 0.7)


def test_homoglyphs_are_of_the_same_case_and_another_script():
    scripts = set()
    for point in range(0x250, 0x500):
        for other in confused(chr(point), 20) - {chr(point)}:
            scripts.add(unicodedata.name(chr(point)).split()[0])
            assert other.isascii()
            assert other.isupper() == chr(point).isupper()
    assert scripts == {"CYRILLIC", "GREEK"}
