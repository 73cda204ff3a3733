"""One training of an estimator: all that needs torch and skorch of its `fit`."""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from os import PathLike
from reprlib import repr as short_repr
from typing import Any

from sklearn_cclm._tools.seeds import draw_seed
from sklearn_cclm._training.batches import Batches
from sklearn_cclm._training.checkpoint import Checkpoint, training_digest
from sklearn_cclm._training.distributed import check_alike, gathered, place, share
from sklearn_cclm._training.epoch_tasks import EpochTasks
from sklearn_cclm._training.history import History
from sklearn_cclm._training.loop import train
from sklearn_cclm._training.pace import seconds_a_pass
from sklearn_cclm._training.schedule import Schedule
from sklearn_cclm._training.scored import Scored

_ONE_PASS: dict[str, Any] = {"max_epochs": 1, "constant": True, "early_stopping": False}


def run(trainer: Any, X: Any, y: Any, validation: Any, *, more: bool, once: bool) -> None:
    """Train an estimator in place: pass a copy of the user's, so that errors lose nothing.

    With `more` it goes on with what an earlier training left, and with `once` for one pass at a
    constant learning rate.
    """
    task = trainer._task()
    texts, y = trainer._read(task, X, y)
    others = None if validation is None else trainer._read(task, *_as_pair(validation, task))
    seed = trainer.seed_ if more else gathered(draw_seed(trainer.random_state))[0]

    def digest(of: Any) -> str:
        source = getattr(trainer, trainer._result) if more and not once else None
        return training_digest(of, texts, y, others, source)

    check_alike("parameters, texts or y", lambda: digest(_anywhere(trainer)))
    checkpoint = None
    if trainer.checkpoint is not None and not once:
        checkpoint = _checkpoint(trainer, digest(trainer), seed)
        seed = checkpoint.seed
    trainer.seed_ = seed
    task = trainer._go_on(texts, y) if more else trainer._begin(task, texts, y)
    reader = trainer._reader(task)
    fraction = 0 if once or validation is not None else trainer.validation_fraction
    size = {"fraction": fraction, "seed": seed}
    batches, held_out = reader.batches(texts, y, **size, validation=others)
    if held_out is None and trainer.early_stopping and not once:
        raise ValueError(_nothing_held_out(trainer, validation))
    past = trainer.history_ if more else []
    batches = share(batches)
    batches.resume(len(past), 0)

    def clean() -> Batches:
        return reader.without_noise().batches(texts, y, **size)[0]

    trainer.history_, trainer.n_iter_ = past, len(past)
    scored = _scored(trainer, task, batches, held_out, more=more)
    with trainer._going_on(task, clean, more=more, once=once) as (build, goes_on):
        pace = partial(seconds_a_pass, build, batches, scored, seed=seed)
        one_pass = Schedule.of(trainer, **_ONE_PASS) if once else None
        schedule = one_pass or trainer._schedule(batches, checkpoint, pace)
        given = build, batches, held_out, schedule, scored, EpochTasks(trainer._fit_task)
        trained = train(*given, seed=seed, goes_on=goes_on, checkpoint=checkpoint)
    rows = [{**row, "epoch": len(past) + row["epoch"]} for row in trained.history]
    trainer.history_ = History([*past, *rows])
    trainer.n_iter_ = len(trainer.history_)
    trainer._keep_all(task, trained, more=more, once=once)
    if not once:
        trainer._look_back(held_out)


def _anywhere(trainer: Any) -> Any:
    """Return a copy without its device, which processes have each their own of."""
    alike = trainer._alike()
    alike.device = "auto"
    return alike


def _checkpoint(trainer: Any, digest: str, seed: int) -> Checkpoint:
    """Return where the training stands on disk, in a file for as many processes as there are."""
    if place()[1] > 1:
        digest = f"{digest}-of-{place()[1]}"
    found = Checkpoint(trainer.checkpoint, trainer.checkpoint_every, digest, seed)
    check_alike(f"states in {trainer.checkpoint}", lambda: found.state and found.state["step"])
    return found


def _scored(trainer: Any, task: Any, batches: Any, held_out: Any, *, more: bool) -> Scored:
    """Return what callbacks may score."""

    def so_far(module: Any) -> Any:
        fitted = trainer._alike()
        fitted._keep(task, deepcopy(module).cpu(), more=more)
        return fitted

    return Scored(trainer, so_far, batches.given, None if held_out is None else held_out.given)


def _as_pair(validation: Any, task: Any) -> tuple[Any, Any]:
    """Return the X and y of a `validation` argument, which a task may need both."""
    if isinstance(validation, tuple) and len(validation) == 2:
        X, y = validation
        if not isinstance(X, str):
            return X, y
    if task.needs_y and not isinstance(validation, PathLike):
        raise ValueError(
            f"validation must be a tuple (X, y) of other texts and what is right of them, got "
            f"{short_repr(validation)}."
        )
    return validation, None


def _nothing_held_out(trainer: Any, validation: Any) -> str:
    given = f"validation_fraction={trainer.validation_fraction} of these texts leaves"
    return (
        "early_stopping=True needs held-out texts with something to predict, and "
        f"{given if validation is None else 'validation has'} none. Raise validation_fraction, "
        "pass more texts or other ones as validation, or set early_stopping=False."
    )
