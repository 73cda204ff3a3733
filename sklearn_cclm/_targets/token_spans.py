"""The tokens of texts, by their places: what masked language modelling hides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TokenSpans:
    """The tokens of many texts in a row; indexed by texts, it gives theirs.

    Attributes
    ----------
    first : int64 array of shape (n + 1,)
        Where each text's tokens begin.
    starts, ends, classes : int64 arrays
        Columns that each token covers, the end excluded, and its class.
    """

    first: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    classes: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> TokenSpans:
        counts = self.first[rows + 1] - self.first[rows]
        first = np.concatenate([[0], np.cumsum(counts)])
        index = np.arange(first[-1]) + np.repeat(self.first[rows] - first[:-1], counts)
        return TokenSpans(first, self.starts[index], self.ends[index], self.classes[index])

    def places(self, rows: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return row, column and number among the chosen of each character of chosen tokens."""
        lengths = (self.ends - self.starts)[chosen]
        numbers = np.repeat(np.arange(len(lengths)), lengths)
        begin = self.starts[chosen] - (np.cumsum(lengths) - lengths)
        return rows[chosen][numbers], np.arange(len(numbers)) + begin[numbers], numbers
