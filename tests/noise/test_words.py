"""Words: their attested typos, and their shape."""

import re
import unicodedata

import numpy as np
import pytest

from sklearn_cclm._text.codes import code_points, pad
from sklearn_cclm.noise import scramble_words, substitute_words


def array(texts):
    """Return texts as padded code points."""
    return pad(*code_points(texts), dtype=np.uint32)


def replaced(texts, typos, rate=1.0):
    ids = substitute_words(array(texts), rate, np.random.default_rng(0), typos=typos)
    return ["".join(map(chr, row[row > 0])) for row in ids]


def test_words_are_replaced_whole():
    typos = {"the": "teh", "cat": "kat"}
    assert replaced(["the cat, (the) other-the cats cat2 the_", "", "the"], typos) == [
        "teh kat, (teh) other-teh cats cat2 teh_",
        "",
        "teh",
    ]


def test_both_forms_of_a_list_mean_the_same():
    mapping = {"their": ["thier", "there"], "to": "too"}
    pairs = [("thier", "their"), ("too", "to"), ("there", "their")]
    texts = ["to their own"] * 50
    found = replaced(texts, mapping)
    assert found == replaced(texts, pairs) == replaced(texts, [list(pair) for pair in pairs])
    assert set(found) == {"too thier own", "too there own"}


def test_a_pair_listed_twice_is_twice_as_likely():
    found = replaced(["a"] * 3000, [("x", "a"), ("y", "a"), ("x", "a")])
    assert abs(found.count("x") - 2000) < 4 * np.sqrt(3000 * 2 / 9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the The THE tHe", "teh Teh THE tHe"),
        ("english English", "english Enlgish"),  # listed with a capital: only that
        ("polish Polish", "polihs Plish"),  # listed both ways: each its own
        ("élan Élan", "elna Elna"),
        ("i I", "1 1"),
    ],
)
def test_capital_is_kept(text, expected):
    typos = {"the": "teh", "English": "Enlgish", "polish": "polihs", "Polish": "Plish"}
    typos |= {"élan": "elna", "i": "1"}
    assert replaced([text], typos) == [expected]


def test_apostrophes_and_marks_are_part_of_words():
    decomposed = unicodedata.normalize("NFD", "café")
    typos = {"don't": "dont", "don’t": "dont", "cafe": "X", decomposed: "cafee", "हिन्दी": "Y"}
    text = f"don't 'don't' don’t cafe' {decomposed} हिन्दी don"
    assert replaced([text], typos) == ["dont 'dont' dont X' cafee Y don"]
    assert replaced(["rock'n'roll", "'n'"], {"n": "m", "rock'n'roll": "rocknroll"}) == [
        "rocknroll",
        "'m'",
    ]


def test_words_do_not_run_on_into_the_next_text():
    assert replaced(["the", "the", "th", "e", "don'", "t"], {"the": "teh", "don't": "X"}) == [
        "teh", "teh", "th", "e", "don'", "t",
    ]  # fmt: skip


def test_typos_may_be_longer_shorter_and_of_any_characters():
    typos = {"alot": "a lot", "probably": "prolly", "ok": "\ud800😀k"}
    assert replaced(["alot probably ok"], typos) == ["a lot prolly \ud800😀k"]


def test_characters_of_a_typo_come_evenly_from_the_word():
    ids = array(["to abcd to", "ab"])
    _, origin = substitute_words(
        ids, 1.0, np.random.default_rng(0), typos={"abcd": "xy", "ab": "123456"},
        return_origin=True,
    )  # fmt: skip
    assert origin.tolist() == [
        [0, 1, 2, 3, 5, 7, 8, 9, -1, -1],
        [0, 0, 0, 1, 1, 1, -1, -1, -1, -1],
    ]


def test_a_word_is_looked_up_whole_not_by_its_beginning():
    typos = {"a": "1", "ab": "2", "abcdefgh": "3"}
    text = "a ab abc abcdefg abcdefgh abcdefghi"
    assert replaced([text], typos) == ["1 2 abc abcdefg 3 abcdefghi"]


def test_large_lists_find_every_word():
    letters = "abcdefghij"
    words = ["".join(letters[int(d)] for d in str(number)) for number in range(5000)]
    typos = {word: f"{number}!" for number, word in enumerate(words)}
    text = " ".join(words)
    assert replaced([text], typos) == [" ".join(f"{number}!" for number in range(5000))]


def test_what_is_not_one_word_is_never_used():
    typos = [("alot", "a lot"), ("wellknown", "well-known"), ("same", "same"), ("teh", "the")]
    assert replaced(["a lot well-known same the"], typos) == ["a lot well-known same teh"]


@pytest.mark.parametrize(
    ("typos", "message"),
    [
        ("the", "it is of type str"),
        (iter([("teh", "the")]), "it is of type list_iterator"),
        (None, "it is of type NoneType"),
        ({"the": 3}, "'the' has 3"),
        ({"the": ["teh", None]}, "it has the typo None of 'the'"),
        ({"the": ""}, "it has the typo '' of 'the'"),
        ({3: "teh"}, "it has the typo 'teh' of 3"),
        ([("a", "b", "c")], r"it holds \('a', 'b', 'c'\)"),
        (["ab"], "it holds 'ab'"),
        ({}, "it has no typo of a word"),
        ([("alot", "a lot")], "it has no typo of a word"),
    ],
)
def test_other_lists_are_refused_with_both_forms_shown(typos, message):
    with pytest.raises(ValueError, match=message) as caught:
        replaced(["the"], typos)
    assert '{"the": ["teh", "hte"]}' in str(caught.value)
    assert '[("teh", "the"), ("hte", "the")]' in str(caught.value)


def test_scrambled_words_keep_their_shape():
    text = "Mr O'Neill, born 1984, saw ÄÖ and über!"
    ids = array([text, "x"])
    noisy, origin = scramble_words(ids, 1.0, np.random.default_rng(0), return_origin=True)
    shapes = []
    for row in (ids[0], noisy[0]):
        shape = "".join(map(chr, row))
        for kind, letters in (("a", "a-z"), ("A", "A-Z"), ("0", "0-9")):
            shape = re.sub(f"[{letters}]", kind, shape)
        shapes.append(shape)
    assert shapes[0] == shapes[1]
    assert (noisy[0] != ids[0]).sum() > 20
    assert origin[0].tolist() == list(range(len(text)))
    assert origin[1].tolist() == [0] + [-1] * (len(text) - 1)


def test_rate_of_scrambled_words_holds():
    text = "abcdefghijkl " * 4000  # scrambled, a word is all but never itself
    ids = array([text, text])
    noisy = scramble_words(ids, np.array([0.3, 0.0]), np.random.default_rng(0))
    changed = (noisy != ids)[0].reshape(-1, 13).any(axis=1).sum()
    assert abs(changed - 1200) < 4 * np.sqrt(0.3 * 0.7 * 4000)
    assert np.array_equal(noisy[1], ids[1])
