"""What all kinds of noise promise: rates, origins, padding, seeds."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_cclm import noise
from sklearn_cclm._text.codes import code_points, pad, strings

TYPOS = {"the": ["§", "§e"], "dog": "§gg", "don't": "§"}
KINDS = {
    "slip": noise.slip_keys,
    "drop": noise.drop_characters,
    "insert": noise.insert_characters,
    "repeat": noise.repeat_characters,
    "swap": noise.swap_neighbours,
    "case": noise.change_case,
    "space": noise.change_spaces,
    "lookalike": noise.confuse_lookalikes,
    "typos": partial(noise.substitute_words, typos=TYPOS),
}
STAY = {"slip", "case"}  # every character keeps its place
REARRANGE = {"drop", "repeat", "swap", "space"}  # every character is one of the text
SENTENCE = "the quick brown FOX jumps over the lazy dog,  don't ask a clever modern 10 11! "

every_kind = pytest.mark.parametrize("kind", KINDS)


def array(texts):
    """Return texts as padded code points."""
    return pad(*code_points(texts), dtype=np.uint32)


def rng(seed=0):
    return np.random.default_rng(seed)


def rows(before, after, origin):
    """Yield for each text its characters before and after, and where the latter come from."""
    for one, other, columns in zip(before, after, origin, strict=True):
        size = len(columns[columns >= 0])
        yield one[: np.flatnonzero(one).max(initial=-1) + 1], other[:size], columns[:size]


def edits(kind, before, after, origin):
    """Count the edits of one text."""
    lost, added = len(before) - len(set(origin)), len(origin) - len(set(origin))
    if kind == "typos":
        return sum((after == ord("§")) & (np.diff(origin, prepend=-1) > 0))  # once a word
    if kind == "swap":
        return sum(np.diff(origin) < 0)
    if kind in ("slip", "case", "lookalike"):
        return len(set(origin[after != before[origin]]))
    return lost + added


def eligible(kind, text):
    """Count in a text what a kind can edit, in plain Python."""
    if kind == "slip":
        return sum(c.isascii() and c.isalpha() for c in text)
    if kind == "case":
        return sum(c.isalpha() for c in text)
    if kind == "space":
        return text.count(" ")
    if kind == "swap":
        return sum(a != b for a, b in zip(text[:-1], text[1:], strict=True))
    if kind == "typos":
        words = text.lower().replace(",", " ").split()
        return sum(word in TYPOS for word in words)
    if kind == "lookalike":
        for pair in ("rn", "cl", "vv"):
            text = text.replace(pair, "m")
        return sum(c in "0O1lI|2Z5S6G8BcebhaijopsxyACEHJKMPTXvNYmdw" for c in text)
    return len(text)


def spread(rate, n):
    """Four standard deviations of a share among n."""
    return 4 * np.sqrt(rate * (1 - rate) * n) + 1e-9


def corrupted(kind, texts, rate, seed=0):
    before = array(texts)
    after, origin = KINDS[kind](before, rate, rng(seed), return_origin=True)
    return list(rows(before, after, origin))


@every_kind
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.4])
def test_rate_holds(kind, rate):
    text = SENTENCE * 300
    (row,) = corrupted(kind, [text], rate)
    n = eligible(kind, text)
    assert n >= 300
    assert abs(edits(kind, *row) - rate * n) < spread(rate, n)


@every_kind
def test_each_text_has_its_own_rate(kind):
    rates = np.array([0.0, 0.05, 0.3, 0.5])
    texts = [SENTENCE * 200, SENTENCE * 100, SENTENCE * 150, SENTENCE * 70]
    for text, rate, row in zip(texts, rates, corrupted(kind, texts, rates), strict=True):
        n = eligible(kind, text)
        assert abs(edits(kind, *row) - rate * n) < spread(rate, n)


@every_kind
def test_rate_holds_in_short_texts(kind):
    texts = ["the dog", "a b", "vvv", "do", "x", ""] * 800
    found = sum(edits(kind, *row) for row in corrupted(kind, texts, 0.3))
    n = sum(eligible(kind, text) for text in texts)
    if kind == "drop":  # of n characters one stays
        n -= sum(0.3 ** len(text) for text in texts if text) / 0.3
    assert abs(found - 0.3 * n) < spread(0.3, n)


@every_kind
def test_rate_one_edits_all_there_is(kind):
    (row,) = corrupted(kind, [SENTENCE], 1.0)
    n = eligible(kind, SENTENCE)
    if kind == "swap":  # every other pair, but for a gap at characters that are equal
        assert n / 2 - 2 <= edits(kind, *row) <= n / 2 + 1
    else:
        assert edits(kind, *row) == n - (kind == "drop")


@every_kind
def test_rate_zero_changes_nothing(kind):
    ids = np.pad(array([SENTENCE, "", "a\0b"]), [(0, 0), (0, 2)])
    after, origin = KINDS[kind](ids, 0, rng(), return_origin=True)
    assert np.array_equal(after, ids)
    columns = np.arange(ids.shape[1])
    lengths = np.array([[len(SENTENCE)], [0], [3]])
    assert np.array_equal(origin, np.where(columns < lengths, columns, -1))


texts_of_all_kinds = st.lists(
    st.text(
        st.sampled_from("thedogrnclvv  don't OIl10§äß\u0301\0é中😀\ud800\U0010ffff")
        | st.characters(),
        max_size=12,
    ).map(lambda text: text.rstrip("\0")),
    max_size=5,
)


@every_kind
@given(texts=texts_of_all_kinds, rate=st.floats(0, 1), seed=st.integers(0, 2**32))
def test_origin_tells_where_characters_come_from(kind, texts, rate, seed):
    before = array(texts)
    given = before.copy()
    before.setflags(write=False)
    after, origin = KINDS[kind](before, rate, rng(seed), return_origin=True)
    assert (after.dtype, origin.dtype) == (np.uint32, np.int64)
    assert after.shape == origin.shape
    assert np.array_equal(before, given)
    lengths = np.array([len(text) for text in texts], dtype=int).reshape(-1, 1)
    present = origin >= 0
    assert np.array_equal(present, np.sort(present, axis=1)[:, ::-1])  # all on the left
    assert np.all(origin < lengths)
    assert not after[~present].any()
    assert np.array_equal(present.any(axis=1), lengths[:, 0] > 0)  # texts stay, and stay empty
    if kind in STAY:
        columns = np.arange(before.shape[1])
        assert np.array_equal(origin, np.where(columns < lengths, columns, -1))
    if kind in REARRANGE:
        assert np.array_equal(np.take_along_axis(before, origin * present, 1)[present],
                              after[present])  # fmt: skip
    if kind != "swap":
        assert np.all((np.diff(origin, axis=1) >= 0) | ~present[:, 1:])
    for text, row, columns in zip(texts, after, origin, strict=True):
        if kind == "insert":  # each character stands before what is inserted behind it
            heads = row[np.diff(columns, prepend=-1) > 0]
            assert strings(heads, np.array([len(heads)])) == [text]
        if kind == "swap":
            assert sorted(columns[columns >= 0]) == list(range(len(text)))
            assert np.all(np.abs(columns - np.arange(len(columns)))[columns >= 0] <= 1)


@every_kind
def test_origin_is_returned_only_on_request(kind):
    after, _ = KINDS[kind](array(["the dog"]), 0.5, rng(), return_origin=True)
    assert np.array_equal(after, KINDS[kind](array(["the dog"]), 0.5, rng()))


@every_kind
def test_seed_decides(kind):
    ids = array([SENTENCE * 4])
    one, same, other = (KINDS[kind](ids, 0.4, rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@every_kind
def test_texts_beside_it_do_not_move_into_a_text(kind):
    """Pairs, words and swaps end where a text does."""
    texts = ["r", "n", "th", "e", "", "c", "l", "v", "v", "o", "g"] * 20
    for text, (before, after, origin) in zip(texts, corrupted(kind, texts, 1.0), strict=True):
        assert len(before) == len(text)
        assert len(after) <= 2 * len(text)
        assert "§" not in map(chr, after)
        assert len(origin) >= min(len(text), 1)
        if kind == "lookalike":
            assert len(after) == len(text)


@every_kind
@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (3, 0), (3, 5)])
def test_nothing_gives_nothing(kind, shape):
    after, origin = KINDS[kind](np.zeros(shape, dtype=np.uint32), 1.0, rng(), return_origin=True)
    assert after.shape == origin.shape == shape
    assert not after.any()
    assert np.all(origin == -1)


@every_kind
def test_width_is_kept_or_grows(kind):
    ids = np.pad(array(["the dog", "a"]), [(0, 0), (0, 1)])
    for rate in (0.2, 0.5, 1.0):
        after = KINDS[kind](ids, rate, rng())
        longest = np.flatnonzero(after.any(axis=0)).max() + 1
        assert after.shape[1] == max(ids.shape[1], longest)


@every_kind
def test_integers_of_other_types_are_read(kind):
    ids = array([SENTENCE])
    expected = KINDS[kind](ids, 0.5, rng())
    for dtype in (np.int64, np.int32, np.uint16):
        assert np.array_equal(KINDS[kind](ids.astype(dtype), 0.5, rng()), expected)


@every_kind
@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (-0.1, "between 0 and 1"),
        (1.1, "between 0 and 1"),
        (np.nan, "between 0 and 1"),
        ([0.1, 2], "between 0 and 1"),
        ([0.1, 0.2, 0.3], r"shape \(3,\): pass one number, or one for each text, \(2,\)"),
        ([[0.1], [0.2]], r"shape \(2, 1\)"),
    ],
)
def test_rate_must_be_a_share_of_each_text(kind, rate, message):
    with pytest.raises(ValueError, match=message):
        KINDS[kind](array(["a", "b"]), rate, rng())


@every_kind
@pytest.mark.parametrize("ids", [np.zeros(3, dtype=int), np.zeros((1, 3)), [["a"]]])
def test_ids_must_be_a_table_of_integers(kind, ids):
    with pytest.raises(ValueError, match="integer code points of shape"):
        KINDS[kind](ids, 0.1, rng())
