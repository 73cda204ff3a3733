"""The skorch callbacks that users pass: which of them work, and copies of them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from skorch.callbacks import (
    BatchScoring,
    Callback,
    EpochScoring,
    EpochTimer,
    GradientNormClipping,
    InputShapeSetter,
    LRScheduler,
)
from torch.optim.lr_scheduler import LRScheduler as Policy

from sklearn_cclm._training.checkpoint import readable_part

# What does not work: the method that would have to be another one, and why.
_REFUSED: dict[type[Callback], tuple[str, str]] = {
    InputShapeSetter: (
        "on_train_begin",
        "sets a parameter of a torch module, and networks are built here of what `base` and "
        "`tower` say: set their width there.",
    ),
    GradientNormClipping: (
        "on_grad_computed",
        "cannot clip the sparse gradient of the n-gram table: set max_grad_norm, which clips all "
        "gradients together.",
    ),
}
_OF_HELD_OUT = ("valid_loss", "valid_loss_best")


def check_callbacks(trainer: Any) -> None:
    """Raise ValueError or TypeError for a callback that does not work in a trainer."""
    if not isinstance(trainer.callbacks, list | tuple | None):
        raise TypeError(f"callbacks={trainer.callbacks!r} must be a list of skorch callbacks.")
    for callback in _each(trainer.callbacks):
        kind = callback if isinstance(callback, type) else type(callback)
        if issubclass(kind, Policy):
            raise TypeError(
                f"{kind.__name__} among callbacks is a policy: pass LRScheduler(policy=...)."
            )
        if not issubclass(kind, Callback):
            raise TypeError(f"{callback!r} among callbacks must be a skorch callback.")
        for refused, (method, reason) in _REFUSED.items():
            if issubclass(kind, refused) and getattr(kind, method) is getattr(refused, method):
                raise ValueError(f"{kind.__name__} among callbacks {reason}")
        if getattr(callback, "f_pickle", None) is not None:
            raise ValueError(
                f"{kind.__name__}(f_pickle=...) among callbacks: a net in training has no pickle. "
                "Keep f_params, and pickle the fitted estimator."
            )
        if isinstance(callback, BatchScoring | EpochScoring):
            _check_scoring(callback, trainer)


def _check_scoring(callback: BatchScoring | EpochScoring, trainer: Any) -> None:
    name = type(callback).__name__
    if isinstance(callback, BatchScoring) and callback.on_train:
        if type(callback).on_batch_end is BatchScoring.on_batch_end:
            raise ValueError(
                f"{name}(on_train=True) among callbacks: a batch in training is of codes, which "
                "scorers cannot read. Pass EpochScoring(on_train=True)."
            )
    if isinstance(callback.scoring, str) and not hasattr(trainer, "predict"):
        raise ValueError(
            f"{name}({callback.scoring!r}) among callbacks: a {type(trainer).__name__} predicts "
            "nothing to score. Pass scoring=None for its own `score`, or a callable."
        )


def check_data(callbacks: Sequence[Any] | None, training: Any, held_out: Any) -> None:
    """Raise ValueError for callbacks that need texts which are not there."""
    for callback in _each(callbacks):
        name, scores = type(callback).__name__, isinstance(callback, BatchScoring | EpochScoring)
        if scores and callback.on_train and training is None:
            raise ValueError(
                f"{name}(on_train=True) among callbacks needs all texts at once, and these are a "
                "stream: pass on_train=False."
            )
        watches = getattr(callback, "monitor", None) in _OF_HELD_OUT
        if held_out is None and (watches or (scores and not callback.on_train)):
            raise ValueError(
                f"{name} among callbacks needs held-out texts, and there are none: raise "
                "validation_fraction or pass validation; partial_fit holds nothing out."
            )


def sets_rate(callbacks: Sequence[Any] | None) -> bool:
    """Whether a callback sets the learning rate."""
    return any(c is LRScheduler or isinstance(c, LRScheduler) for c in _each(callbacks))


def scores_batches(callbacks: Sequence[Any] | None) -> bool:
    """Whether a callback scores the held-out texts in batches."""
    return any(isinstance(c, BatchScoring) for c in _each(callbacks))


def copied(callbacks: Sequence[Any] | None) -> list[Any]:
    """Return shallow copies, as a writer of logs has no deep one, which know each other."""
    copies = {id(c): copy.copy(c) for c in _each(callbacks) if not isinstance(c, type)}
    for one in copies.values():
        vars(one).update({k: copies[id(v)] for k, v in vars(one).items() if id(v) in copies})

    def copy_of(callback: Any) -> Any:
        return copies.get(id(callback), callback)

    return [
        (item[0], copy_of(item[1])) if isinstance(item, list | tuple) else copy_of(item)
        for item in callbacks or ()
    ]


def kept(callback: Callback) -> dict[str, Any]:
    """Return what a callback keeps of the training, as far as a checkpoint can hold it."""
    if isinstance(callback, EpochTimer):  # the time of a crash is none of the epoch's
        return {}
    fitted = {name: value for name, value in vars(callback).items() if name.endswith("_")}
    states = {name: readable_part(v.state_dict()) for name, v in fitted.items() if _has_state(v)}
    return {**readable_part(fitted), **states}


def give_back(callback: Callback, state: dict[str, Any]) -> None:
    """Give a callback what it kept of the training."""
    for name, value in state.items():
        if _has_state(getattr(callback, name, None)):
            getattr(callback, name).load_state_dict(value)
        else:
            setattr(callback, name, value)


def _has_state(value: Any) -> bool:
    return hasattr(value, "load_state_dict") and not isinstance(value, type)


def _each(callbacks: Sequence[Any] | None) -> Iterator[Any]:
    """Yield the callbacks, without the names of those that have one."""
    for item in callbacks or ():
        yield item[1] if isinstance(item, list | tuple) and len(item) == 2 else item
