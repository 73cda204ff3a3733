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
from functools import partial
from pathlib import Path

import joblib
import numpy as np
from _measure import clock, options, random_texts, table, write
from _peers import tfidf_vectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_cclm import ComposedClassifier, ComposedEmbedder, save

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
    """Return fitted classifiers by name: a logistic regression on features, and a head."""
    labels = [len(text.split()) % 5 for text in texts]
    kinds = {
        "ComposedEmbedder()": ComposedEmbedder(),
        "ComposedEmbedder(lexical=True)": ComposedEmbedder(lexical=True),
        "TF-IDF char_wb (2-5)": tfidf_vectorizer(),
    }
    models = {
        name: make_pipeline(kind, LogisticRegression(max_iter=1000)) for name, kind in kinds.items()
    }
    models["ComposedClassifier()"] = ComposedClassifier(max_epochs=1, random_state=0)
    return {name: model.fit(texts, labels) for name, model in models.items()}


def latencies(model, texts):
    """Return the milliseconds of each prediction of one text."""
    for text in texts[:20]:
        model.predict([text])
    return np.array([1000 * clock(partial(model.predict, [text])) for text in texts])


def measure_start(model, rounds, warm):
    """Return the milliseconds of each step in each round, and the bytes of what was stored.

    The first `warm` rounds bring the files into memory and do not count.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = pickle, saved = f"{folder}/pipeline.joblib", f"{folder}/embedder"
        joblib.dump(model, pickle)
        save(model[0], saved)
        rows = [
            [fresh(setup, work, *paths) for setup, work in STEPS.values()]
            for _ in range(warm + rounds)
        ][warm:]
        files = [path for path in Path(saved).rglob("*") if path.is_file()]
        sizes = {
            "joblib.dump of the pipeline": Path(pickle).stat().st_size,
            "save of its embedder": sum(path.stat().st_size for path in files),
        }
    return dict(zip(STEPS, np.array(rows).T, strict=True)), sizes


def measure_latency(models, texts):
    """Return the median and the 99th percentile of the milliseconds of one text, by model."""
    return {name: np.percentile(latencies(m, texts), [50, 99]) for name, m in models.items()}


def main():
    """Run the benchmark."""
    given = options(__doc__)
    rounds, warm, n = (1, 0, 50) if given.quick else (9, 1, 2000)
    models = pipelines(random_texts(500, 60, seed=1))
    times, sizes = measure_start(models["ComposedEmbedder()"], rounds, warm)
    print(f"Fresh processes, {rounds} rounds:\n")
    rows = [[what, np.median(t), t.min(), t.max()] for what, t in times.items()]
    table(["what", "ms", "least", "most"], [[w, *(f"{x:.1f}" for x in r)] for w, *r in rows])
    latency = {}
    for length in (60, 300):
        found = measure_latency(models, random_texts(n, length))
        latency[length] = {name: pair.tolist() for name, pair in found.items()}
        print(f"predict of one text of {length} characters, {n} calls, in ms:\n")
        rows = [[name, f"{p50:.2f}", f"{p99:.2f}"] for name, (p50, p99) in found.items()]
        table(["classifier, or its features", "p50", "p99"], rows)
    table(["stored", "MB"], [[what, f"{size / 2**20:.1f}"] for what, size in sizes.items()])
    start = {what: t.tolist() for what, t in times.items()}
    write(given, start=start, latency=latency, bytes=sizes)


if __name__ == "__main__":
    main()
