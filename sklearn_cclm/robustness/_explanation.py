"""`Explanation`: the contributions to one decision, as data, as HTML and as a figure."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np


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
        """Draw a bar for each character, under the text.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        matplotlib Axes
            Where the bars are.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        if ax is None:
            try:
                import matplotlib.pyplot as plt
            except ImportError as error:
                raise ImportError(
                    'plot needs matplotlib: pip install "sklearn-cclm[plot]".'
                ) from error
            ax = plt.subplots(layout="constrained")[1]
        places = np.arange(len(self.text))
        ax.bar(places, self.characters, color=np.where(self.characters > 0, "C0", "C3"))
        ax.set_xticks(places, list(self.text))
        ax.set_ylabel("contribution")
        ax.set_title(self._title(), fontsize="small", wrap=True)
        return ax

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
