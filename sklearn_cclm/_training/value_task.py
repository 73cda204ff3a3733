"""`ValueTask`: learning one or several numbers of each text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.utils import check_array, check_consistent_length

from sklearn_cclm._targets.labels import Given, Labels, check_weights
from sklearn_cclm._text.streams import TextStream
from sklearn_cclm._training.trainer import Trainer
from sklearn_cclm._training.views import View


class ValueTask(Trainer):
    """Targets of a regression: checked, standardised, batched."""

    needs_y = True
    mean_: np.ndarray
    scale_: np.ndarray
    one_target_: bool

    def _check_inputs(self, X: Any, y: Any) -> tuple[list[str], Labels]:
        texts, _ = super()._check_inputs(X, None)
        given, name = y if isinstance(y, Given) else Given(y), type(self).__name__
        if isinstance(texts, TextStream):
            raise ValueError("A stream of texts has no targets beside it: pass a list.")
        if given.y is None:
            raise ValueError(f"{name} requires y to be passed, but the target y is None.")
        values = check_array(given.y, ensure_2d=False, dtype=np.float64, input_name="y")
        check_consistent_length(texts, values)
        if values.ndim > 2:
            raise ValueError(f"y has the shape {values.shape}: pass one of (n,) or (n, n_targets).")
        weights = check_weights(given.sample_weight, len(values))
        kept = np.flatnonzero(weights)
        return [texts[row] for row in kept], Labels(values[kept], weights[kept])

    def _learn(self, texts: Iterable[str], y: Labels) -> None:
        values = y.values if y.values.ndim == 2 else y.values[:, None]
        self.one_target_ = y.values.ndim == 1
        self.mean_ = np.average(values, axis=0, weights=y.weights)
        with np.errstate(over="ignore", invalid="ignore"):
            spread = np.sqrt(np.average((values - self.mean_) ** 2, axis=0, weights=y.weights))
        if not np.isfinite(spread).all():
            raise ValueError("y is too large for its spread to be a number: scale it down.")
        self.scale_ = np.where(spread > 0, spread, 1.0)

    def _examples(self, texts: list[str], y: Labels, owners: np.ndarray) -> Labels:
        values = y.values if y.values.ndim == 2 else y.values[:, None]
        if values.shape[1:] != self.mean_.shape:
            raise ValueError(
                f"y has {values.shape[1]} targets, but the first fit saw {len(self.mean_)}."
            )
        standard = ((values - self.mean_) / self.scale_).astype(np.float32)
        weights = (y.weights / y.weights.mean()).astype(np.float32)
        return Labels(standard[owners], weights[owners])

    def _make_batch(
        self, view: View, example: Labels, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        return view.ids, example.values, {"weights": example.weights}
