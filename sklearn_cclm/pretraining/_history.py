"""`HistoryDisplay`: the course of a training as a figure."""

from __future__ import annotations

from typing import Any, Self

from sklearn.utils.validation import check_is_fitted

_SAID = {"train": "training", "valid": "held-out"}


class HistoryDisplay:
    """Plot the losses of a training over its epochs, and the held-out metric on a second axis.

    Solid lines are losses; a broken line is a metric, in the colour of the loss on the same texts.

    Parameters
    ----------
    history : list of dict
        `history_` of a fitted pretrainer.
    name : str, default=None
        Name of the training in the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the losses are.
    metric_ax_ : matplotlib Axes or None
        The second axis, where the held-out metric is, if there is one.
    figure_ : matplotlib Figure
        The figure that holds them.
    lines_ : list of matplotlib Line2D
        The lines: the losses, in training first, then the held-out metrics.

    Examples
    --------
    >>> from sklearn_cclm import CCLMModelBase, MaskedCharacterPretrainer
    >>> from sklearn_cclm.pretraining import HistoryDisplay
    >>> base = CCLMModelBase(width=16, n_buckets=100)
    >>> pretrainer = MaskedCharacterPretrainer(base, tower="pooled", max_epochs=3, random_state=0)
    >>> pretrainer = pretrainer.fit(["some text", "more text"] * 10)
    >>> display = HistoryDisplay.from_estimator(pretrainer)
    >>> [line.get_label() for line in display.lines_]
    ['training loss', 'held-out loss', 'held-out accuracy']
    """

    def __init__(self, history: list[dict[str, Any]], *, name: str | None = None) -> None:
        self.history = history
        self.name = name

    @classmethod
    def from_estimator(cls, pretrainer: Any, *, ax: Any = None, name: str | None = None) -> Self:
        """Plot the history of a fitted pretrainer.

        Parameters
        ----------
        pretrainer : BasePretrainer
            A fitted pretrainer.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        name : str, default=None
            Name of the training in the legend.

        Returns
        -------
        HistoryDisplay
            The display, plotted.

        Raises
        ------
        NotFittedError
            If the pretrainer is not fitted.
        ImportError
            If matplotlib is not installed.
        """
        check_is_fitted(pretrainer, "history_")
        return cls(pretrainer.history_, name=name).plot(ax)

    def plot(self, ax: Any = None, *, name: str | None = None) -> Self:
        """Plot the history.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure. Give the `ax_` of another display to compare.
        name : str, default=None
            Name of the training in the legend; None takes that of the display.

        Returns
        -------
        HistoryDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = _new_axes() if ax is None else ax
        self.figure_ = self.ax_.figure
        keys = dict.fromkeys(key for row in self.history for key in row)
        measures = [key for key in keys if key.partition("_")[0] in _SAID]
        metrics = [key for key in measures if not key.endswith("_loss")]
        self.metric_ax_: Any = _second_axis(self.ax_, metrics) if metrics else None
        name = name or self.name
        self.lines_: list[Any] = []
        for key in [key for key in measures if key not in metrics] + metrics:
            self._draw(key, f"{name}: {_label(key)}" if name else _label(key), key in metrics)
        self._finish()
        return self

    def _draw(self, key: str, label: str, is_metric: bool) -> None:
        """Draw a line through the epochs in which something was measured."""
        points = [(row["epoch"], row[key]) for row in self.history if key in row]
        ax, style = (self.metric_ax_, "--") if is_metric else (self.ax_, "-")
        lines = ax.plot(*zip(*points, strict=True), label=label, marker=".", linestyle=style)
        for earlier in self.lines_:  # a metric has the colour of its loss
            if _stem(earlier.get_label()) == _stem(label):
                lines[0].set_color(earlier.get_color())
        self.lines_ += lines

    def _finish(self) -> None:
        """Name the axes and their lines, those of each training in a column of the legend."""
        self.ax_.set(xlabel="epoch", ylabel="loss")
        self.ax_.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        columns: dict[str, list[Any]] = {}
        for line in [*self.ax_.lines, *(self.metric_ax_.lines if self.metric_ax_ else ())]:
            columns.setdefault(line.get_label().rpartition(": ")[0], []).append(line)
        self.ax_.legend(
            handles=sum(columns.values(), []),
            loc="lower center",
            bbox_to_anchor=(0.5, 1),
            ncols=3 if len(columns) == 1 else len(columns),
            fontsize="small",
            frameon=False,
        )


def _new_axes() -> Any:
    """Return the axes of a new figure."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            'HistoryDisplay needs matplotlib: pip install "sklearn-cclm[plot]".'
        ) from error
    return plt.subplots(layout="constrained")[1]


def _label(key: str) -> str:
    """Return what the legend calls a key of `history_`."""
    where, _, what = key.partition("_")
    return f"{_SAID[where]} {what.replace('_', ' ')}"


def _stem(label: str) -> str:
    """Return a label without what was measured."""
    return label.rpartition(" ")[0]


def _second_axis(ax: Any, metrics: list[str]) -> Any:
    """Return the axis on the right for these metrics: an earlier display's, or a new one."""
    label = "held-out " + " and ".join(sorted({key.rpartition("_")[2] for key in metrics}))
    for other in ax.figure.axes:
        if other.get_ylabel() == label and other.bbox.bounds == ax.bbox.bounds:
            return other
    right = ax.twinx()
    right.set_ylabel(label)
    return right
