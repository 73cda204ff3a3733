"""`MLMPreprocessor`: tokens and the characters that each covers."""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_cclm import MLMPreprocessor

CI = settings(derandomize=True, deadline=None, max_examples=100)
TEXTS = ["The cat sat on the mat.", "The dog, the cat!", "a dog sat", ""]


@pytest.fixture(scope="module")
def fitted():
    return MLMPreprocessor(vocab_size=60).fit(TEXTS)


def words(preprocessor, texts):
    """Return the characters that each token covers, and the tokens."""
    ids, starts, ends, counts = preprocessor.tokenize(texts)
    rows = np.repeat(np.arange(len(texts)), counts)
    covered = [texts[r][s:e] for r, s, e in zip(rows, starts, ends, strict=True)]
    return covered, [preprocessor.tokenizer_.id_to_token(i) for i in ids]


def test_tokens_cover_their_characters(fitted):
    covered, tokens = words(fitted, TEXTS)
    assert [text.lower() for text in covered] == tokens
    assert "cat" in tokens
    assert not any(" " in token for token in tokens)


def test_counts_are_per_text(fitted):
    counts = fitted.tokenize(TEXTS)[3]
    assert len(counts) == 4
    assert counts[3] == 0
    assert fitted.tokenize([])[3].shape == (0,)


def test_many_texts_are_as_few(fitted):
    ids, starts, ends, counts = fitted.tokenize(TEXTS * 3000)
    first = fitted.tokenize(TEXTS)
    assert np.array_equal(ids[-len(first[0]) :], first[0])
    assert np.array_equal(starts[-len(first[0]) :], first[1])
    assert len(counts) == 12000


def test_cls_code_shifts_the_columns(fitted):
    shifted = MLMPreprocessor(vocab_size=60, add_cls=True).fit(TEXTS)
    assert np.array_equal(shifted.tokenize(TEXTS)[1], fitted.tokenize(TEXTS)[1] + 1)
    assert np.array_equal(shifted.tokenize(TEXTS)[2], fitted.tokenize(TEXTS)[2] + 1)


def test_letter_that_grows_in_lower_case_keeps_the_offsets():
    texts = ["İstanbul cat", "İstanbul"] * 5
    covered, tokens = words(MLMPreprocessor(vocab_size=40).fit(texts), texts[:1])
    assert covered[tokens.index("cat")] == "cat"
    assert "".join(covered).endswith("stanbulcat")


@CI
@given(st.text(st.characters(categories=None, min_codepoint=0), max_size=30))
def test_offsets_of_any_text_lie_in_it_in_order(fitted, text):
    ids, starts, ends, counts = fitted.tokenize([text])
    assert {array.dtype for array in (ids, starts, ends, counts)} == {np.dtype(np.int64)}
    assert counts.tolist() == [len(ids)]
    assert ((0 <= ids) & (ids < fitted.n_tokens_)).all()
    assert ((0 <= starts) & (starts < ends) & (ends <= len(text))).all()
    assert (np.diff(starts) >= 0).all()
    assert (np.diff(ends) >= 0).all()


def test_unknown_letters_are_unknown_tokens(fitted):
    covered, tokens = words(fitted, ["cat жук"])
    assert covered[tokens.index("[UNK]")] == "ж"
    assert fitted.tokenizer_.token_to_id("[UNK]") == 0


def test_vocabulary_alone_makes_no_tokenizer():
    with pytest.raises(NotFittedError):
        MLMPreprocessor.from_vocabulary("abc").tokenize(["abc"])


def test_failed_fit_leaves_nothing():
    preprocessor = MLMPreprocessor(vocab_size=5)
    with pytest.raises(ValueError, match="vocab_size"):
        preprocessor.fit(TEXTS)
    assert not [name for name in vars(preprocessor) if name.endswith("_")]


def test_lone_surrogates_pass():
    texts = ["a \ud800 cat", "cat"] * 3
    covered, tokens = words(MLMPreprocessor(vocab_size=30).fit(texts), texts[:1])
    assert covered[tokens.index("cat")] == "cat"


def test_number_of_tokens_is_bounded(fitted):
    assert fitted.n_tokens_ == fitted.tokenizer_.get_vocab_size() <= 60
    with pytest.raises(ValueError, match="vocab_size=5 has no room"):
        MLMPreprocessor(vocab_size=5).fit(TEXTS)
    with pytest.raises(ValueError, match="vocab_size=1 must"):
        MLMPreprocessor(vocab_size=1).fit(TEXTS)


def test_copies_have_the_same_tokens(fitted):
    copies = [pickle.loads(pickle.dumps(fitted)), clone(fitted).fit(TEXTS)]
    for copy in copies:
        assert copy.tokenizer_.to_str() == fitted.tokenizer_.to_str()
        assert joblib.hash(copy) == joblib.hash(fitted)


def test_another_process_learns_the_same_tokens(fitted):
    code = (
        "from sklearn_cclm import MLMPreprocessor\n"
        f"print(MLMPreprocessor(vocab_size=60).fit({TEXTS!r}).tokenizer_.to_str())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == fitted.tokenizer_.to_str()
