"""Ten minutes of mixed calls, by threads too, in which memory stays flat.

CCLM_SOAK_SECONDS=600 pytest -m slow tests/test_soak.py -s
"""

import ctypes
import gc
import os
import pickle
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import numpy as np
import pytest
from readers import CLEAR, NAMES, fitted, readers, resident
from sklearn.base import clone
from tiny import TINY

from sklearn_cclm import ComposedEmbedder
from sklearn_cclm.utils.discovery import all_estimators

SECONDS = float(os.environ.get("CCLM_SOAK_SECONDS", "600"))
GROWTH = 10 * 2**20  # bytes, from the second fifth of the time to the last
ALPHABET = list("etaoin shrdlu.,!?") + ["\u00df", "e\u0301", "\U0001f469\u200d", "\ud800", "\ufdfa"]


def draw(rng):
    """Return some texts, a few of them long, many short or repeated."""
    lengths = rng.choice(
        [0, 5, 60, 300, 3000], size=rng.integers(1, 60), p=[0.1, 0.3, 0.4, 0.15, 0.05]
    )
    texts = ["".join(rng.choice(ALPHABET, size=n)) for n in lengths]
    return texts + texts[: rng.integers(len(texts))]


def read_all(estimator, texts):
    for reader in readers(estimator):
        assert len(getattr(estimator, reader)(texts)) == len(texts)


def mixed_calls(estimators, rng):
    """Read with each estimator, with several threads at once, after pickling, and train one."""
    for estimator in estimators:
        read_all(estimator, draw(rng))
    with ThreadPoolExecutor(4) as pool:
        chosen = [estimators[i] for i in rng.integers(len(estimators), size=8)]
        list(pool.map(read_all, chosen, [draw(rng) for _ in chosen]))
    estimator = estimators[rng.integers(len(estimators))]
    read_all(pickle.loads(pickle.dumps(estimator)), draw(rng))
    name = rng.choice([name for name in TINY if name not in ("EntityPretrainer", "ComposedTagger")])
    texts = ["where is my card", "cancel it", "a refund please", "hello"] * 4
    clone(dict(all_estimators())[name](**TINY[name]())).fit(texts, [0, 1, 1, 0] * 4)


def settled():
    """Return the memory in use once what is free went back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return resident("VmRSS")


@pytest.mark.slow
@pytest.mark.timeout(SECONDS * 2 + 300)
@pytest.mark.filterwarnings("ignore")  # of cut texts and short trainings, from several threads
@pytest.mark.skipif(not CLEAR.exists(), reason="reads the memory in use as Linux tells it")
def test_memory_stays_flat():
    rng = np.random.default_rng(0)
    estimators = [fitted(name) for name in NAMES if name != "ComposedEmbedder"]
    estimators.append(ComposedEmbedder().fit(["text"]))
    end, seen, rounds = time.monotonic() + SECONDS, [], 0
    while time.monotonic() < end:
        mixed_calls(estimators, rng)
        seen.append(settled())
        rounds += 1
    fifth = len(seen) // 5
    assert fifth > 0, "too few rounds: raise CCLM_SOAK_SECONDS"
    early, late = median(seen[fifth : 2 * fifth]), median(seen[-fifth:])
    sys.stdout.write(f"{rounds} rounds, {early / 2**20:.0f} MB early, {late / 2**20:.0f} MB late\n")
    assert late - early < GROWTH
