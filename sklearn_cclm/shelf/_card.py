"""The model card of an entry: Markdown, as the Hugging Face hub reads it, with a plot."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sklearn_cclm.shelf._card_examples import usage
from sklearn_cclm.shelf._entry import Entry

_PLOT = "noise.svg"

_CARD = """\
---
{head}
---

# {entry.name}

{opening}

```python
{usage}
```

Limits: {limits}

Licence of the weights: {entry.licence}; the code has one of its own.

## Measured

{metrics}

## Trained on

| corpus | licence |
|---|---|
{corpora}

{entry.recipe}

## Facts

|  |  |
|---|---|
{facts}
"""

_LEARNED = {
    "causal_language": "It has learned to predict the next characters",
    "classification": "It has learned to tell labels of texts apart",
    "contrastive": "It has learned to find a text again that was mistyped",
    "distillation": "It gives texts of like meaning like vectors",
    "entity": "It finds names in texts, and says what is named",
    "masked_character": "It has learned to fill in masked characters",
    "masked_language": "It has learned to fill in masked words",
}


def card(entry: Entry, *, plot: str | None = None) -> str:
    """Return the card as Markdown, which shows the plot at a path if there is one."""
    head = "\n".join(f"{key}: {json.dumps(value)}" for key, value in _head(entry).items())
    facts = {
        "revision": f"{entry.revision}, published {entry.date}",
        "size": f"{entry.size:,} bytes",
        "digest": entry.digest,
        "digest of its base": entry.base + (f", in {entry.base_in}" if entry.base_in else ""),
        "sha256": entry.sha256,
    }
    metrics = _metrics(entry) if entry.metrics else "Nothing."
    return _CARD.format(
        entry=entry,
        head=head,
        opening=_opening(entry),
        usage=usage(entry),
        limits=entry.limits or "none are stated; measure it on texts of yours.",
        facts="\n".join(_row([name, fact]) for name, fact in facts.items()),
        corpora="\n".join(_row(corpus) for corpus in entry.corpora.items()),
        metrics=metrics + (f"\n\n![Scores under noise]({plot})" if plot else ""),
    )


def write_card(entry: Entry, folder: Path) -> None:
    """Write the card as README.md, with a plot if there is something to plot and matplotlib."""
    plot = _PLOT if entry.metrics and find_spec("matplotlib") else None
    if plot:
        from matplotlib import rc_context

        with rc_context({"svg.hashsalt": entry.sha256}):  # the same bytes each time
            draw(entry).savefig(folder / plot, metadata={"Date": None})
    (folder / "README.md").write_text(card(entry, plot=plot), encoding="utf-8", newline="\n")


def _opening(entry: Entry) -> str:
    """Say what a component does, for which language, and what it is for."""
    texts = f"texts (language: {entry.language})" if entry.language else "texts"
    if entry.native_width is None:
        return (
            f"A base for {texts}: a vector of {entry.width} numbers for each character, on which "
            "towers are trained. It reads characters, and so knows no unknown words."
        )
    learned = _LEARNED.get(entry.task or "", f"It was trained on the task {entry.task}")
    if entry.teachers:
        learned += f", taught by {' and '.join(entry.teachers)}"
    return (
        f"A tower for {texts}: a vector of {entry.native_width} numbers for each text, and one of "
        f"{entry.width} for each character. {learned}. It reads characters, so that mistyped words "
        "are no unknown ones; use it as features of any scikit-learn estimator, or fine-tune it."
    )


def _head(entry: Entry) -> dict[str, object]:
    """Return what the hub reads; JSON values are YAML as well."""
    results = [
        {
            "task": {"type": "feature-extraction"},
            "dataset": {"name": curve.data, "type": curve.data},
            "metrics": [
                {"name": f"{curve.metric}, {curve.noise}: {level:g}", "type": curve.metric,
                 "value": score}
                for level, score in zip(curve.levels, curve.scores, strict=True)
            ],
        }
        for curve in entry.metrics
    ]  # fmt: skip
    head: dict[str, object] = {
        "license": entry.licence.lower(),
        "library_name": "sklearn_cclm",
        "pipeline_tag": "feature-extraction",
        "tags": ["sklearn_cclm", entry.kind],
    }
    if entry.language:
        head["language"] = entry.language.split(", ")
    if results:
        head["model-index"] = [{"name": entry.name, "results": results}]
    return head


def _metrics(entry: Entry) -> str:
    """Return a table with a row for each curve, and a column for each level of noise."""
    levels = sorted({level for curve in entry.metrics for level in curve.levels})
    rows = [
        ["data", "score", "noise", "clean", *[f"{level:g}" for level in levels[1:]]],
        ["---"] * (3 + len(levels)),
    ]
    for curve in entry.metrics:
        scores = dict(zip(curve.levels, curve.scores, strict=True))
        shown = [f"{scores[level]:.3f}" if level in scores else "" for level in levels]
        rows.append([curve.data, curve.metric, curve.noise, *shown])
    return "\n".join(map(_row, rows))


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def draw(entry: Entry) -> Any:
    """Return a figure of the curves, with axes for each score and noise."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    kinds = list(dict.fromkeys((curve.metric, curve.noise) for curve in entry.metrics))
    figure = Figure(figsize=(4.8 * len(kinds), 4.4), layout="constrained")
    for axes, kind in zip(figure.subplots(1, len(kinds), squeeze=False)[0], kinds, strict=True):
        curves = [curve for curve in entry.metrics if (curve.metric, curve.noise) == kind]
        for curve in curves:
            axes.plot(curve.levels, curve.scores, marker="o", label=curve.data)
        axes.set(xlabel=kind[1], ylabel=kind[0])
        axes.set_xticks(sorted({level for curve in curves for level in curve.levels}))
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        if all(0 <= score <= 1 for curve in curves for score in curve.scores):
            axes.set_ylim(0, 1)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    return figure
