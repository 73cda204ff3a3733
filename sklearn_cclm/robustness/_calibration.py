"""Scores of probabilities that scikit-learn has no name for."""

from __future__ import annotations

from typing import Any

import numpy as np

_N_BINS = 15


def mean_confidence(estimator: Any, X: Any, y: Any = None) -> float:
    """Return the mean probability of what is predicted."""
    return float(_probabilities(estimator, X).max(axis=1).mean())


def neg_expected_calibration_error(estimator: Any, X: Any, y: Any) -> float:
    """Return minus the mean distance of confidence and accuracy in bins of like confidence.

    The bins, after Guo et al. (2017), are 15 of equal width, and weigh what falls into them.
    """
    found = _probabilities(estimator, X)
    confidence = found.max(axis=1)
    right = estimator.classes_[found.argmax(axis=1)] == np.asarray(y)
    bins = np.minimum((confidence * _N_BINS).astype(int), _N_BINS - 1)
    gaps = np.bincount(bins, confidence - right)
    return -float(np.abs(gaps).sum() / len(right))


SCORERS = {scorer.__name__: scorer for scorer in (mean_confidence, neg_expected_calibration_error)}


def _probabilities(estimator: Any, X: Any) -> np.ndarray:
    """Return a row of probabilities of classes, of which one is right, for each text."""
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"A {type(estimator).__name__} has no predict_proba, which scores of probabilities "
            "need: wrap it in CalibratedClassifierCV."
        )
    found = estimator.predict_proba(X)
    if not (isinstance(found, np.ndarray) and found.ndim == 2 and hasattr(estimator, "classes_")):
        raise TypeError(
            f"Of a {type(estimator).__name__} the probabilities are not those of classes of which "
            "each text has one, which this score needs."
        )
    return found
