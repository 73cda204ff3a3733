"""Checkpoints: whatever numbers a training was given, what is written can be read back."""

from fractions import Fraction

import numpy as np
import pytest
import tiny
import torch
from sklearn.base import clone
from skorch.callbacks import Callback

from sklearn_cclm import PooledConfig
from sklearn_cclm._training.checkpoint import Checkpoint
from sklearn_cclm._training.trainer import Trainer
from sklearn_cclm.utils import all_estimators

TEXTS = [f"{noun} number {n}" for n in range(10) for noun in ("hen", "fox")]
Y = [0, 1] * 10
TRAINERS = {name: cls for name, cls in all_estimators() if issubclass(cls, Trainer)}


# Numbers where the default is none, or holds none.
MORE = {
    "base_lr": 0.002,
    "class_weight": {1: 2.0},
    "dropout": 0.1,
    "freeze": 1,
    "hidden": 4,
    "label_smoothing": 0.1,
    "matryoshka": (2, 4),
    "random_state": 0,
    "relational": 0.5,
    "tower_lr": 0.001,
    "tower": PooledConfig(width=8, hidden=8),
    "validation_fraction": 0.2,
    "weights": {"gaps": 2.0},
}


class Killed(BaseException):
    """Stands for the end of the process."""


class Kill(Callback):
    def on_epoch_end(self, net, **params):
        raise Killed


def results(estimator):
    towers = getattr(estimator, "towers_", None) or [("", estimator.tower_)]
    losses = [row["train_loss"] for row in estimator.history_]
    return [tower for _, tower in towers], losses


def with_numbers(estimator, real, integer, boolean):
    """Return an estimator whose numbers, those of its parts as well, are of these types."""
    kinds = {float: real, int: integer, bool: boolean}

    def converted(value):
        if isinstance(value, dict):
            return {key: converted(part) for key, part in value.items()}
        if isinstance(value, tuple):
            return tuple(map(converted, value))
        if isinstance(value, PooledConfig):
            return PooledConfig(**{k: converted(v) for k, v in vars(value).items()})
        return kinds.get(type(value), lambda same: same)(value)

    estimator = clone(estimator)
    more = {name: MORE[name] for name in MORE if name in estimator.get_params(deep=False)}
    if "direction" in estimator.get_params():  # sees one side alone, which a pooled tower does not
        del more["tower"]
    params = estimator.set_params(**more).get_params(deep=True).items()
    return estimator.set_params(**{name: converted(value) for name, value in params})


@pytest.mark.parametrize("real", [np.float64, np.float32])
@pytest.mark.parametrize("name", TRAINERS)
def test_numbers_of_any_kind_can_be_resumed(name, real, tmp_path):
    plain = tiny.tiny(name, TRAINERS[name])
    whole = with_numbers(plain, lambda v: float(real(v)), int, bool).fit(TEXTS, Y)
    numbers = with_numbers(plain, real, np.int64, np.bool_)
    numbers.set_params(checkpoint=tmp_path, checkpoint_every=np.int64(1))
    with pytest.raises(Killed):
        clone(numbers).set_params(callbacks=[Kill()]).fit(TEXTS, Y)
    assert [path.suffix for path in tmp_path.iterdir()] == [".pt"]
    assert results(numbers.fit(TEXTS, Y)) == results(whole)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", TRAINERS)
def test_fractions_are_refused(name):
    estimator = tiny.tiny(name, TRAINERS[name])
    numbers = [k for k, v in estimator.get_params(deep=False).items() if type(v) is float]
    assert "lr" in numbers
    for param in numbers:
        with pytest.raises(ValueError, match=f"{param}=Fraction.*not a Fraction"):
            clone(estimator).set_params(**{param: Fraction(1, 2)}).fit(TEXTS, Y)


def test_what_could_not_be_read_back_is_not_written(tmp_path):
    state = {"rate": np.float64(0.5), "betas": (np.float32(0.5), None), "w": torch.zeros(2)}
    Checkpoint(tmp_path, 1, "digest", 3).write(state)
    again = Checkpoint(tmp_path, 1, "digest", 4)
    assert again.seed == 3
    assert [type(again.state["rate"]), *map(type, again.state["betas"])] == [
        float,
        float,
        type(None),
    ]
    with pytest.raises(TypeError, match="cannot hold Fraction"):
        again.write({"rate": Fraction(1, 3)})
    assert Checkpoint(tmp_path, 1, "digest", 4).state["rate"] == 0.5


def test_a_file_that_is_no_checkpoint_is_named(tmp_path):
    checkpoint = Checkpoint(tmp_path, 1, "digest", 3)
    checkpoint.write({"w": torch.zeros(2)})
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:50])
    with pytest.raises(ValueError, match=r"-digest\.pt is no readable checkpoint: delete it"):
        Checkpoint(tmp_path, 1, "digest", 4)


def test_what_was_written_on_a_gpu_is_read_where_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:0")
    Checkpoint(tmp_path, 1, "digest", 3).write({"w": torch.ones(2)})
    found = Checkpoint(tmp_path, 1, "digest", 4).state["w"]
    assert found.device.type == "cpu"
    assert found.sum() == 2


def test_validation_by_iterators_is_told_apart_by_what_they_hold(tmp_path):
    estimator = tiny.tiny("ClassificationPretrainer", TRAINERS["ClassificationPretrainer"])
    estimator.set_params(checkpoint=tmp_path, checkpoint_every=1, random_state=0)
    stopped = clone(estimator).set_params(callbacks=[Kill()])
    for labels in (Y, Y, Y[::-1]):
        with pytest.raises(Killed):
            stopped.fit(TEXTS, Y, validation=((text for text in TEXTS), iter(labels)))
    assert len(list(tmp_path.iterdir())) == 2
    estimator.fit(TEXTS, Y, validation=(TEXTS, Y))
    assert len(list(tmp_path.iterdir())) == 1
