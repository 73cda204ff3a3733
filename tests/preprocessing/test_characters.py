"""`CharPreprocessor`: codes, vocabulary, truncation, and text back from codes."""

import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_cclm import CharPreprocessor
from sklearn_cclm._text.codes import CLS, MASK, N_RESERVED, PAD, UNKNOWN
from sklearn_cclm._tools.tags import TextTagsMixin

ANY_TEXT = st.text(st.characters(categories=None, min_codepoint=0), max_size=20)  # surrogates too
CI = settings(derandomize=True, deadline=None, max_examples=100)


@CI
@given(st.lists(ANY_TEXT, min_size=1, max_size=5))
def test_known_characters_round_trip(texts):
    preprocessor = CharPreprocessor(max_example_len=32).fit(texts)
    assert preprocessor.inverse_transform(preprocessor.transform(texts)) == texts


@CI
@given(ANY_TEXT, st.lists(ANY_TEXT, min_size=1, max_size=3))
def test_unknown_characters_are_never_padding(text, corpus):
    preprocessor = CharPreprocessor(max_example_len=32).fit(corpus)
    codes = preprocessor.transform([text])[0]
    known = set("".join(corpus))
    assert (codes[: len(text)] >= UNKNOWN).all()
    assert (codes[len(text) :] == PAD).all()
    assert [code == UNKNOWN for code in codes[: len(text)]] == [c not in known for c in text]


def test_result_is_int64_of_fixed_width():
    preprocessor = CharPreprocessor(max_example_len=7).fit(["abc"])
    codes = preprocessor.transform(["a", "abc", ""])
    assert codes.dtype == np.int64
    assert codes.shape == (3, 7)
    assert preprocessor.transform([]).shape == (0, 7)


@CI
@given(st.lists(ANY_TEXT, min_size=1, max_size=4), st.lists(ANY_TEXT, max_size=4), st.booleans())
def test_encode_agrees_with_transform(corpus, texts, add_cls):
    preprocessor = CharPreprocessor(max_example_len=32, add_cls=add_cls).fit(corpus)
    codes = preprocessor.encode(texts)
    assert codes.dtype == np.int64
    assert codes.shape == (len(texts), max([1 - add_cls, *map(len, texts)]) + add_cls)
    assert np.array_equal(codes, preprocessor.transform(texts)[:, : codes.shape[1]])


@CI
@given(st.lists(ANY_TEXT, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_vocabulary_does_not_depend_on_the_order_of_texts(texts, random):
    shuffled = random.sample(texts, len(texts))
    vocabulary = CharPreprocessor().fit(texts).vocabulary_
    assert CharPreprocessor().fit(shuffled).vocabulary_ == vocabulary
    assert sorted(vocabulary) == sorted(set("".join(texts)))


def test_vocabulary_is_by_count_then_code_point():
    preprocessor = CharPreprocessor().fit(["bbb", "ca", "ac"])
    assert preprocessor.vocabulary_ == "bac"
    assert preprocessor.n_chars_ == 3 + N_RESERVED
    assert CharPreprocessor().fit(["ca", "bbb", "ac"][::-1]).vocabulary_ == "bac"


def test_characters_of_equal_count_are_by_code_point():
    characters = "".join(map(chr, range(200, 500)))
    twice = characters[::2]
    vocabulary = CharPreprocessor().fit([characters[::-1], twice]).vocabulary_
    assert vocabulary == twice + characters[1::2]


def test_many_texts_are_as_each_alone():
    texts = [str(i) for i in range(10_000)]
    preprocessor = CharPreprocessor(max_example_len=4).fit(texts)
    assert preprocessor.inverse_transform(preprocessor.transform(texts)) == texts


def test_rare_characters_are_unknown():
    preprocessor = CharPreprocessor(max_example_len=4, min_char_count=2).fit(["aab"])
    assert preprocessor.transform(["ab"]).tolist() == [[4, UNKNOWN, PAD, PAD]]


def test_cls_code_comes_first_and_counts():
    preprocessor = CharPreprocessor(max_example_len=4, add_cls=True).fit(["abc"])
    assert preprocessor.transform(["abc", ""]).tolist() == [[CLS, 4, 5, 6], [CLS, 0, 0, 0]]
    assert preprocessor.inverse_transform(preprocessor.transform(["abc"])) == ["abc"]
    with pytest.warns(UserWarning, match="1 of 1 texts are longer than the 3 characters"):
        assert preprocessor.transform(["abca"]).tolist() == [[CLS, 4, 5, 6]]


def test_truncation_warns_once_with_the_count():
    preprocessor = CharPreprocessor(max_example_len=3).fit(["abcdef"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        codes = preprocessor.transform(["abcdef", "ab", "abcd"] * 3000)
    assert codes.shape == (9000, 3)
    assert len(caught) == 1
    assert "6000 of 9000 texts" in str(caught[0].message)
    assert "the longest has 6" in str(caught[0].message)


def test_truncation_can_be_an_error():
    preprocessor = CharPreprocessor(max_example_len=3, truncation="error").fit(["abcdef"])
    with pytest.raises(ValueError, match="Raise max_example_len"):
        preprocessor.transform(["abcdef"])


def test_text_that_just_fits_is_not_cut():
    preprocessor = CharPreprocessor(max_example_len=3, truncation="error").fit(["abc"])
    assert preprocessor.inverse_transform(preprocessor.transform(["abc"])) == ["abc"]


def test_windows_belong_to_the_embedder():
    with pytest.raises(ValueError, match=r'ComposedEmbedder\(truncation="window"\)'):
        CharPreprocessor(truncation="window").fit(["a"])


def test_composed_and_decomposed_letters_agree_under_nfc():
    preprocessor = CharPreprocessor(max_example_len=4, normalization="NFC").fit(["é"])
    assert np.array_equal(preprocessor.transform(["e\u0301"]), preprocessor.transform(["é"]))


def test_text_is_cut_after_it_is_normalised():
    ligature = "\ufdfa"  # 18 characters under NFKC
    preprocessor = CharPreprocessor(max_example_len=40, normalization="NFKC").fit([ligature])
    assert (preprocessor.transform([ligature])[0] > UNKNOWN).sum() == 18
    with pytest.warns(UserWarning, match="the longest has"):
        assert (preprocessor.transform([ligature * 10_000])[0] != PAD).all()


def test_long_text_does_not_grow_in_memory():
    preprocessor = CharPreprocessor(max_example_len=40, normalization="NFKC")
    text = "\ufdfa" * 10_000  # 180,000 characters under NFKC
    assert len(preprocessor.normalize([text])[0]) < 15_000
    assert len(preprocessor.normalize([text], whole=True)[0]) == 180_000


def test_marks_past_the_kept_characters_still_join_them():
    text = "α\u0316\u0313\u0300\u0345"  # one letter of 4 parts, and a mark between them
    preprocessor = CharPreprocessor(max_example_len=1, normalization="NFC")
    assert preprocessor.normalize([text])[0][0] == "ᾂ"


def test_end_of_a_long_text_is_normalised_in_fit():
    preprocessor = CharPreprocessor(max_example_len=2, normalization="NFC")
    assert preprocessor.fit(["a" * 1000 + "e\u0301"]).vocabulary_ == "aé"


def test_head_of_a_long_text_is_normalised_as_the_whole_is():
    text = "e\u0301" * 5000
    preprocessor = CharPreprocessor(max_example_len=100, normalization="NFC").fit([text])
    whole = preprocessor.normalize([text], whole=True)[0]
    assert preprocessor.normalize([text])[0][:100] == whole[:100]


def test_one_text_as_an_array():
    preprocessor = CharPreprocessor(max_example_len=8).fit(["abc"])
    assert preprocessor.string_to_array("abx").tolist() == [4, 5, UNKNOWN]
    assert preprocessor.string_to_array("ab", length=4).tolist() == [4, 5, 0, 0]
    assert preprocessor.string_to_array("").tolist() == [0]
    with pytest.raises(TypeError, match="one str is expected, got list"):
        preprocessor.string_to_array(["ab"])
    with pytest.raises(ValueError, match="length=1"):
        preprocessor.string_to_array("ab", length=1)


def test_reserved_codes_are_shown():
    preprocessor = CharPreprocessor().fit(["ab"])
    assert preprocessor.inverse_transform([[CLS, 4, MASK, UNKNOWN, 5, PAD]]) == ["a█\ufffdb"]


@pytest.mark.parametrize(
    ("codes", "message"),
    [([[6]], "0..5"), ([[-1]], "0..5"), ([4, 5], "shape"), ([[[4]]], "shape"),
     ([[4.0]], "float64")],
)  # fmt: skip
def test_wrong_codes_are_refused(codes, message):
    with pytest.raises(ValueError, match=message):
        CharPreprocessor().fit(["ab"]).inverse_transform(codes)


def test_from_vocabulary_is_as_fitted():
    fitted = CharPreprocessor(max_example_len=8).fit(["banana"])
    made = CharPreprocessor.from_vocabulary(fitted.vocabulary_, max_example_len=8)
    assert np.array_equal(made.transform(["ban"]), fitted.transform(["ban"]))
    assert joblib.hash(made) == joblib.hash(fitted)
    with pytest.raises(ValueError, match="more than once"):
        CharPreprocessor.from_vocabulary("aa")
    with pytest.raises(ValueError, match="max_example_len"):
        CharPreprocessor.from_vocabulary("a", max_example_len=0)
    with pytest.raises(TypeError, match="list"):
        CharPreprocessor.from_vocabulary(["a"])


def test_unfitted_is_an_error():
    for method in ("transform", "encode", "inverse_transform"):
        with pytest.raises(NotFittedError):
            getattr(CharPreprocessor(), method)(["a"])


@pytest.mark.parametrize("X", [["a", None], [b"a"], "a", {"a"}, []])
def test_texts_that_are_none_teach_nothing(X):
    preprocessor = CharPreprocessor()
    with pytest.raises((TypeError, ValueError)):
        preprocessor.fit(X)
    assert not hasattr(preprocessor, "vocabulary_")


def test_columns_are_named_and_keep_the_index_of_a_frame():
    preprocessor = CharPreprocessor(max_example_len=2).fit(["ab"]).set_output(transform="pandas")
    codes = preprocessor.transform(pd.Series(["b"], index=[7]))
    assert codes.columns.tolist() == ["charpreprocessor0", "charpreprocessor1"]
    assert codes.index.tolist() == [7]


def test_tags_say_what_is_read():
    assert CharPreprocessor.__mro__[1] is TextTagsMixin
    tags = CharPreprocessor(missing="empty").__sklearn_tags__().input_tags
    assert (tags.string, tags.one_d_array, tags.two_d_array) == (True, True, False)
    assert tags.allow_nan
    assert not CharPreprocessor().__sklearn_tags__().input_tags.allow_nan


def test_missing_and_column_are_read():
    frame = pl.DataFrame({"text": ["a", None], "n": [1, 2]})
    codes = CharPreprocessor(max_example_len=2, missing="empty", column="text").fit_transform(frame)
    assert codes.tolist() == [[4, 0], [0, 0]]


@pytest.mark.parametrize(
    "params",
    [{"max_example_len": 0}, {"max_example_len": 1, "add_cls": True}, {"max_example_len": True},
     {"min_char_count": 0}, {"normalization": "NFD"}, {"add_cls": "yes"}, {"missing": "drop"},
     {"truncation": "cut"}],
)  # fmt: skip
def test_wrong_parameter_is_named_and_nothing_is_learned(params):
    preprocessor = CharPreprocessor(**params)
    with pytest.raises(ValueError, match=next(iter(params))):
        preprocessor.fit(["a"])
    assert not hasattr(preprocessor, "vocabulary_")


def test_hash_is_stable_over_copies():
    preprocessor = CharPreprocessor().fit(["some text"])
    again = clone(preprocessor).fit(["some text"])
    copies = [pickle.loads(pickle.dumps(preprocessor)), again]
    assert {joblib.hash(copy) for copy in copies} == {joblib.hash(preprocessor)}
