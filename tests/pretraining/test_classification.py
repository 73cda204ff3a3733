"""Labels: of any type, one or several, what each counts, and that they are learned."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.special import softmax
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.utils.class_weight import compute_class_weight

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ClassificationPretrainer,
    ComposedEmbedder,
    PooledConfig,
)
from sklearn_cclm._targets.labels import Labels, loss_weights
from sklearn_cclm._training.cut import Cut
from sklearn_cclm.nn.heads import label_losses

WORDS = {"pet": ["cat", "dog"], "farm": ["hen", "pig"], "sea": ["cod", "eel"]}
TEXTS = [f"{start} {word}" for words in WORDS.values() for word in words
         for start in ("a", "the", "one", "my", "her")]  # fmt: skip
Y = np.repeat(list(WORDS), 10)


def tiny(**params):
    base = CCLMModelBase(CharPreprocessor(max_example_len=32), width=16, n_buckets=500)
    defaults = {"tower": PooledConfig(width=16, hidden=16), "max_epochs": 2, "random_state": 0}
    return ClassificationPretrainer(base, **{**defaults, **params})


def full_batch(**params):
    """Return a pretrainer on a given base, whose steps do not depend on the order of the texts."""
    pretrainer = tiny(batch_size=1000, optimizer="sgd", lr=0.1, validation_fraction=0, **params)
    return pretrainer.set_params(base=pretrainer.base.set_params(random_state=0).fit(TEXTS).base_)


def distance(first, second):
    """Return the largest difference between weights of two towers."""
    pairs = [(array, second.weights[name]) for name, array in first.weights.items()]
    return max(np.abs(a - b).max() for a, b in pairs)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")  # of columns
@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (Y.tolist(), ["farm", "pet", "sea"]),
        (Y.astype(object), ["farm", "pet", "sea"]),
        (pd.Series(Y, dtype="category"), ["farm", "pet", "sea"]),
        (pl.Series(Y.tolist()), ["farm", "pet", "sea"]),
        (np.repeat([7, -1, 300], 10), [-1, 7, 300]),
        (np.repeat([True, False], 15), [False, True]),
        (np.repeat([1.0, 2.0], 15)[:, None], [1.0, 2.0]),
    ],
)
def test_labels_of_any_type(y, classes):
    pretrainer = tiny(max_epochs=1).fit(TEXTS, y)
    assert pretrainer.classes_.tolist() == classes
    assert not pretrainer.multilabel_
    assert pretrainer.head_weights_["output.weight"].shape == (len(classes), 16)
    assert np.isfinite(pretrainer.score(TEXTS, y))


def test_type_of_labels_does_not_matter():
    by_name, by_number = (tiny().fit(TEXTS, y) for y in (Y, np.unique(Y, return_inverse=True)[1]))
    assert by_name.tower_ == by_number.tower_


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed, but the target y is None"),
        (Y[:-1], "inconsistent numbers of samples"),
        (["pet"] * 30, "y has 1 class, .*'pet'"),
        (np.linspace(0, 1, 30), "Unknown label type: continuous"),
        (np.repeat([[0, 1, 2]], 30, axis=0), "should be a 1d array"),
        ([None, *Y[1:]], r"1 missing value\(s\), in the rows \[0\]"),
    ],
)
def test_what_are_no_labels_is_an_error(y, message):
    with pytest.raises(ValueError, match=message):
        tiny().fit(TEXTS, y)


def test_unknown_labels_are_named():
    pretrainer = tiny(warm_start=True).fit(TEXTS, Y)
    other = np.where(Y == "sea", "air", Y)
    for read in (
        lambda: pretrainer.score(TEXTS, other),
        lambda: pretrainer.fit(TEXTS, other),
        lambda: pretrainer.partial_fit(TEXTS, other),
        lambda: tiny().fit(TEXTS, Y, validation=(TEXTS, other)),
    ):
        with pytest.raises(ValueError, match=r"among the classes: \['air'\], .* \['farm', 'pet', "):
            read()
    with pytest.raises(ValueError, match=r"not among the classes: \[1\]"):
        pretrainer.score(TEXTS[:1], [1])


def test_streams_have_no_labels():
    class Stream:
        def __iter__(self):
            return iter(TEXTS)

    with pytest.raises(ValueError, match="A stream of texts has no labels"):
        tiny().fit(Stream(), Y)


def test_windows_have_the_label_of_their_text():
    pretrainer = tiny().fit(TEXTS, Y)
    cut = Cut.of(["x" * 70, "y"], pretrainer.preprocessor_)
    examples = pretrainer._known().examples(cut, Labels(np.array(["sea", "pet"]), np.ones(2)))
    assert examples.values.tolist() == [2, 2, 2, 1]


def test_loss_of_one_label_with_smoothing():
    logits = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 3)))
    targets = torch.tensor([0, 2, 1, 0, 2])
    smooth = np.full((5, 3), 0.3 / 3)
    smooth[np.arange(5), targets] += 0.7
    expected = -(smooth * torch.log_softmax(logits, dim=1).numpy()).sum(axis=1)
    assert_allclose(label_losses(logits, targets, 0.3), expected)


def test_loss_of_several_labels_with_smoothing():
    logits = torch.from_numpy(np.random.default_rng(0).normal(size=(4, 3)))
    has = np.array([[1.0, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]])
    smooth = np.where(has, 0.85, 0.15)
    p = 1 / (1 + np.exp(-logits.numpy()))
    expected = -(smooth * np.log(p) + (1 - smooth) * np.log(1 - p))
    assert_allclose(label_losses(logits, torch.from_numpy(has), 0.3), expected)


def test_smoothing_counts_in_training_alone():
    sharp, smooth = (tiny(label_smoothing=s, max_epochs=1, lr=1e-9).fit(TEXTS, Y) for s in (0, 0.9))
    assert sharp.history_[0]["train_loss"] != smooth.history_[0]["train_loss"]
    assert sharp.history_[0]["valid_loss"] == pytest.approx(smooth.history_[0]["valid_loss"])


def test_smoothing_keeps_the_network_unsure():
    sharp, smooth = (
        tiny(label_smoothing=s, max_epochs=60, lr=0.02, batch_size=10).fit(TEXTS, Y).score(TEXTS, Y)
        for s in (0, 0.3)
    )
    assert sharp > -0.05
    assert smooth == pytest.approx(np.log(0.7 + 0.1), abs=0.1)


def test_weight_0_leaves_a_text_out():
    kept = np.arange(30) % 3 > 0
    weighted = tiny().fit(TEXTS, Y, sample_weight=kept)
    alone = tiny().fit([text for text, k in zip(TEXTS, kept, strict=True) if k], Y[kept])
    assert weighted.tower_ == alone.tower_


def test_weight_2_is_as_a_repeated_text():
    twice = Y == "sea"
    weighted = full_batch().fit(TEXTS, Y, sample_weight=1 + twice)
    rows = [*range(30), *np.flatnonzero(twice)]
    repeated = full_batch().fit([TEXTS[row] for row in rows], Y[rows])
    assert distance(weighted.tower_, repeated.tower_) < 1e-6
    assert distance(weighted.tower_, full_batch().fit(TEXTS, Y).tower_) > 1e-3


def test_weights_are_relative():
    assert (
        full_batch().fit(TEXTS, Y, sample_weight=[7] * 30).tower_
        == full_batch().fit(TEXTS, Y).tower_
    )


@pytest.mark.parametrize("weights", [[1] * 29, [1] * 29 + [-1], [0] * 30, [[1]] * 30])
def test_what_are_no_weights_is_an_error(weights):
    with pytest.raises(ValueError, match="sample_weight, of shape"):
        tiny().fit(TEXTS, Y, sample_weight=weights)


def test_class_weights_are_as_weights_of_the_texts_with_the_class():
    by_class = full_batch(class_weight={"sea": 3}).fit(TEXTS, Y)
    by_text = full_batch().fit(TEXTS, Y, sample_weight=np.where(Y == "sea", 3, 1))
    assert by_class.tower_ == by_text.tower_


def test_balanced_is_as_in_scikit_learn():
    numbers, sample_weight = np.array([0, 0, 0, 1, 2, 2]), np.array([1.0, 1, 2, 1, 1, 3])
    found = loss_weights(Labels(numbers, np.ones(6)), np.arange(3), "balanced")
    expected = compute_class_weight("balanced", classes=np.arange(3), y=numbers)[numbers]
    assert_allclose(found, expected, rtol=1e-6)
    weighted = loss_weights(Labels(numbers, sample_weight), np.arange(3), "balanced")
    assert_allclose(np.bincount(numbers, weighted), [2, 2, 2], rtol=1e-6)


def test_balanced_and_given_weights_of_several_labels():
    has = np.array([[1, 0], [1, 1], [0, 1], [1, 1]], dtype=np.float32)
    labels = Labels(has, np.array([1.0, 1, 1, 2]))
    balanced = loss_weights(labels, np.arange(2), "balanced")
    for column in (0, 1):
        sums = np.bincount(has[:, column].astype(int), balanced[:, column])
        assert_allclose(sums, [2, 2], rtol=1e-6)
    given = loss_weights(labels, np.arange(2), {1: 3.0})
    expected = labels.weights[:, None] * np.where(has * [0, 1] > 0, 3, 1)
    assert_allclose(given, expected / expected.mean(), rtol=1e-6)


def test_class_weights_move_the_decision():
    """Of texts that are all the same, the heavier class is predicted."""
    texts, y = ["same"] * 30, ["often"] * 20 + ["seldom"] * 10

    def accuracy(class_weight):
        pretrainer = full_batch(class_weight=class_weight).set_params(max_epochs=30)
        return pretrainer.fit(texts, y, validation=(texts, y)).history_[-1]["valid_accuracy"]

    assert accuracy(None) == pytest.approx(2 / 3)
    assert accuracy({"seldom": 4}) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({7: 2}, r"names \[7\], which are not among"),
        ({"sea": 0}, r"class_weight\['sea'\]=0 must be"),
        ("equal", "class_weight='equal' must be one of"),
        ([2.0, 1.0], r"or a dict, such as \{'spam': 2.0\}; got a list"),
    ],
)
def test_what_is_no_class_weight_is_an_error(class_weight, message):
    with pytest.raises(ValueError, match=message):
        tiny(class_weight=class_weight).fit(TEXTS, Y)


def test_weights_of_classes_that_these_texts_lack_are_ignored():
    weighted = tiny(class_weight={"sea": 3, "air": 2}).fit(TEXTS, Y)
    assert weighted.tower_ == tiny(class_weight={"sea": 3}).fit(TEXTS, Y).tower_
    texts, has = several()
    with pytest.raises(ValueError, match=r"names \[3\], which are not among the classes"):
        tiny(class_weight={3: 2}).fit(texts, has)


def test_partial_fit_needs_all_classes_in_the_first_call_and_no_others_later():
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        tiny().partial_fit(TEXTS[:10], Y[:10])
    pretrainer = tiny().partial_fit(TEXTS[:10], Y[:10], classes=list(WORDS))
    assert pretrainer.classes_.tolist() == ["farm", "pet", "sea"]
    assert pretrainer.partial_fit(TEXTS, Y, sample_weight=[1] * 30).n_iter_ == 2
    with pytest.raises(ValueError, match="differ from the known"):
        pretrainer.partial_fit(TEXTS, Y, classes=["pet", "farm"])
    with pytest.raises(ValueError, match=r"names \['air'\], which are not among the classes"):
        tiny(class_weight={"air": 2}).partial_fit(TEXTS, Y, classes=list(WORDS))
    with pytest.raises(ValueError, match="needs all labels at once"):
        tiny(class_weight="balanced").partial_fit(TEXTS, Y, classes=list(WORDS))


def several():
    """Return texts of two words, and which groups the words are of."""
    rng = np.random.default_rng(0)
    names = list(WORDS)
    has = rng.integers(0, 2, (200, 3))
    words = {name: rng.choice(WORDS[name], 200) for name in names}
    texts = [
        " and ".join(["so", *(words[name][row] for name in names if has[row, names.index(name)])])
        for row in range(200)
    ]
    return texts, has


def test_several_labels_are_learned():
    texts, has = several()
    pretrainer = tiny(max_epochs=20, lr=0.02, batch_size=20)
    pretrainer.fit(texts[:150], has[:150], validation=(texts[150:], has[150:]))
    assert pretrainer.multilabel_
    assert pretrainer.classes_.tolist() == [0, 1, 2]
    most_common = np.unique(has[150:], axis=0, return_counts=True)[1].max() / 50
    assert pretrainer.history_[-1]["valid_accuracy"] > most_common + 0.5
    assert pretrainer.score(texts[150:], has[150:]) == pytest.approx(
        -pretrainer.history_[-1]["valid_loss"]
    )


@pytest.mark.parametrize("pair", [(-1, 1), (1, 2), (0, 2)])
def test_several_labels_are_told_by_0_and_1(pair):
    texts, has = several()
    with pytest.raises(ValueError, match=r"rows of the numbers \[.*pass 1 for each label"):
        tiny().fit(texts, np.where(has > 0, *pair))
    short = tiny(max_epochs=1)
    assert clone(short).fit(texts, has > 0).tower_ == short.fit(texts, has).tower_


def test_several_labels_keep_their_number():
    texts, has = several()
    pretrainer = tiny(warm_start=True).fit(texts, pd.DataFrame(has))
    for y in (has[:, :2], has[:, 0]):
        with pytest.raises(ValueError, match=r"but the first fit saw \('n', 3\)"):
            pretrainer.fit(texts, y)
    with pytest.raises(ValueError, match=r"but the first fit saw \('n',\)"):
        tiny().fit(TEXTS, Y).score(texts, has)


def test_learns_what_a_question_asks_for():
    path = Path(os.environ.get("CCLM_DATA", "../shared/data")) / "trec_questions.csv.gz"
    if not path.exists():
        pytest.skip(f"{path} is missing: set CCLM_DATA to the folder of the data sets")
    questions = pd.read_csv(path).sample(2000, random_state=0)
    texts, y = list(questions["text"]), questions["label"].to_numpy()
    base = CCLMModelBase(width=64, n_buckets=20000)
    pretrainer = ClassificationPretrainer(base, max_epochs=3, random_state=0)
    pretrainer.fit(texts[:1500], y[:1500], validation=(texts[1500:], y[1500:]))
    codes = np.unique(y, return_inverse=True)[1]
    majority = np.bincount(codes[1500:]).max() / 500
    assert pretrainer.history_[-1]["valid_accuracy"] > majority + 0.4
    constant = _constant_loss(codes[:1500], codes[1500:])
    assert -pretrainer.score(texts[1500:], y[1500:]) < constant - 0.8


def _constant_loss(y, held_out):
    """Return the loss of predicting the frequencies of the classes."""
    return -np.log(np.bincount(y) / len(y))[held_out].mean()


def test_tower_is_trained_in_a_pipeline_and_searched():
    tower = tiny(max_epochs=40, lr=0.02, batch_size=10)
    pipe = make_pipeline(
        ComposedEmbedder([("labels", tower)], fit_towers=True), LogisticRegression()
    )
    grid = {"composedembedder__labels__label_smoothing": [0.0, 0.1]}
    search = GridSearchCV(pipe, grid, cv=StratifiedKFold(2, shuffle=True, random_state=0))
    assert search.fit(TEXTS, Y).best_score_ > 0.8


@pytest.mark.parametrize("scoring", [None, "accuracy", "neg_log_loss", "roc_auc_ovr"])
def test_it_can_be_searched_by_any_score(scoring):
    """The labels are in order, so that folds must be stratified."""
    search = GridSearchCV(tiny(max_epochs=5), {"lr": [1e-9, 0.05]}, cv=3, scoring=scoring)
    assert search.fit(TEXTS, Y).best_params_ == {"lr": 0.05}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_score_is_minus_the_log_loss_without_weights_of_classes():
    pretrainer = tiny(class_weight={"sea": 9}, label_smoothing=0.1).fit(TEXTS, Y)
    weights = np.arange(30)
    for given in (None, weights):
        expected = -log_loss(Y, pretrainer.predict_proba(TEXTS), sample_weight=given)
        assert pretrainer.score(TEXTS, Y, sample_weight=given) == pytest.approx(expected, rel=1e-5)


def test_predictions_agree():
    pretrainer = tiny(max_epochs=20, lr=0.05).fit(TEXTS, Y)
    proba = pretrainer.predict_proba(TEXTS)
    assert is_classifier(pretrainer)
    assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    assert_allclose(pretrainer.predict_log_proba(TEXTS), np.log(proba), rtol=1e-3, atol=1e-5)
    assert_allclose(softmax(pretrainer.decision_function(TEXTS), axis=1), proba, rtol=1e-5)
    assert np.array_equal(pretrainer.predict(TEXTS), pretrainer.classes_[proba.argmax(axis=1)])
    assert (pretrainer.predict(TEXTS) == Y).mean() > 0.9


def test_logarithms_are_finite_where_probabilities_are_rounded_to_0():
    pretrainer = tiny().fit(TEXTS, Y)
    pretrainer.head_weights_["output.bias"] = np.array([0, 1e3, 0], dtype=np.float32)
    assert (pretrainer.predict_proba(TEXTS)[:, 0] == 0).all()
    assert_allclose(pretrainer.predict_log_proba(TEXTS)[:, 0], -1e3, rtol=0.01)
    texts, has = several()
    several_labels = tiny().fit(texts, has)
    several_labels.head_weights_["output.bias"] = np.array([-1e3, 0, 0], dtype=np.float32)
    assert_allclose(several_labels.predict_log_proba(texts)[:, 0], -1e3, rtol=0.01)
