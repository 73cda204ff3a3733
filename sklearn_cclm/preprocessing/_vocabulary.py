"""The characters of a corpus, and the code of each."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from sklearn_cclm._text.codes import N_RESERVED, UNKNOWN, code_points, strings

_N_CODE_POINTS = 0x110000


def frequent_characters(chunks: Iterable[list[str]], min_count: int) -> str:
    """Return the characters seen often enough, by descending count, then by code point."""
    counts = np.zeros(_N_CODE_POINTS, dtype=np.int64)
    for chunk in chunks:
        points, _ = code_points(chunk)
        counts += np.bincount(points, minlength=_N_CODE_POINTS)
    kept = np.flatnonzero(counts >= min_count)
    kept = kept[np.argsort(-counts[kept], kind="stable")]
    return strings(kept, np.array([len(kept)]))[0]


@lru_cache(maxsize=8)
def characters(vocabulary: str) -> frozenset[str]:
    """Return the characters of a vocabulary, found once: there are thousands."""
    return frozenset(vocabulary)


@lru_cache(maxsize=8)
def code_table(vocabulary: str) -> np.ndarray:
    """Return the code of each code point up to the vocabulary's largest, then UNKNOWN."""
    points, _ = code_points([vocabulary])
    table = np.full(int(points.max(initial=0)) + 2, UNKNOWN, dtype=np.int64)
    table[points] = np.arange(N_RESERVED, N_RESERVED + len(points))
    table.setflags(write=False)
    return table
