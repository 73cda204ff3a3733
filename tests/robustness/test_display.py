"""What the axes and bands of robustness curves are called."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from tiny import TINY

from sklearn_cclm import ClassificationPretrainer, ComposedClassifier, EntityPretrainer, TypoNoise
from sklearn_cclm.noise._typo_noise import _KINDS
from sklearn_cclm.robustness import RobustnessCurve, RobustnessDisplay

plt = pytest.importorskip("matplotlib.pyplot", reason="the display needs matplotlib")
TEXTS, LABELS = ["what a good film", "what a bad film"] * 10, [1, 0] * 10
TYPOS = {"good": "gud"}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def classifier():
    return make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, LABELS)


def drawn(*models, **params):
    models = {f"model {i}": model for i, model in enumerate(models)}
    return RobustnessDisplay.from_estimators(models, TEXTS, LABELS, rates=(0, 0.1), **params)


@pytest.mark.parametrize(
    ("noise", "name"),
    [
        ("slip", "letters replaced, %"),
        ("swap", "neighbours swapped, %"),
        (["drop"], "characters left out, %"),
        ({"scramble": 2}, "words scrambled, %"),
        (TypoNoise("case"), "letters in the other case, %"),
        (TYPOS, "words mistyped, %"),
        (["slip", "drop"], "places changed, %"),
    ],
)
def test_noise_is_named(classifier, noise, name):
    assert drawn(classifier, noise=noise).ax_.get_xlabel() == name


def test_every_kind_of_noise_has_a_name(classifier):
    names = {
        drawn(classifier, noise=TypoNoise(kind, typos=TYPOS)).ax_.get_xlabel() for kind in _KINDS
    }
    assert len(names) == len(_KINDS)


def test_rates_are_shown_as_percentages(classifier):
    display = drawn(classifier)
    display.ax_.set_xticks([0, 0.025, 0.1])
    assert [text.get_text() for text in display.ax_.get_xticklabels()] == ["0", "2.5", "10"]


def test_score_is_named(classifier):
    regressor = make_pipeline(TfidfVectorizer(), Ridge()).fit(TEXTS, LABELS)
    assert drawn(classifier, classifier).ax_.get_ylabel() == "accuracy"
    assert drawn(regressor).ax_.get_ylabel() == "R²"
    assert drawn(classifier, regressor).ax_.get_ylabel() == "score"
    assert drawn(classifier, scoring="f1_macro").ax_.get_ylabel() == "f1 macro"
    assert drawn(classifier, scoring=lambda model, X, y: 0.5).ax_.get_ylabel() == "score"


def test_score_of_another_kind_is_no_accuracy(classifier):
    search = GridSearchCV(classifier, {}, scoring="neg_log_loss", cv=2).fit(TEXTS, LABELS)
    pretrainer = ClassificationPretrainer(**TINY["ClassificationPretrainer"]()).fit(TEXTS, LABELS)
    assert drawn(search).ax_.get_ylabel() == "score"
    assert drawn(pretrainer).ax_.get_ylabel() == "minus the loss"
    head = ComposedClassifier([("one", pretrainer.tower_)], max_epochs=1).fit(TEXTS, LABELS)
    assert drawn(head, classifier).ax_.get_ylabel() == "accuracy"
    names = EntityPretrainer.from_tower("en-entities")
    spans = [[(0, 3, "person")]] * 2
    display = RobustnessDisplay.from_estimator(names, ["Ada came", "Bob went"], spans, rates=[0])
    assert display.ax_.get_ylabel() == "F1 of entities"


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_band_is_explained_once(classifier):
    first = drawn(classifier, classifier, n_repeats=2)
    band = "one standard deviation, 2 draws of noise"
    assert legend(first) == ["model 0", "model 1", band]
    more = RobustnessDisplay(first.curves).plot(first.ax_, label="again")
    assert legend(more) == ["model 0", "model 1", "again", "again", band]
    assert legend(drawn(classifier, n_repeats=1)) == ["model 0"]


def test_curves_of_ones_own_are_named_by_parameters():
    curve = RobustnessCurve(np.array([0, 0.1]), np.array([[1.0, 1.0], [0.5, 0.7]]))
    plain = RobustnessDisplay({"mine": curve}).plot()
    assert (plain.ax_.get_xlabel(), plain.ax_.get_ylabel()) == ("places changed, %", "score")
    named = RobustnessDisplay({"mine": curve}, score_name="F1", noise_name="words cut").plot()
    assert (named.ax_.get_xlabel(), named.ax_.get_ylabel()) == ("words cut, %", "F1")
