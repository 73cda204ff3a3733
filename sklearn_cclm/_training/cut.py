"""Texts as they were given, and cut to what a network reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from sklearn_cclm._text.windows import windows
from sklearn_cclm.preprocessing import CharPreprocessor


@dataclass(frozen=True)
class Cut:
    """Texts and their windows.

    Attributes
    ----------
    texts : sequence of str
        The texts as they were given.
    pieces : list of str
        Their windows, normalised.
    owners : int64 array of shape (len(pieces),)
        The text that each window is of.
    preprocessor : CharPreprocessor
        What normalised them.
    """

    texts: Sequence[str]
    pieces: list[str]
    owners: np.ndarray
    preprocessor: CharPreprocessor

    @classmethod
    def of(cls, texts: Sequence[str], preprocessor: CharPreprocessor) -> Self:
        """Cut texts into windows as long as a preprocessor reads."""
        size = preprocessor.max_example_len - preprocessor.add_cls
        normalized = preprocessor.normalize(texts, whole=True)
        return cls(texts, *windows(normalized, size), preprocessor)

    @property
    def lengths(self) -> np.ndarray:
        """Characters of each window."""
        return np.fromiter(map(len, self.pieces), dtype=np.int64, count=len(self.pieces))

    def shared(self, weights: np.ndarray) -> np.ndarray:
        """Return what each window counts, by its part of its text's weight; the mean stays.

        Predictions of a text average its windows in the same way: by their lengths.
        """
        lengths = self.lengths.clip(min=1)
        parts = lengths / np.bincount(self.owners, lengths)[self.owners]
        parts *= len(self.pieces) / max(1, len(self.texts))
        shared = (weights[self.owners].T * parts).T
        return shared.astype(np.float32).clip(min=np.finfo(np.float32).tiny)
