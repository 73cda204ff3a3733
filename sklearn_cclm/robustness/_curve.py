"""`robustness_curve`: the score of a fitted model as noise rises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.metrics import check_scoring, get_scorer
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.parallel import Parallel, delayed

from sklearn_cclm._text.read import check_texts
from sklearn_cclm._tools.params import check_integer, check_real
from sklearn_cclm.robustness._noise import noise_of

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
    X : iterable of str of shape (n,)
        Clean texts, best held out. The estimator reads noisy ones in the same kind of container
        if that is of numpy or pandas, other columns of a frame as they are; else in a list.
    y : array-like of shape (n,), default=None
        What is right of them, if the score needs it. Places in the texts, as of entities, hold
        only under noise that keeps lengths, such as "slip" and "swap".
    noise : TypoNoise, str, sequence or mapping, default="slip"
        Noise, whose own rate and seed do not count, or its `kinds`; or attested typos, as pairs
        ``(typo, word)`` or a mapping of words to typos. `missing` and `column` of a TypoNoise say
        how X is read.
    rates : sequence of float, default=(0, 0.025, 0.05, 0.1, 0.2)
        Shares of the places that are changed, rising, from 0 to 1.
    scoring : str, callable or None, default=None
        As in scikit-learn; None is the estimator's own `score`.
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
    scorer = check_scoring(estimator, scoring)
    read = noise_of(noise, 0.0, 0)
    read.check_params()
    try:
        texts = check_texts(X, missing=read.missing, column=read.column, min_texts=1)
    except ValueError as error:
        error.add_note("missing and column are parameters of noise: noise=TypoNoise(column=...).")
        raise
    check_consistent_length(texts, y)
    kept = X if isinstance(X, np.ndarray) or hasattr(type(X), "iloc") else None
    like = partial(_like, kept, read.column)
    draws = check_random_state(random_state).randint(_MOST_SEEDS, size=n_repeats)
    places = [(i, k) for i, rate in enumerate(rates) for k in range(n_repeats if rate else 1)]
    found = Parallel(n_jobs=n_jobs)(
        delayed(_score)(scorer, estimator, texts, y, noise_of(noise, rates[i], int(draws[k])), like)
        for i, k in places
    )
    scores = np.empty((len(rates), n_repeats))
    for (i, k), score in zip(places, found, strict=True):
        scores[i, k if rates[i] else slice(None)] = score
    return RobustnessCurve(np.array(rates), scores)


def check_one_score(scoring: Any) -> None:
    """Raise unless scoring is the name of a score, a callable or None."""
    if isinstance(scoring, str):
        get_scorer(scoring)
    elif not (scoring is None or callable(scoring)):
        raise TypeError(f"scoring={scoring!r} must be the name of a score, a callable or None.")


def _score(
    scorer: Any, estimator: Any, texts: list[str], y: Any, noise: Any, like: Callable
) -> float:
    noisy = noise.transform(texts).tolist() if noise.rate else texts
    if _has_places(y) and list(map(len, noisy)) != list(map(len, texts)):
        raise ValueError(
            f"y tells places in the texts, which {noise!r} moves: use noise that keeps lengths, "
            "such as 'slip', 'swap' or 'case'."
        )
    X = like(noisy)
    return float(scorer(estimator, X) if y is None else scorer(estimator, X, y))


def _has_places(y: Any) -> bool:
    """Whether y has rows of tuples, as of entities."""
    rows = [] if y is None else [row for row in y if isinstance(row, list | tuple)]
    return any(isinstance(item, tuple) for row in rows for item in row)


def _like(X: Any, column: Any, texts: list[str]) -> Any:
    """Return texts in a container like X, an array, Series or frame; as they are if it is None."""
    if X is None:
        return texts
    if isinstance(X, np.ndarray):
        return np.array(texts, dtype=object).reshape(X.shape)
    if X.ndim == 1:
        return type(X)(texts, index=X.index, name=X.name)
    frame = X.copy()
    frame[X.columns[0] if column is None else column] = texts
    return frame


def _checked(rates: Sequence[float]) -> list[float]:
    rates = [float(rate) for rate in rates]
    for rate in rates:
        check_real("each of rates", rate, 0, 1, ends="both")
    if not rates or rates != sorted(set(rates)):
        raise ValueError(f"rates={rates} must be at least one number, and rise.")
    return rates
