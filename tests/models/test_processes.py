"""One fitted object in many threads, and in processes of every kind after torch has run."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sklearn_cclm import (
    CCLMModelBase,
    ComposedClassifier,
    ComposedEmbedder,
    ComposedModel,
    MaskedCharacterPretrainer,
    PooledConfig,
    StridedConfig,
)

TEXTS = ["where is my card", "my card has not come", "please cancel my order", "a b c d e"] * 10
SCRIPT = """
import sys, threading
import numpy as np, torch
from joblib import Parallel, delayed
from multiprocessing import get_context
from sklearn_cclm import CCLMModelBase, ComposedEmbedder, MaskedCharacterPretrainer
from sklearn_cclm.nn.seeds import isolated_seed
from sklearn_cclm.values import _value

building, read = threading.Event(), threading.Event()

def build():
    with _value._lock, isolated_seed(0):  # as a thread that builds a network
        building.set()
        read.wait()

def main():
    texts = [f"text {i} of a few" for i in range(20)]
    base = CCLMModelBase(width=16, n_buckets=100)
    chars = MaskedCharacterPretrainer(base, tower="pooled", max_epochs=1, random_state=0).fit(texts)
    torch.set_num_threads(2)
    torch.ones(1000, 1000) @ torch.ones(1000, 1000)  # makes the threads that forks lack
    embedder = ComposedEmbedder([("chars", chars.tower_)]).fit(texts)
    expected = embedder.transform(texts)
    threading.Thread(target=build, daemon=True).start()
    building.wait()
    if sys.argv[1] == "loky":
        found = Parallel(2)(delayed(embedder.transform)(texts) for _ in range(2))
    else:
        with get_context(sys.argv[1]).Pool(2) as pool:
            found = pool.map(embedder.transform, [texts] * 2)
    for vectors in found:
        np.testing.assert_allclose(vectors, expected, atol=1e-5)
    read.set()
    print("same")

if __name__ == "__main__":
    main()
"""


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("kind", ["fork", "spawn", "loky"])
@pytest.mark.timeout(100)
def test_processes_after_torch_has_run_in_the_parent(kind, tmp_path):
    """Without mending, forked ones wait forever for threads and locks of the parent's."""
    if kind == "fork" and not hasattr(os, "fork"):
        pytest.skip("this system forks no processes")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    env = {**os.environ, "OMP_NUM_THREADS": "2"}
    found = subprocess.run(
        [sys.executable, str(script), kind], capture_output=True, text=True, timeout=90, env=env
    )
    assert found.stdout.strip() == "same", found.stderr


FORKS = """
import os, threading
import torch
from sklearn_cclm._engines import by_torch

torch.set_num_threads(2)
matrix, linear = torch.randn(300, 300), torch.nn.Linear(256, 256)

@torch.inference_mode()
def work():
    for i in range(20):
        matrix @ matrix
        linear(torch.randn(1000 + 13 * i, 256))

for _ in range(30):
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    child = os.fork()
    if not child:
        work()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
print("thirty")
"""


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.timeout(200)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no processes")
def test_forks_after_threads_have_ended():
    """Without mending, MKL has one in four of plain torch's wait forever on AMD processors."""
    env = {**os.environ, "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-c", FORKS]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=env, start_new_session=True, **pipes) as process:
        try:
            said, errors = process.communicate(timeout=180)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # a child that waits would spin for ever
            raise
    assert said.strip() == "thirty", errors


@pytest.fixture(scope="module")
def readers():
    """Fitted objects and what they are asked."""
    recipe = CCLMModelBase(width=16, n_buckets=500)
    one = MaskedCharacterPretrainer(
        recipe, tower=PooledConfig(width=16, hidden=16), max_epochs=1, random_state=0
    ).fit(TEXTS)
    strided = StridedConfig(width=8, downsample_factor=4, n_strided_convs=2, n_layers=1, n_heads=2)
    two = MaskedCharacterPretrainer(one.base_, tower=strided, max_epochs=1, random_state=0)
    towers = [("one", one.tower_), ("two", two.fit(TEXTS).tower_)]
    labels = [0, 1, 2, 3] * 10
    return {
        "embedder": ComposedEmbedder(towers, lexical=True).fit(TEXTS).transform,
        "model": ComposedModel(towers).fit(TEXTS).transform,
        "head": ComposedClassifier(towers, max_epochs=1).fit(TEXTS, labels).predict_proba,
    }


@pytest.mark.parametrize("name", ["embedder", "model", "head"])
def test_threads_get_what_a_single_one_does(readers, name):
    read, calls = readers[name], [TEXTS[i : i + 5] for i in range(32)]
    expected = [dense(read(texts)) for texts in calls]
    start = threading.Barrier(8)

    def work(number):
        start.wait()
        return [dense(read(calls[(number + i) % 32])) for i in range(32)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(8)))
    for number, rows in enumerate(found):
        for i, row in enumerate(rows):
            np.testing.assert_allclose(row, expected[(number + i) % 32], atol=1e-6)


def dense(found):
    return found.toarray() if hasattr(found, "toarray") else found
