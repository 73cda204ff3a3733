"""Draw a table of scores under noise, with a panel for each value of its first column.

Pages show the same file as a table and, by matplotlib's plot directive, as lines.
"""

import csv
from itertools import groupby
from pathlib import Path

import matplotlib.pyplot as plt

COLOURS = {  # as in results.svg; what is not named is what the page is about
    "TF-IDF of character n-grams": "#6b7280",
    "all-MiniLM-L6-v2": "#2563a8",
    "en-semantic": "#ea8a3a",
}


def draw(name):
    """Draw a file of the user guide: panel, features, and a score for each level of noise."""
    path = Path(__file__).parent / "user_guide" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        (_, _, *levels), *rows = csv.reader(file)
    panels = {panel: list(group) for panel, group in groupby(rows, key=lambda row: row[0])}
    figure, axes = plt.subplots(
        1, len(panels), figsize=(7.5, 3.2), sharey=True, squeeze=False, layout="constrained"
    )
    for ax, (panel, group) in zip(axes[0], panels.items(), strict=True):
        for _, features, *scores in group:
            colour = COLOURS.get(features, "#c2410c")
            ax.plot(levels, [float(score) for score in scores], "o-", color=colour, label=features)
        ax.set_title(panel, fontsize=9)
        ax.grid(axis="y", color="0.9")
        ax.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set(ylabel="accuracy", ylim=(0, 1))
    figure.supxlabel("letters mistyped", fontsize=10)
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False
    )
