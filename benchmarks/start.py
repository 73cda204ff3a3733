"""What it takes to start: import, load, first call, and the latency of one text.

    python benchmarks/start.py [--quick] [--json FILE]

Import, loading and the first call are measured in fresh processes, one after the other, whose
files the system has in memory; the median and the spread. The pipeline is what a service would
load: `ComposedEmbedder()` and a logistic regression, fitted on docstrings of installed libraries.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import joblib
import numpy as np
from _measure import clock, options, random_texts, table, write
from _peers import tfidf
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_cclm import ComposedEmbedder, save

FRESH = """
import json, sys, time

start = time.perf_counter()
{setup}
ready = time.perf_counter()
{work}
print(json.dumps([ready - start, time.perf_counter() - ready]))
"""
LOAD = "import joblib, sklearn_cclm; model = joblib.load(sys.argv[1])"
STEPS = {
    "import sklearn_cclm": ("pass", "import sklearn_cclm"),
    "import sklearn, for comparison": ("pass", "import sklearn"),
    "import torch, for comparison": ("pass", "import torch"),
    "from sklearn_cclm import ComposedEmbedder": (
        "pass",
        "from sklearn_cclm import ComposedEmbedder",
    ),
    "joblib.load of a pipeline, imports included": ("pass", LOAD),
    "joblib.load of a pipeline, imports done": (
        "import joblib, sklearn.pipeline, sklearn.linear_model, sklearn_cclm.models",
        "model = joblib.load(sys.argv[1])",
    ),
    "sklearn_cclm.load of the embedder, imports done": (
        "from sklearn_cclm import load, ComposedEmbedder",
        "model = load(sys.argv[2])",
    ),
    "first predict of the loaded pipeline": (LOAD, "model.predict(['where is my card'])"),
    "second predict": (
        LOAD + "; model.predict(['where is my card'])",
        "model.predict(['where is my catd'])",
    ),
}


def fresh(setup, work, *paths):
    """Return the milliseconds of work in a new process, after the setup."""
    code = FRESH.format(setup=setup, work=work)
    out = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *paths],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return 1000 * json.loads(out.stdout)[1]


def pipelines(texts):
    """Return fitted pipelines, ours and TF-IDF's, by name."""
    labels = [len(text.split()) % 5 for text in texts]
    kinds = {
        "ComposedEmbedder()": ComposedEmbedder(),
        "ComposedEmbedder(lexical=True)": ComposedEmbedder(lexical=True),
        "TF-IDF char_wb (2-5)": tfidf(texts).__self__,
    }
    return {
        name: make_pipeline(kind, LogisticRegression(max_iter=20)).fit(texts, labels)
        for name, kind in kinds.items()
    }


def latencies(model, texts):
    """Return the milliseconds of each prediction of one text."""
    for text in texts[:20]:
        model.predict([text])
    return np.array([1000 * clock(lambda: model.predict([text])) for text in texts])  # noqa: B023


def main():
    """Run the benchmark."""
    given = options(__doc__)
    rounds, n = (2, 100) if given.quick else (9, 2000)
    models = pipelines(random_texts(500, 60, seed=1))
    figures = {"start": {}, "latency": {}}
    with tempfile.TemporaryDirectory() as folder:
        pickle, saved = f"{folder}/pipeline.joblib", f"{folder}/embedder"
        joblib.dump(models["ComposedEmbedder()"], pickle)
        save(models["ComposedEmbedder()"][0], saved)
        for setup, work in STEPS.values():
            fresh(setup, work, pickle, saved)  # brings the files into memory
        rows = []
        for _ in range(rounds):
            rows.append([fresh(setup, work, pickle, saved) for setup, work in STEPS.values()])
        print(f"Fresh processes, {rounds} rounds:\n")
        times = dict(zip(STEPS, np.array(rows).T, strict=True))
        table(
            ["what", "ms", "spread"],
            [
                [name, f"{np.median(t):.1f}", f"{t.min():.1f}-{t.max():.1f}"]
                for name, t in times.items()
            ],
        )
        figures["start"] = {name: t.tolist() for name, t in times.items()}
        sizes = {
            "pickle": Path(pickle).stat().st_size,
            "saved": sum(p.stat().st_size for p in Path(saved).rglob("*") if p.is_file()),
        }
    for length in (60, 300):
        texts, lines = random_texts(n, length), []
        for name, model in models.items():
            p50, p99 = np.percentile(latencies(model, texts), [50, 99])
            figures["latency"][f"{name}, {length}"] = {"p50_ms": p50, "p99_ms": p99}
            lines.append([name, f"{p50:.2f}", f"{p99:.2f}"])
        print(f"predict of one text of {length} characters, {n} calls, in ms:\n")
        table(["features of a logistic regression", "p50", "p99"], lines)
    print(
        f"The pipeline pickles to {sizes['pickle'] / 2**20:.1f} MB; the embedder's directory ",
        end="",
    )
    print(f"has {sizes['saved'] / 2**20:.1f} MB.")
    write(given, **figures, bytes=sizes)


if __name__ == "__main__":
    main()
