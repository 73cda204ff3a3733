"""Scores of probabilities, and confidence beside accuracy in a plot."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from sklearn_cclm import EntityPretrainer
from sklearn_cclm.robustness import RobustnessDisplay, make_robust_scorer, robustness_curve
from sklearn_cclm.robustness._calibration import SCORERS

TEXTS, LABELS = ["what a good film", "what a bad film"] * 10, [1, 0] * 10
ERROR, CONFIDENCE = "neg_expected_calibration_error", "mean_confidence"


class Says:
    """A fitted model with these probabilities."""

    def __init__(self, *rows):
        self.rows = np.array(rows)
        self.classes_ = np.array(["no", "yes", "maybe"])[: self.rows.shape[1]]

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        return self.rows


@pytest.fixture(scope="module")
def classifier():
    return make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, LABELS)


@pytest.mark.parametrize(
    ("rows", "y", "error", "confidence"),
    [
        ([(0.0, 1.0), (1.0, 0.0)], ["yes", "no"], 0, 1),
        ([(0.0, 1.0), (1.0, 0.0)], ["no", "yes"], 1, 1),
        ([(0.4, 0.6), (0.4, 0.6)], ["yes", "no"], 0.1, 0.6),
        ([(0.0, 1.0), (0.4, 0.6)], ["no", "yes"], (1.0 + 0.4) / 2, 0.8),  # of two bins
        ([(0.3, 0.3, 0.4)] * 5, ["maybe", "maybe", "yes", "no", "no"], 0, 0.4),
    ],
)
def test_error_is_the_distance_of_confidence_and_accuracy(rows, y, error, confidence):
    model = Says(*rows)
    assert SCORERS[ERROR](model, ["text"] * len(y), y) == pytest.approx(-error)
    assert SCORERS[CONFIDENCE](model, ["text"] * len(y)) == pytest.approx(confidence)


def test_curves_scorers_and_searches_take_the_names(classifier):
    curves = {
        name: robustness_curve(classifier, TEXTS, LABELS, scoring=name, rates=(0, 0.3))
        for name in (ERROR, CONFIDENCE, "neg_log_loss", "neg_brier_score")
    }
    assert all(curve.scores.shape == (2, 3) for curve in curves.values())
    assert curves[CONFIDENCE].mean[0] > curves[CONFIDENCE].mean[1] > 0.5
    noisy = make_robust_scorer(ERROR, rate=0.3)
    assert (cross_val_score(classifier, TEXTS, LABELS, scoring=noisy, cv=2) < 0).all()


def test_confidence_needs_no_labels(classifier):
    assert robustness_curve(classifier, TEXTS, scoring=CONFIDENCE, rates=(0,)).mean[0] > 0.5


def test_models_without_such_probabilities_are_refused():
    vectors = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(TEXTS, LABELS)
    with pytest.raises(TypeError, match="has no predict_proba.*CalibratedClassifierCV"):
        robustness_curve(vectors, TEXTS, LABELS, scoring=CONFIDENCE)
    with pytest.raises(TypeError, match="not those of classes of which each text has one"):
        robustness_curve(
            EntityPretrainer.from_tower("en-entities"), TEXTS, scoring=CONFIDENCE, rates=(0,)
        )
    with pytest.raises(ValueError, match="'neg_calibration_error'"):
        robustness_curve(vectors, TEXTS, LABELS, scoring="neg_calibration_error")


def test_confidence_is_drawn_beside_accuracy(classifier):
    plt = pytest.importorskip("matplotlib.pyplot", reason="the display needs matplotlib")
    params = {"rates": (0, 0.3), "random_state": 0}
    display = RobustnessDisplay.from_estimator(
        classifier, TEXTS, LABELS, name="words", confidence=True, **params
    )
    (line,), (dashed,) = display.lines_, display.confidence_lines_
    assert (dashed.get_color(), dashed.get_linestyle()) == (line.get_color(), "--")
    sure = robustness_curve(classifier, TEXTS, LABELS, scoring=CONFIDENCE, **params)
    np.testing.assert_allclose(dashed.get_ydata(), sure.mean)
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend[:2] == ["words", "mean confidence"]
    assert display.ax_.get_ylabel() == "accuracy, confidence"
    assert RobustnessDisplay(display.curves).plot().confidence_lines_ == []
    plt.close("all")
