"""What scoring callbacks score: the estimator as it is so far, on texts as they were given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.utils import Tags
from skorch import NeuralNet
from skorch.dataset import Dataset

from sklearn_cclm._training.callbacks import scores_batches

GivePair = Callable[[], tuple[list[str], Any]]  # of texts and y, as `score` takes them


@dataclass(frozen=True)
class Scored:
    """An estimator in training, and its texts.

    Attributes
    ----------
    trainer : estimator
        The estimator, not fitted.
    so_far : callable
        ``so_far(module)`` returns the estimator that has learned what a network has.
    training, held_out : callable or None
        Return X and y of what it is trained on, and of what is held out.
    """

    trainer: Any
    so_far: Callable[[Any], Any]
    training: GivePair | None
    held_out: GivePair | None


class ScoredNet(NeuralNet):
    """A skorch net whose data are batches, and which scorers see as the estimator in training."""

    scored: Scored
    step_ = 0
    _fitted: tuple[int, Any] = (-1, None)

    def get_split_datasets(self, X: Any, y: None = None, **params: Any) -> tuple:
        self._batches = X
        held_out = None if self.scored.held_out is None else _Texts(self.scored.held_out)
        if held_out is not None and scores_batches([c for _, c in self.callbacks_]):
            held_out.n_rows = len(held_out.X)
        return _Texts(self.scored.training, len(X) * self.batch_size), held_out

    def get_iterator(self, dataset: Any, training: bool = False) -> Any:
        if training:
            return self._batches
        starts = range(0, len(dataset), self.batch_size)
        return [dataset.slice(start, start + self.batch_size) for start in starts]

    def run_single_epoch(self, iterator: Iterable, training: bool, *args: Any, **kw: Any) -> None:
        """Run over batches; those that are held out, of texts, are there for callbacks alone."""
        if training:
            super().run_single_epoch(iterator, training, *args, **kw)
            return
        for batch in iterator or ():
            self.notify("on_batch_begin", batch=batch, training=False)
            self.history.record_batch("valid_batch_size", len(batch[0]))
            self.notify("on_batch_end", batch=batch, training=False, y_pred=None)

    @property
    def estimator(self) -> Any:
        """The estimator with what it has learned so far."""
        if self._fitted[0] != self.step_:
            self._fitted = self.step_, self.scored.so_far(self.module_)
        return self._fitted[1]

    @property
    def classes_(self) -> np.ndarray:
        return self.estimator.classes_

    def predict(self, X: Any) -> Any:
        return self.estimator.predict(X)

    def predict_proba(self, X: Any) -> np.ndarray:
        return self.estimator.predict_proba(X)

    def decision_function(self, X: Any) -> np.ndarray:
        return self.estimator.decision_function(X)

    def score(self, X: Any, y: Any = None) -> float:
        return self.estimator.score(X, y)

    def __sklearn_tags__(self) -> Tags:
        return self.scored.trainer.__sklearn_tags__()


class _Texts(Dataset):
    """Texts and what is known of them, of as many rows as skorch is to see."""

    def __init__(self, give: GivePair | None, n_rows: int = 0) -> None:
        self.give = give
        self.n_rows = n_rows

    def __len__(self) -> int:
        return self.n_rows

    @cached_property
    def _pair(self) -> tuple[Any, Any]:
        return self.give() if self.give else (None, None)

    @property
    def X(self) -> Any:
        return self._pair[0]

    @property
    def y(self) -> Any:
        return self._pair[1]

    def slice(self, start: int, stop: int) -> tuple[Any, Any]:
        """Return some of the texts, and what is known of them."""
        y = self.y
        if isinstance(y, Mapping):
            y = {name: part[start:stop] for name, part in y.items()}
        elif y is not None:
            y = y[start:stop]
        return self.X[start:stop], y
