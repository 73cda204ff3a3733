"""What all heads share: towers go in unchanged, and come out as what the freezing allows."""

import pickle
from unittest.mock import patch

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ComposedClassifier,
    ComposedEmbedder,
    ComposedRegressor,
    ComposedTagger,
    MaskedCharacterPretrainer,
    ModelFormatError,
    PooledConfig,
    TypoNoise,
    load,
)
from sklearn_cclm.heads import _network

COMBINE = ("concat", "gated", "attention")


def head(towers, **params):
    return ComposedClassifier(
        towers, **{"max_epochs": 3, "dropout": 0.1, "random_state": 0, **params}
    )


def digests(towers):
    return [(tower.digest, tower.base.digest) for _, tower in towers]


@pytest.mark.parametrize("combine", COMBINE)
@pytest.mark.parametrize("pooling", ["native", "attention", "mean+max"])
def test_learns_with_towers_on_two_bases(towers, data, held_out, combine, pooling):
    before = digests(towers)
    model = head(towers, combine=combine, pooling=pooling, max_epochs=12, hidden=8).fit(*data)
    assert model.score(*held_out) > 0.95
    assert digests(towers) == before
    assert all(new != old for new, old in zip(digests(model.towers_), before, strict=True))


@pytest.mark.parametrize(
    ("freeze", "epochs", "tower_learns", "base_learns"),
    [
        ("none", 1, True, True),
        ("base", 2, True, False),
        ("towers", 2, False, False),
        (0, 1, True, False),
        (1, 1, False, False),
        (1, 2, True, False),
        (1, 3, True, True),
    ],
)
def test_frozen_parts_stay(towers, data, freeze, epochs, tower_learns, base_learns):
    model = head(towers, freeze=freeze, max_epochs=epochs).fit(*data)
    for (_, new), (_, old) in zip(model.towers_, towers, strict=True):
        unlike = [not np.array_equal(new.weights[name], old.weights[name]) for name in new.weights]
        assert any(unlike) == tower_learns
        assert (new.base != old.base) == base_learns
        assert (new != old) == (tower_learns or base_learns)


def test_towers_on_one_base_stay_on_one(tower, data):
    model = head([("one", tower), ("two", tower)], freeze="none").fit(*data)
    (_, one), (_, two) = model.towers_
    assert one.base == two.base != tower.base
    assert one != two  # each has learned for itself


def test_each_part_has_its_rate(tower, data):
    slow = head([("bag", tower)], tower_lr=1e-9, base_lr=1e-9).fit(*data).towers_[0][1]
    fast = head([("bag", tower)], tower_lr=1e-2, base_lr=1e-9).fit(*data).towers_[0][1]
    for name in tower.weights:
        np.testing.assert_allclose(slow.weights[name], tower.weights[name], atol=1e-6)
    assert max(np.abs(fast.weights[k] - tower.weights[k]).max() for k in tower.weights) > 1e-3
    for name, weights in tower.base.weights.items():
        np.testing.assert_allclose(fast.base.weights[name], weights, atol=1e-6)


def test_fine_tuned_towers_compose_again(towers, data, held_out):
    model = head(towers, max_epochs=12).fit(*data)
    features = model.embedder_.transform(held_out[0])
    again = ComposedEmbedder(model.towers_).fit_transform(held_out[0])
    np.testing.assert_array_equal(features, again)
    classifier = LogisticRegression().fit(model.embedder_.transform(data[0]), data[1])
    assert classifier.score(features, held_out[1]) > 0.95


def test_probe_is_a_logistic_regression_on_frozen_features(towers, data):
    """Almost no step after it, and the head says what scikit-learn's model says."""
    texts, labels = data
    model = head(towers, freeze="towers", linear_probe=True, validation_fraction=0, lr=1e-9)
    found = model.fit(texts, labels).predict_proba(texts)
    X = ComposedEmbedder(towers).fit_transform(texts)
    X = (X - X.mean(0)) / X.std(0)
    expected = LogisticRegression(C=30 / X.shape[1], max_iter=500).fit(X, labels)
    np.testing.assert_allclose(found, expected.predict_proba(X), atol=0.01)
    without = head(towers, freeze="towers", validation_fraction=0, lr=1e-9).fit(texts, labels)
    assert np.abs(without.predict_proba(texts) - found).max() > 0.1


def test_dropout_hides_in_training_alone(tower, data):
    model = head([("bag", tower)], dropout=0.5, max_epochs=1).fit(*data)
    first, second = model.predict_proba(data[0]), model.predict_proba(data[0])
    np.testing.assert_array_equal(first, second)
    other = head([("bag", tower)], dropout=0.0, max_epochs=1).fit(*data)
    assert not np.array_equal(first, other.predict_proba(data[0]))


def test_long_texts_are_read_in_windows(tower, data):
    model = head([("bag", tower)], max_epochs=10).fit(*data)
    parts = ["a good film, " * 10, "a bad film, " * 10]  # each longer than a window of 64
    ends = [text[:64] for text in parts]
    both = model.decision_function([ends[0] + ends[1]])
    np.testing.assert_allclose(both, model.decision_function(ends).mean(keepdims=True), rtol=1e-4)


def test_noise_in_training_helps_on_noisy_texts(tower, data, held_out):
    noise = TypoNoise(rate=0.3, random_state=0)
    noisy = noise.transform(held_out[0])
    params = {"max_epochs": 15, "dropout": 0.0}
    without = head([("bag", tower)], **params).fit(*data).score(noisy, held_out[1])
    with_noise = head([("bag", tower)], noise=TypoNoise(rate=0.3), **params).fit(*data)
    assert with_noise.score(noisy, held_out[1]) > without


def test_pretrainers_among_the_towers_are_trained(data):
    chars = MaskedCharacterPretrainer(tower=PooledConfig(width=8, hidden=8), max_epochs=1)
    with pytest.raises(ValueError, match="fit_towers=True"):
        head([("chars", chars)]).fit(*data)
    model = head([("chars", chars)], fit_towers=True).fit(*data)
    assert model.towers_[0][1].task == "masked_character"
    assert not hasattr(chars, "tower_")


def test_searches_reach_towers_and_mixes(towers, data):
    grid = {"combine": COMBINE, "strided": ["drop"], "freeze": ["towers"]}
    search = GridSearchCV(head(towers, max_epochs=1), grid, cv=2).fit(*data)
    assert [name for name, _ in search.best_estimator_.towers_] == ["bag"]


def test_training_goes_on(towers, data):
    whole = head(towers, max_epochs=2, lr=1e-3).fit(*data)
    warm = head(towers, max_epochs=1, warm_start=True).fit(*data)
    first = warm.history_[0]["train_loss"]
    warm.fit(*data)
    assert (warm.n_iter_, whole.n_iter_) == (2, 2)
    assert warm.history_[1]["train_loss"] < first
    part = head(towers)
    for _ in range(4):
        part.partial_fit(*data, classes=["bad", "good"])
    assert part.n_iter_ == 4
    assert part.history_[-1]["train_loss"] < part.history_[0]["train_loss"] / 2


def test_another_shape_does_not_go_on(towers, data):
    warm = head(towers, max_epochs=1, warm_start=True).fit(*data)
    before = warm.predict_proba(data[0])
    other = (
        towers[0][1].with_head({}, ()).with_module(towers[0][1].build(), warm.towers_[0][1].base)
    )
    changes = [{"hidden": 5}, {"combine": "gated"}, {"strided": "drop"}, {"bag": other}]
    for change in changes:
        changed = clone(warm).fit(*data).set_params(**change)
        with pytest.raises(ValueError, match="set them back"):
            changed.fit(*data)
    np.testing.assert_array_equal(warm.predict_proba(data[0]), before)


def test_a_head_does_not_predict_by_another_mix(tower, data):
    model = head([("bag", tower)], pooling="mean", max_epochs=1).fit(*data)
    with pytest.raises(ValueError, match="were \\['mean', 'concat', 0\\] in training"):
        model.set_params(pooling="max").predict(data[0])


def test_thawing_goes_on_over_several_fits(tower, data):
    warm = head([("bag", tower)], freeze=1, max_epochs=1, warm_start=True).fit(*data)
    assert warm.towers_[0][1] == tower
    assert warm.fit(*data).towers_[0][1] != tower
    assert warm.towers_[0][1].base == tower.base
    assert warm.fit(*data).towers_[0][1].base != tower.base
    part = head([("bag", tower)], freeze=1)
    for _ in range(2):
        part.partial_fit(*data, classes=["bad", "good"])
    assert part.towers_[0][1] != tower


class Crash(Callback):
    """Ends the training at the beginning of an epoch, once."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise RuntimeError("crash")


def test_a_crashed_training_is_resumed(towers, data, tmp_path):
    params = {"max_epochs": 3, "noise": TypoNoise(rate=0.1), "freeze": 1}
    straight = head(towers, **params).fit(*data)
    resumed = head(towers, checkpoint=tmp_path / "state", checkpoint_every=2, **params)
    with pytest.raises(RuntimeError, match="crash"):
        clone(resumed).set_params(callbacks=[Crash(3)]).fit(*data)
    resumed.fit(*data)
    assert digests(resumed.towers_) == digests(straight.towers_)
    np.testing.assert_array_equal(resumed.predict_proba(data[0]), straight.predict_proba(data[0]))


def test_a_checkpoint_is_of_its_towers(tower, other, data, tmp_path):
    """Frozen estimators look alike, whatever they hold."""
    params = {"max_epochs": 2, "checkpoint": tmp_path / "state", "checkpoint_every": 1}
    one, two = (frozen(tower), frozen(tower.with_module(tower.build(), zeroed(tower.base))))
    with pytest.raises(RuntimeError, match="crash"):
        head([("bag", one)], callbacks=[Crash(2)], **params).fit(*data)
    fresh = head([("bag", two)], max_epochs=2).fit(*data)
    again = head([("bag", two)], **params).fit(*data)
    np.testing.assert_array_equal(again.predict_proba(data[0]), fresh.predict_proba(data[0]))


def test_pretrainers_without_a_seed_take_that_of_the_head(data, tmp_path):
    chars = MaskedCharacterPretrainer(tower=PooledConfig(width=8, hidden=8), max_epochs=1)
    params = {"fit_towers": True, "freeze": "towers", "max_epochs": 3}
    straight = head([("chars", chars)], **params).fit(*data)
    params.update(checkpoint=tmp_path / "state", checkpoint_every=1)
    with pytest.raises(RuntimeError, match="crash"):
        head([("chars", chars)], callbacks=[Crash(3)], **params).fit(*data)
    resumed = head([("chars", chars)], **params).fit(*data)
    assert resumed.towers_ == straight.towers_
    np.testing.assert_array_equal(resumed.predict_proba(data[0]), straight.predict_proba(data[0]))


def zeroed(base):
    module = base.build()
    with torch.no_grad():
        for weights in module.parameters():
            weights.zero_()
    return base.with_module(module)


def frozen(tower):
    """A frozen pretrainer with a tower, without training one."""
    fitted = MaskedCharacterPretrainer(max_epochs=1)
    fitted.tower_, fitted.base_ = tower, tower.base
    return FrozenEstimator(fitted)


def test_bases_that_normalise_otherwise_are_refused(tower, data):
    chars = CharPreprocessor(max_example_len=64, normalization="NFKC")
    recipe = CCLMModelBase(chars, width=8, n_buckets=50)
    plain = MaskedCharacterPretrainer(recipe, tower="pooled", max_epochs=1).fit(data[0])
    with pytest.raises(ValueError, match="differ in normalization"):
        head([("bag", tower), ("plain", plain.tower_)]).fit(*data)


def test_early_stopping_returns_the_best(towers, data):
    model = head(towers, max_epochs=40, early_stopping=True, patience=2, lr=0.05).fit(*data)
    losses = [row["valid_loss"] for row in model.history_]
    assert np.argmin(losses) == model.n_iter_ - 1 - 2 < 39
    held_out = np.random.default_rng([model.seed_, 0, 1]).permutation(len(data[0]))[:16]
    texts, labels = [data[0][row] for row in held_out], data[1][held_out]
    assert model._loss(texts, labels) == pytest.approx(min(losses), rel=1e-4)


def test_a_loss_that_is_not_finite_stops_and_loses_nothing(towers, data):
    model = head(towers).fit(*data)
    before = model.predict_proba(data[0])
    with pytest.raises(FloatingPointError, match="Lower lr"):
        model.set_params(optimizer="sgd", lr=1e18, base_lr=1e18, tower_lr=1e18).fit(*data)
    np.testing.assert_array_equal(model.predict_proba(data[0]), before)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"freeze": "all"}, "freeze='all' must be one of"),
        ({"freeze": -1}, "freeze=-1"),
        ({"combine": "sum"}, "combine='sum' must be one of"),
        ({"pooling": "mean+mean"}, "pooling='mean\\+mean' must be"),
        ({"pooling": "cls"}, "reads the cls code, but the bases of \\['bag', 'strided'\\]"),
        ({"pooling": None}, "pooling=None must be"),
        ({"pooling": ["mean"]}, "pooling=\\['mean'\\] must be"),
        ({"hidden": -1}, "hidden=-1"),
        ({"dropout": 1.5}, "dropout=1.5"),
        ({"tower_lr": 0}, "tower_lr=0"),
    ],
)
def test_wrong_parameters_are_refused(towers, data, params, match):
    with pytest.raises(ValueError, match=match):
        head(towers, **params).fit(*data)


def test_text_transformers_are_refused(towers, data):
    with pytest.raises(TypeError, match="cannot be fine-tuned"):
        head([*towers, ("tfidf", TfidfVectorizer())]).fit(*data)


# save and load


def fitted_heads(towers, data):
    texts, labels = data
    numbers = (np.array(labels) == "good").astype(float)
    spans = [[(2, text.index(" ", 2), label)] for text, label in zip(texts, labels, strict=True)]
    yield ComposedClassifier(towers, max_epochs=1, combine="gated", noise=TypoNoise()), labels
    yield ComposedClassifier(towers, max_epochs=1, hidden=4), numbers.astype(int)
    yield ComposedRegressor(towers, max_epochs=1, pooling="attention"), numbers
    yield ComposedRegressor(towers, max_epochs=1), np.stack([numbers, -numbers], axis=1)
    yield ComposedTagger(towers, max_epochs=1, combine="attention"), spans


@pytest.mark.parametrize("number", range(5))
def test_saved_and_loaded(towers, data, held_out, tmp_path, number):
    model, y = list(fitted_heads(towers, data))[number]
    model.save(tmp_path / "unfitted")
    assert not hasattr(load(tmp_path / "unfitted"), "towers_")
    model.fit(data[0], y).save(tmp_path / "fitted")
    again = type(model).load(tmp_path / "fitted")
    assert again.towers_ == model.towers_
    expected, found = model.predict(held_out[0]), again.predict(held_out[0])
    assert list(map(str, found)) == list(map(str, expected))
    again.save(tmp_path / "again")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "fitted" / name).read_bytes()


def test_a_saved_head_keeps_what_it_began_with(tower, data, tmp_path):
    """Lest a fit of the loaded one begin with towers that have seen the labels."""
    model = head([("bag", frozen(tower))], class_weight={"bad": 2.0}).fit(*data)
    model.save(tmp_path / "head")
    again = load(tmp_path / "head")
    assert again.towers == [("bag", tower)]
    assert again.towers_ == model.towers_ != again.towers
    assert again.set_params(random_state=0, class_weight={"bad": 2.0}).fit(*data).towers_ == (
        model.towers_
    )
    chars = MaskedCharacterPretrainer(tower=PooledConfig(width=8, hidden=8), max_epochs=1)
    trained = head([("chars", chars)], fit_towers=True, max_epochs=1).fit(*data)
    with pytest.raises(TypeError, match="otherwise pass the tower_ of a fitted"):
        trained.save(tmp_path / "other")


def test_a_memory_mapped_head_predicts(tower, data, tmp_path):
    model = head([("bag", tower)], max_epochs=1).fit(*data)
    joblib.dump(model, tmp_path / "head.joblib")
    mapped = joblib.load(tmp_path / "head.joblib", mmap_mode="r")
    np.testing.assert_array_equal(mapped.predict_proba(data[0]), model.predict_proba(data[0]))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"dropout": ', '"checkpoint": "elsewhere", "dropout": '),
        ('"dropout": ', '"callbacks": [1], "dropout": '),
        ('"multilabel": false', '"multilabel": true'),
        ('"n_iter": 1', '"n_iter": {"x": 1}'),
        ('"origins": [["bag"', '"origins": [["other"'),
        ('"pooling": "native"', '"pooling": null'),
        ('"classes": ["bad", "good"]', '"classes": ["good", "bad"]'),
        ('"classes": ["bad", "good"]', '"classes": ["bad", "good", "new"]'),
        ('"classes": ["bad", "good"]', '"classes": ["bad", 1]'),
        ('"combine": "concat"', '"combine": "gated"'),
        ('"hidden": 0', '"hidden": 1000000000'),
        ('"learned": {', '"learned": null, "more": {'),
    ],
)
def test_forged_heads_are_refused(towers, data, tmp_path, old, new):
    head(towers, max_epochs=1).fit(*data).save(tmp_path / "head")
    path = tmp_path / "head" / "config.json"
    config = path.read_text()
    assert old in config
    path.write_text(config.replace(old, new))
    with pytest.raises(ModelFormatError):
        load(tmp_path / "head")


def test_network_is_built_once_for_the_same_weights(towers, data, held_out):
    model = head(towers).fit(*data)
    first = model.predict_proba(held_out[0])
    with patch.object(_network, "_assembled", side_effect=AssertionError):
        np.testing.assert_array_equal(model.predict_proba(held_out[0]), first)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(held_out[0]), first)
    model.head_weights_["head.output.bias"][:] = [5, -5]
    assert (model.predict(held_out[0]) == model.classes_[0]).all()
    model.head_weights_ = {**model.head_weights_, "head.output.bias": np.float32([-5, 5])}
    assert (model.predict(held_out[0]) == model.classes_[1]).all()
    model.fit(*data)
    np.testing.assert_array_equal(model.predict_proba(held_out[0]), first)
    model.partial_fit(*data)
    assert (model.predict_proba(held_out[0]) != first).any()
    model.set_params(pooling="max")
    with pytest.raises(ValueError, match="pooling, combine and hidden"):
        model.predict(held_out[0])
