"""`Explanation`: the contributions to one decision, as data, as HTML and as a figure."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from reprlib import repr as short_repr
from typing import Any

import numpy as np

from sklearn_cclm.robustness._marked_text import draw, lines_of, new_axes, strongest


@dataclass(frozen=True, eq=False)
class Explanation:
    """What one decision of a linear model on towers rests on, as `explain` finds it.

    Shown in a notebook, it is the text, what speaks for the label in blue and what speaks against
    it in red, above the contributions of the towers.

    Attributes
    ----------
    text : str
        The text.
    label : object
        The class; None of a regression.
    decision : float
        The model's decision for it, before any softmax or sigmoid.
    intercept : float
        What of it is there without any text.
    parts : dict of str to float
        What each tower and transformer adds; with the intercept, their sum is the decision.
    characters : float ndarray of shape (len(text),)
        How much lower the decision is without each character and its neighbours.
    """

    text: str
    label: Any
    decision: float
    intercept: float
    parts: dict[str, float]
    characters: np.ndarray

    def to_frame(self) -> Any:
        """Return a row for each character.

        Returns
        -------
        pandas.DataFrame
            Columns "character" and "contribution".

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError("to_frame needs pandas: pip install pandas.") from error
        return pd.DataFrame({"character": list(self.text), "contribution": self.characters})

    def plot(self, ax: Any = None) -> Any:
        """Draw the text in lines, what speaks for the label in blue, what speaks against in red.

        A word has the mean contribution of its characters, and so has each character of scripts
        that know no blanks. Of a text of more than 40 lines those are drawn where most happens.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure, as high as the text needs.

        Returns
        -------
        matplotlib Axes
            Where the text is.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        lines = strongest(lines_of(self.text, self.characters))
        ax = new_axes(len(lines)) if ax is None else ax
        ax.set_title(self._title(), fontsize="small", wrap=True, parse_math=False)
        draw(ax, lines, max((abs(word.value) for line in lines for word in line), default=0) or 1.0)
        return ax

    def __repr__(self) -> str:
        parts = ", ".join(f"{name} {value:+.3f}" for name, value in self.parts.items())
        return (
            f"Explanation({short_repr(self.text)}, label={self.label!r}, "
            f"decision {self.decision:+.3f}: {parts}, intercept {self.intercept:+.3f})"
        )

    def _title(self) -> str:
        what = "decision" if self.label is None else f"decision for {self.label!r}"
        parts = ", ".join(f"{name} {value:+.2f}" for name, value in self.parts.items())
        return f"{what} {self.decision:+.2f}: {parts}, intercept {self.intercept:+.2f}"

    def _repr_html_(self) -> str:
        """Return the coloured text."""
        most = np.abs(self.characters).max(initial=0) or 1.0
        marked = "".join(
            f'<span style="background:rgba({_colour(value)},{abs(value) / most:.2f})" '
            f'title="{value:+.3f}">{escape(character)}</span>'
            for character, value in zip(self.text, self.characters, strict=True)
        )
        return (
            f'<div style="white-space:pre-wrap;font-family:monospace">{marked}</div>'
            f"<p>{escape(self._title())}</p>"
        )


def _colour(value: float) -> str:
    return "70,130,230" if value > 0 else "230,80,70"
