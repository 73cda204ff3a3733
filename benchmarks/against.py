"""This tree beside another one, such as a git worktree of an earlier commit, in turn.

    git worktree add ../old af26088
    python benchmarks/against.py --old ../old [--rounds N] [--only WORD] [--quick] [--json FILE]

Each case runs in a fresh process with either tree on its path, round after round of both, with
one torch thread a core; the table has medians, spreads, and the median of the rounds' ratios. A
ratio above 1 is better for speeds and below 1 for everything else. Texts are docstrings of the
installed libraries, distinct.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from _measure import random_texts, table, write

HERE = Path(__file__).parents[1]
SHARED = """
import gc, io, json, os, pathlib, re, sys, time
texts, n = json.load(open(sys.argv[1])), int(sys.argv[2])
texts = texts[:n]
def status(line, of="self", file="status"):
    text = pathlib.Path(f"/proc/{of}/{file}").read_text()
    return int(re.search(rf"^{line}:\\s+(\\d+) kB", text, re.M)[1]) / 1024
"""
SPEED = """
from sklearn_cclm import ComposedEmbedder
embedder = ComposedEmbedder(lexical={lexical}).fit(texts[:5000])
embedder.transform(texts[:1000])
start = time.perf_counter()
embedder.transform(texts)
print(len(texts) / (time.perf_counter() - start))
"""
PARTS = """
from sklearn_cclm import ComposedClassifier
head, times = ComposedClassifier(random_state=0), []
for start in range(0, len(texts), 32):
    some = texts[start : start + 32]
    began = time.perf_counter()
    head.partial_fit(some, [len(text.split()) % 2 for text in some], classes=[0, 1])
    times.append(time.perf_counter() - began)
del times[0]  # makes the network
"""
SEARCH = """
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn_cclm import ComposedEmbedder, Shelf
from sklearn_cclm.nn.embedding import NgramBase
calls = []
def counted(cls, name):
    made = getattr(cls, name)
    setattr(cls, name, lambda *args, **how: calls.append(name) or made(*args, **how))
counted(Shelf, "fetch")
counted(NgramBase, "__init__")
pipe = make_pipeline(ComposedEmbedder([("en", "en-semantic")], lexical=False), LogisticRegression())
grid = {{"logisticregression__C": [0.1, 1, 10, 100]}}
GridSearchCV(pipe, grid, cv=2).fit(texts, [i % 2 for i in range(len(texts))])
print(calls.count({name!r}))
"""
CASES = {
    "ComposedEmbedder(), texts/s": (100_000, SPEED.format(lexical=False)),
    "ComposedEmbedder(lexical=True), texts/s": (100_000, SPEED.format(lexical=True)),
    "one text by a pipeline with lexical=True, p50, ms": (
        2_000,
        """
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn_cclm import ComposedEmbedder
pipe = make_pipeline(ComposedEmbedder(lexical=True), LogisticRegression())
pipe.fit(texts[:1000], [len(text.split()) > 9 for text in texts[:1000]])
times = []
for text in texts[-600:]:
    start = time.perf_counter()
    pipe.predict([text])
    times.append(time.perf_counter() - start)
print(sorted(times[100:])[250] * 1e3)
""",
    ),
    "memory above the imports, default embedder used, MB": (
        2_000,
        """
import scipy.sparse, sklearn.linear_model, torch
from sklearn_cclm import ComposedEmbedder
torch.set_num_threads(1)
gc.collect()
before = status("VmRSS")
embedder = ComposedEmbedder(lexical=False).fit([""])
embedder.transform(texts)
gc.collect()
print(status("VmRSS") - before)
""",
    ),
    "pickle of a pipeline, MB": (
        100,
        """
import joblib
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn_cclm import ComposedEmbedder
pipe = make_pipeline(ComposedEmbedder(), LogisticRegression())
pipe.fit(texts, [i % 2 for i in range(len(texts))])
file = io.BytesIO()
joblib.dump(pipe, file)
print(len(file.getvalue()) / 1e6)
""",
    ),
    "the three published towers, pickled, MB": (
        1,
        """
import pickle
from sklearn_cclm import Shelf
names = "en-semantic", "en-mlm", "en-entities"
print(len(pickle.dumps([Shelf().fetch(name) for name in names])) / 1e6)
""",
    ),
    "a search of nine fits, reads of the tower's name": (100, SEARCH.format(name="fetch")),
    "a search of nine fits, networks built": (100, SEARCH.format(name="__init__")),
    "four processes with the default embedder, private and shared memory, MB": (
        2_000,
        """
import multiprocessing
def work(texts, ready, done):
    from sklearn_cclm import ComposedEmbedder
    embedder = ComposedEmbedder(lexical=False).fit([""])  # in use while memory is measured
    embedder.transform(texts)
    ready.put(os.getpid())
    done.wait()
context = multiprocessing.get_context("spawn")
if __name__ == "__main__":
    ready, done = context.Queue(), context.Event()
    workers = [context.Process(target=work, args=(texts, ready, done)) for _ in range(4)]
    for worker in workers:
        worker.start()
    pids = [ready.get() for _ in workers]
    print(sum(status("Pss", pid, "smaps_rollup") for pid in pids))
    done.set()
""",
    ),
    "a fresh process to its first vector, s": (
        1,
        """
start = time.perf_counter()
from sklearn_cclm import ComposedEmbedder
ComposedEmbedder(lexical=False).fit([""]).transform(texts)
print(time.perf_counter() - start)
""",
    ),
    "partial_fit of a head on 32 texts more, median of 10, ms": (
        352,
        PARTS
        + """
print(sorted(times)[5] * 1e3)
""",
    ),
    "a head between two calls of partial_fit, pickled, MB": (
        352,
        PARTS
        + """
import pickle
print(len(pickle.dumps(head)) / 1e6)
""",
    ),
    "DistillationPretrainer on 10,000 texts, ten passes, s": (
        10_000,
        """
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn_cclm import DistillationPretrainer
vectors = HashingVectorizer(n_features=384).transform(texts).toarray()
DistillationPretrainer(max_epochs=1, random_state=0).fit(texts[:500], vectors[:500])
start = time.perf_counter()
DistillationPretrainer(max_epochs=10, random_state=0).fit(texts, vectors)
print(time.perf_counter() - start)
""",
    ),
}


def measure(tree, code, file, n):
    """Return what a case prints in a process that has a tree on its path."""
    script = file.with_name("case.py")
    script.write_text(SHARED + code)
    found = subprocess.run(
        [sys.executable, "-W", "ignore", script, file, str(n)],
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
    )
    if found.returncode:
        sys.exit(f"{tree}: {found.stderr[-2000:]}")
    return float(found.stdout.split()[-1])


def main():
    """Measure both trees and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--old", type=Path, required=True, help="root of the other tree")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="cases whose names have this in them")
    parser.add_argument("--quick", action="store_true", help="a small run, to see that it works")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to FILE")
    given = parser.parse_args()
    folder = HERE / "benchmarks" / ".results"
    folder.mkdir(exist_ok=True)
    file = folder / "texts.json"
    most = 2_000 if given.quick else 100_000
    file.write_text(json.dumps(random_texts(most, 60)))
    rows, figures = [], {}
    for name, (n, code) in CASES.items():
        if given.only in name:
            rounds = [
                [measure(tree.resolve(), code, file, min(n, most)) for tree in (given.old, HERE)]
                for _ in range(1 if given.quick else given.rounds)
            ]
            old, new = np.array(rounds).T
            figures[name] = {"old": old.tolist(), "new": new.tolist()}
            ratios = new / old
            rows.append([name, shown(old), shown(new), shown(ratios)])
    table(["what", "old", "new", "new / old"], rows)
    write(given, against=figures)


def shown(values):
    """Return the median of values and their spread."""
    return f"{np.median(values):,.3g} ({min(values):,.3g}-{max(values):,.3g})"


if __name__ == "__main__":
    main()
