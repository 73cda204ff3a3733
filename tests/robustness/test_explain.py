"""`explain`: contributions add up, and characters matter where the text does."""

from unittest.mock import patch

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.feature_selection import VarianceThreshold
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.svm import SVC, LinearSVC

from sklearn_cclm import CCLMModelBase, ComposedEmbedder, MaskedCharacterPretrainer, PooledConfig
from sklearn_cclm.robustness import explain

TEXTS = ["what a good film", "what a bad film", "a fine book", "a good book", "a bad day"] * 8
LABELS = ["+", "-", "0", "+", "-"] * 8


@pytest.fixture(scope="module")
def embedder():
    recipe = CCLMModelBase(width=16, n_buckets=5000)
    chars = MaskedCharacterPretrainer(
        recipe, tower=PooledConfig(width=8, hidden=8), max_epochs=1, random_state=0
    ).fit(TEXTS)
    return ComposedEmbedder([("chars", chars.tower_), ("more", chars.tower_)], lexical=True)


@pytest.mark.parametrize("steps", [[], [Normalizer()], [StandardScaler(with_mean=False)]])
def test_parts_add_up_to_the_decision(embedder, steps):
    pipe = make_pipeline(embedder, *steps, LogisticRegression()).fit(TEXTS, LABELS)
    text = "a good day"
    for place, label in enumerate(pipe.classes_):
        found = explain(pipe, text, label=label)
        assert list(found.parts) == ["chars", "more", "lexical"]
        assert found.decision == pytest.approx(pipe.decision_function([text])[0, place], abs=1e-4)
        assert sum(found.parts.values()) + found.intercept == pytest.approx(
            found.decision, abs=1e-4
        )
    assert explain(pipe, text).label == pipe.predict([text])[0]


def test_two_classes_mirror_each_other(embedder):
    pipe = make_pipeline(embedder, LogisticRegression()).fit(TEXTS, [k == "+" for k in LABELS])
    yes, no = (explain(pipe, "a good day", label=label) for label in (True, False))
    assert yes.decision == -no.decision
    np.testing.assert_array_equal(yes.characters, -no.characters)
    assert explain(pipe, "a good day").label is True


def test_characters_that_decide_stand_out(embedder):
    pipe = make_pipeline(embedder, LogisticRegression(C=10)).fit(TEXTS, LABELS)
    text = "a good thing"
    found = explain(pipe, text, label="+")
    assert found.characters.shape == (len(text),)
    assert 2 <= found.characters.argmax() < 6
    without = pipe.decision_function(["a g thing"])[0, 0]  # around the second "o"
    assert found.characters[4] == pytest.approx(found.decision - without, abs=1e-4)
    assert found.characters[2:6].mean() > 2 * np.abs(found.characters[8:]).mean()


def test_mixed_features_have_no_owners(embedder):
    few = clone(embedder).set_params(n_components=3)
    pipe = make_pipeline(few, LogisticRegression()).fit(TEXTS, LABELS)
    with pytest.raises(ValueError, match="n_components=3 mixes .* n_components=None"):
        explain(pipe, "a good day")


def test_a_regression_has_no_label(embedder):
    pipe = make_pipeline(embedder, Ridge()).fit(TEXTS, [5.0, 1, 3, 5, 1] * 8)
    found = explain(pipe, "a good film")
    assert found.label is None
    assert found.decision == pytest.approx(pipe.predict(["a good film"])[0], abs=1e-4)
    with pytest.raises(ValueError, match="label=None"):
        explain(pipe, "a good film", label="+")


def test_an_empty_text_has_no_characters(embedder):
    pipe = make_pipeline(embedder, LogisticRegression()).fit(TEXTS, LABELS)
    assert explain(pipe, "").characters.shape == (0,)
    assert "decision" in explain(pipe, "")._repr_html_()


def test_views(embedder):
    pipe = make_pipeline(embedder, LogisticRegression()).fit(TEXTS, LABELS)
    found = explain(pipe, "<b>good</b>")
    page = found._repr_html_()
    assert "<b>" not in page
    assert page.count("<span") == len(found.text)
    assert page.count("&lt;") == 2
    pytest.importorskip("pandas", reason="tables need pandas")
    assert found.to_frame()["character"].tolist() == list(found.text)


def test_what_cannot_be_explained_is_refused(embedder):
    pipe = make_pipeline(embedder, LogisticRegression()).fit(TEXTS, LABELS)
    with pytest.raises(ValueError, match=r"label='\?' must be one of the classes"):
        explain(pipe, "a text", label="?")
    with pytest.raises(ValueError, match="window=0"):
        explain(pipe, "a text", window=0)
    with pytest.raises(TypeError, match="Text 0 is not a str"):
        explain(pipe, 3)
    for wrong in (pipe[-1], make_pipeline(embedder).fit(TEXTS)):
        with pytest.raises(TypeError, match="Pipeline of a ComposedEmbedder and a linear model"):
            explain(wrong, "a text")
    dense = embedder.__class__(embedder.towers)
    mixed = make_pipeline(dense, PCA(5), LogisticRegression()).fit(TEXTS, LABELS)
    with pytest.raises(ValueError, match="features such as 'pca0', of which no tower"):
        explain(mixed, "a text")
    nameless = make_pipeline(embedder, FunctionTransformer(), LogisticRegression())
    with pytest.raises(ValueError, match="towers cannot be told.*get_feature_names_out"):
        explain(nameless.fit(TEXTS, LABELS), "a text")


@pytest.mark.parametrize("model", [SVC(kernel="linear"), PoissonRegressor(), PLSRegression(2)])
def test_a_decision_that_is_no_weighted_sum_is_refused(embedder, model):
    dense = embedder.__class__(embedder.towers)
    targets = LABELS if isinstance(model, SVC) else [float(len(text)) for text in TEXTS]
    pipe = make_pipeline(dense, model).fit(TEXTS, targets)
    with pytest.raises(ValueError, match="is no weighted sum"):
        explain(pipe, "a text")


@pytest.mark.parametrize("model", [LinearSVC(fit_intercept=False), RidgeClassifier()])
def test_linear_classifiers_of_all_kinds(embedder, model):
    pipe = make_pipeline(embedder, VarianceThreshold(0.05), model).fit(TEXTS, LABELS)
    for place, label in enumerate(pipe.classes_):
        found = explain(pipe, "a good day", label=label)
        decision = pipe.decision_function(["a good day"])[0, place]
        assert found.decision == pytest.approx(decision, abs=1e-4)
        assert sum(found.parts.values()) + found.intercept == pytest.approx(decision, abs=1e-4)


def test_frames_between_the_steps(embedder):
    pytest.importorskip("pandas", reason="set_output needs pandas")
    dense = embedder.__class__(embedder.towers)
    plain = make_pipeline(dense, LogisticRegression()).fit(TEXTS, LABELS)
    frames = clone(plain).set_output(transform="pandas").fit(TEXTS, LABELS)
    found, expected = (explain(pipe, "a good day") for pipe in (frames, plain))
    assert found.parts == pytest.approx(expected.parts)
    np.testing.assert_allclose(found.characters, expected.characters, atol=1e-6)


def test_characters_left_out_are_those_around_a_place(embedder):
    """One fewer at either end; in groups the same, so that a long text's copies fit memory."""
    pipe = make_pipeline(embedder, LogisticRegression()).fit(TEXTS, LABELS)
    found = explain(pipe, "abcdef", label="+")
    texts = ["cdef", "def", "aef", "abf", "abc", "abcd"]
    expected = found.decision - pipe.decision_function(texts)[:, pipe.classes_.tolist().index("+")]
    np.testing.assert_allclose(found.characters, expected, atol=1e-5)
    with patch("sklearn_cclm.robustness._explain._AT_ONCE", 13):  # two copies of six characters
        again = explain(pipe, "abcdef", label="+")
    np.testing.assert_allclose(again.characters, found.characters, atol=1e-6)
