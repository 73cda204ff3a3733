"""`ValueTask`: learning one or several numbers of each text."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils import check_array, check_consistent_length

from sklearn_cclm._targets.arrays import number_array
from sklearn_cclm._targets.labels import Given, Labels, check_weights
from sklearn_cclm._text.streams import TextStream
from sklearn_cclm._training.cut import Cut
from sklearn_cclm._training.task import Task
from sklearn_cclm._training.views import View

if TYPE_CHECKING:
    from sklearn_cclm.nn.task import Head


@dataclass(frozen=True)
class ValueTask(Task):
    """Tell numbers of texts, which are standardised first."""

    name = "regression"
    learned = ("mean", "scale", "one_target")
    of_texts = True
    needs_y = True

    mean: Any = field(default=None, repr=False, compare=False)
    scale: Any = field(default=None, repr=False, compare=False)
    one_target: bool | None = field(default=None, repr=False, compare=False)

    def read(self, X: Any, y: Any, **how: Any) -> tuple[list[str], Labels]:
        texts, _ = super().read(X, None, **how)
        given = y if isinstance(y, Given) else Given(y)
        if isinstance(texts, TextStream):
            raise ValueError("A stream of texts has no targets beside it: pass a list.")
        if given.y is None:
            raise ValueError(f"A {self.name} requires y to be passed, but the target y is None.")
        values = _floats(number_array(given.y))
        check_consistent_length(texts, values)
        if values.ndim > 2:
            raise ValueError(f"y has the shape {values.shape}: pass one of (n,) or (n, n_targets).")
        weights = check_weights(given.sample_weight, len(values))
        kept = np.flatnonzero(weights)
        return [texts[row] for row in kept], Labels(values[kept], weights[kept])

    def targets(self, y: Labels) -> np.ndarray:
        return y.values

    def learn(self, texts: Any, y: Labels, preprocessor: Any) -> Self:
        values = _columns(y.values)
        mean = np.average(values, axis=0, weights=y.weights)
        with np.errstate(over="ignore", invalid="ignore"):
            spread = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=y.weights))
        if not np.isfinite(spread).all():
            raise ValueError("y is too large for its spread to be a number: scale it down.")
        scale = np.where(spread > 0, spread, 1.0)
        return replace(self, mean=mean, scale=scale, one_target=y.values.ndim == 1)

    def examples(self, cut: Cut, y: Labels) -> Labels:
        values = _columns(y.values)
        if values.shape[1:] != self.mean.shape:
            raise ValueError(
                f"y has {values.shape[1]} targets, but the first fit saw {len(self.mean)}."
            )
        standard = ((values - self.mean) / self.scale).astype(np.float32)
        return Labels(standard[cut.owners], cut.shared(y.weights / y.weights.mean()))

    @property
    def n_outputs(self) -> int:
        return len(self.mean)

    def blank(self, n: int) -> Labels:
        """Return examples of any value, for texts whose numbers are to be told."""
        return Labels(np.zeros((n, len(self.mean)), dtype=np.float32), np.ones(n, np.float32))

    def batch(
        self, view: View, example: Labels, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        return view.ids, example.values, {"weights": example.weights}

    def head(self, width: int, n_chars: int) -> Head:
        from sklearn_cclm.nn.heads import ValueHead

        return ValueHead(width, self.n_outputs)


def _floats(values: np.ndarray) -> np.ndarray:
    """Return finite numbers, or raise ValueError."""
    no_numbers = f"y must hold numbers, got {values.ravel()[:1]!r}: convert it to some."
    if values.dtype.kind in "mM":
        raise ValueError(no_numbers)
    try:
        return check_array(
            values, ensure_2d=False, allow_nd=True, dtype=np.float64, order="C", input_name="y"
        )
    except TypeError as error:  # of objects, such as times in a column
        raise ValueError(no_numbers) from error


def _columns(values: np.ndarray) -> np.ndarray:
    return values if values.ndim == 2 else values[:, None]
