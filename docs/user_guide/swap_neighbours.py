"""Pretrain by telling which characters were swapped with their neighbours."""

from dataclasses import dataclass

import numpy as np
import torch.nn.functional as F
from torch import nn

from sklearn_cclm.nn.task import Head
from sklearn_cclm.pretraining import Task


def swap_neighbours(ids, rate, rng):
    """Swap some adjacent pairs; return the codes, and True where one was moved."""
    left = rng.random((ids.shape[0], ids.shape[1] - 1)) < rate
    left[:, 1:] &= ~left[:, :-1]  # a place moves once
    left &= (ids[:, 1:] != 0) & (ids[:, 1:] != ids[:, :-1])  # padding stays, twins look the same
    step = np.zeros(ids.shape, dtype=int)
    step[:, :-1] += left
    step[:, 1:] -= left
    return np.take_along_axis(ids, np.arange(ids.shape[1]) + step, axis=1), step != 0


@dataclass(frozen=True)
class SwappedNeighbours(Task):
    """Tell which characters were swapped with their neighbours.

    Hidden: the order of some adjacent pairs. Predicted: of each character, whether it was moved.
    Learned: which sequences of characters are words, so that a typo stands out.
    Relation: `MaskedCharacterPretrainer` predicts the character itself.
    """

    name = "swap"

    swap_rate: float = 0.1

    def check(self, noise):
        """Raise ValueError for a setting that is not allowed."""
        if not isinstance(self.swap_rate, int | float) or not 0 < self.swap_rate <= 1:
            raise ValueError(f"swap_rate={self.swap_rate!r} must be a number in (0, 1].")

    def batch(self, view, example, rng):
        """Return what the network sees, the targets, and where they are."""
        swapped, moved = swap_neighbours(view.ids, self.swap_rate, rng)
        positions = np.flatnonzero(swapped)
        return swapped, moved.ravel()[positions].astype(np.int64), {"positions": positions}

    def head(self, width, n_chars):
        """Return the loss on vectors of this width."""
        return SwapHead(width)


class SwapHead(Head):
    """Two classes for each character: moved or not."""

    def __init__(self, width):
        super().__init__()
        self.output = nn.Linear(width, 2)

    def forward(self, tower, encoding, batch):
        """Return the mean training loss."""
        return self.evaluate(tower, encoding, batch)[0].mean()

    def evaluate(self, tower, encoding, batch):
        """Return each prediction's exact loss, and whether it is right."""
        logits = self.output(tower(encoding).flatten(0, 1)[batch.extra["positions"]])
        loss = F.cross_entropy(logits, batch.targets, reduction="none")
        return loss, logits.argmax(1) == batch.targets
