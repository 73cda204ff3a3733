"""`RobustnessDisplay`: robustness curves as a figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from numbers import Integral
from typing import Any, Self

from sklearn_cclm._tools.seeds import draw_seed
from sklearn_cclm.robustness._curve import RobustnessCurve, robustness_curve


class RobustnessDisplay:
    """Plot the scores of one or several models against the rate of noise.

    Lines go through the means, and bands show one standard deviation over the draws of the noise.

    Parameters
    ----------
    curves : dict of str to RobustnessCurve
        Curves by the names of their models.
    score_name : str, default="score"
        What the vertical axis is called.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the curves are.
    figure_ : matplotlib Figure
        The figure that holds them.
    lines_ : list of matplotlib Line2D
        A line for each model.

    See Also
    --------
    robustness_curve : The numbers.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_cclm.robustness import RobustnessDisplay
    >>> texts, labels = ["a good film", "a bad film"] * 20, [1, 0] * 20
    >>> models = {
    ...     kind: make_pipeline(TfidfVectorizer(analyzer=kind), LogisticRegression())
    ...     .fit(texts, labels)
    ...     for kind in ("word", "char")
    ... }
    >>> display = RobustnessDisplay.from_estimators(models, texts, labels)
    >>> [line.get_label() for line in display.lines_]
    ['word', 'char']
    """

    def __init__(self, curves: Mapping[str, RobustnessCurve], *, score_name: str = "score"):
        self.curves = dict(curves)
        self.score_name = score_name

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any = None, *, name: str | None = None,
        ax: Any = None, **params: Any,
    ) -> Self:  # fmt: skip
        """Measure one fitted model and plot it.

        Parameters
        ----------
        estimator : estimator
            Fitted, and reading texts.
        X : iterable of str, or of lists of str, of shape (n,)
            Clean texts, or lists of tokens, best held out.
        y : array-like of shape (n,), default=None
            What is right of them.
        name : str, default=None
            Name of the model in the legend; None is that of its class.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **params
            Other parameters of `robustness_curve`.

        Returns
        -------
        RobustnessDisplay
            The display, plotted.
        """
        names = {name or type(estimator).__name__: estimator}
        return cls.from_estimators(names, X, y, ax=ax, **params)

    @classmethod
    def from_estimators(
        cls, estimators: Mapping[str, Any], X: Any, y: Any = None, *, ax: Any = None, **params: Any
    ) -> Self:
        """Measure several fitted models on the same noisy texts and plot them.

        Parameters
        ----------
        estimators : dict of str to estimator
            Fitted models by name.
        X : iterable of str, or of lists of str, of shape (n,)
            Clean texts, or lists of tokens, best held out.
        y : array-like of shape (n,), default=None
            What is right of them.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **params
            Other parameters of `robustness_curve`.

        Returns
        -------
        RobustnessDisplay
            The display, plotted.
        """
        X, y = (list(given) if isinstance(given, Iterator) else given for given in (X, y))
        seed = params.get("random_state", 0)
        if not isinstance(seed, Integral):  # what is drawn from would differ from model to model
            params["random_state"] = draw_seed(seed)
        curves = {
            name: robustness_curve(estimator, X, y, **params)
            for name, estimator in estimators.items()
        }
        scoring = params.get("scoring")
        return cls(curves, score_name=scoring if isinstance(scoring, str) else "score").plot(ax)

    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
        """Plot the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs
            Of matplotlib's ``plot``, for each line.

        Returns
        -------
        RobustnessDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = _new_axes() if ax is None else ax
        self.figure_ = self.ax_.figure
        self.lines_: list[Any] = []
        for name, curve in self.curves.items():
            style = {"marker": ".", "label": name, **kwargs}
            self.lines_ += self.ax_.plot(curve.rates, curve.mean, **style)
            low, high = curve.mean - curve.std, curve.mean + curve.std
            colour = self.lines_[-1].get_color()
            self.ax_.fill_between(curve.rates, low, high, color=colour, alpha=0.2, linewidth=0)
        self.ax_.set(xlabel="rate of noise", ylabel=self.score_name)
        self.ax_.legend()
        return self


def _new_axes() -> Any:
    """Return the axes of a new figure."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            'RobustnessDisplay needs matplotlib: pip install "sklearn-cclm[plot]".'
        ) from error
    return plt.subplots(layout="constrained")[1]
