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
    overlap : int
        Characters that a window shares with the one before it, of the same text.
    """

    texts: Sequence[str]
    pieces: list[str]
    owners: np.ndarray
    preprocessor: CharPreprocessor
    overlap: int = 0

    @classmethod
    def of(cls, texts: Sequence[str], preprocessor: CharPreprocessor, *, shared: float = 0) -> Self:
        """Cut texts into windows as long as a preprocessor reads, which share part with the next.

        `shared` is the part, such as 0.5.
        """
        size = preprocessor.max_example_len - preprocessor.add_cls
        normalized = preprocessor.normalize(texts, whole=True)
        overlap = int(shared * size)
        return cls(texts, *windows(normalized, size, overlap), preprocessor, overlap)

    @property
    def lengths(self) -> np.ndarray:
        """Characters of each window."""
        return np.fromiter(map(len, self.pieces), dtype=np.int64, count=len(self.pieces))

    def kept(self) -> tuple[np.ndarray, np.ndarray]:
        """Return where each window begins and ends to be the one whose edges are farther off."""
        follows = np.append(False, self.owners[1:] == self.owners[:-1])[: len(self.owners)]
        followed = np.append(follows[1:], False)[: len(self.owners)]
        before = self.overlap // 2
        return follows * before, self.lengths - followed * (self.overlap - before)

    def shared(self, weights: np.ndarray) -> np.ndarray:
        """Return what each window counts, by its part of its text's weight; the mean stays.

        Predictions of a text average its windows in the same way: by their lengths.
        """
        lengths = self.lengths.clip(min=1)
        parts = lengths / np.bincount(self.owners, lengths)[self.owners]
        parts *= len(self.pieces) / max(1, len(self.texts))
        shared = (weights[self.owners].T * parts).T
        return shared.astype(np.float32).clip(min=np.finfo(np.float32).tiny)
