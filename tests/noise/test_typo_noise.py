"""The transformer of texts."""

import pickle
import tracemalloc
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from sklearn_cclm import TypoNoise, noise
from sklearn_cclm._text.codes import code_points, pad, strings
from sklearn_cclm.noise import _typo_noise

TEXTS = ["the quick brown fox", "", "jumps over the lazy dog", "\0", "ab\0", "a\ud800b😀\0\0"]
TYPOS = {"the": ["teh", "hte"]}
NAMES = ("slip", "drop", "insert", "repeat", "swap", "case", "space", "lookalike", "typos")


def array(texts):
    """Return texts as padded code points."""
    return pad(*code_points(texts), dtype=np.uint32)


def global_state():
    """Return the state of numpy's global generator."""
    _, key, position, *_ = np.random.get_state()  # noqa: NPY002
    return key.tobytes(), position


def near(count, n, rate):
    """Whether a count of n is within four standard deviations."""
    return abs(count - rate * n) < 4 * np.sqrt(n * rate * (1 - rate))


@pytest.mark.parametrize("kinds", [*NAMES, NAMES])
def test_texts_become_an_array_of_str(kinds):
    noisy = TypoNoise(kinds, rate=1.0, typos=TYPOS, random_state=0).fit(TEXTS).transform(TEXTS)
    assert noisy.dtype == object
    assert noisy.shape == (len(TEXTS),)
    assert {type(text) for text in noisy} == {str}
    assert [text == "" for text in noisy] == [text == "" for text in TEXTS]


@pytest.mark.parametrize("kinds", ["slip", "case", "swap", "lookalike", "typos", "space"])
def test_nul_is_a_character_of_texts(kinds):
    noisy = TypoNoise(kinds, rate=0.1, typos=TYPOS, random_state=0).transform(["\0\0", "\0"])
    assert noisy.tolist() == ["\0\0", "\0"]


FUNCTIONS = {
    "slip": partial(noise.slip_keys, layout="azerty"),
    "drop": noise.drop_characters,
    "insert": partial(noise.insert_characters, layout="azerty"),
    "repeat": noise.repeat_characters,
    "swap": noise.swap_neighbours,
    "case": noise.change_case,
    "space": noise.change_spaces,
    "lookalike": noise.confuse_lookalikes,
    "typos": partial(noise.substitute_words, typos=TYPOS),
}


@pytest.mark.parametrize("kind", NAMES)
def test_each_kind_is_its_function(kind):
    texts = ["the quick brown fox, the lazy dog", "", "over the"]
    ids = array(texts)
    transformer = TypoNoise(kind, rate=0.4, layout="azerty", typos=TYPOS, random_state=3)
    expected, columns = FUNCTIONS[kind](ids, 0.4, np.random.default_rng(3), return_origin=True)
    found, origin = transformer.corrupt(ids, np.random.default_rng(3))
    assert np.array_equal(found, expected)
    assert np.array_equal(origin, columns)
    noisy = transformer.transform(texts)
    assert noisy.tolist() == ["".join(map(chr, row[row > 0])) for row in expected]
    assert noisy.tolist() != texts


def test_noise_of_a_text_is_that_of_slip_keys_on_its_points():
    points, lengths = code_points(TEXTS[:3])
    slipped = noise.slip_keys(points[None], 0.3, np.random.default_rng(0))[0]
    noisy = TypoNoise(rate=0.3, random_state=0).transform(TEXTS[:3])
    assert noisy.tolist() == strings(slipped, lengths)


@pytest.mark.parametrize(
    ("kinds", "shares"),
    [
        ("case", {"case": 1}),
        (["slip", "case"], {"slip": 0.5, "case": 0.5}),
        ({"drop": 3, "insert": 1}, {"drop": 0.75, "insert": 0.25}),
        ({"case": 1.0, "space": 9, "typos": 10}, {"case": 0.05, "space": 0.45, "typos": 0.5}),
    ],
)
def test_rate_is_shared_among_kinds(kinds, shares):
    text, n = "the ", 3000
    noisy, origin = TypoNoise(kinds, rate=0.4, typos={"the": "§"}).corrupt(
        array([text * n]), np.random.default_rng(0)
    )
    noisy, origin = noisy[0][origin[0] >= 0], origin[0][origin[0] >= 0]
    before = array([text * n])[0]
    spaces = np.bincount(origin, minlength=len(before))[3::4]
    words = (noisy == ord("§")).sum()
    letters = "".join(map(chr, noisy))
    slipped = sum(map(str.__ne__, letters.lower(), map(chr, before[origin])))
    upper = sum(map(str.isupper, letters))
    counts = {
        "typos": (words, n),
        "space": ((spaces != 1).sum(), n),
        "case": (upper, 3 * (n - words)),
        "slip": (slipped, 3 * n),
        "drop": (4 * n - len(set(origin)), 4 * n),
        "insert": (len(origin) - len(set(origin)), len(set(origin))),
    }
    for kind, share in shares.items():
        assert near(*counts[kind], 0.4 * share), kind


def test_order_of_names_does_not_matter():
    one, other = (
        TypoNoise(kinds, rate=0.5, typos=TYPOS, random_state=0).transform(TEXTS)
        for kinds in (NAMES, NAMES[::-1])
    )
    assert one.tolist() == other.tolist()


def test_listed_words_are_found_before_letters_change():
    noisy = TypoNoise(["case", "typos"], rate=1.0, typos=TYPOS).transform(["the"] * 200)
    replaced = sum(text.lower() in ("teh", "hte") for text in noisy)
    assert near(replaced, 200, 0.5)


def test_origin_goes_through_all_kinds():
    ids = array(["abcdefgh klmnop", "", "qrst"] * 100)
    noisy, origin = TypoNoise(["swap", "drop", "repeat", "space"], rate=0.6).corrupt(
        ids, np.random.default_rng(0)
    )
    present = origin >= 0
    assert np.array_equal(np.take_along_axis(ids, origin * present, 1)[present], noisy[present])
    assert np.any(np.diff(origin, axis=1)[present[:, 1:]] < 0)
    assert not noisy[~present].any()
    assert np.array_equal(present.any(axis=1), ids.any(axis=1))


def test_bounds_draw_a_rate_for_each_text():
    n, length = 3000, 400
    ids = np.full((n, length), ord("a"), dtype=np.uint32)
    noisy, _ = TypoNoise("case", rate=(-0.1, 0.2)).corrupt(ids, np.random.default_rng(0))
    shares = (noisy == ord("A")).mean(axis=1)
    clean = (1 + 1 / (length * 0.2)) / 3  # rates of almost 0 leave some as well
    assert abs((shares == 0).mean() - clean) < 4 * np.sqrt(2 / 9 / n)
    assert abs(shares.mean() - 0.2 / 3) < 0.006
    assert abs(np.quantile(shares, 5 / 6) - 0.15) < 0.02
    assert shares.max() < 0.3


def test_bounds_may_start_above_zero():
    noisy = TypoNoise("case", rate=[0.5, 1], random_state=0).transform(["a" * 400] * 200)
    shares = np.array([text.count("A") for text in noisy]) / 400
    assert shares.min() > 0.4
    assert shares.max() > 0.9


def test_rates_of_zero_change_nothing():
    for rate in (0, 0.0, (-1, 0)):
        assert TypoNoise(NAMES, rate=rate, typos=TYPOS).transform(TEXTS).tolist() == TEXTS


def test_layout_is_used():
    noisy = TypoNoise(["slip", "insert"], rate=1.0, layout="qwertz").transform(["ß" * 400])
    assert set(noisy[0]) == {"ß", "p", "ü", "o", "ö", "l", "ä"}


def test_chunks_give_one_result_for_each_text(monkeypatch):
    texts = ["a" * n for n in (0, 5, 7, 0, 0, 100, 3, 1, 0)] * 3
    for size in (1, 10, 64, 10_000):
        monkeypatch.setattr(_typo_noise, "_CHARACTERS", size)
        noisy = TypoNoise("case", rate=1.0).transform(texts)
        assert noisy.tolist() == [text.upper() for text in texts]
        doubled = TypoNoise("repeat", rate=(0.999, 1), random_state=0).transform(texts)
        assert all(
            len(text) <= len(other) <= 2 * len(text)
            for text, other in zip(texts, doubled, strict=True)
        )


def test_texts_of_later_chunks_slip_in_their_own_way(monkeypatch):
    monkeypatch.setattr(_typo_noise, "_CHARACTERS", 900)
    noisy = TypoNoise(rate=0.5, random_state=0).transform(["abcdefgh"] * 300)
    assert noisy[:100].tolist() != noisy[100:200].tolist()


def test_memory_does_not_grow_with_the_number_of_texts():
    def peak(n):
        texts = ["abcdefgh" * 1000] * n
        tracemalloc.start()
        try:
            noisy = TypoNoise(["drop", "slip"], rate=0.1, random_state=0).transform(texts)
            return tracemalloc.get_traced_memory()[1] - sum(map(len, noisy))
        finally:
            tracemalloc.stop()

    assert peak(400) < 1.3 * peak(100)


def test_seed_decides():
    one, same, other = (TypoNoise(rate=0.5, random_state=n).transform(TEXTS) for n in (0, 0, 1))
    assert one.tolist() == same.tolist() != other.tolist()
    again = TypoNoise(rate=0.5, random_state=0).fit(TEXTS)
    assert again.transform(TEXTS).tolist() == again.fit_transform(TEXTS).tolist() == one.tolist()


def test_without_a_seed_each_call_differs():
    transformer, texts = TypoNoise(rate=0.5), ["some rather long text to slip in"]
    assert transformer.transform(texts).tolist() != transformer.transform(texts).tolist()


def test_random_state_instance_is_drawn_from():
    one, same = np.random.RandomState(0), np.random.RandomState(0)  # noqa: NPY002
    first = TypoNoise(rate=0.5, random_state=one).transform(TEXTS).tolist()
    assert first == TypoNoise(rate=0.5, random_state=same).transform(TEXTS).tolist()
    assert first != TypoNoise(rate=0.5, random_state=one).transform(TEXTS).tolist()


def test_global_generator_is_untouched():
    before = global_state()
    for seed in (None, 0):
        TypoNoise(NAMES, rate=(0, 0.5), typos=TYPOS, random_state=seed).fit_transform(TEXTS)
    assert global_state() == before


def test_needs_no_fit_and_learns_nothing():
    transformer = TypoNoise(random_state=0)
    expected = transformer.transform(TEXTS).tolist()
    before = dict(vars(transformer))
    assert transformer.fit(TEXTS[:1]).transform(TEXTS).tolist() == expected
    assert vars(transformer) == before
    assert not get_tags(transformer).requires_fit


def test_clone_and_pickle_do_the_same():
    transformer = TypoNoise(NAMES, rate=(0, 0.5), typos=TYPOS, random_state=0)
    expected = transformer.transform(TEXTS).tolist()
    for copied in (clone(transformer), pickle.loads(pickle.dumps(transformer))):
        assert copied.get_params() == transformer.get_params()
        assert copied.transform(TEXTS).tolist() == expected


def test_parameters_may_change():
    transformer = TypoNoise(rate=1.0, random_state=0)
    slipped = transformer.transform(["the"])
    typos = {"the": "teh"}
    transformer.set_params(kinds="typos", typos=typos)
    assert transformer.transform(["the"]).tolist() == ["teh"]
    transformer.set_params(typos={"the": "hte"})
    assert transformer.transform(["the"]).tolist() == ["hte"]
    transformer.set_params(typos=typos)
    transformer.transform(["the"])
    typos["the"] = "th"
    assert transformer.fit(["the"]).transform(["the"]).tolist() == ["th"]
    assert transformer.set_params(kinds="slip").transform(["the"]).tolist() == slipped.tolist()
    with pytest.raises(ValueError, match="rate=2"):
        transformer.set_params(rate=2).transform(["the"])


def test_in_a_pipeline():
    texts, labels = ["red roses", "blue sky", "red wine", "blue sea"] * 5, [0, 1, 0, 1] * 5
    pipeline = make_pipeline(
        TypoNoise(["slip", "swap"], rate=0.05, random_state=0),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)),
        LogisticRegression(),
    )
    assert pipeline.fit(texts, labels).score(texts, labels) > 0.9
    frozen = clone(pipeline).set_params(typonoise="passthrough").fit(texts, labels)
    assert frozen.score(texts, labels) == 1.0
    with pytest.raises(NotFittedError):
        clone(pipeline).predict(texts)


def test_columns_missing_values_and_no_texts():
    frame = pd.DataFrame({"n": [1, 2], "text": ["ab", None]})
    transformer = TypoNoise("case", rate=1.0, column="text", missing="empty")
    assert transformer.fit_transform(frame).tolist() == ["AB", ""]
    assert TypoNoise().transform([]).shape == (0,)
    assert TypoNoise().transform([]).dtype == object
    with pytest.raises(ValueError, match="Text 1 is missing"):
        TypoNoise(column="text").transform(frame)
    with pytest.raises(ValueError, match="put it in a list"):
        TypoNoise().transform("a text")


def test_there_is_no_set_output():
    assert not hasattr(TypoNoise(), "set_output")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"kinds": "slips"}, r"kinds='slips' must be one of \('typos', 'scramble'"),
        ({"kinds": ["slip", "typo"]}, "kinds='typo' must be one of"),
        ({"kinds": []}, r"kinds=\[\] must be one of .*, a list of them, or a mapping"),
        ({"kinds": {}}, r"kinds=\{\} must be one of"),
        ({"kinds": None}, "kinds=None must be one of"),
        ({"kinds": {"slip"}}, r"kinds=\{'slip'\} must be one of"),
        ({"kinds": [["slip"]]}, r"kinds=\['slip'\] must be one of"),
        ({"kinds": ["slip", "slip"]}, "names a kind twice: pass a mapping"),
        ({"kinds": {"slip": 0}}, r"kinds\['slip'\]=0 must be a number in \(0, inf\)"),
        ({"kinds": {"slip": 1, "drop": -1}}, r"kinds\['drop'\]=-1"),
        ({"kinds": {"slip": "1"}}, r"kinds\['slip'\]='1'"),
        ({"kinds": {"slip": np.inf}}, r"kinds\['slip'\]=inf"),
        ({"rate": -0.1}, r"rate=-0.1 must be a number in \[0, 1\]"),
        ({"rate": 10}, "rate=10 must be a number"),
        ({"rate": np.nan}, "rate=nan must be a number"),
        ({"rate": True}, "rate=True must be a number"),
        ({"rate": None}, r"rate=None must be a number in \[0, 1\], or a pair \(low, high\)"),
        ({"rate": "0.1"}, "rate='0.1' must be"),
        ({"rate": (0.2, 0.1)}, r"rate=\(0.2, 0.1\) must be"),
        ({"rate": (0.1, 0.1)}, r"with -1 <= low < high <= 1 to draw"),
        ({"rate": (-2, 0.1)}, r"rate=\(-2, 0.1\) must be"),
        ({"rate": (0.1, 0.2, 0.3)}, r"rate=\(0.1, 0.2, 0.3\) must be"),
        ({"rate": (0, "1")}, r"rate=\(0, '1'\) must be"),
        ({"rate": (0, np.nan)}, "must be"),
        ({"rate": (False, True)}, "must be"),
        ({"layout": "dvorak"}, "layout='dvorak' must be one of .*'qwerty'"),
        ({"layout": None}, "layout=None must be one of"),
        ({"kinds": "typos"}, 'kinds names "typos" but typos=None: pass a list of typos'),
        ({"typos": {"the": 3}}, r"'the' has 3\. Pass a mapping from each correct word to its typo"),
        ({"typos": "the"}, r"a list of pairs \(typo, correct word\)"),
        ({"missing": "drop"}, "missing='drop' must be 'error' or 'empty'"),
        ({"random_state": "0"}, "cannot be used to seed"),
        ({"random_state": -1}, "non-negative"),
    ],
)
def test_parameters_are_checked(params, message):
    transformer = TypoNoise(**params)
    for read in (transformer.fit, transformer.transform):
        with pytest.raises(ValueError, match=message):
            read(["a text"])


@pytest.mark.parametrize(
    "rate", [0, 1, 0.5, np.float32(0.5), (0, 1), [-1, 1], np.array([0.1, 0.2]), (0, np.float64(1))]
)
def test_rates_that_are_allowed(rate):
    assert len(TypoNoise(rate=rate).fit_transform(["a text"])) == 1


@pytest.mark.parametrize("ids", [np.zeros(3, dtype=int), np.zeros((1, 3))])
def test_ids_must_be_a_table_of_integers(ids):
    with pytest.raises(ValueError, match="integer code points of shape"):
        TypoNoise().corrupt(ids, np.random.default_rng(0))


@pytest.mark.parametrize("kind", ["drop", "insert", "repeat", "space", "swap", "slip", "typos"])
def test_where_characters_of_texts_come_from(kind):
    texts = ["keyboard and mouse", "", "a", "the long word 🙂 is here"] * 40
    noise = TypoNoise(kind, rate=0.3, typos={"the": "thhe", "and": "n"}, random_state=0)
    noisy, origins = noise.corrupt_texts(texts)
    assert noisy == noise.transform(texts).tolist()
    for text, changed, origin in zip(texts, noisy, origins, strict=True):
        assert len(changed) == len(origin)
        assert set(origin.tolist()) <= set(range(len(text)))
        if kind in ("drop", "repeat", "space", "swap"):  # which write nothing new
            assert changed == "".join(text[place] for place in origin)


def test_where_characters_come_from_beyond_a_chunk():
    texts = ["ab" * 2**17, "cd", "ef" * 2**16]
    noisy, origins = TypoNoise("drop", rate=0.5, random_state=0).corrupt_texts(texts)
    assert noisy == ["".join(t[i] for i in o) for t, o in zip(texts, origins, strict=True)]
    assert TypoNoise().corrupt_texts([]) == ([], [])
