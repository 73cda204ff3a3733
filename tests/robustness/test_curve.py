"""Curves, their display, and scorers under noise."""

import pickle
import re

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_cclm import TypoNoise
from sklearn_cclm._targets.entities import Span, read_entities
from sklearn_cclm.robustness import (
    RobustnessCurve,
    RobustnessDisplay,
    make_robust_scorer,
    robustness_curve,
)

TEXTS = ["what a good film", "what a bad film", "a good book", "the bad book", "so good", "too bad"]
TEXTS, LABELS = TEXTS * 10, ["+", "-"] * 30
KEYS = ("start", "end", "label")


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
        if isinstance(next(iter(X)), list):
            return 0.5
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


class Entities(BaseEstimator):
    """Scores in how many texts the words in capitals are the entities; remembers what it read."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def score(self, X, y):
        self.read_ = list(X), y
        spans = read_entities(X, y)[1]
        found = [{text[s.start : s.end] for s in row} for text, row in zip(X, spans, strict=True)]
        return float(np.mean([row == shouted(text) for text, row in zip(X, found, strict=True)]))


def shouted(text):
    return {word for word in re.split("[^A-Z]+", text) if word}


SHOUTS = ["ADA met old BOB", "at last BOB, ADA and EVE", "nobody"] * 20
SPANS = [[(m.start(), m.end(), "x") for m in re.finditer("[A-Z]+", text)] for text in SHOUTS]
FORMS = {
    "tuples": SPANS,
    "lists": [[list(span) for span in row] for row in SPANS],
    "dicts": [[dict(zip(KEYS, span, strict=True)) for span in row] for row in SPANS],
    "Span": [[Span(*span) for span in row] for row in SPANS],
    "array": np.fromiter(SPANS, dtype=object, count=len(SPANS)),
    "by name": [{key: [span[i] for span in row] for i, key in enumerate(KEYS)} for row in SPANS],
    "tags": [["B-x" if c.isupper() and not t[:i][-1:].isupper() else "I-x" if c.isupper() else "O"
              for i, c in enumerate(t)] for t in SHOUTS],
    "tags or nothing": [["x" if c.isupper() else "O" for c in t] if t != "nobody" else []
                        for t in SHOUTS],
    "labels alone": [["x" if c.isupper() else "O" for c in text] for text in SHOUTS],
}  # fmt: skip


@pytest.mark.parametrize("y", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("kind", ["drop", "repeat", "space", "scramble"])
def test_entities_move_with_the_characters(y, kind):
    model = Entities().fit(SHOUTS)
    curve = robustness_curve(model, SHOUTS, y, noise=kind, rates=(0, 0.3), n_repeats=2)
    same = robustness_curve(model, SHOUTS, SPANS, noise=kind, rates=(0, 0.3), n_repeats=2)
    np.testing.assert_array_equal(curve.scores, same.scores)
    assert curve.mean[0] == 1
    assert (
        curve.mean[1] > 0.6
    )  # a space that is lost joins no entities here, but a drop splits none
    scorer = make_robust_scorer(noise=kind, rate=0.3, n_repeats=2)
    assert scorer(model, SHOUTS, y) == curve.mean[1]


def test_entities_in_searches_and_displays():
    pytest.importorskip("matplotlib", reason="the display needs matplotlib")
    models = {"one": Entities().fit(SHOUTS), "two": Entities().fit(SHOUTS)}
    display = RobustnessDisplay.from_estimators(models, iter(SHOUTS), iter(SPANS), noise="repeat")
    assert [curve.area for curve in display.curves.values()] == [1, 1]
    for y in FORMS.values():
        scorer = make_robust_scorer(noise="repeat", rate=0.3)
        found = cross_validate(Entities(), SHOUTS, y, scoring=scorer, cv=3)
        assert found["test_score"].tolist() == [1, 1, 1]


def test_what_the_score_gets():
    model = Entities().fit(SHOUTS)
    noise = {"noise": {"aa": "a", "bob": "b"}, "rates": (0, 1), "n_repeats": 1}
    robustness_curve(model, ["aa bob"], [[{"start": 3, "end": 6, "label": "x"}]], **noise)
    assert model.read_ == (["a b"], [[Span(2, 3, "x")]])
    robustness_curve(model, ["aa bob"], [["O", "O", "O", "S-x", "B-x", "E-x"]], **noise)
    assert model.read_ == (["a b"], [["O", "O", "B-x"]])


def test_an_entity_without_characters_is_gone():
    model = Entities().fit(SHOUTS)
    robustness_curve(model, ["A bcdef"], [[(0, 1, "x"), (2, 7, "y")]], noise="drop", rates=(1,))
    (text,), (spans,) = model.read_
    assert len(text) == 1
    assert len(spans) == (text != " ")


def test_rows_that_tell_no_places_stay():
    texts = ["Ada left Oslo"] * 5
    for rows in ([[0, 1]] * 5, np.zeros((5, 2)), [["a", "b"]] * 5, [0.5] * 5):
        assert robustness_curve(Container().fit(texts), texts, rows, noise="drop").area < 1


def test_tokens_are_corrupted_each_for_itself():
    tokens, tags = [["Ada", "met", "Bob"], ["nobody"], []] * 5, [["B-x", "O", "B-x"], ["O"], []] * 5
    model = Container().fit(tokens)
    for noise in ("drop", "insert", "swap", "slip"):
        robustness_curve(model, tokens, tags, noise=noise, rates=(0.9,), n_repeats=1)
        assert list(map(len, model.read_)) == list(map(len, tokens))
        assert all(token for row in model.read_ for token in row)
        assert model.read_ != tokens
    pd = pytest.importorskip("pandas", reason="frames are of pandas")
    robustness_curve(model, pd.Series(tokens), tags, rates=(0.9,), n_repeats=1)
    assert isinstance(model.read_, pd.Series)


def test_noise_that_can_change_nothing_is_told(words):
    for X, noise in ((TEXTS, {"worm": "wrom"}), ([["a", "b"]] * 60, "space")):
        with pytest.warns(UserWarning, match="changes nothing in X"):
            curve = robustness_curve(Container().fit(X), X, LABELS, noise=noise)
        assert curve.relative_fall.tolist() == [0] * 5
    robustness_curve(Container().fit(TEXTS), TEXTS, noise={"worm": "wrom"}, rates=(0,))


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
