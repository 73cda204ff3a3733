"""`LabelTask`: learning the labels of texts, one or several each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.sparse import csr_array

from sklearn_cclm._targets.labels import (
    Given,
    Labels,
    check_labels,
    check_named,
    loss_weights,
    numbered,
)
from sklearn_cclm._text.streams import TextStream
from sklearn_cclm._tools.params import check_real
from sklearn_cclm._training.cut import Cut
from sklearn_cclm._training.hold_out import kinds_of
from sklearn_cclm._training.task import Task
from sklearn_cclm._training.views import View

if TYPE_CHECKING:
    from sklearn_cclm.nn.task import Head


@dataclass(frozen=True)
class LabelTask(Task):
    """Tell the labels of texts."""

    name = "classification"
    learned = ("classes", "multilabel")
    of_texts = True
    needs_y = True

    class_weight: Any = None
    label_smoothing: float = 0.0
    classes: Any = field(default=None, repr=False, compare=False)
    multilabel: bool | None = field(default=None, repr=False, compare=False)

    def check(self, noise: Any) -> None:
        check_real("label_smoothing", self.label_smoothing, 0, 1)
        if not isinstance(self.class_weight, Mapping):
            _check_no_mapping(self.class_weight)
            return
        for label, weight in self.class_weight.items():
            check_real(f"class_weight[{label!r}]", weight, 0, np.inf, ends="neither")

    def read(self, X: Any, y: Any, **how: Any) -> tuple[list[str], Labels]:
        texts, _ = super().read(X, None, **how)
        if isinstance(texts, TextStream):
            raise ValueError(
                "A stream of texts has no labels beside it: pass a list, or one list after the "
                "other to partial_fit."
            )
        labels = check_labels(y if isinstance(y, Given) else Given(y), texts, f"A {self.name}")
        kept = np.flatnonzero(labels.weights)
        return [texts[row] for row in kept], labels[kept]

    def targets(self, y: Labels) -> np.ndarray:
        return y.values

    def learn(self, texts: Any, y: Labels, preprocessor: Any) -> Self:
        several = y.values.ndim == 2
        if several:
            classes = np.arange(y.values.shape[1])
        else:
            classes = np.unique(y.values if y.classes is None else y.classes)
        if len(classes) < 2 and not several:
            raise ValueError(f"y has 1 class, {classes.tolist()[0]!r}: two at least are needed.")
        check_named(self.class_weight, classes, complete=several or y.classes is not None)
        return replace(self, classes=classes, multilabel=several)

    def examples(self, cut: Cut, y: Labels) -> Labels:
        if not (y.classes is None or np.array_equal(np.unique(y.classes), self.classes)):
            raise ValueError(f"classes={y.classes!r} differ from the known {self.classes}.")
        values = numbered(y.values, self.classes, several=bool(self.multilabel))
        weights = loss_weights(Labels(values, y.weights), self.classes, self.class_weight)
        return Labels(
            values[cut.owners],
            cut.shared(weights),
            text_weights=cut.shared(y.weights / y.weights.mean()),
        )

    def kinds(self, y: Labels) -> csr_array:
        if y.values.ndim == 2:
            return csr_array(np.hstack([y.values > 0, y.values == 0]))
        return kinds_of(np.arange(len(y.values)), y.values)

    def scored(self) -> Self:
        return replace(self, class_weight=None)

    @property
    def n_outputs(self) -> int:
        return len(self.classes)

    def blank(self, n: int) -> Labels:
        """Return examples of any value, for texts whose labels are to be told."""
        ones = np.ones(n, dtype=np.float32)
        return Labels(np.zeros(n, dtype=np.int64), ones, text_weights=ones)

    def batch(
        self, view: View, example: Labels, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
        weights = {"weights": example.weights, "text_weights": example.text_weights}
        return view.ids, example.values, weights

    def head(self, width: int, n_chars: int) -> Head:
        from sklearn_cclm.nn.heads import LabelHead

        return LabelHead(width, self.n_outputs, label_smoothing=self.label_smoothing)


def _check_no_mapping(class_weight: Any) -> None:
    """Raise ValueError unless a weight that is no mapping of classes is None or "balanced"."""
    if class_weight is not None and not (
        isinstance(class_weight, str) and class_weight == "balanced"
    ):
        raise ValueError(
            f"class_weight={class_weight!r} must be one of (None, 'balanced') or a dict, such as "
            f"{{'spam': 2.0}}; got a {type(class_weight).__name__}."
        )


def some_labels(trainer: Any, y: Any, sample_weight: Any, classes: Any) -> Given:
    """Return what the `partial_fit` of a classifier is given, or raise ValueError."""
    if classes is None and not hasattr(trainer, "classes_"):
        raise ValueError("classes must be passed on the first call to partial_fit.")
    if trainer.class_weight == "balanced":
        raise ValueError(
            "class_weight='balanced' needs all labels at once. For partial_fit pass a dict, "
            "as of sklearn.utils.class_weight.compute_class_weight."
        )
    return Given(y, sample_weight, classes)
