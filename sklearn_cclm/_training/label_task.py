"""`LabelTask`: learning the labels of texts, one or several each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from sklearn_cclm._targets.labels import Given, Labels, check_labels, loss_weights, numbered
from sklearn_cclm._text.streams import TextStream
from sklearn_cclm._tools.params import check_option, check_real
from sklearn_cclm._training.trainer import Trainer
from sklearn_cclm._training.views import View


class LabelTask(Trainer):
    """What a classifier and the pretrainer of that task share."""

    needs_y = True
    class_weight: Any
    classes_: np.ndarray
    multilabel_: bool

    def _some(self, y: Any, sample_weight: Any, classes: Any) -> Given:
        """Return what `partial_fit` is given, or raise ValueError."""
        if classes is None and not hasattr(self, "classes_"):
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all labels at once. For partial_fit pass a dict, "
                "as of sklearn.utils.class_weight.compute_class_weight."
            )
        return Given(y, sample_weight, classes)

    def _check_class_weight(self) -> None:
        if not isinstance(self.class_weight, Mapping):
            check_option("class_weight", self.class_weight, (None, "balanced"))
            return
        for label, weight in self.class_weight.items():
            check_real(f"class_weight[{label!r}]", weight, 0, np.inf, ends="neither")

    def _check_inputs(self, X: Any, y: Any) -> tuple[list[str], Labels]:
        texts, _ = super()._check_inputs(X, None)
        if isinstance(texts, TextStream):
            raise ValueError(
                "A stream of texts has no labels beside it: pass a list, or one list after the "
                "other to partial_fit."
            )
        labels = check_labels(y if isinstance(y, Given) else Given(y), texts, type(self).__name__)
        kept = np.flatnonzero(labels.weights)
        return [texts[row] for row in kept], labels[kept]

    def _learn(self, texts: Iterable[str], y: Labels) -> None:
        self.multilabel_ = y.values.ndim == 2
        if self.multilabel_:
            self.classes_ = np.arange(y.values.shape[1])
            return
        self.classes_ = np.unique(y.values if y.classes is None else y.classes)
        if len(self.classes_) < 2:
            raise ValueError(f"y has 1 class, {self.classes_[0]!r}: two at least are needed.")

    def _examples(self, texts: list[str], y: Labels, owners: np.ndarray) -> Labels:
        if not (y.classes is None or np.array_equal(np.unique(y.classes), self.classes_)):
            raise ValueError(f"classes={y.classes!r} differ from the known {self.classes_}.")
        values = numbered(y.values, self.classes_, several=self.multilabel_)
        examples = Labels(values, y.weights)[owners]
        return Labels(examples.values, loss_weights(examples, self.classes_, self.class_weight))

    def _make_batch(
        self, view: View, example: Labels, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        return view.ids, example.values, {"weights": example.weights}
