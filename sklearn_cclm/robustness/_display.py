"""`RobustnessDisplay`: robustness curves as a figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from numbers import Integral
from typing import Any, Self

from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.pipeline import Pipeline

from sklearn_cclm._tools.seeds import draw_seed
from sklearn_cclm.robustness._curve import RobustnessCurve, robustness_curve
from sklearn_cclm.robustness._noise import noise_of

_DONE = {
    "slip": "letters replaced",
    "drop": "characters left out",
    "insert": "characters added",
    "repeat": "characters repeated",
    "swap": "neighbours swapped",
    "case": "letters in the other case",
    "space": "spaces changed",
    "lookalike": "characters replaced by lookalikes",
    "scramble": "words scrambled",
    "typos": "words mistyped",
}
_SCORES = {ClassifierMixin: "accuracy", RegressorMixin: "R\N{SUPERSCRIPT TWO}"}


class RobustnessDisplay:
    """Plot the scores of one or several models against the rate of noise.

    Lines go through the means, and bands show one standard deviation over the draws of the noise.
    Dashed lines are the mean confidence of the models, the probability of what they predict.

    Parameters
    ----------
    curves : dict of str to RobustnessCurve
        Curves by the names of their models.
    score_name : str, default="score"
        What the vertical axis is called.
    noise_name : str, default="places changed"
        What the horizontal axis is called, of which it shows the percentage.
    confidences : dict of str to RobustnessCurve, default=None
        Curves of "mean_confidence" by the names of the models.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the curves are.
    figure_ : matplotlib Figure
        The figure that holds them.
    lines_ : list of matplotlib Line2D
        A line for each model.
    confidence_lines_ : list of matplotlib Line2D
        A dashed line for each model whose confidence is known.

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

    def __init__(
        self,
        curves: Mapping[str, RobustnessCurve],
        *,
        score_name: str = "score",
        noise_name: str = "places changed",
        confidences: Mapping[str, RobustnessCurve] | None = None,
    ) -> None:
        self.curves = dict(curves)
        self.confidences = dict(confidences or {})
        self.score_name = score_name
        self.noise_name = noise_name

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any = None, *, name: str | None = None,
        confidence: bool = False, ax: Any = None, **params: Any,
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
        confidence : bool, default=False
            Whether to plot the mean confidence as well.
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
        return cls.from_estimators(names, X, y, confidence=confidence, ax=ax, **params)

    @classmethod
    def from_estimators(
        cls, estimators: Mapping[str, Any], X: Any, y: Any = None, *, confidence: bool = False,
        ax: Any = None, **params: Any,
    ) -> Self:  # fmt: skip
        """Measure several fitted models on the same noisy texts and plot them.

        Parameters
        ----------
        estimators : dict of str to estimator
            Fitted models by name.
        X : iterable of str, or of lists of str, of shape (n,)
            Clean texts, or lists of tokens, best held out.
        y : array-like of shape (n,), default=None
            What is right of them.
        confidence : bool, default=False
            Whether to plot the mean confidence as well.
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

        def measured(params: Mapping[str, Any]) -> dict[str, RobustnessCurve]:
            return {
                name: robustness_curve(estimator, X, y, **params)
                for name, estimator in estimators.items()
            }

        return cls(
            measured(params),
            confidences=measured({**params, "scoring": "mean_confidence"}) if confidence else None,
            score_name=_score_name(params.get("scoring"), estimators.values()),
            noise_name=_noise_name(params.get("noise", "slip")),
        ).plot(ax)

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
        self.confidence_lines_: list[Any] = []
        for name, curve in self.curves.items():
            style = {"marker": ".", "label": name, **kwargs}
            self.lines_ += self.ax_.plot(curve.rates, curve.mean, **style)
            low, high = curve.mean - curve.std, curve.mean + curve.std
            colour = self.lines_[-1].get_color()
            self.ax_.fill_between(curve.rates, low, high, color=colour, alpha=0.2, linewidth=0)
            if name in self.confidences:
                sure, style = self.confidences[name], {**kwargs, "color": colour, "linestyle": "--"}
                self.confidence_lines_ += self.ax_.plot(sure.rates, sure.mean, **style)
        score_name = f"{self.score_name}, confidence" if self.confidences else self.score_name
        self.ax_.set(xlabel=f"{self.noise_name}, %", ylabel=score_name)
        self.ax_.xaxis.set_major_formatter(lambda rate, _: f"{100 * rate:g}")
        self._explain()
        return self

    def _explain(self) -> None:
        """Say what lines and bands are, those of displays on the same axes included."""
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        handles, labels = self.ax_.get_legend_handles_labels()
        if self.confidences:
            handles.append(Line2D([], [], color="grey", linestyle="--"))
            labels.append("mean confidence")
        draws = sorted({curve.scores.shape[1] for curve in self.curves.values()})
        if draws and draws[-1] > 1:
            handles.append(Patch(color="grey", alpha=0.2, linewidth=0))
            labels.append(f"one standard deviation, {' or '.join(map(str, draws))} draws of noise")
        self.ax_.legend(handles, labels)


def _score_name(scoring: Any, estimators: Iterable[Any]) -> str:
    """Return what a score is called: by its name, or as that of the models, where it is known."""
    if isinstance(scoring, str):
        return scoring.replace("_", " ")
    ends = [model[-1] if isinstance(model, Pipeline) else model for model in estimators]
    names = set(map(_own_score_name, ends))
    return names.pop() if scoring is None and len(names) == 1 else "score"


def _own_score_name(model: Any) -> str:
    """Return what the `score` of a model is called; of a search, whose is any, not more."""
    inherited = (name for kind, name in _SCORES.items() if isinstance(model, kind))
    return getattr(model, "_score_name", None) or next(inherited, "score")


def _noise_name(noise: Any) -> str:
    """Return what noise of one kind does; of several, that it changes places."""
    kinds = noise_of(noise, 0.0, 0).kinds
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    return _DONE[kinds[0]] if len(kinds) == 1 else "places changed"


def _new_axes() -> Any:
    """Return the axes of a new figure."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            'RobustnessDisplay needs matplotlib: pip install "sklearn-cclm[plot]".'
        ) from error
    return plt.subplots(layout="constrained")[1]
