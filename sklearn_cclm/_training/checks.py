"""Checks of the parameters that all trained estimators have, beside those of the `Schedule`."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from sklearn_cclm._tools.extras import needs_train
from sklearn_cclm._tools.params import check_bool, check_integer, check_real
from sklearn_cclm._training.task import Task
from sklearn_cclm.noise import TypoNoise


def check_trainer(trainer: Any) -> None:
    """Raise ValueError or TypeError for a parameter of the training that is not allowed."""
    check_real("validation_fraction", trainer.validation_fraction, 0, 1)
    check_bool("warm_start", trainer.warm_start)
    check_integer("checkpoint_every", trainer.checkpoint_every, 1)
    if trainer.callbacks is not None:
        with needs_train("callbacks"):
            from sklearn_cclm._training.callbacks import check_callbacks
        check_callbacks(trainer)
    _check_checkpoint(trainer.checkpoint)


def check_task(trainer: Any, task: Any) -> None:
    """Raise ValueError or TypeError for a task, or a way to read texts, that is not allowed."""
    if not isinstance(task, Task):
        raise TypeError(f"task={task!r} must be a Task, such as a subclass's object.")
    name = getattr(task, "name", None)
    if not isinstance(name, str) or not name:
        raise TypeError(f"task={task!r} must have a name, a str of its class, got {name!r}.")
    check_integer("batch_size", trainer.batch_size, 1)
    _check_noise(trainer.noise, task.auto_noise)
    task.check(trainer.noise)


def _check_checkpoint(checkpoint: Any) -> None:
    if checkpoint is None:
        return
    if not isinstance(checkpoint, str | PathLike):
        raise TypeError(f"checkpoint={checkpoint!r} must be the path of a directory, or None.")
    if Path(checkpoint).is_file():
        raise ValueError(f"checkpoint={str(checkpoint)!r} is a file: pass a directory.")


def _check_noise(noise: Any, auto: TypoNoise | None) -> None:
    if isinstance(noise, TypoNoise):
        noise.check_params()
    elif not (noise is None or (auto is not None and isinstance(noise, str) and noise == "auto")):
        allowed = "a TypoNoise or None" if auto is None else 'a TypoNoise, "auto" or None'
        raise TypeError(f"noise={noise!r} must be {allowed}.")
