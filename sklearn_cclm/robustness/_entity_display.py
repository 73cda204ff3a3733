"""`EntityDisplay`: which labels of entities a model takes for which."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Self

import numpy as np

from sklearn_cclm._targets.entities import Span, read_entities
from sklearn_cclm._targets.entity_tags import f1_by_label
from sklearn_cclm.robustness._marked_text import showable
from sklearn_cclm.robustness._spans_html import spans_html

_NONE = "none"


class EntityDisplay:
    """What a model finds of the entities of texts, and what it takes them for.

    Shown in a notebook, it is the texts with most mistakes, as they should be and as they are
    marked, below the F1 scores.

    Parameters
    ----------
    texts : sequence of str, or of lists of str
        The texts, or their tokens, which are joined by single spaces.
    true : sequence
        Their entities, as `EntityPretrainer` takes them.
    predicted : sequence of list of Span
        Those that were found.

    Attributes
    ----------
    labels : tuple of str
        All labels, sorted.
    f1 : dict of str to float
        The F1 score over the entities of each, of which place and label must be right.
    confusion : int ndarray of shape (n_labels + 1, n_labels + 1)
        How many entities of the label of the row are marked as that of the column, at least in
        part; in the last column those that are not found, in the last row what is no entity.
    boundaries : int
        How many have the right label and another place.
    ax_ : matplotlib Axes
        Where `plot` drew the confusions.
    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    spans_html : One text.

    Examples
    --------
    >>> from sklearn_cclm.robustness import EntityDisplay
    >>> display = EntityDisplay(["Ada met Bob"], [[(0, 3, "P"), (8, 11, "P")]], [[(0, 3, "Q")]])
    >>> display.confusion.tolist()
    [[0, 1, 1], [0, 0, 0], [0, 0, 0]]
    """

    def __init__(self, texts: Sequence[str], true: Sequence[Any], predicted: Sequence[Any]) -> None:
        self.texts, given = read_entities(texts, true)
        self.true, self.predicted = given or [], read_entities(self.texts, predicted)[1] or []
        self.f1 = f1_by_label(self.true, self.predicted)
        self.labels = tuple(self.f1)
        place = {label: number for number, label in enumerate(self.labels)}
        self.confusion = np.zeros((len(place) + 1, len(place) + 1), dtype=np.int64)
        self.boundaries = 0
        for pairs in map(_pairs, self.true, self.predicted):
            for one, other in pairs:
                labels = [span.label if span else "" for span in (one, other)]
                self.confusion[tuple(place.get(label, -1) for label in labels)] += 1
                self.boundaries += labels[0] == labels[1] and one != other

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any, *, ax: Any = None) -> Self:
        """Let a fitted model find entities, and plot what it takes them for.

        Parameters
        ----------
        estimator : EntityPretrainer or ComposedTagger
            Fitted.
        X : iterable of str, or of lists of str
            Texts, or lists of tokens, best held out.
        y : iterable
            Their entities, as `fit` takes them.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.

        Returns
        -------
        EntityDisplay
            The display, plotted.
        """
        texts, true = read_entities(X, y)
        find = getattr(estimator, "predict_spans", estimator.predict)
        return cls(texts, true or [], find(texts)).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the confusions as shares of each row, with their numbers.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.

        Returns
        -------
        EntityDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = _new_axes(len(self.labels)) if ax is None else ax
        self.figure_ = self.ax_.figure
        shares = self.confusion / np.maximum(1, self.confusion.sum(axis=1, keepdims=True))
        self.ax_.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), count in np.ndenumerate(self.confusion):
            colour = "white" if shares[row, column] > 0.5 else "black"
            self.ax_.text(column, row, str(count), ha="center", va="center", color=colour)
        names = [*map(showable, self.labels), _NONE]
        ticks = range(len(names))
        self.ax_.set_xticks(ticks, names, rotation=45, ha="right", parse_math=False)
        self.ax_.set_yticks(ticks, names, parse_math=False)
        self.ax_.set(xlabel="marked as", ylabel="entity", title=self._title())
        return self

    def __repr__(self) -> str:
        return f"EntityDisplay({len(self.texts)} texts, {self._title()})"

    def _title(self) -> str:
        n, found = (sum(map(len, rows)) for rows in (self.true, self.predicted))
        return f"{n} entities, {found} marked, {self.boundaries} within other ends"

    def _repr_html_(self) -> str:
        """Return the F1 scores, and the texts with most mistakes."""
        wrong = [len({*a} ^ {*b}) for a, b in zip(self.true, self.predicted, strict=True)]
        worst = sorted(range(len(wrong)), key=lambda row: -wrong[row])[:5]
        scores = ", ".join(f"{showable(label)} {score:.2f}" for label, score in self.f1.items())
        rows = "".join(
            f"<tr><td>{spans_html(self.texts[row], self.true[row])}</td>"
            f"<td>{spans_html(self.texts[row], self.predicted[row])}</td></tr>"
            for row in worst
            if wrong[row]
        )
        head = "<tr><th>should be</th><th>is marked</th></tr>"
        return f"<p>F1: {escape(scores)}; {self._title()}</p><table>{head}{rows}</table>"


def _pairs(
    true: Sequence[Span], predicted: Sequence[Span]
) -> list[tuple[Span | None, Span | None]]:
    """Return each entity with the one marked that covers most of it, and those that cover none."""
    pairs: list[tuple[Span | None, Span | None]] = []
    met = set()
    for one in true:
        common = [
            (min(one.end, other.end) - max(one.start, other.start), other) for other in predicted
        ]
        best = max(common, key=lambda pair: pair[0], default=(0, None))
        met |= {other for shared, other in common if shared > 0}
        pairs.append((one, best[1] if best[0] > 0 else None))
    return [*pairs, *((None, other) for other in predicted if other not in met)]


def _new_axes(n_labels: int) -> Any:
    """Return the axes of a new figure, as large as that many labels need."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            'EntityDisplay needs matplotlib: pip install "sklearn-cclm[plot]".'
        ) from error
    side = 3 + 0.5 * n_labels
    return plt.subplots(figsize=(side, side), layout="constrained")[1]
