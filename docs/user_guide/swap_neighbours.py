"""Pretrain by telling which characters were swapped with their neighbours."""

import numpy as np
import torch.nn.functional as F
from torch import nn

from sklearn_cclm.nn.task import Head
from sklearn_cclm.pretraining import BasePretrainer


def swap_neighbours(ids, rate, rng):
    """Swap some adjacent pairs; return the codes, and True where one was moved."""
    left = rng.random((ids.shape[0], ids.shape[1] - 1)) < rate
    left[:, 1:] &= ~left[:, :-1]  # a place moves once
    left &= (ids[:, 1:] != 0) & (ids[:, 1:] != ids[:, :-1])  # padding stays, twins look the same
    step = np.zeros(ids.shape, dtype=int)
    step[:, :-1] += left
    step[:, 1:] -= left
    return np.take_along_axis(ids, np.arange(ids.shape[1]) + step, axis=1), step != 0


class SwapPretrainer(BasePretrainer):
    """Tell which characters were swapped with their neighbours.

    Hidden: the order of some adjacent pairs. Predicted: of each character, whether it was moved.
    Learned: which sequences of characters are words, so that a typo stands out.
    Relation: `MaskedCharacterPretrainer` predicts the character itself.
    """

    task = "swap"

    def __init__(
        self,
        base=None,
        *,
        tower="strided",
        swap_rate=0.1,
        noise=None,
        init_from=None,
        max_epochs=10,
        batch_size=128,
        lr=2e-3,
        base_lr=None,
        optimizer="adamw",
        weight_decay=0.01,
        warmup=0.1,
        max_grad_norm=1.0,
        validation_fraction=0.1,
        early_stopping=False,
        patience=3,
        warm_start=False,
        checkpoint=None,
        checkpoint_every=100,
        callbacks=None,
        missing="error",
        column=None,
        device="auto",
        precision="float32",
        random_state=None,
        verbose=0,
    ):
        self.base = base
        self.tower = tower
        self.swap_rate = swap_rate
        self.noise = noise
        self.init_from = init_from
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.base_lr = base_lr
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.warmup = warmup
        self.max_grad_norm = max_grad_norm
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.patience = patience
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every
        self.callbacks = callbacks
        self.missing = missing
        self.column = column
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    def _check_task(self):
        if not isinstance(self.swap_rate, int | float) or not 0 < self.swap_rate <= 1:
            raise ValueError(f"swap_rate={self.swap_rate!r} must be a number in (0, 1].")

    def _make_batch(self, view, example, rng):
        swapped, moved = swap_neighbours(view.ids, self.swap_rate, rng)
        positions = np.flatnonzero(swapped)
        return swapped, moved.ravel()[positions].astype(np.int64), {"positions": positions}

    def _make_head(self, width, n_chars):
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
