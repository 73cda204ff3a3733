"""Processes read and build a name once each, and map the rows of a value that they are sent."""

import json
import os
import subprocess
import sys

import pytest

from sklearn_cclm import CCLMModelBase, MaskedCharacterPretrainer, Shelf

TEXTS = [f"text {i} of a few" for i in range(20)]
SCRIPT = """
import json, os, sys
from joblib import Parallel, delayed
from sklearn_cclm import ComposedEmbedder, Shelf, load
from sklearn_cclm.values._value import Value

def count(cls, name, found):
    method = getattr(cls, name)
    def call(self, *args):
        found.append(name)
        return method(self, *args)
    setattr(cls, name, call)

def work(embedder, texts):
    if not hasattr(Value, "found"):
        Value.found = []
        count(Shelf, "fetch", Value.found)
        count(Value, "_network", Value.found)
    embedder.transform(texts)
    table = embedder._fitted().towers_[0][1].base.weights.kept["table.weight"]
    return os.getpid(), sorted(Value.found), type(table.packed).__name__

if __name__ == "__main__":
    given, texts = map(json.loads, sys.argv[1:])
    tower = given if given == "sem" else load(given)
    embedder = ComposedEmbedder([("sem", tower)])
    print(json.dumps(Parallel(2)(delayed(work)(embedder, texts) for _ in range(8))))
"""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    recipe = CCLMModelBase(width=64, n_buckets=30_000)  # loky maps what has more than 1 MB
    pretrainer = MaskedCharacterPretrainer(recipe, tower="pooled", max_epochs=1, random_state=0)
    shelf = Shelf(tmp_path_factory.mktemp("shelf"))
    shelf.publish(
        pretrainer.fit(TEXTS).tower_, "sem", dtype="int8", licence="CC0-1.0",
        corpora={"A few texts": "CC0-1.0"}, recipe="One epoch.",
    )  # fmt: skip
    return shelf


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("sent", ["name", "value"])
def test_processes(sent, shelf, tmp_path):
    tower = "sem" if sent == "name" else os.path.join(shelf.index, shelf.entry("sem").folder)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    found = subprocess.run(
        [sys.executable, script, json.dumps(tower), json.dumps(TEXTS)],
        env={**os.environ, "SKLEARN_CCLM_SHELF": str(shelf.index)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert not found.returncode, found.stderr
    tasks = json.loads(found.stdout)
    assert len(tasks) == 8
    if sent == "name":
        assert all(counted == ["_network", "_network", "fetch"] for _, counted, _ in tasks)
    else:
        assert {kind for _, _, kind in tasks} == {"memmap"}
        assert not any("fetch" in counted for _, counted, _ in tasks)
