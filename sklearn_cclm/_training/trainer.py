"""`Trainer`: the one `fit` of all estimators that train a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._tools.extras import needs_train
from sklearn_cclm._tools.hashing import unmapped
from sklearn_cclm._tools.tags import TextTagsMixin
from sklearn_cclm._training.checks import check_trainer
from sklearn_cclm._training.predict import text_logits
from sklearn_cclm._training.schedule import Schedule
from sklearn_cclm.preprocessing import CharPreprocessor
from sklearn_cclm.preprocessing._unread import unread_expected, warn_unread

if TYPE_CHECKING:
    from sklearn_cclm._training.batches import Batches


class Trainer(TextTagsMixin, BaseEstimator, ABC):
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
        return self._run(X, y, validation, more=self.warm_start and hasattr(self, self._result))

    def _partial_fit(self, X: Any, y: Any) -> Self:
        return self._run(X, y, None, more=hasattr(self, self._result), once=True)

    def _run(self, X: Any, y: Any, validation: Any, *, more: bool, once: bool = False) -> Self:
        """Train a copy of this estimator and take what it learned, so that errors lose nothing."""
        with needs_train("Training"):
            from sklearn_cclm._training.run import run
        fitted = self._settled(more=more)
        with unread_expected():  # a teacher, or a callback that scores, reads the texts of fit
            run(fitted, X, y, validation, more=more, once=once)
        if not once:
            self.__dict__.pop("optimizer_state_", None)
            fitted.__dict__.pop("optimizer_state_", None)
        self.__dict__.update({k: v for k, v in vars(fitted).items() if k.endswith("_")})
        return self

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
