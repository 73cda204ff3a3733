"""With towers and names alone there is nothing to fit, and where there is, the check stays."""

import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted
from tiny import POOLED, tiny_base

from sklearn_cclm import ComposedEmbedder, ComposedModel, MaskedCharacterPretrainer, load
from sklearn_cclm.robustness import explain
from sklearn_cclm.shelf import ShelfError
from sklearn_cclm.utils.estimator_checks import check_text_estimator

TEXTS = ["good film", "bad film", "good book", "bad book"] * 3
LABELS = [1, 0, 1, 0] * 3


@pytest.fixture(scope="module")
def trained():
    return MaskedCharacterPretrainer(tiny_base(), tower=POOLED, max_epochs=1, random_state=0).fit(
        TEXTS
    )


@pytest.fixture(scope="module")
def tower(trained):
    return trained.tower_


@pytest.fixture(params=[ComposedEmbedder, ComposedModel])
def composed(request):
    return request.param


def read(model):
    """What can be asked of a model."""
    found = [model.transform(TEXTS), model.get_feature_names_out()]
    return [*found, model.lengths(TEXTS)] if isinstance(model, ComposedModel) else found


@pytest.mark.parametrize("kind", ["tower", "frozen", "dropped", "weighted", "none"])
def test_nothing_to_fit(composed, trained, tower, kind):
    model = {
        "tower": lambda: composed([("a", tower)]),
        "frozen": lambda: composed([("a", FrozenEstimator(trained))]),
        "dropped": lambda: composed([("a", tower), ("b", "drop")]),
        "weighted": lambda: composed([("a", tower), ("b", tower)], tower_weights={"a": 2.0}),
        "none": lambda: composed(**({"lexical": False} if composed is ComposedEmbedder else {})),
    }[kind]()
    before = dict(vars(model))
    expected = read(clone(model).fit(TEXTS))
    for one, other in zip(read(model), expected, strict=True):
        assert_array_equal(one, other)
    assert vars(model) == before
    assert not get_tags(model).requires_fit
    check_is_fitted(model)


@pytest.mark.parametrize(
    "params",
    [
        {"towers": None},
        {"lexical": True},
        {"lexical": "tfidf"},
        {"n_components": 2},
        {"towers": [("a", TfidfVectorizer())]},
        {"towers": [("a", FrozenEstimator(TfidfVectorizer()))]},
        {"towers": [("a", MaskedCharacterPretrainer())], "fit_towers": True},
        {"towers": [("a", MaskedCharacterPretrainer())]},
        {"towers": []},
        {"towers": "en-semantic"},
        {"towers": [7]},
        {"towers": 7},
    ],
)
def test_what_learns_must_be_fitted(tower, params):
    model = ComposedEmbedder(**{"towers": [("a", tower)], **params})
    assert get_tags(model).requires_fit
    for method in (lambda: model.transform(TEXTS), model.get_feature_names_out):
        with pytest.raises(NotFittedError):
            method()
    with pytest.raises(NotFittedError):
        check_is_fitted(model)


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"towers": [("a", "drop")]}, ValueError),
        ({"towers": [("a", "no-such-name")]}, ShelfError),
        ({"pooling": "cls"}, ValueError),
        ({"pooling": "middle"}, ValueError),
        ({"tower_weights": {"b": 1.0}}, ValueError),
        ({"batch_chars": 0}, ValueError),
    ],
)
def test_what_is_wrong_is_told_as_by_fit(tower, params, error):
    model = ComposedEmbedder(**{"towers": [("a", tower)], **params})
    with pytest.raises(error) as expected:
        model.fit(TEXTS)
    with pytest.raises(error) as found:
        model.transform(TEXTS)
    assert str(found.value) == str(expected.value)


def test_towers_in_use_are_those_of_the_fit(tower):
    model = ComposedEmbedder([("a", tower)]).fit(TEXTS)
    model.set_params(a="no-such-name")
    assert model.transform(TEXTS).shape == (len(TEXTS), 8)


def test_an_unfitted_embedder_is_saved_as_such(tower, tmp_path):
    ComposedEmbedder([("a", tower)]).save(tmp_path / "x")
    loaded = load(tmp_path / "x")
    assert not hasattr(loaded, "towers_")
    assert loaded.transform(TEXTS).shape == (len(TEXTS), 8)


def test_a_pipeline_is_as_fitted_as_its_last_step(tower):
    embedder = ComposedEmbedder([("a", tower)])
    model = LogisticRegression().fit(embedder.transform(TEXTS), LABELS)
    pipeline = make_pipeline(embedder, model)
    assert list(pipeline.predict(TEXTS)) == list(model.predict(embedder.transform(TEXTS)))
    assert explain(pipeline, "good film").parts.keys() == {"a"}
    frame = embedder.set_output(transform="pandas").transform(TEXTS)
    assert list(frame.columns) == [f"a__{i}" for i in range(8)]


def test_checks_of_a_transformer_that_needs_no_fit(composed, tower):
    ran = check_text_estimator(composed([("a", tower)]))
    assert "check_not_fitted" not in ran
    assert len(ran) > 70
