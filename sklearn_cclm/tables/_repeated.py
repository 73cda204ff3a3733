"""The values that a column has again and again, towards which values like them are drawn."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from sklearn.utils import gen_batches

from sklearn_cclm.tables._values import AT_ONCE, Blocks

_MOST = 2000  # values, the most frequent ones
_NEAR = 0.35  # similarity at which a value of all rows draws another one half of the way
_SCALE = 0.05  # similarity by which the pull grows e times


class Repeated(NamedTuple):
    """Values of a column, and the share of rows that repeat each: all of its rows but one.

    What nearly is a frequent value is most often that value mistyped; what a column has once says
    nothing of how others are spelt, so that codes and texts that all differ draw none.
    """

    blocks: Blocks
    shares: np.ndarray

    @classmethod
    def of(cls, blocks: Blocks, counts: np.ndarray) -> Self:
        """Return those of some values that rows have `counts` times."""
        often = np.argsort(-counts, kind="stable")[: min(_MOST, np.sum(counts > 1))]
        return cls(blocks.take(often), ((counts[often] - 1) / counts.sum()).astype(np.float32))

    def project(self, blocks: Blocks, components: np.ndarray) -> np.ndarray:
        """Return values projected on components, each drawn towards these as it is like them."""
        projected, known = blocks.project(components), self.blocks.project(components)
        if len(known) and len(projected):
            for some in gen_batches(len(projected), max(1, AT_ONCE // len(known))):
                near = blocks.take(some).similarity(self.blocks)
                pull = np.where(near > 0, self.shares * np.exp((near - _NEAR) / _SCALE), 0)
                drawn = projected[some] + pull @ known
                projected[some] = drawn / (1 + pull.sum(axis=1, keepdims=True))
        return projected
