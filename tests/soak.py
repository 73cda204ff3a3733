"""Mixed calls, by threads too, in which memory stays flat; `test_soak.py` runs it.

    python tests/soak.py [SECONDS]

Two things that grow to a bound, some 20 MB each, would hide what grows without one, and are off
here: torch keeps a kernel for each of the last 1,024 shapes that it met, and glibc, if not given a
threshold, keeps tens of free MB at the end of each heap that threads allocate from.
"""

import ctypes
import gc
import os
import pickle
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import numpy as np
from readers import NAMES, fitted, readers, resident
from sklearn.base import clone
from tiny import TINY

from sklearn_cclm import ComposedEmbedder
from sklearn_cclm.utils.discovery import all_estimators

LIBC = ctypes.CDLL(None)
M_TRIM_THRESHOLD = -1  # of glibc's malloc.h
GROWTH = 5 * 2**20  # bytes, from the second fifth of the time to the last
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
    LIBC.malloc_trim(0)
    return resident("VmRSS")


def main(seconds):
    """Call for so many seconds and raise if memory grew."""
    os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] = "0"  # read at the first call of a kernel
    LIBC.mallopt(M_TRIM_THRESHOLD, 2**17)
    warnings.simplefilter("ignore")  # of cut texts and short trainings, from several threads
    rng = np.random.default_rng(0)
    estimators = [fitted(name) for name in NAMES if name != "ComposedEmbedder"]
    estimators.append(ComposedEmbedder().fit(["text"]))
    end, seen = time.monotonic() + seconds, []
    while time.monotonic() < end:
        mixed_calls(estimators, rng)
        seen.append(settled())
    fifth = len(seen) // 5
    if not fifth:
        sys.exit(f"{len(seen)} rounds in {seconds:g} seconds are too few: ask for more seconds.")
    early, late = median(seen[fifth : 2 * fifth]), median(seen[-fifth:])
    said = f"{len(seen)} rounds, {early / 2**20:.1f} MB early, {late / 2**20:.1f} MB late"
    if late - early > GROWTH:
        sys.exit(f"Memory grew: {said}.")
    sys.stdout.write(f"{said}\n")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 600.0)
