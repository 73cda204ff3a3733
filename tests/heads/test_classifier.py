"""`ComposedClassifier`: labels of all kinds, weights, probabilities."""

import numpy as np
import pytest

from sklearn_cclm import ComposedClassifier


def head(tower, **params):
    return ComposedClassifier([("bag", tower)], **{"random_state": 0, "max_epochs": 8, **params})


def test_probabilities_and_decisions_agree(tower, data, held_out):
    model = head(tower).fit(*data)
    proba, decision = model.predict_proba(held_out[0]), model.decision_function(held_out[0])
    np.testing.assert_allclose(proba.sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(proba[:, 1], 1 / (1 + np.exp(-decision)), rtol=1e-4)
    assert np.array_equal(model.predict(held_out[0]), model.classes_[(decision > 0).astype(int)])


def test_several_labels(tower, data, held_out):
    def marks(texts):
        return np.array([["film" in t, "book" in t, any(g in t for g in ("good", "fine"))]
                         for t in texts]).astype(int)  # fmt: skip

    model = head(tower, max_epochs=25).fit(data[0], marks(data[0]))
    assert model.multilabel_
    assert model.predict(held_out[0]).shape == (len(held_out[0]), 3)
    assert model.score(held_out[0], marks(held_out[0])) > 0.9
    assert model.predict_proba(held_out[0]).max() <= 1
    probe = head(tower, linear_probe=True, freeze="towers", lr=1e-9, max_epochs=1)
    assert probe.fit(data[0], marks(data[0])).score(held_out[0], marks(held_out[0])) > 0.8


def test_three_classes_by_a_probe(tower, data):
    texts = data[0]
    things = [text.rpartition(" ")[2] for text in texts]
    probe = head(tower, linear_probe=True, freeze="towers", lr=1e-9, max_epochs=1)
    assert probe.fit(texts, things).score(texts, things) > 0.95


def test_probe_of_labels_that_every_text_has_or_none(tower, data):
    texts = data[0]
    marks = np.array([["film" in text, False, True] for text in texts])
    probe = head(tower, linear_probe=True, freeze="towers", lr=1e-9, max_epochs=1)
    proba = probe.fit(texts, marks.astype(int)).predict_proba(texts)
    assert proba[:, 1].max() < 0.05
    assert proba[:, 2].min() > 0.95


@pytest.mark.parametrize("seen", [["good"], ["bad", "good"]])
def test_probe_of_classes_that_no_text_has(tower, data, seen):
    texts, labels = zip(*[pair for pair in zip(*data, strict=True) if pair[1] in seen], strict=True)
    probe = head(tower, linear_probe=True, freeze="towers", lr=1e-9)
    probe.partial_fit(texts, labels, classes=["bad", "fair", "good"])
    assert probe.score(texts, labels) > 0.9
    assert probe.predict_proba(texts)[:, 1].max() < 0.1


def test_texts_of_no_weight_are_as_if_not_there(tower, data):
    texts, labels = data
    weights = np.arange(len(texts)) % 2
    kept = [text for text, weight in zip(texts, weights, strict=True) if weight]
    with_weights = head(tower).fit(texts, labels, sample_weight=weights)
    without = head(tower).fit(kept, labels[weights > 0])
    np.testing.assert_array_equal(with_weights.predict_proba(texts), without.predict_proba(texts))


def test_class_weights_move_the_decision(tower, data, held_out):
    texts, labels = list(data[0]), np.where(np.arange(len(data[0])) % 5, "good", "bad")
    plain = head(tower).fit(texts, labels)  # labels at random
    weighted = head(tower, class_weight={"bad": 50.0}).fit(texts, labels)
    assert (weighted.predict(held_out[0]) == "bad").mean() > 0.9
    assert (plain.predict(held_out[0]) == "bad").mean() < 0.5


def test_partial_fit_needs_the_classes(tower, data):
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        head(tower).partial_fit(*data)
    model = head(tower).partial_fit(*data, classes=["bad", "fair", "good"])
    assert model.classes_.tolist() == ["bad", "fair", "good"]


def test_smoothing_keeps_the_head_unsure(tower, data):
    sure, unsure = (
        head(tower, label_smoothing=rate, max_epochs=15).fit(*data).predict_proba(data[0]).max(1)
        for rate in (0.0, 0.4)
    )
    assert np.median(sure) > 0.95 > np.median(unsure)
