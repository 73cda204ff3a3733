"""Every public estimator that reads texts, fitted, and the memory it takes."""

import ctypes
import gc
import re
import warnings
from functools import cache, partial
from pathlib import Path

from sklearn.base import clone
from tiny import TINY, tiny_base, tiny_towers

from sklearn_cclm import CharPreprocessor
from sklearn_cclm.utils.discovery import all_estimators

TEXTS = ["where is my card", "Stra\u00dfe", "e\u0301", "a\ud800b", ""] * 4
CLEAR = Path("/proc/self/clear_refs")
READERS = ("transform", "predict", "predict_proba")
NAMES = [name for name, cls in all_estimators() if any(hasattr(cls, r) for r in READERS)]


@cache
def fitted(name):
    """Return an estimator that learned from a few texts and normalises them by NFKC."""
    estimator = dict(all_estimators())[name](**TINY[name]())
    preprocessor = CharPreprocessor(normalization="NFKC", max_example_len=256)
    known = estimator.get_params(deep=False)
    if "normalization" in known:
        estimator.set_params(normalization="NFKC")
    if "base" in known:
        estimator.set_params(base=tiny_base(preprocessor=preprocessor))
    if "towers" in known:
        estimator.set_params(towers=tiny_towers(preprocessor=preprocessor))
    if "lexical" in known:
        estimator.set_params(lexical=True)
    labels = [[(0, 1, "kind")] if text else [] for text in TEXTS]
    if name not in ("EntityPretrainer", "ComposedTagger"):
        labels = [len(text) % 2 for text in TEXTS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(TEXTS, labels)


def readers(estimator):
    return [reader for reader in READERS if hasattr(estimator, reader)]


def read(estimator, reader, texts):
    """Return what one reader of an estimator makes of texts, without warnings of cut texts."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* texts are longer than ", UserWarning)
        return getattr(estimator, reader)(texts)


def resident(line):
    """Return a line of this process's memory statistics, in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{line}:\s+(\d+) kB", status)[1]) * 1024


def peak_above(call):
    """Return what a call returns, and the most memory in use beside it meanwhile, in bytes."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what is free goes back, or a call could hide in it
    start = resident("VmRSS")
    CLEAR.write_text("5")  # begins the peak anew
    value = call()
    return value, resident("VmHWM") - start


def peaks(name, texts):
    """Return, by reader of an estimator, how many values texts give and the peak of memory."""
    estimator, found = fitted(name), {}
    if name == "ComposedEmbedder":  # scikit-learn's TF-IDF lists all n-grams of a text
        estimator = clone(estimator).set_params(lexical=False).fit(TEXTS)
    for reader in readers(estimator):
        value, peak = peak_above(partial(read, estimator, reader, texts))
        found[reader] = len(value), peak
    return found
