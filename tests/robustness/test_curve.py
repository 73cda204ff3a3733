"""Curves, their display, and scorers under noise."""

import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_cclm import TypoNoise
from sklearn_cclm.robustness import (
    RobustnessCurve,
    RobustnessDisplay,
    make_robust_scorer,
    robustness_curve,
)

TEXTS = ["what a good film", "what a bad film", "a good book", "the bad book", "so good", "too bad"]
TEXTS, LABELS = TEXTS * 10, ["+", "-"] * 30


@pytest.fixture(scope="module")
def words():
    return make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, LABELS)


class Unchanged(ClassifierMixin, BaseEstimator):
    """Scores the share of texts that noise has left alone."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def score(self, X, y=None):
        return float(np.mean([text in TEXTS for text in X]))


def test_scores_are_those_of_the_noisy_texts(words):
    curve = robustness_curve(words, TEXTS, LABELS, rates=(0, 0.1, 0.4), n_repeats=2)
    assert curve.scores.shape == (3, 2)
    assert (curve.scores[0] == words.score(TEXTS, LABELS)).all()
    draws = np.random.RandomState(0).randint(2**31 - 1, size=2)
    for row, rate in ((1, 0.1), (2, 0.4)):
        for column, draw in enumerate(draws):
            noisy = TypoNoise(rate=rate, random_state=int(draw)).transform(TEXTS)
            assert curve.scores[row, column] == words.score(list(noisy), LABELS)
    assert curve.mean[0] > curve.mean[1] > curve.mean[2]


def test_same_seed_same_curve_on_any_number_of_jobs(words):
    one = robustness_curve(words, TEXTS, LABELS)
    two = robustness_curve(words, np.array(TEXTS, dtype=object), LABELS, n_jobs=2)
    np.testing.assert_array_equal(one.scores, two.scores)
    other = robustness_curve(words, TEXTS, LABELS, random_state=1)
    assert not np.array_equal(one.scores, other.scores)


def test_a_model_without_y_is_scored_by_itself():
    curve = robustness_curve(Unchanged().fit(TEXTS), TEXTS, rates=(0, 0.5, 1), n_repeats=1)
    assert curve.mean[0] == 1 > curve.mean[1] > curve.mean[2] == 0


@pytest.mark.parametrize(
    "noise", [[("gud", "good"), ("bda", "bad")], {"good": "gud", "bad": ["bda"]}]
)
def test_attested_typos(noise):
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, LABELS)
    curve = robustness_curve(model, TEXTS, LABELS, noise=noise, rates=(0, 1.0))
    assert curve.mean[0] == 1 > curve.mean[1]


def test_own_noise_keeps_its_kinds(words):
    swaps = TypoNoise("swap", rate=0.9, random_state=7)
    found = robustness_curve(words, TEXTS, LABELS, noise=swaps)
    np.testing.assert_array_equal(
        found.scores, robustness_curve(words, TEXTS, LABELS, noise="swap").scores
    )
    assert (swaps.rate, swaps.random_state) == (0.9, 7)


def test_scoring_by_name_and_by_function(words):
    by_name = robustness_curve(words, TEXTS, LABELS, scoring="f1_macro", rates=(0, 0.3))
    plain = robustness_curve(words, TEXTS, LABELS, rates=(0, 0.3))
    assert not np.array_equal(by_name.scores, plain.scores)
    flat = robustness_curve(words, TEXTS, LABELS, scoring=lambda *args: 0.25, rates=(0, 0.3))
    assert (flat.scores == 0.25).all()
    assert flat.area == 0.25


def test_figures_of_a_curve():
    curve = RobustnessCurve(np.array([0, 0.1, 0.3]), np.array([[0.8, 0.8], [0.7, 0.5], [0.4, 0.4]]))
    np.testing.assert_allclose(curve.mean, [0.8, 0.6, 0.4])
    np.testing.assert_allclose(curve.std, [0, 0.1, 0], atol=1e-12)
    np.testing.assert_allclose(curve.relative_fall, [0, 0.25, 0.5])
    assert curve.area == pytest.approx((0.1 * 0.7 + 0.2 * 0.5) / 0.3)
    assert repr(curve) == "RobustnessCurve(0: 0.800, 0.1: 0.600, 0.3: 0.400; area 0.567)"
    assert RobustnessCurve(np.array([0.1]), np.array([[0.5]])).area == 0.5


def test_a_curve_as_a_table():
    pytest.importorskip("pandas", reason="to_frame needs pandas")
    curve = RobustnessCurve(np.array([0, 0.1]), np.array([[0.8, 0.8], [0.7, 0.5]]))
    frame = curve.to_frame()
    assert frame.columns.tolist() == ["rate", "repeat", "score"]
    assert frame.values.tolist() == [[0, 0, 0.8], [0, 1, 0.8], [0.1, 0, 0.7], [0.1, 1, 0.5]]


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"rates": (0.1, 0.05)}, "rise"),
        ({"rates": ()}, "at least one number"),
        ({"rates": (0, 1.5)}, "each of rates"),
        ({"n_repeats": 0}, "n_repeats=0"),
        ({"noise": "typing"}, "typing"),
        ({"scoring": "accurate"}, "accurate"),
    ],
)
def test_wrong_arguments_are_refused(words, params, match):
    with pytest.raises(ValueError, match=match):
        robustness_curve(words, TEXTS, LABELS, **params)


def test_lengths_that_differ_are_refused(words):
    with pytest.raises(ValueError, match="inconsistent"):
        robustness_curve(words, TEXTS, LABELS[1:])


# the display


def test_display_draws_each_model(words):
    pytest.importorskip("matplotlib", reason="the display needs matplotlib")
    models = {"words": words, "unchanged": Unchanged().fit(TEXTS)}
    display = RobustnessDisplay.from_estimators(models, TEXTS, LABELS, rates=(0, 0.2))
    assert [line.get_label() for line in display.lines_] == ["words", "unchanged"]
    for line, curve in zip(display.lines_, display.curves.values(), strict=True):
        np.testing.assert_allclose(line.get_ydata(), curve.mean)
    more = RobustnessDisplay.from_estimator(words, iter(TEXTS), LABELS, ax=display.ax_)
    assert more.figure_ is display.figure_
    assert more.lines_[0].get_label() == "Pipeline"
    named = RobustnessDisplay.from_estimator(words, TEXTS, LABELS, scoring="accuracy", name="mine")
    assert named.ax_.get_ylabel() == "accuracy"


# scorers


def test_scorer_is_the_curve_at_its_rate(words):
    scorer = make_robust_scorer("accuracy", rate=0.1, n_repeats=3)
    curve = robustness_curve(words, TEXTS, LABELS, rates=(0.1,))
    assert scorer(words, TEXTS, LABELS) == pytest.approx(curve.mean[0])
    assert pickle.loads(pickle.dumps(scorer))(words, TEXTS, LABELS) == scorer(words, TEXTS, LABELS)


def test_searches_find_what_survives_typos():
    pipe = make_pipeline(TfidfVectorizer(ngram_range=(1, 3)), LogisticRegression())
    grid = {"tfidfvectorizer__analyzer": ["word", "char"]}
    scoring = {"clean": "accuracy", "noisy": make_robust_scorer(rate=0.3)}
    search = GridSearchCV(pipe, grid, scoring=scoring, refit="noisy", cv=3).fit(TEXTS, LABELS)
    assert search.best_params_ == {"tfidfvectorizer__analyzer": "char"}
    assert (search.cv_results_["mean_test_noisy"] < search.cv_results_["mean_test_clean"]).all()
    found = cross_validate(pipe, TEXTS, LABELS, scoring=make_robust_scorer(), cv=2, n_jobs=2)
    assert len(found["test_score"]) == 2


@pytest.mark.parametrize("params", [{"rate": 2}, {"n_repeats": 0}, {"noise": "typing"}])
def test_wrong_scorers_are_refused(params):
    with pytest.raises(ValueError, match=next(iter(params)) + "|typing"):
        make_robust_scorer(**params)
