"""Labels of texts, one or several each: checked, as numbers, and what each counts in the loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from sklearn_cclm._targets.arrays import label_array
from sklearn_cclm._targets.numbers import as_numbers


class Given(NamedTuple):
    """What is given beside the texts, unchecked."""

    y: Any
    sample_weight: Any = None
    classes: Any = None


@dataclass(frozen=True)
class Labels:
    """Labels of texts; indexed by rows, it gives theirs.

    Attributes
    ----------
    values : ndarray of shape (n,) or (n, n_classes)
        Labels or their numbers, or where a text may have several, 1 for those it has and else 0.
    weights : ndarray
        What each text, or each of its labels, counts.
    classes : ndarray or None
        All labels, where they were given.
    text_weights : ndarray of shape (n,) or None
        What each text counts, where `weights` has those of classes as well.
    """

    values: np.ndarray
    weights: np.ndarray
    classes: Any = None
    text_weights: np.ndarray | None = None

    def __getitem__(self, rows: np.ndarray) -> Labels:
        texts = None if self.text_weights is None else self.text_weights[rows]
        return Labels(self.values[rows], self.weights[rows], self.classes, texts)


def check_labels(given: Given, texts: list[str], name: str) -> Labels:
    """Return the labels and weights of texts for the estimator of a name."""
    y = given.y
    if y is None:
        raise ValueError(f"{name} requires y to be passed, but the target y is None.")
    values = label_array(y)
    if values.dtype.kind == "f":
        check_array(values, ensure_2d=False, input_name="y")  # as the next line casts infinity
    check_classification_targets(values)
    if type_of_target(values) == "multilabel-indicator":
        values = check_array(values, dtype=np.float32, input_name="y")
    else:
        values = column_or_1d(values)
    check_consistent_length(texts, values)
    weights = check_weights(given.sample_weight, len(values))
    classes = None if given.classes is None else label_array(given.classes, "classes")
    return Labels(values, weights, classes)


def check_weights(weights: Any, n: int) -> np.ndarray:
    """Return the weights of n texts, 1 where None are given."""
    if weights is None:
        return np.ones(n)
    weights = as_numbers(weights, "sample_weight")
    weights = check_array(weights, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if weights.shape != (n,) or weights.min() < 0 or not weights.any():
        raise ValueError(
            f"sample_weight, of shape {weights.shape}, must hold a weight of at least 0 for each "
            f"of {n} texts, and not only zeros."
        )
    return weights


def numbered(values: np.ndarray, classes: np.ndarray, *, several: bool) -> np.ndarray:
    """Return the number of each label among the classes; several labels of a text as they are."""
    shape = (len(classes),) if several else ()
    if values.shape[1:] != shape:
        raise ValueError(f"y has the shape {values.shape}, but the first fit saw {('n', *shape)}.")
    if several:
        return values
    numbers = {label: number for number, label in enumerate(classes.tolist())}
    unknown = sorted(set(values.tolist()) - numbers.keys(), key=str)
    if unknown:
        raise ValueError(f"y has labels that are not among the classes: {unknown}.")
    return np.array([numbers[label] for label in values.tolist()])


def loss_weights(labels: Labels, classes: np.ndarray, class_weight: Any) -> np.ndarray:
    """Return what the loss of each text, or of each of its labels, counts: 1 on average.

    Parameters
    ----------
    labels : Labels
        Numbers of the classes, or 0 and 1 for each class.
    classes : ndarray of shape (n_classes,)
        The classes.
    class_weight : dict, "balanced" or None
        As in `ClassificationPretrainer`.

    Returns
    -------
    float32 ndarray of the shape of ``labels.values``
        Weights.
    """
    values, weights = labels.values, labels.weights
    several = values.ndim == 2
    if isinstance(class_weight, Mapping):
        present, absent = _named(class_weight, classes), np.ones(len(classes))
    elif class_weight == "balanced":
        total = weights.sum()
        found = weights @ values if several else np.bincount(values, weights, len(classes))
        present, absent = (1 / np.where(share > 0, share, 1) for share in (found, total - found))
    else:
        present, absent = np.ones(len(classes)), np.ones(len(classes))
    if several:
        weights = weights[:, None] * np.where(values > 0, present, absent)
    else:
        weights = weights * present[values]
    return (weights / weights.mean()).astype(np.float32)


def check_named(class_weight: Any, classes: np.ndarray, *, complete: bool) -> None:
    """Raise ValueError if a dict of weights names what can be no class.

    That is one of another type; and if the classes are known to be complete, any that is not
    among them. Else it may be one that these texts lack, such as those of a fold.
    """
    if not isinstance(class_weight, Mapping):
        return
    strings = classes.dtype.kind == "U"
    unknown = sorted(
        (k for k in class_weight.keys() - set(classes.tolist())
         if complete or isinstance(k, str) != strings),
        key=str,
    )  # fmt: skip
    if unknown:
        raise ValueError(
            f"class_weight names {unknown}, which are not among the classes: {classes.tolist()}."
        )


def _named(class_weight: Mapping[Any, float], classes: np.ndarray) -> np.ndarray:
    """Return the weight of each class; 1 where a class is not named."""
    return np.array([class_weight.get(label, 1.0) for label in classes.tolist()])
