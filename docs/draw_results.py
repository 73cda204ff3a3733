"""Draw what README and landing page show: accuracy as letters are mistyped, and speed.

    python docs/draw_results.py

The figures are those of docs/results.json, from benchmarks/published.py, throughput.py and, of
ComposedEmbedder(), against.py; a test compares them with the README.
"""

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
COLOURS = {
    "adapted to the set's own text": "#c2410c",
    "ComposedEmbedder()": "#ea8a3a",
    "all-MiniLM-L6-v2": "#2563a8",
    "TF-IDF of character n-grams": "#6b7280",
}


def draw_accuracy(ax, rates, accuracy):
    """Draw a line for each kind of features, with its name at its end."""
    for name, colour in COLOURS.items():
        ax.plot(rates, accuracy[name], "o-", color=colour, linewidth=2.5, markersize=5)
        ax.annotate(
            name, (rates[-1], accuracy[name][-1]), (7, 0), textcoords="offset points",
            color=colour, va="center", annotation_clip=False,
        )  # fmt: skip
    ax.set(
        xlabel="letters mistyped, %", xticks=rates, title="Accuracy with 5 and 10 labels a class"
    )
    ax.grid(axis="y", color="0.9")
    ax.spines[["top", "right"]].set_visible(False)


def draw_speed(ax, speed):
    """Draw a bar for each kind of features, with its number and name."""
    for place, (name, colour) in enumerate(COLOURS.items()):
        ax.barh(place, speed[name], color=colour)
        ax.annotate(
            f"{speed[name]:,}  {name}", (speed[name], place), (7, 0), textcoords="offset points",
            color=colour, va="center", annotation_clip=False,
        )  # fmt: skip
    ax.invert_yaxis()
    ax.set(title="Texts per second, two CPU cores", xticks=[], yticks=[])
    ax.spines[["top", "right", "bottom"]].set_visible(False)


def main():
    results = json.loads((HERE / "results.json").read_text(encoding="utf-8"))
    plt.rcParams.update({"font.size": 11, "svg.fonttype": "none", "svg.hashsalt": "results"})
    plt.rcParams.update({"font.family": "sans-serif", "font.sans-serif": ["Arial", "DejaVu Sans"]})
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(7, 5.6), height_ratios=[2.2, 1], layout="constrained", facecolor="white"
    )
    draw_accuracy(above, results["letters mistyped, %"], results["accuracy"])
    draw_speed(below, results["texts per second"])
    figure.savefig(HERE / "results.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
