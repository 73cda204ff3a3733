"""skorch's callbacks: each does in a training what it does in skorch, or is refused by name."""

import sys
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest
import skorch.callbacks
import torch
from callbacks_tools import NAMES, TEXTS, Y, fit, made, towers
from sklearn.base import clone
from skorch import callbacks as sk
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau, StepLR


class Watch(sk.Callback):
    """Call a function at the end of each epoch, or of each batch, and keep what it returns."""

    def __init__(self, see, when="on_epoch_end"):
        self.see = see
        self.seen = []
        setattr(self, when, lambda net, **params: self.seen.append(see(net)))


def rates(net):
    return net.optimizer_.param_groups[0]["lr"]


def row(net):
    return {k: v for k, v in net.history[-1].items() if k != "batches"}


class Neptune(dict):
    """Stands for a run of Neptune's: what is logged under which name."""

    def __missing__(self, name):
        self[name] = Neptune()
        return self[name]

    def append(self, value):
        self.setdefault("values", []).append(value)


def of_neptune(run):
    return sk.NeptuneLogger(run, close_after_train=False, log_on_batch_end=True)


# Of each callback one that can be seen to work, by name; refused ones have the words that say why.
REFUSED = {
    "GradientNormClipping": (lambda: sk.GradientNormClipping(1.0), "max_grad_norm"),
    "InputShapeSetter": (sk.InputShapeSetter, "`base` and `tower`"),
    "WarmRestartLR": (lambda: sk.WarmRestartLR, r"LRScheduler\(policy=\.\.\.\)"),
}
WORKS = {
    "BatchScoring": lambda folder: sk.BatchScoring(None, name="valid_own", lower_is_better=False),
    "Callback": lambda folder: sk.Callback(),
    "Checkpoint": lambda folder: sk.Checkpoint(dirname=str(folder)),
    "EarlyStopping": lambda folder: sk.EarlyStopping(patience=1, threshold=0.9),
    "EpochScoring": lambda folder: sk.EpochScoring(None, name="valid_own", lower_is_better=False),
    "EpochTimer": lambda folder: sk.EpochTimer(),
    "Freezer": lambda folder: sk.Freezer("*weight*"),
    "Initializer": lambda folder: sk.Initializer("*bias", fn=torch.nn.init.ones_),
    "LRScheduler": lambda folder: sk.LRScheduler(StepLR, step_size=1, gamma=0.5),
    "LoadInitState": lambda folder: sk.LoadInitState(sk.Checkpoint(dirname=str(folder))),
    "MlflowLogger": lambda folder: sk.MlflowLogger(MagicMock(), MagicMock()),
    "NeptuneLogger": lambda folder: of_neptune(Neptune()),
    "ParamMapper": lambda folder: sk.ParamMapper("*bias", fn=torch.nn.init.ones_, at=2),
    "PassthroughScoring": lambda folder: sk.PassthroughScoring("twice", on_train=True),
    "PrintLog": lambda folder: sk.PrintLog(),
    "ProgressBar": lambda folder: sk.ProgressBar(),
    "SacredLogger": lambda folder: sk.SacredLogger(MagicMock(), log_on_batch_end=True),
    "TensorBoard": lambda folder: sk.TensorBoard(MagicMock()),
    "TrainEndCheckpoint": lambda folder: sk.TrainEndCheckpoint(dirname=str(folder)),
    "Unfreezer": lambda folder: sk.Unfreezer("*", at=2),
    "WandbLogger": lambda folder: sk.WandbLogger(MagicMock(dir=str(folder))),
}


def test_every_public_callback_of_skorch_is_known_here():
    assert sorted([*WORKS, *REFUSED]) == sorted(skorch.callbacks.__all__)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("callback", REFUSED)
def test_what_does_not_work_is_refused_with_the_reason(callback, name):
    make, reason = REFUSED[callback]
    for given in (make(), ("named", make()), getattr(sk, callback)):
        with pytest.raises((ValueError, TypeError), match=f"{callback} among .*{reason}"):
            fit(name, given)


def test_a_subclass_that_overrides_what_does_not_work_is_taken():
    class Norms(sk.GradientNormClipping):
        def on_grad_computed(self, net, named_parameters, **params):
            net.history.record_batch("norm", 1.0)

    class Shapes(sk.GradientNormClipping):
        pass

    fit("ClassificationPretrainer", Norms(), max_epochs=1)
    with pytest.raises(ValueError, match="Shapes among callbacks"):
        fit("ClassificationPretrainer", Shapes())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("callback", WORKS)
def test_callbacks_run_in_every_kind_of_training(callback, name, tmp_path, monkeypatch, capsys):
    types = SimpleNamespace(File=MagicMock())
    monkeypatch.setitem(sys.modules, "neptune", SimpleNamespace(types=types))
    monkeypatch.setitem(sys.modules, "neptune.types", types)
    given = WORKS[callback](tmp_path)
    before = dict(vars(given))
    history = Watch(row)
    fitted = fit(name, ("named", given), history)
    assert vars(given) == before
    assert 1 < fitted.n_iter_ <= 3
    seen = SEEN.get(callback, lambda *_: True)(given, fitted, history.seen, tmp_path, capsys)
    assert seen


def batches(history):
    return sum(epoch["train_batch_count"] for epoch in history)


SEEN = {
    "BatchScoring": lambda cb, fitted, rows, *_: all("valid_own" in r for r in fitted.history_),
    "Checkpoint": lambda cb, fitted, rows, folder, _: (
        {p.name for p in folder.iterdir()}
        == {"params.pt", "optimizer.pt", "criterion.pt", "history.json"}
    ),
    "EarlyStopping": lambda cb, fitted, *_: fitted.n_iter_ == 2,
    "EpochScoring": lambda cb, fitted, rows, *_: all(
        r["valid_own"] == pytest.approx(-r["valid_loss"], abs=0.2) or r["valid_own"] <= 1
        for r in fitted.history_
    ),
    "LRScheduler": lambda cb, fitted, rows, *_: np.allclose(
        np.array([r["event_lr"] for r in rows]) / rows[0]["event_lr"], [1, 0.5, 0.25]
    ),
    "MlflowLogger": lambda cb, fitted, rows, *_: (
        cb.client.log_artifact.call_count == 4
        and {c.args[1] for c in cb.client.log_metric.call_args_list} > {"train_loss", "valid_loss"}
    ),
    "NeptuneLogger": lambda cb, fitted, rows, *_: (
        len(cb.run["training"]["validation"]["epoch"]["loss"]["values"]) == 3
    ),
    "PrintLog": lambda cb, fitted, rows, _, capsys: "valid_loss" in capsys.readouterr().out,
    "ProgressBar": lambda cb, fitted, rows, _, capsys: (
        f"/{rows[0]['train_batch_count']} " in capsys.readouterr().err
    ),
    "SacredLogger": lambda cb, fitted, rows, *_: (
        cb.experiment.log_scalar.call_count > 2 * batches(rows)
    ),
    "TensorBoard": lambda cb, fitted, rows, *_: (
        {c.kwargs["tag"] for c in cb.writer.add_scalar.call_args_list}
        > {"Loss/train_loss", "Loss/valid_loss", "dur"}
    ),
    "TrainEndCheckpoint": lambda cb, fitted, rows, folder, _: (
        folder / "train_end_params.pt"
    ).exists(),
    "WandbLogger": lambda cb, fitted, rows, folder, _: (
        (folder / "best_model.pth").exists() and cb.wandb_run.log.call_count == 3
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_scheduler_sets_the_rate_alone(name):
    zero = sk.LRScheduler(LambdaLR, lr_lambda=lambda epoch: 0.0)
    watch = Watch(rates, "on_batch_end")
    fit(name, zero, watch, lr=0.1)
    assert set(watch.seen) == {0.0}
    plateau = sk.LRScheduler(ReduceLROnPlateau, monitor="valid_loss", patience=0, threshold=9)
    watch = Watch(rates)
    fit(name, plateau, watch, lr=0.1)
    assert watch.seen[1] == pytest.approx(watch.seen[0] / 10)
    step = sk.LRScheduler(StepLR, step_size=1, gamma=0.5, step_every="batch")
    watch = Watch(rates, "on_batch_end")
    fit(name, step, watch)
    assert np.allclose(np.divide(watch.seen[1:], watch.seen[:-1]), 0.5)


def values(net):
    return {n: p.detach().clone() for n, p in net.module_.named_parameters()}


def same(one, other, part):
    names = [name for name in one if name.startswith(part)]
    assert names
    return all(torch.equal(one[name], other[name]) for name in names)


@pytest.mark.parametrize("params", [{}, {"freeze": 1, "max_epochs": 4}])
def test_what_is_frozen_stays_so_until_it_is_thawed(params):
    watch = Watch(values)
    fit("ComposedClassifier", sk.Freezer(["base*", "tower*"], at=len(params) + 1), watch, **params)
    *_, one, other = watch.seen
    assert same(one, other, "base")
    assert same(one, other, "tower") or params
    assert not same(one, other, "head")
    watch = Watch(values)
    fit("ComposedClassifier", sk.Freezer("base*"), sk.Unfreezer("base*", at=3), watch)
    assert same(watch.seen[0], watch.seen[1], "base")
    assert not same(watch.seen[1], watch.seen[2], "base")


def test_towers_that_a_callback_thaws_are_kept_as_they_were_trained():
    watch = Watch(lambda net: list(net.estimator.predict_proba(TEXTS).ravel()))
    head = fit("ComposedClassifier", sk.Unfreezer("*", at=2), watch, freeze="towers", tower_lr=0.1)
    assert [tower.digest for tower in towers(head)] != list(head.origins_.values())
    assert list(head.predict_proba(TEXTS).ravel()) == watch.seen[-1]
    frozen = fit("ComposedClassifier", freeze="towers")
    assert [tower.digest for tower in towers(frozen)] == list(frozen.origins_.values())


@pytest.mark.parametrize("name", [NAMES[0], NAMES[2]])
def test_a_trained_base_cannot_be_thawed(name):
    base = fit(name, max_epochs=1).base_
    with pytest.raises(ValueError, match="has thawed the base"):
        fit(name, sk.Unfreezer("base*"), base=base)
    assert fit(name, base=base).base_ is base


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_mapped(name):
    watch = Watch(lambda net: [p.min().item() for n, p in net.module_.named_parameters()])
    fit(name, sk.ParamMapper("*", fn=lambda p: torch.nn.init.constant_(p, 3), at=3), watch, lr=1e-9)
    assert np.allclose(watch.seen[2], 3, atol=0.01)
    assert not np.allclose(watch.seen[1], 3, atol=0.01)


@pytest.mark.parametrize("given", [3, "disable", [3], [("name", 3)], [object], [("name",)]])
def test_what_is_no_callback_is_refused(given):
    with pytest.raises(TypeError, match="skorch callback"):
        made("ClassificationPretrainer").set_params(callbacks=given).fit(TEXTS, Y)


def test_classes_are_taken_as_skorch_takes_them(capsys):
    fit("ClassificationPretrainer", sk.PrintLog, ("stop", sk.EarlyStopping))
    assert "valid_loss" in capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cls", [sk.Checkpoint, sk.TrainEndCheckpoint])
def test_a_saved_state_is_gone_on_with(cls, name, tmp_path):
    saved = cls(dirname=str(tmp_path))
    first = fit(name, saved, sk.LoadInitState(saved), lr=0.01)
    again = fit(name, saved, sk.LoadInitState(saved), lr=0.01)
    assert again.n_iter_ == 2 * first.n_iter_ == 6
    assert again.history_[3]["train_loss"] < again.history_[0]["train_loss"]


@pytest.mark.parametrize("cls", [sk.Checkpoint, sk.EarlyStopping])
def test_the_best_weights_are_loaded(cls, tmp_path):
    params = {"dirname": str(tmp_path)} if cls is sk.Checkpoint else {"sink": print}
    rises = sk.LRScheduler(LambdaLR, lr_lambda=lambda epoch: 1000.0 * epoch + 1)
    watch = Watch(lambda net: net.history[-1, "valid_loss"])
    name = "ClassificationPretrainer"
    fitted = fit(name, rises, cls(load_best=True, **params), watch)
    assert np.argmin(watch.seen) < 2
    assert towers(fitted) == towers(fit(name, rises, early_stopping=True, patience=9))


class Killed(BaseException):
    """Stands for the end of the process."""


class Kill(sk.Callback):
    def on_batch_end(self, net, **params):
        if net.step_ == 5:
            raise Killed


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "callback",
    [
        sk.LRScheduler(StepLR, step_size=1, gamma=0.5),
        sk.LRScheduler(LambdaLR, lr_lambda=lambda epoch: np.float64(0.5) ** epoch),
        sk.LRScheduler(sk.WarmRestartLR, base_period=2, step_every="batch"),
        sk.Freezer("*bias"),
        sk.EarlyStopping(patience=2, threshold=0.9, load_best=True, sink=len),
    ],
)
def test_a_training_with_callbacks_goes_on_to_the_same_weights(callback, name, tmp_path):
    params = {"max_epochs": 4, "lr": 0.01}
    whole = fit(name, callback, **params)
    params |= {"checkpoint": tmp_path, "checkpoint_every": 1}
    with pytest.raises(Killed):
        fit(name, callback, Kill(), **params)
    again = clone(made(name, **params)).set_params(callbacks=[callback]).fit(TEXTS, Y)
    assert towers(again) == towers(whole)
    assert again.n_iter_ == whole.n_iter_
