"""The model card of an entry: Markdown, as the Hugging Face hub reads it, with a plot."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from sklearn_cclm.shelf._entry import Entry

_PLOT = "noise.svg"

_CARD = """\
---
{head}
---

# {entry.name}

A {what} for character-level language models, published {entry.date}.

```python
{usage}
```

|  |  |
|---|---|
{facts}

## Trained on

| corpus | licence |
|---|---|
{corpora}

{entry.recipe}

## Measured

{metrics}
"""


def card(entry: Entry, *, plot: str | None = None) -> str:
    """Return the card as Markdown, which shows the plot at a path if there is one."""
    head = "\n".join(f"{key}: {json.dumps(value)}" for key, value in _head(entry).items())
    facts = {
        "revision": entry.revision,
        "licence": entry.licence,
        "size": f"{entry.size:,} bytes",
        "width": f"{entry.width} for a character"
        + (f", {entry.native_width} for a text" if entry.native_width else ""),
        "digest": entry.digest,
        "digest of its base": entry.base + (f", in {entry.base_in}" if entry.base_in else ""),
        "sha256": entry.sha256,
    }
    metrics = _metrics(entry) if entry.metrics else "Nothing."
    return _CARD.format(
        entry=entry,
        head=head,
        what=f"tower trained on the task {entry.task}" if entry.task else "base",
        usage=_usage(entry),
        facts="\n".join(_row([name, fact]) for name, fact in facts.items()),
        corpora="\n".join(_row(corpus) for corpus in entry.corpora.items()),
        metrics=metrics + (f"\n\n![Scores under noise]({plot})" if plot else ""),
    )


def write_card(entry: Entry, folder: Path) -> None:
    """Write the card as README.md, with a plot if there is something to plot and matplotlib."""
    plot = _PLOT if entry.metrics and find_spec("matplotlib") else None
    if plot:
        _draw(entry, folder / plot)
    (folder / "README.md").write_text(card(entry, plot=plot), encoding="utf-8", newline="\n")


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
    if results:
        head["model-index"] = [{"name": entry.name, "results": results}]
    return head


def _usage(entry: Entry) -> str:
    pinned = entry.pinned
    if entry.task == "entity":
        return (
            "from sklearn_cclm import EntityPretrainer\n\n"
            f'spans = EntityPretrainer.from_tower("{pinned}").predict(texts)'
        )
    if entry.kind == "tower":
        return (
            "from sklearn_cclm import ComposedEmbedder\n\n"
            f'embedder = ComposedEmbedder([({json.dumps(entry.task)}, "{pinned}")]).fit(texts)'
        )
    return (
        "from sklearn_cclm import MaskedCharacterPretrainer\n\n"
        f'tower = MaskedCharacterPretrainer(base="{pinned}").fit(texts).tower_'
    )


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


def _draw(entry: Entry, path: Path) -> None:
    """Draw the curves, as the same bytes each time."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    axes = (figure := Figure(figsize=(6, 4), layout="constrained")).add_subplot()
    for curve in entry.metrics:
        axes.plot(curve.levels, curve.scores, marker="o", label=f"{curve.data}: {curve.metric}")
    axes.set(xlabel=", ".join(sorted({c.noise for c in entry.metrics})), ylabel="score")
    axes.legend()
    with rc_context({"svg.hashsalt": entry.sha256}):
        figure.savefig(path, metadata={"Date": None})
