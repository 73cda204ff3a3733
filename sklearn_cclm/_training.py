"""The training loop: skorch, held and never inherited by an estimator. Only this file has it."""

from __future__ import annotations

import copy
import math
import multiprocessing
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping, GradientNormClipping, LRScheduler
from torch import nn
from tqdm import tqdm

from sklearn_cclm._batches import Batches
from sklearn_cclm._device import check_device, resolve_device
from sklearn_cclm._params import check_bool, check_integer, check_real
from sklearn_cclm._seeds import isolated_seed
from sklearn_cclm.nn.task import TaskModule

OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "adamw": (torch.optim.AdamW, {"fused": True}),
    "adam": (torch.optim.Adam, {"fused": True}),
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
}


@dataclass(frozen=True)
class Schedule:
    """How to train: the parameters that every pretrainer has."""

    max_epochs: int
    lr: float
    optimizer: str | type[torch.optim.Optimizer]
    weight_decay: float
    warmup: float
    max_grad_norm: float
    early_stopping: bool
    patience: int
    callbacks: Sequence[Callback] | None
    device: str
    verbose: int

    def __post_init__(self) -> None:
        for name in ("max_epochs", "patience"):
            check_integer(name, getattr(self, name), 1)
        check_real("lr", self.lr, 0, math.inf, ends="neither")
        check_real("weight_decay", self.weight_decay, 0, math.inf)
        check_real("warmup", self.warmup, 0, 1)
        check_real("max_grad_norm", self.max_grad_norm, 0, math.inf, ends="neither")
        check_bool("early_stopping", self.early_stopping)
        check_integer("verbose", int(self.verbose) if self.verbose is True else self.verbose, 0)
        check_device(self.device)
        if not isinstance(self.callbacks, list | tuple | None):
            raise TypeError(f"callbacks={self.callbacks!r} must be a list of skorch callbacks.")
        optimizer = self.optimizer
        known = isinstance(optimizer, str) and optimizer in OPTIMIZERS
        cls = optimizer if isinstance(optimizer, type) else object
        if not known and not issubclass(cls, torch.optim.Optimizer):
            raise ValueError(
                f"optimizer={optimizer!r} must be one of {sorted(OPTIMIZERS)} or a subclass of "
                "torch.optim.Optimizer."
            )


def train(
    build: Callable[[], TaskModule],
    batches: Batches,
    held_out: Batches | None,
    schedule: Schedule,
    *,
    seed: int,
) -> tuple[TaskModule, list[dict[str, Any]]]:
    """Train a network and return it, on the CPU, with its history.

    Raises
    ------
    FloatingPointError
        If the loss is no longer finite.
    KeyboardInterrupt
        If the training was interrupted: a half-trained network is not returned.
    """
    net = _Net(
        build,
        criterion=nn.Identity,
        max_epochs=schedule.max_epochs,
        device=str(resolve_device(schedule.device)),
        train_split=None,
        callbacks=_callbacks(batches, held_out, schedule),
        callbacks__print_log=None,
        callbacks__valid_loss=None,
        verbose=0,
        **_optimizer(schedule),
    )
    with isolated_seed(seed):
        net.initialize()
    net.partial_fit(batches)
    if net.interrupted_ or not (net.completed_ or net.stopped_early_):
        raise KeyboardInterrupt(f"Training was interrupted in epoch {len(net.history)}.")
    if not all(bool(torch.isfinite(p).all()) for p in net.module_.parameters()):
        raise FloatingPointError("The last step left weights that are not finite. Lower lr.")
    kept = ("epoch", "train_loss", "valid_loss", "valid_accuracy", "dur")
    history = [
        {"epoch": row["epoch"], **{key: float(row[key]) for key in kept[1:] if key in row}}
        for row in net.history
    ]
    return net.module_.cpu(), history


class _Net(NeuralNet):
    """A skorch net whose data are `Batches` and whose module computes its own loss."""

    completed_ = False
    interrupted_ = False
    stopped_early_ = False

    def get_split_datasets(self, X: Batches, y: None = None, **params: Any) -> tuple:
        return X, None

    def get_iterator(self, dataset: Batches, training: bool = False) -> Batches:
        return dataset

    def fit_loop(self, *args: Any, **params: Any) -> _Net:
        super().fit_loop(*args, **params)
        self.completed_ = True
        return self

    def train_step_single(self, batch: Any, **params: Any) -> dict[str, torch.Tensor]:
        self.module_.train()
        loss = self.module_(batch.to(torch.device(self.device)))
        if not torch.isfinite(loss):
            raise FloatingPointError(
                f"The loss became {loss.item()} in epoch {len(self.history)}, after "
                f"{len(self.history[-1]['batches']) - 1} batches. Lower lr (now "
                f"{self.optimizer_.param_groups[0]['lr']:.3g}) or raise warmup."
            )
        loss.backward()
        return {"loss": loss, "y_pred": loss}

    def notify(self, method_name: str, **params: Any) -> None:
        try:
            super().notify(method_name, **params)
        except KeyboardInterrupt:  # how skorch callbacks end a training
            self.stopped_early_ = method_name == "on_epoch_end"
            raise


class _HeldOut(Callback):
    """Record loss and accuracy on the held-out batches after each epoch."""

    def __init__(self, batches: Batches) -> None:
        self.batches = batches

    def on_epoch_end(self, net: NeuralNet, **params: Any) -> None:
        try:
            found = net.module_.evaluate(self.batches, torch.device(net.device))
        except KeyboardInterrupt:  # not a callback's way to end a training
            net.interrupted_ = True
            raise
        if not math.isfinite(found["loss"]):
            raise FloatingPointError(
                f"The held-out loss became {found['loss']} in epoch {len(net.history)}. Lower lr "
                "or raise warmup."
            )
        for name, value in found.items():
            net.history.record(f"valid_{name}", value)


class _Progress(Callback):
    """A bar with loss, rate and time left on a terminal, else a line per epoch."""

    def __init__(self, n_batches: int, max_epochs: int) -> None:
        self.n_batches = n_batches
        self.max_epochs = max_epochs

    def on_train_begin(self, net: NeuralNet, **params: Any) -> None:
        total = self.n_batches * self.max_epochs
        self.bar_ = tqdm(total=total, unit="batch", disable=not sys.stderr.isatty())

    def on_batch_end(self, net: NeuralNet, training: bool = True, **params: Any) -> None:
        self.bar_.update()
        if not self.bar_.disable:
            self.bar_.set_postfix(loss=f"{net.history[-1, 'batches', -1, 'train_loss']:.3f}")

    def on_epoch_end(self, net: NeuralNet, **params: Any) -> None:
        if self.bar_.disable:
            row = net.history[-1]
            known = [k for k in ("train_loss", "valid_loss", "valid_accuracy", "dur") if k in row]
            numbers = "  ".join(f"{key} {row[key]:.4g}" for key in known)
            tqdm.write(f"epoch {row['epoch']}/{self.max_epochs}  {numbers}", file=sys.stderr)

    def on_train_end(self, net: NeuralNet, **params: Any) -> None:
        self.bar_.close()


def _callbacks(batches: Batches, held_out: Batches | None, schedule: Schedule) -> list:
    """Return the callbacks in the order in which they must be called."""
    rate = _Rate(steps=len(batches) * schedule.max_epochs, warmup=schedule.warmup)
    callbacks: list[Callback] = [
        GradientNormClipping(schedule.max_grad_norm),
        LRScheduler(torch.optim.lr_scheduler.LambdaLR, lr_lambda=rate, step_every="batch"),
    ]
    if held_out is not None:
        callbacks.append(_HeldOut(held_out))
    if schedule.verbose and multiprocessing.parent_process() is None:
        callbacks.append(_Progress(len(batches), schedule.max_epochs))
    callbacks += copy.deepcopy(list(schedule.callbacks or ()))
    if schedule.early_stopping:
        callbacks.append(EarlyStopping(patience=schedule.patience, load_best=True, sink=_silent))
    return callbacks


@dataclass(frozen=True)
class _Rate:
    """Share of the learning rate at each step: a linear rise, then a cosine down to zero."""

    steps: int
    warmup: float

    def __call__(self, step: int) -> float:
        rise = self.warmup * self.steps
        if step < rise:
            return (step + 1) / (rise + 1)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rise) / (self.steps - rise))))


def _silent(message: str) -> None:
    """Drop a message of skorch's."""


def _optimizer(schedule: Schedule) -> dict[str, Any]:
    """Return the optimizer parameters of the skorch net."""
    optimizer = schedule.optimizer
    extra: dict[str, Any] = {}
    if isinstance(optimizer, str):
        optimizer, extra = OPTIMIZERS[optimizer]
    params = {"lr": schedule.lr, "weight_decay": schedule.weight_decay, **extra}
    return {"optimizer": optimizer, **{f"optimizer__{k}": v for k, v in params.items()}}
