"""Every public estimator that reads texts, fitted, and the memory it takes."""

import ctypes
import gc
import re
import warnings
from functools import cache, partial
from pathlib import Path

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from tiny import TINY, tiny_base, tiny_towers

from sklearn_cclm import CharPreprocessor, ComposedTagger
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
    if "random_state" in known:
        estimator.set_params(random_state=0)
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


def assert_sound(estimator, reader, value, texts):
    """Raise unless what a reader gives is finite and of the shape that it has of usual texts."""
    if isinstance(value, list) and reader == "predict_proba":  # of characters
        assert [row.shape for row in value] == [(len(text), 3) for text in texts]
        assert all(np.isfinite(row).all() for row in value)
        return
    if isinstance(value, list):
        assert_within(value, texts, tagged=isinstance(estimator, ComposedTagger))
        return
    usual = read(estimator, reader, TEXTS)
    assert value.shape[0] == len(texts), reader
    assert value.shape[2:] == usual.shape[2:], reader
    assert value.ndim == 3 or value.shape[1:] == usual.shape[1:], reader
    numbers = value.data if issparse(value) else value
    assert numbers.dtype.kind not in "fiu" or np.isfinite(numbers).all(), reader


def assert_within(rows, texts, *, tagged):
    """Raise unless each text has a label per character, or spans that lie within it."""
    assert len(rows) == len(texts)
    for row, text in zip(rows, texts, strict=True):
        spans = [part for part in row if not isinstance(part, str)]
        assert spans or len(row) == (len(text) if tagged else 0)
        assert all(0 <= span.start < span.end <= len(text) for span in spans)


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
    """Return the peak of memory of each reader of an estimator, whose value is checked."""
    estimator, found = fitted(name), {}
    if name == "ComposedEmbedder":  # counts of n-grams grow with the text
        estimator = clone(estimator).set_params(lexical=False).fit(TEXTS)
    for reader in readers(estimator):
        value, found[reader] = peak_above(partial(read, estimator, reader, texts))
        assert_sound(estimator, reader, value, texts)
    return found
