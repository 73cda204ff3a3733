"""The training loop: skorch, held and never inherited by an estimator."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from numbers import Real
from operator import attrgetter
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping
from torch import nn

from sklearn_cclm._tools.device import resolve_device
from sklearn_cclm._tools.progress import is_shown, progress_bar, show_line
from sklearn_cclm._training.batches import AlternatingBatches, Batches
from sklearn_cclm._training.callbacks import check_data, copied, give_back, kept, sets_rate
from sklearn_cclm._training.checkpoint import Checkpoint
from sklearn_cclm._training.distributed import average, check_alike, gathered, place
from sklearn_cclm._training.epoch_tasks import EpochTasks
from sklearn_cclm._training.schedule import Schedule
from sklearn_cclm._training.scored import Scored, ScoredNet
from sklearn_cclm.nn.embedding import NgramBase
from sklearn_cclm.nn.optim import LazyAdamW, clip_gradients
from sklearn_cclm.nn.seeds import isolated_seed


@dataclass(frozen=True)
class Trained:
    """What a training leaves: the network, on the CPU, its history, and the optimizer."""

    module: Any
    history: list[dict[str, Any]]
    optimizer: torch.optim.Optimizer


def train(
    build: Callable[[], Any],
    batches: Batches | AlternatingBatches,
    held_out: Batches | AlternatingBatches | None,
    schedule: Schedule,
    scored: Scored,
    tasks: EpochTasks,
    *,
    seed: int,
    goes_on: Callable[[Any, torch.optim.Optimizer], None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train a network.

    Parameters
    ----------
    build : callable
        Makes the network.
    batches, held_out : Batches
        What to train on, and what to measure the loss on after each epoch.
    schedule : Schedule
        How to train.
    scored : Scored
        What callbacks may score.
    tasks : EpochTasks
        What tells scikit-learn's callbacks of the epochs.
    seed : int
        Seed of the weights that `build` draws.
    goes_on : callable, default=None
        ``goes_on(module, optimizer)`` gives the optimizer the state of an earlier training.
    checkpoint : Checkpoint, default=None
        Where to write how far the training is, and to go on from if something is there.

    Returns
    -------
    Trained
        The result.

    Raises
    ------
    FloatingPointError
        If the loss is no longer finite.
    KeyboardInterrupt
        If the training was interrupted: a half-trained network is not returned.
    """
    check_data(schedule.callbacks, scored.training, scored.held_out)
    state = checkpoint.state if checkpoint else None
    done = len(state["history"]) if state else 0
    net = _Net(
        build,
        criterion=nn.Identity,
        lr=schedule.lr,
        max_epochs=schedule.max_epochs - done,
        batch_size=batches.batch_size,
        device=str(resolve_device(schedule.device)),
        train_split=None,
        use_caching=False,
        callbacks=_callbacks(batches, held_out, schedule, checkpoint, tasks),
        callbacks__print_log=None,
        callbacks__valid_loss=None,
        **_optimizer(schedule),
    )
    net.scored, net.tasks = scored, tasks
    with isolated_seed(seed):
        net.initialize()
    net.past_epochs_ = batches.place[0]
    for part in net.module_.modules():
        if isinstance(part, NgramBase):
            part.sparse_gradient = isinstance(net.optimizer_, LazyAdamW)
    net.max_grad_norm, net.precision = schedule.max_grad_norm, schedule.precision
    net.checkpoint, net.state = checkpoint, state
    if goes_on is not None:
        goes_on(net.module_, net.optimizer_)
    net.partial_fit(batches)
    if net.interrupted_ or not (net.completed_ or net.stopped_early_):
        raise KeyboardInterrupt(f"Training was interrupted in epoch {len(net.history)}.")
    if not all(bool(torch.isfinite(changed).all()) for changed in _changed(net)):
        raise FloatingPointError("The last step left weights that are not finite. Lower lr.")
    check_alike("weights in the end", lambda: [p.sum().item() for p in net.module_.parameters()])
    if checkpoint and place()[0] == 0:
        checkpoint.remove()
    history = [{"epoch": row["epoch"], **_measured(row)} for row in net.history]
    return Trained(net.module_.cpu(), history, net.optimizer_)


def _changed(net: NeuralNet) -> Iterator[torch.Tensor]:
    """Yield what a training may have changed: parameters that learn, or the sums of known rows."""
    before = getattr(net.optimizer_, "before", {})
    for parameter in filter(attrgetter("requires_grad"), net.module_.parameters()):
        yield before[parameter].sums() if parameter in before else parameter


_OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "adamw": (LazyAdamW, {}),
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
}


class _Net(ScoredNet):
    """A skorch net whose data are `Batches` and whose module computes its own loss."""

    completed_ = False
    past_epochs_ = 0
    interrupted_ = False
    stopped_early_ = False

    def fit_loop(self, *args: Any, **params: Any) -> _Net:
        super().fit_loop(*args, **params)
        self.completed_ = True
        return self

    def on_epoch_begin(self, net: NeuralNet, **params: Any) -> None:
        super().on_epoch_begin(net, **params)
        if hasattr(self.module_, "begin_epoch"):
            self.module_.begin_epoch(self.past_epochs_ + len(self.history))

    def train_step_single(self, batch: Any, **params: Any) -> dict[str, Any]:
        self.module_.train()
        device = torch.device(self.device)
        loss = None
        if len(batch):
            with torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
                loss = self.module_(batch.to(device))
            loss.backward()
        loss, n_predictions = average(loss, len(batch), self.module_.parameters())
        if not torch.isfinite(loss):
            raise FloatingPointError(
                f"The loss became {loss.item()} in epoch {len(self.history)}, after "
                f"{len(self.history[-1]['batches']) - 1} batches. Lower lr (now "
                f"{self.optimizer_.param_groups[0]['lr']:.3g}) or raise warmup."
            )
        clip_gradients(self.module_.parameters(), self.max_grad_norm)
        return {"loss": loss, "y_pred": loss, "n_predictions": n_predictions}

    def on_batch_end(self, net: NeuralNet, **params: Any) -> None:
        super().on_batch_end(net, **params)
        if "n_predictions" in params:
            self.history.record_batch("train_batch_size", params["n_predictions"])

    def notify(self, method_name: str, **params: Any) -> None:
        ends, stop = method_name == "on_epoch_end", False
        try:
            super().notify(method_name, **params)
        except KeyboardInterrupt:  # how skorch callbacks end a training
            if not ends:
                raise
            stop = True
        if ends and any(gathered(stop or self.tasks.stop)):
            self.stopped_early_ = True
            raise KeyboardInterrupt


class _HeldOut(Callback):
    """Record the loss, and what else is measured, on the held-out batches after each epoch."""

    def __init__(self, batches: Any) -> None:
        self.batches = batches

    def on_epoch_end(self, net: NeuralNet, **params: Any) -> None:
        try:
            found = net.module_.evaluate(self.batches, torch.device(net.device))
            found |= self.batches.measured(net.module_)
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
        earlier = [row["valid_loss"] for row in net.history[:-1]]
        net.history.record("valid_loss_best", found["loss"] < min(earlier, default=math.inf))


class _Rate(Callback):
    """Set the learning rate before each step: a linear rise, then a cosine down to zero.

    Where another callback sets the rate, leave it alone.
    """

    def __init__(self, batches: Any, schedule: Schedule) -> None:
        self.batches = batches
        self.first_epoch = batches.place[0]
        self.n_steps = len(batches) * schedule.max_epochs
        self.rise = schedule.warmup * self.n_steps
        self.constant = schedule.constant
        self.leaves = sets_rate(schedule.callbacks)

    def on_batch_begin(self, net: NeuralNet, training: bool = False, **params: Any) -> None:
        if self.leaves or not training:
            return
        epoch, number = self.batches.place  # batches with nothing to predict count as well
        step = (epoch - self.first_epoch) * len(self.batches) + number - 1
        share = 1.0 if self.constant else self.share(step)
        for group in net.optimizer_.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * share

    def on_batch_end(self, net: NeuralNet, training: bool = False, **params: Any) -> None:
        net.step_ += training

    def share(self, step: int) -> float:
        """Return the share of the highest learning rate at a step."""
        if step < self.rise:
            return (step + 1) / (self.rise + 1)
        left = min(1.0, (step - self.rise) / (self.n_steps - self.rise))
        return 0.5 * (1 + math.cos(math.pi * left))


class _Resume(Callback):
    """Write the state of the training every few steps; begin from the state that was found."""

    def __init__(self, batches: Any, max_epochs: int) -> None:
        self.batches = batches
        self.max_epochs = max_epochs

    def on_train_begin(self, net: NeuralNet, **params: Any) -> None:
        if net.state is None:
            return
        net.step_ = net.state["step"]
        net.module_.load_state_dict(net.state["module"])
        net.optimizer_.load_state_dict(net.state["optimizer"])
        net.history.extend(net.state["history"])
        self.batches.resume(*net.state["place"])

    def on_epoch_begin(self, net: NeuralNet, **params: Any) -> None:
        if net.state is None:
            return
        net.history[-1]["batches"].extend(net.state["batches"])  # of the epoch that was cut short
        for name, parameter in net.module_.named_parameters():
            parameter.requires_grad_(name in net.state["learning"])
        for name, callback in net.callbacks_:
            give_back(callback, net.state["callbacks"].get(name, {}))
        net.state = None

    def on_batch_end(self, net: NeuralNet, training: bool = False, **params: Any) -> None:
        if training and net.step_ % net.checkpoint.every == 0 and place()[0] == 0:
            net.checkpoint.write(self._state(net))

    def _state(self, net: NeuralNet) -> dict[str, Any]:
        *history, row = net.history
        learning = [n for n, parameter in net.module_.named_parameters() if parameter.requires_grad]
        return {
            "step": net.step_,
            "max_epochs": self.max_epochs,
            "place": self.batches.place,
            "module": net.module_.state_dict(),
            "optimizer": net.optimizer_.state_dict(),
            "learning": learning,
            "history": [{**_numbers(old), "batches": []} for old in history],
            "batches": [_numbers(batch) for batch in row["batches"]],
            "callbacks": {name: kept(callback) for name, callback in net.callbacks_},
        }


class _Progress(Callback):
    """A bar with loss, rate and time left on a terminal, else a line per epoch."""

    def __init__(self, n_batches: int, max_epochs: int) -> None:
        self.n_batches = n_batches
        self.max_epochs = max_epochs

    def on_train_begin(self, net: NeuralNet, **params: Any) -> None:
        self.bar_ = progress_bar(self.n_batches * self.max_epochs, "batch", done=net.step_)

    def on_batch_end(self, net: NeuralNet, training: bool = True, **params: Any) -> None:
        if not training:
            return
        if not self.bar_.disable:
            loss = net.history[-1, "batches", -1, "train_loss"]
            self.bar_.set_postfix(loss=f"{loss:.3f}", refresh=False)
        self.bar_.update()

    def on_epoch_end(self, net: NeuralNet, **params: Any) -> None:
        if self.bar_.disable:
            row = net.history[-1]
            numbers = "  ".join(f"{key} {value:.4g}" for key, value in _measured(row).items())
            show_line(f"epoch {row['epoch']}/{self.max_epochs}  {numbers}")

    def on_train_end(self, net: NeuralNet, **params: Any) -> None:
        self.bar_.close()


def _callbacks(
    batches: Any,
    held_out: Any,
    schedule: Schedule,
    checkpoint: Checkpoint | None,
    tasks: EpochTasks,
) -> list:
    """Return the callbacks in the order in which they must be called."""
    callbacks: list[Callback] = [_Rate(batches, schedule)]
    if held_out is not None:
        callbacks.append(_HeldOut(held_out))
    callbacks.append(tasks)
    callbacks += copied(schedule.callbacks)
    if checkpoint is not None:
        callbacks.append(_Resume(batches, schedule.max_epochs))
    if is_shown(schedule.verbose) and place()[0] == 0:
        callbacks.append(_Progress(len(batches), schedule.max_epochs))
    if schedule.early_stopping and held_out is not None:
        stopping = EarlyStopping(patience=schedule.patience, load_best=True, sink=_silent)
        callbacks.append(stopping)
    return callbacks


def _measured(row: dict[str, Any]) -> dict[str, float]:
    """Return the losses, metrics, scores and seconds of an epoch."""
    others = ("epoch", "train_loss", "train_batch_count", "dur")
    numbers = {k: float(v) for k, v in _numbers(row).items() if not isinstance(v, bool | np.bool_)}
    names = [name for name in numbers if name not in others and not name.startswith("event_")]
    return {name: numbers[name] for name in ["train_loss", *names, "dur"] if name in numbers}


def _silent(message: str) -> None:
    """Drop a message of skorch's."""


def _numbers(values: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers of a row of the history, which a checkpoint may hold."""
    return {name: value for name, value in values.items() if isinstance(value, Real | np.bool_)}


def _optimizer(schedule: Schedule) -> dict[str, Any]:
    """Return the optimizer parameters of the skorch net."""
    optimizer = schedule.optimizer
    extra: dict[str, Any] = {}
    if isinstance(optimizer, str):
        optimizer, extra = _OPTIMIZERS[optimizer]
    params = {"weight_decay": schedule.weight_decay, **extra}
    rates = {"base.*": schedule.base_lr, "tower.*": schedule.tower_lr}
    groups = [(names, {"lr": lr}) for names, lr in rates.items() if lr is not None]
    if groups:
        params["param_groups"] = groups
    return {"optimizer": optimizer, **{f"optimizer__{k}": v for k, v in params.items()}}
