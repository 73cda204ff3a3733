"""Curves, their display, and scorers under noise."""

import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
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


class Container(Unchanged):
    """Remembers what it read."""

    def score(self, X, y=None):
        self.read_ = X
        return super().score(X if getattr(X, "ndim", 1) == 1 else np.asarray(X)[:, 0])


def test_arrays_and_frames_stay_what_they_are():
    pd = pytest.importorskip("pandas", reason="frames are of pandas")
    series = pd.Series(TEXTS, index=range(5, 65), name="text", dtype="category")
    frame = pd.DataFrame({"id": range(60), 3: TEXTS}, index=series.index)
    model, half = Container().fit(TEXTS), {"rates": (0.5,), "n_repeats": 1}
    expected = robustness_curve(model, TEXTS, **half).scores
    assert isinstance(model.read_, list)
    assert (robustness_curve(model, series, **half).scores == expected).all()
    assert model.read_.index.equals(series.index)
    assert model.read_.name == "text"
    column = np.array(TEXTS, dtype=object)[:, None]
    assert (robustness_curve(model, column, **half).scores == expected).all()
    assert model.read_.shape == (60, 1)
    noisy = TypoNoise(column=3)
    assert robustness_curve(model, frame[[3]], **half, noise=noisy).scores == expected
    robustness_curve(model, frame, **half, noise=noisy)
    assert model.read_["id"].equals(frame["id"])
    assert not set(model.read_[3]) <= set(TEXTS)
    assert frame[3].tolist() == TEXTS
    for other in ((text for text in TEXTS), pd.Index(TEXTS)):
        assert (robustness_curve(model, other, **half, n_jobs=2).scores == expected).all()


def test_a_frame_is_read_by_a_column_transformer():
    pd = pytest.importorskip("pandas", reason="frames are of pandas")
    frame = pd.DataFrame({"text": TEXTS, "id": range(60)})
    columns = ColumnTransformer([("text", TfidfVectorizer(), "text")])
    model = make_pipeline(columns, LogisticRegression()).fit(frame, LABELS)
    curve = robustness_curve(model, frame, LABELS, noise=TypoNoise(column="text"))
    plain = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, LABELS)
    np.testing.assert_array_equal(curve.scores, robustness_curve(plain, TEXTS, LABELS).scores)
    with pytest.raises(ValueError, match="say with column=") as caught:
        robustness_curve(model, frame, LABELS)
    assert "noise=TypoNoise(column=" in caught.value.__notes__[0]


def test_missing_texts_as_the_noise_says():
    texts = [*TEXTS, None]
    with pytest.raises(ValueError, match="missing"):
        robustness_curve(Unchanged().fit(TEXTS), texts)
    noise = TypoNoise(missing="empty")
    curve = robustness_curve(Unchanged().fit(TEXTS), texts, noise=noise, rates=(0,))
    assert curve.area == pytest.approx(60 / 61)


def test_places_hold_only_where_lengths_do():
    texts, entities = ["Ada left Oslo"] * 5, [[(0, 3, "person"), (9, 13, "place")]] * 5
    model = Unchanged().fit(texts)
    for noise in ("slip", "swap", "case"):
        assert robustness_curve(model, texts, entities, noise=noise).scores.shape == (5, 3)
    with pytest.raises(ValueError, match="noise that keeps lengths"):
        robustness_curve(model, texts, entities, noise="drop")
    rows = [[0, 1]] * 5  # two targets each
    assert robustness_curve(model, texts, rows, noise="drop").scores.shape == (5, 3)


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


def test_display_takes_what_curves_take(words):
    pytest.importorskip("matplotlib", reason="the display needs matplotlib")
    pd = pytest.importorskip("pandas", reason="frames are of pandas")
    model, frame = Unchanged().fit(TEXTS), pd.DataFrame({"text": TEXTS})
    noise = TypoNoise(column="text")
    display = RobustnessDisplay.from_estimators(
        {"one": Container().fit(TEXTS), "two": Container().fit(TEXTS)},
        frame, rates=(0.5,), noise=noise, random_state=None,
    )  # fmt: skip
    one, two = display.curves.values()
    np.testing.assert_array_equal(one.scores, two.scores)
    with pytest.raises(ValueError, match="single str"):
        RobustnessDisplay.from_estimator(model, "a text")


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


@pytest.mark.parametrize(
    "params",
    [
        {"rate": 2},
        {"n_repeats": 0},
        {"noise": "typing"},
        {"scoring": "acuracy"},
        {"scoring": ["accuracy"]},
        {"random_state": None},
    ],
)
def test_wrong_scorers_are_refused(params):
    with pytest.raises((ValueError, TypeError), match=next(iter(params)) + "|typing|acuracy"):
        make_robust_scorer(**params)
