"""`TextClassifier`: what classifiers of texts have in common for scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._text.read import check_texts
from sklearn_cclm._training.label_task import LabelTask


class TextClassifier(ClassifierMixin):
    """Predictions of a `Trainer` that learns a `LabelTask`."""

    class_weight: Any
    label_smoothing: float
    missing: Any
    column: Any
    classes_: np.ndarray
    multilabel_: bool
    _text_logits: Any

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the logits of texts.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.

        Returns
        -------
        float32 ndarray of shape (n, n_classes), or (n,) for two classes
            Greater is likelier.
        """
        logits = self._read_logits(X)
        if len(self.classes_) == 2 and not self.multilabel_:
            return logits[:, 1] - logits[:, 0]
        return logits

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.

        Returns
        -------
        float32 ndarray of shape (n, n_classes)
            Rows sum to 1, unless a text may have several labels.
        """
        logits = self._read_logits(X)
        return expit(logits) if self.multilabel_ else softmax(logits, axis=1)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.

        Returns
        -------
        float32 ndarray of shape (n, n_classes)
            Finite even where the probability is rounded to 0.
        """
        logits = self._read_logits(X)
        return log_expit(logits) if self.multilabel_ else log_softmax(logits, axis=1)

    def predict(self, X: Any) -> np.ndarray:
        """Return the likeliest label of each text, or all labels likelier than not.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.

        Returns
        -------
        ndarray of shape (n,) or (n, n_classes)
            Labels, or 1 where a text has a label and else 0.
        """
        logits = self._read_logits(X)
        if self.multilabel_:
            return (logits > 0).astype(np.int64)
        return self.classes_[logits.argmax(axis=1)]

    def __sklearn_tags__(self) -> Tags:
        """Say that several labels are allowed."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _task(self) -> LabelTask:
        return LabelTask(self.class_weight, self.label_smoothing)

    def _read_logits(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return self._text_logits(check_texts(X, missing=self.missing, column=self.column))
