"""A text counts by its weight, however it is cut, in training and in what is held out."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_array
from sklearn.metrics import accuracy_score, log_loss, mean_absolute_error, mean_squared_error

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ClassificationPretrainer,
    ComposedClassifier,
    ComposedRegressor,
    ContrastivePretrainer,
    DistillationPretrainer,
    MaskedCharacterPretrainer,
    PooledConfig,
)
from sklearn_cclm._targets.labels import Labels
from sklearn_cclm._training.cut import Cut
from sklearn_cclm._training.hold_out import hold_out, kinds_of
from sklearn_cclm._training.label_task import LabelTask
from sklearn_cclm._training.value_task import ValueTask

SIZE = 32
SHORT = "sorted for delivery at the depot"
LONG = SHORT * 6
WORDS = ["card", "order", "parcel", "refund"]
TEXTS = [f"{start} {word}" for start in ("my", "the", "a", "one", "her") for word in WORDS * 2]
Y = np.array(WORDS * 10)
NUMBERS = np.array([0.0, 1, 2, 5] * 10)


def base():
    return CCLMModelBase(CharPreprocessor(max_example_len=SIZE), width=8, n_buckets=200)


@pytest.fixture(scope="module")
def towers():
    chars = MaskedCharacterPretrainer(
        base(), tower=PooledConfig(width=8, hidden=8), max_epochs=1, random_state=0
    )
    return [("chars", chars.fit([*TEXTS, SHORT]).tower_)]


def on(towers, cls, **params):
    return cls(towers, **{"freeze": "towers", "random_state": 0, "dropout": 0.0, **params})


def cut(texts):
    return Cut.of(texts, CharPreprocessor(max_example_len=SIZE).fit(texts))


def test_windows_share_the_weight_of_their_text_by_their_lengths():
    pieces = cut(["x" * 80, "y", ""])
    shared = pieces.shared(np.array([3.0, 2.0, 1.0]))
    by_text = np.bincount(pieces.owners, shared)
    assert_allclose(by_text / by_text.sum(), [1 / 2, 1 / 3, 1 / 6], rtol=1e-6)
    assert_allclose(shared[:3] / shared[0], [1, 1, 0.5])
    assert shared.mean() == pytest.approx(2)
    assert pieces.shared(np.ones((3, 2))).shape == (5, 2)


def test_weights_of_whole_texts_are_as_they_are():
    weights = np.random.default_rng(0).random(4)
    assert np.array_equal(cut(list("abcd")).shared(weights), weights.astype(np.float32))


def test_no_weight_vanishes():
    assert cut(["a", "b" * 80]).shared(np.array([1e-60, 1.0])).min() > 0


def per_text(examples, owners):
    return np.bincount(owners, examples.weights)


def test_tasks_in_which_windows_have_the_target_of_their_text():
    pieces = cut([LONG, SHORT, "x"])
    ones = np.ones(3)
    labels = LabelTask(classes=np.array(["a", "b"]), multilabel=False)
    values = ValueTask(mean=np.zeros(1), scale=np.ones(1), one_target=True)
    distilled = replace(DistillationPretrainer()._task(), teacher_width=2)
    paired = ContrastivePretrainer(pairs=True)._task()
    for task, y in (
        (labels, Labels(np.array(["a", "b", "a"]), ones)),
        (values, Labels(np.arange(3.0), ones)),
        (distilled, np.ones((3, 2), dtype=np.float32)),
        (paired, ["u", "v", "w"]),
    ):
        counts = per_text(task.examples(pieces, y), pieces.owners)
        assert_allclose(counts / counts.sum(), 1 / 3, rtol=1e-6)


def test_balanced_weights_count_texts_not_windows():
    pieces = cut([LONG, "x", "y"])
    task = LabelTask("balanced", classes=np.array(["a", "b"]), multilabel=False)
    examples = task.examples(pieces, Labels(np.array(["a", "b", "b"]), np.ones(3)))
    by_class = np.bincount(examples.values, examples.weights)
    assert by_class[0] == pytest.approx(by_class[1])


@pytest.mark.parametrize("probe", [False, True])
def test_long_texts_count_no_more_than_short_ones(towers, probe):
    X = [LONG] * 10 + [SHORT] * 10
    how = {"max_epochs": 20, "lr": 0.02, "validation_fraction": 0, "linear_probe": probe}
    labels = on(towers, ComposedClassifier, **how).fit(X, ["late"] * 10 + ["lost"] * 10)
    numbers = on(towers, ComposedRegressor, **how).fit(X, [10.0] * 10 + [0.0] * 10)
    for text in (SHORT, LONG):
        assert labels.predict_proba([text])[0] == pytest.approx([0.5, 0.5], abs=0.05)
        assert numbers.predict([text])[0] == pytest.approx(5, abs=0.5)


@pytest.mark.parametrize("combine", ["concat", "attention"])
def test_features_are_standardised_by_texts(towers, combine):
    words = "card " * 30
    params = {"max_epochs": 1, "lr": 1e-9, "combine": combine}
    texts = [words, *TEXTS[:8]]
    cut_up, whole = (
        on(towers, ComposedClassifier, **params).fit([text, *texts], [*"ab" * 5]).head_weights_
        for text in (SHORT * 8, SHORT)
    )
    for name in ("trunk.mix.shift", "trunk.mix.scale"):
        assert_allclose(cut_up[name], whole[name], rtol=1e-3, atol=1e-4)


def trained(cls, towers, X, y, weights, validation=None, **params):
    how = {"max_epochs": 4, "lr": 0.01, "random_state": 0, **params}
    if cls is ClassificationPretrainer:
        model = cls(base(), tower=PooledConfig(width=8, hidden=8), **how)
    else:
        model = on(towers, cls, **how)
    return model.fit(X, y, sample_weight=weights, validation=validation)


TARGETS = {ComposedClassifier: Y, ComposedRegressor: NUMBERS, ClassificationPretrainer: Y}


@pytest.mark.parametrize("cls", TARGETS)
def test_texts_of_next_to_no_weight_do_not_raise_the_held_out_loss(towers, cls):
    """Half of the texts are wrong, and some of those are held out."""
    X, y = TEXTS + TEXTS, np.concatenate([TARGETS[cls], TARGETS[cls][::-1]])
    how = {"max_epochs": 40, "lr": 0.05, "batch_size": 20, "validation_fraction": 0.3}
    without, hardly = (
        trained(cls, towers, X, y, np.repeat([1.0, weight], 40), **how).history_[-1]
        for weight in (0.0, 1e-9)
    )
    assert hardly["train_loss"] == pytest.approx(without["train_loss"], abs=0.15)
    assert hardly["valid_loss"] < without["valid_loss"] + 0.1


def weights_of(truth, class_weight):
    if class_weight == "balanced":
        return 1 / np.array([(truth == label).sum() for label in truth])
    return np.array([(class_weight or {}).get(label, 1.0) for label in truth])


@pytest.mark.parametrize("class_weight", [None, {"card": 7.0, "refund": 0.5}, "balanced"])
@pytest.mark.parametrize("cls", [ComposedClassifier, ClassificationPretrainer])
def test_loss_of_given_texts_knows_the_weights_of_classes(towers, cls, class_weight):
    others, truth = TEXTS[:11], Y[:11]
    model = trained(
        cls, towers, TEXTS, Y, None, class_weight=class_weight, validation=(others, truth)
    )
    proba, row = model.predict_proba(others), model.history_[-1]
    expected = log_loss(
        truth, proba, sample_weight=weights_of(truth, class_weight), labels=model.classes_
    )
    assert row["valid_loss"] == pytest.approx(expected, rel=1e-4)
    assert row["valid_accuracy"] == pytest.approx(accuracy_score(truth, model.predict(others)))


@pytest.mark.parametrize("cls", TARGETS)
def test_held_out_texts_count_by_their_weights(towers, cls):
    weights = np.random.default_rng(0).random(40) ** 4
    y = TARGETS[cls]
    model = trained(cls, towers, TEXTS, y, weights, validation_fraction=0.3)
    kinds = None if cls is ComposedRegressor else kinds_of(np.arange(40), y)
    rows = hold_out(40, kinds, 0.3, model.seed_)
    others, truth, row = [TEXTS[i] for i in rows], y[rows], model.history_[-1]
    by = {"sample_weight": weights[rows]}
    if cls is ComposedRegressor:
        found = (model.predict(others) - model.mean_) / model.scale_
        truth = (truth - model.mean_) / model.scale_
        expected = mean_squared_error(truth, found, **by), mean_absolute_error(truth, found, **by)
    else:
        loss = log_loss(truth, model.predict_proba(others), labels=model.classes_, **by)
        expected = loss, accuracy_score(truth, model.predict(others), **by)
    found = row["valid_loss"], row.get("valid_accuracy", row.get("valid_absolute_error"))
    assert found == pytest.approx(expected, rel=1e-4)


def test_held_out_loss_of_several_labels_is_weighed(towers):
    has = np.stack([Y == "card", Y != "order"], axis=1).astype(int)
    weights = np.arange(1, 41)
    model = trained(
        ComposedClassifier,
        towers,
        TEXTS,
        has,
        weights,
        class_weight={0: 5.0},
        validation_fraction=0.3,
    )
    rows = hold_out(40, csr_array(np.hstack([has > 0, has == 0])), 0.3, model.seed_)
    others, truth = [TEXTS[i] for i in rows], has[rows]
    proba = model.predict_proba(others)
    losses = -np.log(np.where(truth, proba, 1 - proba))
    counts = weights[rows][:, None] * np.where(truth * [1, 0], 5.0, 1.0)
    row = model.history_[-1]
    assert row["valid_loss"] == pytest.approx(np.average(losses, weights=counts), rel=1e-4)
    right = (model.predict(others) == truth).all(axis=1)
    assert row["valid_accuracy"] == pytest.approx(np.average(right, weights=weights[rows]))


def test_pretrainers_among_the_towers_know_the_weights(towers):
    tower = ClassificationPretrainer(base(), tower=PooledConfig(width=8, hidden=8), max_epochs=1)
    weights = np.arange(1, 41)
    head = trained(
        ComposedClassifier, [("own", tower)], TEXTS, Y, weights, fit_towers=True, max_epochs=1
    )
    alone = tower.set_params(random_state=head.seed_).fit(TEXTS, Y, sample_weight=weights)
    assert head.towers_[0][1] == alone.tower_


@pytest.mark.parametrize("cls", [ComposedClassifier, ClassificationPretrainer])
def test_rare_classes_are_learned(towers, cls):
    texts = [f"{word} {word}" for word in "card order parcel refund login hotel".split()]
    model = trained(cls, towers, texts, texts, None, max_epochs=60, lr=0.05)
    assert model.predict(texts).tolist() == texts
    assert "valid_loss" not in model.history_[-1]
    with pytest.raises(ValueError, match="Raise validation_fraction, pass more texts"):
        trained(cls, towers, texts, texts, None, early_stopping=True)
