"""Texts of which nothing is known are counted in one warning, by all that embeds or predicts."""

import warnings

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ComposedClassifier,
    ComposedEmbedder,
    ComposedModel,
    ComposedRegressor,
    ComposedTagger,
    EntityPretrainer,
    MaskedCharacterPretrainer,
    PooledConfig,
)
from sklearn_cclm.preprocessing._unread import warn_unread
from sklearn_cclm.robustness import explain

KNOWN = ["a good film", "a bad film", "Ada met Bob", "nobody came"] * 4
SPANS = [[], [], [(0, 3, "x"), (8, 11, "x")], []] * 4
MIXED = ["", "a film", " \n", "привет, мир", "\u3000", "café"]
WARNING = "Of 6 texts, blank: 3; mostly of characters unseen in training: 1, as 'привет, мир'"


def small(**reading):
    return CCLMModelBase(CharPreprocessor(**reading), width=16, n_buckets=99, random_state=0)


def tower(texts, **reading):
    config = PooledConfig(width=8, hidden=8)
    return (
        MaskedCharacterPretrainer(small(**reading), tower=config, max_epochs=1, random_state=0)
        .fit(texts)
        .tower_
    )


@pytest.fixture(scope="module")
def english():
    return tower([*KNOWN, "the quick brown fox jumps over the lazy dog"])


@pytest.fixture(scope="module")
def readers(english):
    towers, learning = [("one", english)], {"max_epochs": 1, "random_state": 0}
    numbers = [0, 1, 0, 1] * 4
    return {
        "embedder": ComposedEmbedder(towers).fit(KNOWN).transform,
        "with lexical": ComposedEmbedder(towers, lexical=True).fit(KNOWN).transform,
        "model": ComposedModel(towers).fit(KNOWN).transform,
        "classes": ComposedClassifier(towers, **learning).fit(KNOWN, numbers).predict,
        "probabilities": ComposedClassifier(towers, **learning).fit(KNOWN, numbers).predict_proba,
        "values": ComposedRegressor(towers, **learning).fit(KNOWN, numbers).predict,
        "tags": ComposedTagger(towers, **learning).fit(KNOWN, SPANS).predict,
        "spans": ComposedTagger(towers, **learning).fit(KNOWN, SPANS).predict_spans,
        "entities": EntityPretrainer(small(), **learning).fit(KNOWN, SPANS).predict,
    }


def said(read, texts):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read(texts)
    return [str(warning.message) for warning in caught]


def test_one_warning_with_counts(readers):
    for name, read in readers.items():
        (message,) = said(read, MIXED)
        assert message.startswith(WARNING), name
        (message,) = said(read, ["", "a film", ""])
        assert message == "Of 3 texts, blank: 2. What is made of them says little.", name
        assert said(read, ["a film", "a BAD café!", "naïve"]) == [], name
        assert said(read, []) == [], name


def test_blank_texts_that_are_wanted_are_not_counted(english):
    embedder = ComposedEmbedder([("one", english)], missing="empty").fit(KNOWN)
    assert said(embedder.transform, [None, "", "a film"]) == []
    (message,) = said(embedder.transform, [None, "привет"])
    assert "blank" not in message


def test_what_one_tower_knows_is_read(english):
    russian = tower(["привет, мир", "как дела"] * 5)
    both = ComposedEmbedder([("one", english), ("two", russian)]).fit(KNOWN)
    assert said(both.transform, ["привет, мир", "a film"]) == []
    alone = ComposedEmbedder([("two", russian)]).fit(KNOWN)
    (message,) = said(alone.transform, ["привет, мир", "a film"])  # also ASCII is looked at
    assert "unseen in training: 1, as 'a film'" in message


def test_texts_are_normalised_first():
    full_width = "\uff41 \uff47\uff4f\uff4f\uff44"
    for normalization, count in ((None, 1), ("NFKC", 0)):
        reader = tower(KNOWN, normalization=normalization)
        embedder = ComposedEmbedder([("one", reader)]).fit(KNOWN)
        assert len(said(embedder.transform, [full_width])) == count


def test_fit_says_nothing_and_a_search_what_its_folds_do(english):
    embedder = ComposedEmbedder([("one", english)], lexical=True)
    assert said(embedder.fit, ["", "привет", *KNOWN]) == []
    pipe = make_pipeline(embedder, LogisticRegression())
    search = GridSearchCV(pipe, {"logisticregression__C": [1]}, cv=2)
    messages = said(lambda X: search.fit(X, [0, 1] * 8), ["", *KNOWN[1:]])
    counts = [message.partition(";")[0].partition(".")[0] for message in messages]
    assert counts == ["Of 8 texts, blank: 1"] * 2 + ["Of 16 texts, blank: 1"]


def test_texts_without_some_characters_are_no_news(english):
    embedder = ComposedEmbedder([("one", english)])
    pipe = make_pipeline(embedder, LogisticRegression()).fit(KNOWN, [0, 1] * 8)
    assert said(lambda text: explain(pipe, text), "ab") == []
    assert len(said(lambda text: explain(pipe, text), "привет")) == 1


@pytest.mark.parametrize(
    ("text", "unread"),
    [("abcdef", False), ("abcжжж", False), ("abжжж", True), ("ж" + " " * 9, True), ("2026", True)],
)
def test_half_of_what_is_no_blank(text, unread):
    preprocessor = CharPreprocessor.from_vocabulary("abcdef ")
    assert len(said(lambda X: warn_unread(X, [preprocessor], missing="error"), [text])) == unread


def test_surrogates_and_long_texts_are_counted():
    preprocessor = CharPreprocessor.from_vocabulary("ab")
    texts = ["\ud800" * 3, "a" * 10_000, "ж" * 10_000] * 2000
    (message,) = said(lambda X: warn_unread(X, [preprocessor], missing="error"), texts)
    assert "training: 4000, as" in message
    assert len(message) < 200
