"""`partial_fit` of heads: the network stays between calls, and nothing shows that it does."""

import pickle
from copy import copy, deepcopy

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback

from sklearn_cclm import ComposedClassifier, ComposedRegressor, ComposedTagger
from sklearn_cclm.nn import optim
from sklearn_cclm.values import Base

TEXTS = [f"a {'good' if i % 2 else 'bad'} text, number {i}" for i in range(60)]
LABELS = [i % 2 for i in range(60)]
PARTS = [slice(start, start + 12) for start in range(0, 60, 12)]


@pytest.fixture
def head(towers):
    return ComposedClassifier(towers, batch_size=5, random_state=0)


def goes_on(head, part, **params):
    return head.set_params(**params).partial_fit(TEXTS[part], LABELS[part], classes=[0, 1])


def through_pickle(head):
    return pickle.loads(pickle.dumps(head))


def known(head):
    """Return all that a head has learned, as a hash."""
    return joblib.hash([head.towers_, head.head_weights_, head.optimizer_state_])


class Stops(Callback):
    """Raise an error after so many batches."""

    def __init__(self, error, after):
        self.error = error
        self.after = after

    def on_batch_end(self, net, training=False, **params):
        self.after -= 1
        if not self.after:
            raise self.error


@pytest.mark.parametrize(
    "params", [{}, {"freeze": "base"}, {"freeze": "towers"}, {"freeze": 1}, {"optimizer": "sgd"}]
)
def test_calls_are_the_same_as_of_a_head_that_is_pickled_between_them(head, params):
    stored = clone(head)
    for part in PARTS:
        goes_on(head, part, **params)
        stored = through_pickle(goes_on(stored, part, **params))
    assert known(head) == known(stored)
    np.testing.assert_array_equal(head.predict_proba(TEXTS), stored.predict_proba(TEXTS))
    assert [row["train_loss"] for row in head.history_] == [
        row["train_loss"] for row in stored.history_
    ]


def test_of_a_regressor_too(towers):
    head = ComposedRegressor(towers, random_state=0)
    stored = clone(head)
    for part in PARTS:
        head.partial_fit(TEXTS[part], LABELS[part])
        stored = through_pickle(stored.partial_fit(TEXTS[part], LABELS[part]))
    assert known(head) == known(stored)


@pytest.mark.parametrize(
    "params",
    [
        {"lr": 0.05, "base_lr": None},
        {"dropout": 0.0},
        {"freeze": "towers"},
        {"label_smoothing": 0.2},
        {"optimizer": "sgd"},
        {"batch_size": 3},
    ],
)
def test_parameters_may_change_between_calls(head, params):
    goes_on(head, PARTS[0])
    stored = through_pickle(head)
    for part in PARTS[1:3]:
        goes_on(head, part, **params)
        goes_on(stored, part, **params)
        stored = through_pickle(stored)
    assert known(head) == known(stored)


@pytest.mark.parametrize("error", [ValueError("of a callback"), KeyboardInterrupt()])
@pytest.mark.parametrize("after", [1, 3])
def test_a_failed_call_leaves_what_was_known(head, error, after):
    for part in PARTS[:2]:
        goes_on(head, part)
    untouched = through_pickle(head)
    goes_on(head, PARTS[2])  # the network is ahead of the values
    goes_on(untouched, PARTS[2])
    expected, said = known(through_pickle(untouched)), untouched.predict_proba(TEXTS)
    with pytest.raises(type(error)):
        goes_on(head, PARTS[3], callbacks=[Stops(error, after)])
    np.testing.assert_array_equal(head.predict_proba(TEXTS), said)
    assert len(head.history_) == 3
    check_same_moments(head, untouched)
    assert joblib.hash(head.towers_) == joblib.hash(untouched.towers_)
    goes_on(head, PARTS[3], callbacks=None)
    goes_on(untouched, PARTS[3])
    assert head.towers_ == untouched.towers_
    assert joblib.hash(head.head_weights_) == joblib.hash(untouched.head_weights_)
    assert expected != known(head)


def check_same_moments(head, other):
    """Compare two heads' moments, whose rows may have been read in another order."""
    found, expected = (each.optimizer_state_["state"] for each in (head, other))
    assert found.keys() == expected.keys()
    for name in found:
        one, another = in_place(found[name]), in_place(expected[name])
        assert one.keys() == another.keys()
        for key in one:
            np.testing.assert_array_equal(one[key], another[key], err_msg=f"{name} {key}")


def in_place(values):
    """Return the state of a parameter, with moments of all rows."""
    if "slots" not in values:
        return values
    read = (values["slots"] >= 0)[:, None]
    moments = {name: values[name][values["slots"]] * read for name in ("exp_avg", "exp_avg_sq")}
    return {"step": values["step"], **moments}


def test_a_loss_that_is_not_finite_leaves_what_was_known(head):
    goes_on(goes_on(head, PARTS[0]), PARTS[1])
    said = head.predict_proba(TEXTS)
    with pytest.raises(FloatingPointError):
        goes_on(head, PARTS[2], lr=1e30, tower_lr=1e30, base_lr=1e30)
    np.testing.assert_array_equal(head.predict_proba(TEXTS), said)
    np.testing.assert_array_equal(through_pickle(head).predict_proba(TEXTS), said)


def test_values_are_made_once_they_are_asked_for(head, monkeypatch):
    made = []
    make = Base.with_changes
    monkeypatch.setattr(Base, "with_changes", lambda *args: made.append(1) or make(*args))
    for part in PARTS:
        goes_on(head, part).predict(TEXTS)
    assert not made
    first = head.towers_
    assert head.towers_ is first
    assert made == [1, 1]  # two bases
    assert goes_on(head, PARTS[0]).towers_ != first
    assert made == [1] * 4


@pytest.mark.parametrize("copied", [copy, deepcopy, through_pickle])
def test_copies_go_their_own_ways(head, copied):
    goes_on(head, PARTS[0])
    other = copied(head)
    before = known(head)
    goes_on(other, PARTS[1])
    assert known(head) == before
    assert known(goes_on(head, PARTS[1])) == known(other)
    assert not hasattr(clone(head), "towers_")


def test_fit_begins_anew_and_warm_start_goes_on(head):
    fresh = clone(head).set_params(max_epochs=2).fit(TEXTS, LABELS)
    goes_on(head, PARTS[0])
    warm = through_pickle(head).set_params(warm_start=True, max_epochs=2)
    assert head.set_params(max_epochs=2).fit(TEXTS, LABELS).towers_ == fresh.towers_
    assert not hasattr(head, "optimizer_state_")
    live = goes_on(clone(head), PARTS[0]).set_params(warm_start=True, max_epochs=2)
    assert live.fit(TEXTS, LABELS).towers_ == warm.fit(TEXTS, LABELS).towers_ != fresh.towers_


def test_a_fit_that_fails_leaves_what_was_known(head):
    goes_on(head, PARTS[0])
    before = known(through_pickle(head))
    with pytest.raises(ValueError, match="y has 1 class"):
        head.fit(TEXTS, [0] * 60)
    assert known(head) == before


def test_there_are_moments_of_the_rows_that_were_read(head):
    base = head.towers[0][1].base
    rows = set()
    for part in PARTS[:2]:
        goes_on(head, part)
        codes = base.preprocessor().transform(TEXTS[part])
        rows |= set(base.build()(torch.from_numpy(codes)).rows.unique().tolist())
    state = head.optimizer_state_["state"]["base.0.table.weight"]
    assert len(state["exp_avg"]) == state["n_read"] == len(rows - {0})
    assert set(np.flatnonzero(state["slots"] >= 0).tolist()) == rows - {0}


def test_new_labels_of_a_tagger_begin_with_a_new_network(towers):
    head = ComposedTagger(towers, random_state=0)
    stored = clone(head)
    labels = [["O", "O"], ["O", "O"], ["B-quality", "O"], ["O", "B-thing"], ["O", "O"]]
    for tags in labels:
        head.partial_fit([["good", "film"]] * 3, [tags] * 3)
        stored = through_pickle(stored.partial_fit([["good", "film"]] * 3, [tags] * 3))
    assert known(head) == known(stored)
    before = known(head)
    head.partial_fit([["good", "film"]], [labels[0]])
    ahead = known(through_pickle(head))
    head.set_params(callbacks=[Stops(ValueError("of a callback"), 1)])
    with pytest.raises(ValueError, match="of a callback"):
        head.partial_fit([["good", "film"]], [["B-other", "O"]])
    assert head.labels_ == ("quality", "thing")
    assert known(head) == ahead != before


def test_between_calls_a_table_of_bytes_is_kept_with_what_has_changed(tower):
    head = ComposedClassifier([("bag", tower.astype("int8"))], random_state=0)
    stored = clone(head)
    for part in (slice(0, 2), slice(2, 4)):
        goes_on(head, part)
        stored = through_pickle(goes_on(stored, part))
    ((_, trained),) = stored.towers_
    kept = trained.base.weights.kept["table.weight"]
    state = head.optimizer_state_["state"]["base.0.table.weight"]
    assert set(kept.numbers.tolist()) == set(np.flatnonzero(state["slots"] >= 0).tolist())
    assert known(head) == known(stored)
    whole = stored.fit(TEXTS, LABELS).towers_[0][1].base.weights.kept["table.weight"]
    assert isinstance(whole, np.ndarray)


@pytest.mark.parametrize("at_hand", [0, 20])
def test_a_failed_call_leaves_what_was_known_of_more_rows_than_there_is_room_for(
    head, at_hand, monkeypatch
):
    monkeypatch.setattr(optim, "_AT_HAND", at_hand)
    test_a_failed_call_leaves_what_was_known(head, ValueError("of a callback"), 3)
