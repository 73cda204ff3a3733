"""`Trainer`: the one `fit` of all estimators that train a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._tools.extras import needs_train
from sklearn_cclm._tools.fit_tasks import CallbackSupportMixin, FitTask, fit_task, with_callbacks
from sklearn_cclm._tools.hashing import unmapped
from sklearn_cclm._tools.tags import TextTagsMixin
from sklearn_cclm._training.checks import check_trainer
from sklearn_cclm._training.predict import text_logits
from sklearn_cclm._training.schedule import Schedule
from sklearn_cclm.preprocessing import CharPreprocessor
from sklearn_cclm.preprocessing._unread import unread_expected, warn_unread

if TYPE_CHECKING:
    from sklearn_cclm._training.batches import Batches
    from sklearn_cclm._training.loop import Trained


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
        with needs_train("Training"):
            from sklearn_cclm._training.run import run
        fitted = self._settled(more=more)
        if not once:
            fitted.__dict__.pop("optimizer_state_", None)
        n_epochs = 1 if once else self.max_epochs
        n_tasks = None if n_epochs == "auto" else n_epochs + (0 if more else self._n_fits())
        with fit_task(self, n_tasks) as fitted._fit_task:
            with unread_expected():  # a teacher, or a callback that scores, reads the texts of fit
                run(fitted, X, y, validation, more=more, once=once)
            if not once:
                self.__dict__.pop("optimizer_state_", None)
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

    @contextmanager
    def _going_on(
        self, task: Any, clean: Callable, *, more: bool, once: bool
    ) -> Iterator[tuple[Callable, Callable | None]]:
        """Give what builds the network, and what an optimizer goes on from."""
        from sklearn_cclm._training.optimizer_state import take_state

        state = getattr(self, "optimizer_state_", None) if once and more else None
        yield partial(self._build, task, clean, more=more), state and partial(take_state, state)

    def _keep_all(self, task: Any, trained: Trained, *, more: bool, once: bool) -> None:
        """Store what was trained, and what a `partial_fit` is to go on from."""
        from sklearn_cclm._training.optimizer_state import named_state

        if once:
            self.optimizer_state_ = named_state(trained.module, trained.optimizer)
        self._keep(task, trained.module, more=more)

    def _schedule(self, batches: Any, checkpoint: Any, pace: Callable) -> Schedule:
        """Return how to train; ``pace(schedule)`` measures the seconds of a pass over batches."""
        return Schedule.of(self)

    def _look_back(self, held_out: Any) -> None:
        """Measure what was gained on the batches that were held out, if any."""

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
        module = self._predictor()
        return module.evaluate(batches, next(module.parameters()).device)["loss"]

    def _text_logits(self, texts: list[str]) -> np.ndarray:
        """Return what the output layer says of each text."""
        reader = self._reader(self._known())
        warn_unread(texts, reader.preprocessors, missing=self.missing)
        return text_logits(reader, self._predictor(), texts)

    def _predictor(self) -> Any:
        """Return the network as it was trained, to predict: it has `predict` and `n_outputs`."""
        with needs_train("A prediction"):
            from sklearn_cclm._tools.device import resolve_device
            from sklearn_cclm.nn.seeds import isolated_seed
        with isolated_seed(0):
            module = self._build(self._known(), None, more=True)
        return module.to(resolve_device(self.device))

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
