"""A text in wrapped lines, with a colour behind each word: what `Explanation.plot` draws."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

_COLUMNS = 72  # of a line
_MOST_LINES = 40  # of a text; of a longer one the lines where most happens
_COLOURS = ["#e65046", "white", "#4682e6"]  # against, nothing, for
_ADVANCE = 0.62  # width of a character as a share of the font's size
# Scripts that know no blanks, and whose characters take two columns, are marked by character.
_WIDE = "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60\U0001f300-\U0003fffd"
_WORD = re.compile(rf"(?P<wide>[{_WIDE}])|[^\s{_WIDE}]{{1,{_COLUMNS}}}")


class Word(NamedTuple):
    """A word, where in its line it stands, and what it contributes."""

    text: str
    column: int
    value: float


def lines_of(text: str, values: np.ndarray) -> list[list[Word]]:
    """Return the words of a text in lines, each with the mean of its characters' values."""
    lines: list[list[Word]] = [[]]
    column = end = 0
    for match in _WORD.finditer(text):
        blanks = text[end : match.start()]
        column += len(blanks) if lines[-1] else 0
        end = match.end()
        width = 2 if match["wide"] else len(match[0])
        if lines[-1] and ("\n" in blanks or column + width > _COLUMNS):
            lines.append([])
            column = 0
        lines[-1].append(Word(match[0], column, float(values[match.start() : end].mean())))
        column += width
    return lines


def strongest(lines: list[list[Word]]) -> list[list[Word]]:
    """Return lines as they are, or the strongest of many, with an ellipsis where some are gone."""
    if len(lines) <= _MOST_LINES:
        return lines
    strength = [max((abs(word.value) for word in line), default=0.0) for line in lines]
    kept = sorted(np.argsort(strength)[-_MOST_LINES // 2 :].tolist())
    gap = [Word("\N{HORIZONTAL ELLIPSIS}", 0, 0.0)]
    shown: list[list[Word]] = []
    for before, line in zip([-1, *kept], [*kept, len(lines)], strict=True):
        shown += [gap] if line > before + 1 else []
        shown += [lines[line]] if line < len(lines) else []
    return shown


def new_axes(n_lines: int) -> Any:
    """Return the axes of a new figure, as high as that many lines need."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError('plot needs matplotlib: pip install "sklearn-cclm[plot]".') from error
    size = (8, 1.6 + 0.2 * n_lines)
    return plt.subplots(figsize=size, layout="constrained")[1]


def draw(ax: Any, lines: list[list[Word]], most: float) -> None:
    """Draw lines of words, of which a value of `most` has the full colour."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    norm = Normalize(-most, most)
    colours = LinearSegmentedColormap.from_list("", _COLOURS, N=257)  # the middle one is white
    ax.set(xlim=(0, _COLUMNS), ylim=(len(lines), 0), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    bar = ax.figure.colorbar(ScalarMappable(norm, colours), ax=ax, location="bottom", aspect=40)
    bar.set_label("contribution of a word's characters")
    ax.figure.draw_without_rendering()  # settles the axes' size
    extent = ax.get_window_extent()
    points = 72 / ax.figure.dpi
    size = min(extent.width / _COLUMNS / _ADVANCE, 0.75 * extent.height / len(lines)) * points
    for row, line in enumerate(lines):
        for word in line:
            ax.text(
                word.column,
                row + 0.5,
                word.text,
                family="monospace",
                size=size,
                va="center_baseline",
                parse_math=False,
                bbox={"facecolor": colours(norm(word.value)), "linewidth": 0, "pad": 1},
            )
