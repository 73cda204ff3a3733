"""Scores in a training: those of the estimator as it is so far, on the texts as they were given."""

import numpy as np
import pytest
import tiny
from callbacks_tools import TEXTS, Y, fit, made, towers
from sklearn.metrics import accuracy_score, make_scorer
from skorch import callbacks as sk


@pytest.mark.parametrize("cls", [sk.EpochScoring, sk.BatchScoring])
def test_scores_are_those_of_the_estimator_so_far(cls):
    scored = []

    def scorer(net, X, y):
        scored.append((list(X), list(y), list(net.predict(X))))
        return accuracy_score(y, net.predict(X))

    valid = cls(scorer, name="valid_own", lower_is_better=False)
    by_name = cls("accuracy", lower_is_better=False)
    made_by = cls(make_scorer(accuracy_score), name="valid_made", lower_is_better=False)
    fitted = fit("ComposedClassifier", valid, by_name, made_by, lr=0.02)
    last = fitted.history_[-1]
    assert last["valid_own"] == last["accuracy"] == last["valid_made"] == last["valid_accuracy"]
    X, y, predicted = map(sum, zip(*scored[-1:], strict=True), ([], [], []))
    assert dict(zip(TEXTS, Y, strict=True)).items() >= set(zip(X, y, strict=True))
    assert predicted == list(fitted.predict(X))
    assert len(X) == 12


def test_the_training_texts_can_be_scored():
    name = "ComposedClassifier"
    scoring = {"on_train": True, "lower_is_better": False}
    logs = sk.EpochScoring("neg_log_loss", name="log", **scoring)
    fitted = fit(name, sk.EpochScoring("accuracy", name="own", **scoring), logs, lr=0.02)
    held_out = fit(name, sk.EpochScoring("accuracy", name="own", lower_is_better=False), lr=0.02)
    n_right = {
        rows: share * n
        for rows, share, n in (
            ("train", fitted.history_[-1]["own"], 36),
            ("valid", held_out.history_[-1]["own"], 12),
        )
    }
    assert sum(n_right.values()) == pytest.approx((fitted.predict(TEXTS) == Y).sum())
    assert towers(fitted) == towers(held_out) == towers(fit(name, lr=0.02))


def test_entities_numbers_and_losses_are_scored_by_score():
    own = sk.EpochScoring(None, name="own", lower_is_better=False)
    kept = []
    keep = sk.EpochScoring(lambda net, X, y: kept.append((X, y)) or 0.0, name="kept")
    spans = [[(2, 5, "animal")] for _ in TEXTS]
    tagger = tiny.ComposedTagger(**tiny.TINY["ComposedTagger"]()).set_params(
        callbacks=[own, keep], max_epochs=12, validation_fraction=0.25, lr=0.05, random_state=0
    )
    tagger.fit(TEXTS, spans)
    assert 0 < tagger.history_[-1]["own"] == tagger.score(*kept[-1])
    values = sk.EpochScoring("neg_mean_absolute_error", name="own", lower_is_better=False)
    regressor = fit("ComposedRegressor", values, y=np.arange(48) * 100.0)
    assert -2400 < regressor.history_[-1]["own"] < -500
    joint = fit("MultiTaskPretrainer", own, sk.BatchScoring(lambda net, X, y: len(X), name="n"))
    last = joint.history_[-1]
    assert last["own"] == pytest.approx(-last["valid_loss"], rel=0.2)
    assert last["n"] == 12


@pytest.mark.parametrize(
    ("callback", "name", "reason"),
    [
        (sk.BatchScoring("f1", on_train=True), "ComposedClassifier", "EpochScoring"),
        (sk.EpochScoring("f1"), "MultiTaskPretrainer", "predicts nothing"),
        (sk.BatchScoring("f1"), "MaskedCharacterPretrainer", "predicts nothing"),
        (sk.Checkpoint(f_pickle="net.pkl"), "ComposedClassifier", "has no pickle"),
        (sk.TrainEndCheckpoint(f_pickle="net.pkl"), "ComposedClassifier", "has no pickle"),
    ],
)
def test_settings_that_do_not_work_are_refused(callback, name, reason):
    with pytest.raises(ValueError, match=reason):
        fit(name, callback)


@pytest.mark.parametrize(
    "callback", [sk.EpochScoring(None), sk.BatchScoring(None), sk.EarlyStopping(), sk.Checkpoint()]
)
def test_what_needs_held_out_texts_says_so(callback):
    with pytest.raises(ValueError, match=f"{type(callback).__name__} among .* raise validation"):
        fit("ClassificationPretrainer", callback, validation_fraction=0)
    with pytest.raises(ValueError, match="partial_fit holds nothing out"):
        made("MaskedCharacterPretrainer", callback).partial_fit(TEXTS)


def test_a_stream_has_no_training_score():
    class Lines:
        def __iter__(self):
            return iter(TEXTS)

    train = sk.EpochScoring(None, name="own", on_train=True)
    with pytest.raises(ValueError, match="stream"):
        made("MaskedCharacterPretrainer", train).fit(Lines())
    held_out = made("MaskedCharacterPretrainer", sk.EpochScoring(None, name="own")).fit(Lines())
    assert "own" in held_out.history_[-1]
