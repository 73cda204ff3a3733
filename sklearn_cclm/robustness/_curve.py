"""`robustness_curve`: the score of a fitted model as noise rises."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.metrics import check_scoring, get_scorer
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from sklearn_cclm._tools.params import check_integer, check_real
from sklearn_cclm.preprocessing._unread import unread_expected
from sklearn_cclm.robustness._calibration import SCORERS
from sklearn_cclm.robustness._noise import noise_of
from sklearn_cclm.robustness._samples import Samples

_MOST_SEEDS = 2**31 - 1


@dataclass(frozen=True, eq=False)
class RobustnessCurve:
    """The scores of one model at rising rates of noise.

    Attributes
    ----------
    rates : float64 ndarray of shape (n_rates,)
        Rates, rising.
    scores : float64 ndarray of shape (n_rates, n_repeats)
        A score for each rate and each draw of the noise; all are equal at rate 0.
    """

    rates: np.ndarray
    scores: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean score at each rate."""
        return self.scores.mean(axis=1)

    @property
    def std(self) -> np.ndarray:
        """Standard deviation over the draws of the noise at each rate."""
        return self.scores.std(axis=1)

    @property
    def area(self) -> float:
        """Area under the curve by the trapezoidal rule, as a mean score over the rates."""
        if len(self.rates) == 1:
            return float(self.mean[0])
        return float(np.trapezoid(self.mean, self.rates) / (self.rates[-1] - self.rates[0]))

    @property
    def relative_fall(self) -> np.ndarray:
        """Share of the first score that is lost at each rate; negative where noise helps."""
        first = self.mean[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            return (first - self.mean) / abs(first)

    def to_frame(self) -> Any:
        """Return a row for each rate and draw.

        Returns
        -------
        pandas.DataFrame
            Columns "rate", "repeat" and "score".

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError("to_frame needs pandas: pip install pandas.") from error
        n_rates, n_repeats = self.scores.shape
        return pd.DataFrame(
            {
                "rate": np.repeat(self.rates, n_repeats),
                "repeat": np.tile(np.arange(n_repeats), n_rates),
                "score": self.scores.ravel(),
            }
        )

    def __repr__(self) -> str:
        points = ", ".join(
            f"{rate:g}: {mean:.3f}" for rate, mean in zip(self.rates, self.mean, strict=True)
        )
        return f"RobustnessCurve({points}; area {self.area:.3f})"


def robustness_curve(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    noise: Any = "slip",
    rates: Sequence[float] = (0.0, 0.025, 0.05, 0.1, 0.2),
    scoring: Any = None,
    n_repeats: int = 3,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> RobustnessCurve:
    """Score a fitted model on texts that are more and more noisy.

    Parameters
    ----------
    estimator : estimator
        Fitted, and reading texts: any scikit-learn pipeline on raw text.
    X : iterable of str, or of lists of str, of shape (n,)
        Clean texts, best held out. The estimator reads noisy ones in the same kind of container
        if that is of numpy or pandas, other columns of a frame as they are; else in a list. Of
        lists of tokens, each token is corrupted for itself, so that none goes, joins or splits.
    y : array-like of shape (n,), default=None
        What is right of them, if the score needs it. Entities, in any form that `EntityPretrainer`
        takes, move with the characters; the score gets them as lists of ``(start, end, label)``,
        or as BIO tags if they are a tag for each character. One of which no character is left is
        no longer there to be found.
    noise : TypoNoise, str, sequence or mapping, default="slip"
        Noise, whose own rate and seed do not count, or its `kinds`; or attested typos, as pairs
        ``(typo, word)`` or a mapping of words to typos. `missing` and `column` of a TypoNoise say
        how X is read.
    rates : sequence of float, default=(0, 0.025, 0.05, 0.1, 0.2)
        Shares of the places that are changed, rising, from 0 to 1.
    scoring : str, callable or None, default=None
        As in scikit-learn; None is the estimator's own `score`. Beside scikit-learn's names, of
        probabilities "neg_log_loss" and "neg_brier_score", there are
        "neg_expected_calibration_error" and "mean_confidence".
    n_repeats : int, default=3
        Draws of the noise at each rate.
    random_state : int, RandomState instance or None, default=0
        Seed of the draws, which are the same at each rate.
    n_jobs : int, default=None
        Scores computed at once, as in joblib.

    Returns
    -------
    RobustnessCurve
        Scores, their spread, the area under the curve and the relative fall.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed.

    Warns
    -----
    UserWarning
        If the noise changes nothing, as "space" in tokens, or typos of words that X has not.

    See Also
    --------
    RobustnessDisplay : Plots curves.
    make_robust_scorer : A score under noise, to search by.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_cclm.robustness import robustness_curve
    >>> texts, labels = ["a good film", "a bad film"] * 20, [1, 0] * 20
    >>> words = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, labels)
    >>> curve = robustness_curve(words, texts, labels, rates=(0, 0.2))
    >>> curve.scores.shape, curve.mean[0] > curve.mean[1]
    ((2, 3), np.True_)
    """
    rates = _checked(rates)
    check_integer("n_repeats", n_repeats, 1)
    check_one_score(scoring)
    scorer = check_scoring(estimator, SCORERS.get(scoring, scoring) if scoring else None)
    most = noise_of(noise, 1.0, 0)
    most.check_params()
    samples = Samples.of(X, y, missing=most.missing, column=most.column)
    if rates[-1] and samples.under(most)[0] == samples.rows:
        warnings.warn(
            f"{most!r} changes nothing in X, so that the scores are those of clean texts.",
            UserWarning,
            stacklevel=2,
        )
    array = isinstance(X, np.ndarray) and X.size == len(samples.rows)
    like = partial(_like, X if array or hasattr(type(X), "iloc") else None, most.column)
    draws = check_random_state(random_state).randint(_MOST_SEEDS, size=n_repeats)
    places = [(i, k) for i, rate in enumerate(rates) for k in range(n_repeats if rate else 1)]
    found = Parallel(n_jobs=n_jobs)(
        delayed(_score)(scorer, estimator, samples, noise_of(noise, rates[i], int(draws[k])), like)
        for i, k in places
    )
    scores = np.empty((len(rates), n_repeats))
    for (i, k), score in zip(places, found, strict=True):
        scores[i, k if rates[i] else slice(None)] = score
    return RobustnessCurve(np.array(rates), scores)


def check_one_score(scoring: Any) -> None:
    """Raise unless scoring is the name of a score, a callable or None."""
    if isinstance(scoring, str):
        scoring in SCORERS or get_scorer(scoring)
    elif not (scoring is None or callable(scoring)):
        raise TypeError(f"scoring={scoring!r} must be the name of a score, a callable or None.")


def _score(scorer: Any, estimator: Any, samples: Samples, noise: Any, like: Callable) -> float:
    rows, y = samples.under(noise)
    X = like(rows)
    with unread_expected() if noise.rate else nullcontext():  # of noisy texts it is no news
        return float(scorer(estimator, X) if y is None else scorer(estimator, X, y))


def _like(X: Any, column: Any, rows: list[Any]) -> Any:
    """Return rows in a container like X, an array, Series or frame; as they are if it is None."""
    if X is None:
        return rows
    if isinstance(X, np.ndarray):
        return np.fromiter(rows, dtype=object, count=len(rows)).reshape(X.shape)
    if X.ndim == 1:
        return type(X)(rows, index=X.index, name=X.name)
    frame = X.copy()
    frame[X.columns[0] if column is None else column] = rows
    return frame


def _checked(rates: Sequence[float]) -> list[float]:
    rates = [float(rate) for rate in rates]
    for rate in rates:
        check_real("each of rates", rate, 0, 1, ends="both")
    if not rates or rates != sorted(set(rates)):
        raise ValueError(f"rates={rates} must be at least one number, and rise.")
    return rates
