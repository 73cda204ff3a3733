"""`make_robust_scorer`: a score under noise, for searches and cross-validation."""

from __future__ import annotations

from typing import Any

from sklearn_cclm._tools.params import check_integer, check_real
from sklearn_cclm.robustness._curve import check_one_score, robustness_curve
from sklearn_cclm.robustness._noise import noise_of


def make_robust_scorer(
    scoring: Any = None,
    *,
    noise: Any = "slip",
    rate: float = 0.1,
    n_repeats: int = 1,
    random_state: int = 0,
) -> RobustScorer:
    """Make a scorer that corrupts the texts first.

    Parameters
    ----------
    scoring : str, callable or None, default=None
        The score, as in scikit-learn; None is the estimator's own `score`.
    noise : TypoNoise, str, sequence or mapping, default="slip"
        As in `robustness_curve`.
    rate : float, default=0.1
        Share of the places that are changed, from 0 to 1.
    n_repeats : int, default=1
        Draws of the noise, over which the score is averaged.
    random_state : int, default=0
        Seed of the draws: candidates of a search are scored on the same noisy texts.

    Returns
    -------
    RobustScorer
        To be passed as `scoring` to ``GridSearchCV``, ``cross_validate`` and the like.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_cclm.robustness import make_robust_scorer
    >>> texts, labels = ["a good film", "a bad film"] * 20, [1, 0] * 20
    >>> pipe = make_pipeline(TfidfVectorizer(ngram_range=(1, 3)), LogisticRegression())
    >>> search = GridSearchCV(
    ...     pipe,
    ...     {"tfidfvectorizer__analyzer": ["word", "char"]},
    ...     scoring=make_robust_scorer("accuracy", rate=0.3),
    ... )
    >>> search.fit(texts, labels).best_params_
    {'tfidfvectorizer__analyzer': 'char'}
    """
    check_real("rate", rate, 0, 1, ends="both")
    check_integer("n_repeats", n_repeats, 1)
    check_integer("random_state", random_state, 0)
    check_one_score(scoring)
    noise_of(noise, rate, 0).check_params()
    return RobustScorer(scoring, noise, rate, n_repeats, random_state)


class RobustScorer:
    """A scorer of noisy texts, as `make_robust_scorer` makes it.

    Parameters
    ----------
    scoring, noise, rate, n_repeats, random_state
        As for `make_robust_scorer`.
    """

    def __init__(
        self, scoring: Any, noise: Any, rate: float, n_repeats: int, random_state: int
    ) -> None:
        self.scoring = scoring
        self.noise = noise
        self.rate = rate
        self.n_repeats = n_repeats
        self.random_state = random_state

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float:
        """Return the mean score of a fitted estimator on noisy texts.

        Parameters
        ----------
        estimator : estimator
            Fitted, and reading texts.
        X : iterable of str, or of lists of str, of shape (n,)
            Clean texts, or lists of tokens.
        y : array-like of shape (n,), default=None
            What is right of them.

        Returns
        -------
        float
            Greater is better.
        """
        curve = robustness_curve(
            estimator,
            X,
            y,
            noise=self.noise,
            rates=(self.rate,),
            scoring=self.scoring,
            n_repeats=self.n_repeats,
            random_state=self.random_state,
        )
        return float(curve.mean[0])

    def __repr__(self) -> str:
        return f"make_robust_scorer({self.scoring!r}, noise={self.noise!r}, rate={self.rate})"
