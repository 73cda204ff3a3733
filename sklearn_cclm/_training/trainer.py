"""`Trainer`: the one `fit` of all estimators that train a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from functools import partial
from os import PathLike
from reprlib import repr as short_repr
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._tools.device import resolve_device
from sklearn_cclm._tools.fit_tasks import CallbackSupportMixin, FitTask, fit_task, with_callbacks
from sklearn_cclm._tools.hashing import unmapped
from sklearn_cclm._tools.seeds import draw_seed, isolated_seed
from sklearn_cclm._tools.tags import TextTagsMixin
from sklearn_cclm._training.batches import Batches
from sklearn_cclm._training.checkpoint import Checkpoint, training_digest
from sklearn_cclm._training.checks import check_trainer
from sklearn_cclm._training.epoch_tasks import EpochTasks
from sklearn_cclm._training.history import History
from sklearn_cclm._training.loop import Trained, train
from sklearn_cclm._training.optimizer_state import named_state, take_state
from sklearn_cclm._training.pace import seconds_a_pass
from sklearn_cclm._training.predict import text_logits
from sklearn_cclm._training.schedule import Schedule
from sklearn_cclm._training.scored import Scored
from sklearn_cclm.preprocessing import CharPreprocessor
from sklearn_cclm.preprocessing._unread import unread_expected, warn_unread

_ONE_PASS: dict[str, Any] = {"max_epochs": 1, "constant": True, "early_stopping": False}


class Trainer(TextTagsMixin, CallbackSupportMixin, BaseEstimator, ABC):
    """Parameters, the task that they make, and what training it has left.

    Attributes
    ----------
    _result : str
        The fitted attribute that holds what was trained.
    """

    _result: str
    warm_start = False
    missing: str
    column: Any
    _fit_task: FitTask  # of the copy that is trained
    history_: list[dict[str, Any]]
    seed_: int

    def __sklearn_tags__(self) -> Tags:
        """Say whether y is required."""
        tags = super().__sklearn_tags__()
        needed = getattr(self._task(), "needs_y", False)
        tags.target_tags.required = needed or tags.target_tags.required
        return tags

    def __setstate__(self, state: dict[str, Any]) -> None:
        fitted = {name: unmapped(value) for name, value in state.items() if name.endswith("_")}
        super().__setstate__({**state, **fitted})

    def _fit(self, X: Any, y: Any, *, validation: Any = None) -> Self:
        return self._run(X, y, validation, more=self.warm_start and self._result in vars(self))

    def _partial_fit(self, X: Any, y: Any) -> Self:
        return self._run(X, y, None, more=self._result in vars(self), once=True)

    @with_callbacks
    def _run(self, X: Any, y: Any, validation: Any, *, more: bool, once: bool = False) -> Self:
        """Train a copy of this estimator and take what it learned, so that errors lose nothing."""
        fitted = self._settled(more=more)
        n_epochs = 1 if once else self.max_epochs
        n_tasks = None if n_epochs == "auto" else n_epochs + (0 if more else self._n_fits())
        with fit_task(self, n_tasks) as fitted._fit_task:
            with unread_expected():  # a teacher, or a callback that scores, reads the texts of fit
                fitted._train(X, y, validation, more=more, once=once)
            if not once:
                self.__dict__.pop("optimizer_state_", None)
                fitted.__dict__.pop("optimizer_state_", None)
            self._adopt(fitted)
        return self

    def _n_fits(self) -> int:
        """Return how many estimators are fitted before the first epoch."""
        return 0

    def _adopt(self, fitted: Self) -> None:
        """Take what a copy of this estimator has learned."""
        self.__dict__.update({k: v for k, v in vars(fitted).items() if k.endswith("_")})

    def _alike(self) -> Self:
        """Return a shallow copy."""
        alike = type(self).__new__(type(self))
        alike.__dict__.update(vars(self))
        return alike

    def _train(self, X: Any, y: Any, validation: Any, *, more: bool, once: bool) -> None:
        task = self._task()
        texts, y = self._read(task, X, y)
        others = None if validation is None else self._read(task, *as_pair(validation, task))
        seed = self.seed_ if more else draw_seed(self.random_state)
        checkpoint = None
        if self.checkpoint is not None and not once:
            source = getattr(self, self._result) if more else None
            digest = training_digest(self, texts, y, others, source)
            checkpoint = Checkpoint(self.checkpoint, self.checkpoint_every, digest, seed)
            seed = checkpoint.seed
        self.seed_ = seed
        task = self._go_on(texts, y) if more else self._begin(task, texts, y)
        reader = self._reader(task)
        fraction = 0 if once or validation is not None else self.validation_fraction
        size = {"fraction": fraction, "seed": seed}
        batches, held_out = reader.batches(texts, y, **size, validation=others)
        if held_out is None and self.early_stopping and not once:
            raise ValueError(_nothing_held_out(self, validation))
        past = self.history_ if more else []
        batches.resume(len(past), 0)

        def clean() -> Batches:
            return reader.without_noise().batches(texts, y, **size)[0]

        self.history_, self.n_iter_ = past, len(past)
        scored, tasks = self._scored(task, batches, held_out, more=more), EpochTasks(self._fit_task)
        with self._going_on(task, clean, more=more, once=once) as (build, goes_on):
            pace = partial(seconds_a_pass, build, batches, scored, seed=seed)
            one_pass = Schedule.of(self, **_ONE_PASS) if once else None
            schedule = one_pass or self._schedule(batches, checkpoint, pace)
            given = build, batches, held_out, schedule, scored, tasks
            trained = train(*given, seed=seed, goes_on=goes_on, checkpoint=checkpoint)
        rows = [{**row, "epoch": len(past) + row["epoch"]} for row in trained.history]
        self.history_ = History([*past, *rows])
        self.n_iter_ = len(self.history_)
        self._keep_all(task, trained, more=more, once=once)
        if not once:
            self._look_back(held_out)

    @contextmanager
    def _going_on(
        self, task: Any, clean: Callable, *, more: bool, once: bool
    ) -> Iterator[tuple[Callable, Callable | None]]:
        """Give what builds the network, and what an optimizer goes on from."""
        state = getattr(self, "optimizer_state_", None) if once and more else None
        yield partial(self._build, task, clean, more=more), state and partial(take_state, state)

    def _keep_all(self, task: Any, trained: Trained, *, more: bool, once: bool) -> None:
        """Store what was trained, and what a `partial_fit` is to go on from."""
        if once:
            self.optimizer_state_ = named_state(trained.module, trained.optimizer)
        self._keep(task, trained.module, more=more)

    def _schedule(
        self, batches: Any, checkpoint: Checkpoint | None, pace: Callable[[Schedule], float]
    ) -> Schedule:
        """Return how to train; ``pace(schedule)`` measures the seconds of a pass over batches."""
        return Schedule.of(self)

    def _look_back(self, held_out: Any) -> None:
        """Measure what was gained on the batches that were held out, if any."""

    def _scored(self, task: Any, batches: Any, held_out: Any, *, more: bool) -> Scored:
        """Return what callbacks may score."""

        def so_far(module: Any) -> Trainer:
            fitted = self._alike()
            fitted._keep(task, deepcopy(module).cpu(), more=more)
            return fitted

        return Scored(self, so_far, batches.given, None if held_out is None else held_out.given)

    def _begin(self, task: Any, texts: Any, y: Any) -> Any:
        """Set the fitted attributes that a training begins with; return what the task learned."""
        preprocessor = self._start(task, texts, y)
        task = task.learn(texts, y, preprocessor)
        self._know(task)
        return task

    def _go_on(self, texts: Any, y: Any) -> Any:
        """Return what the task had learned, and learns of these texts."""
        task = self._known()
        task = task.learn_more(texts, y, self._reader(task).preprocessors[0])
        self._know(task)
        return task

    def _know(self, task: Any) -> None:
        """Keep what a task learned as fitted attributes."""
        for name in task.learned:
            setattr(self, f"{name}_", getattr(task, name))

    def _known(self) -> Any:
        """Return the task that the parameters make, with what it has learned."""
        task = self._task()
        return replace(task, **{name: getattr(self, f"{name}_") for name in task.learned})

    def _read(self, task: Any, X: Any, y: Any) -> tuple[Any, Any]:
        return task.read(X, y, missing=self.missing, column=self.column)

    def _loss(self, X: Any, y: Any) -> float:
        """Return the mean loss on texts, corrupted with a fixed seed."""
        check_is_fitted(self)
        task = self._known().scored()
        batches = self._reader(task).fixed(*self._read(task, X, y))
        device = resolve_device(self.device)
        return self._module().to(device).evaluate(batches, device)["loss"]

    def _text_logits(self, texts: list[str]) -> np.ndarray:
        """Return what the output layer says of each text."""
        reader = self._reader(self._known())
        warn_unread(texts, reader.preprocessors, missing=self.missing)
        return text_logits(reader, self._module().to(resolve_device(self.device)), texts)

    def _module(self) -> Any:
        """Return the network as it was trained."""
        with isolated_seed(0):
            return self._build(self._known(), None, more=True)

    @abstractmethod
    def _task(self) -> Any:
        """Return the task that the parameters make, unchecked."""

    @abstractmethod
    def _settled(self, *, more: bool) -> Self:
        """Return a copy with checked parameters, and values in the place of names on the shelf.

        If it is to go on with what was trained, that must be what the parameters say.
        """

    def _check_params(self) -> None:
        """Raise ValueError or TypeError for a parameter that is not allowed."""
        Schedule.of(self)
        check_trainer(self)

    @abstractmethod
    def _start(self, task: Any, texts: Any, y: Any) -> CharPreprocessor:
        """Set what is trained first, a base or towers; return what reads the texts."""

    @abstractmethod
    def _reader(self, task: Any) -> Any:
        """Return how a task reads texts, once the training has begun."""

    @abstractmethod
    def _build(self, task: Any, clean: Callable[[], Batches] | None, *, more: bool) -> Any:
        """Build the network to train, or as it was trained.

        ``clean()`` gives the batches to train on without noise.
        """

    @abstractmethod
    def _keep(self, task: Any, module: Any, *, more: bool) -> None:
        """Store what was trained as fitted attributes."""


def as_pair(validation: Any, task: Any) -> tuple[Any, Any]:
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


def _nothing_held_out(trainer: Trainer, validation: Any) -> str:
    given = f"validation_fraction={trainer.validation_fraction} of these texts leaves"
    return (
        "early_stopping=True needs held-out texts with something to predict, and "
        f"{given if validation is None else 'validation has'} none. Raise validation_fraction, "
        "pass more texts or other ones as validation, or set early_stopping=False."
    )
