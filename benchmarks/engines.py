"""Serving by torch and by numpy: time to the first vector, memory, and texts per second.

    python -m venv ../serving && ../serving/bin/pip install .
    git worktree add ../old af26088
    python benchmarks/engines.py [--without ../serving/bin/python] [--old ../old] [--rounds N]
        [--quick] [--json FILE]

Each engine answers in fresh processes, one after the other, round after round, on one thread, of
which the processor's time counts: what else the machine does matters little. Texts are docstrings
of the installed libraries, of 60 characters and distinct. `--without` is the Python of an
environment that has no torch; `--old` an older tree, which runs on torch.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from _measure import options, random_texts, table, write

HERE = Path(__file__).parents[1]
SIZES = (1, 64, 10_000)
FRESH = """
import json, pathlib, re, sys, time, warnings
warnings.simplefilter("ignore")
from sklearn_cclm import ComposedEmbedder
def resident():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"^VmRSS:\\s+(\\d+) kB", status, re.M)[1]) / 1024
embedder = ComposedEmbedder().fit(["a text"])
embedder.transform(["where is my card"])
found = [1000 * time.process_time(), resident()]
texts = json.loads(pathlib.Path(sys.argv[1]).read_text())
for size, calls in json.loads(sys.argv[2]):
    embedder.transform(texts[:size])
    times = []
    for call in range(calls):
        some = texts[call * size : (call + 1) * size]
        start = time.process_time()
        embedder.transform(some)
        times.append(time.process_time() - start)
    found.append(size / sorted(times)[len(times) // 2])
print(json.dumps(found))
"""
INSTALLED = """
import pathlib, sysconfig
files = pathlib.Path(sysconfig.get_paths()["purelib"]).rglob("*")
print(sum(f.stat().st_blocks * 512 for f in files if f.is_file()) / 2**20)
"""


def answer(python, tree, engine, *args):
    """Return what a fresh process finds."""
    env = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    env |= {"OPENBLAS_NUM_THREADS": "1", "SKLEARN_CCLM_ENGINE": engine}
    done = subprocess.run(
        [python, "-c", *args], env=env, cwd=tree, check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout)


def main():
    """Run the benchmark."""
    given = options(
        __doc__,
        without={"metavar": "PYTHON"},
        old={"metavar": "TREE"},
        rounds={"type": int, "default": 5},
    )
    rounds = 1 if given.quick else given.rounds
    calls = [(1, 20), (64, 2)] if given.quick else list(zip(SIZES, (500, 40, 3), strict=True))
    ways = {
        "torch": (sys.executable, HERE, "torch"),
        "numpy, torch installed": (sys.executable, HERE, "numpy"),
    }
    if given.without:
        ways["numpy, no torch installed"] = given.without, HERE, "numpy"
    if given.old:
        ways["torch, old tree"] = sys.executable, Path(given.old).resolve(), ""
    found = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "texts.json")
        path.write_text(json.dumps(random_texts(30_000, 60)))
        for _ in range(rounds):
            for way, how in ways.items():
                found[way].append(answer(*how, FRESH, str(path), json.dumps(calls)))
    medians = {way: np.median(rows, axis=0) for way, rows in found.items()}
    heads = ["engine", "first vector, ms", "resident then, MB"]
    heads += [f"texts/s in batches of {size}" for size, _ in calls]
    table(heads, [[way, *(f"{x:,.0f}" for x in row)] for way, row in medians.items()])
    sizes = {}
    if given.without:
        sizes = {"numpy, no torch installed": answer(given.without, HERE, "", INSTALLED)}
        table(["environment", "installed, MB"], [[k, f"{v:,.0f}"] for k, v in sizes.items()])
    write(given, found=found, installed=sizes)


if __name__ == "__main__":
    main()
