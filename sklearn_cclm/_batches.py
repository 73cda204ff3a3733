"""Training batches: bucketed by length, made afresh each epoch from (seed, epoch, batch)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

MakeBatch = Callable[[np.ndarray, np.random.Generator], "Batch"]
_BUCKET = 50  # batches whose texts are sorted by length together


@dataclass(frozen=True)
class Batch:
    """Codes and what is to be predicted from them.

    Attributes
    ----------
    ids : int64 Tensor of shape (B, L)
        Codes as the network sees them, padded with 0.
    targets : Tensor
        What the head predicts; its length is the number of predictions.
    extra : dict of str to Tensor
        Whatever else the head needs, such as where the predictions are.
    seed : int
        Seed of what the head draws at random.
    """

    ids: Tensor
    targets: Tensor
    extra: Mapping[str, Tensor] = field(default_factory=dict)
    seed: int = 0

    def __len__(self) -> int:
        return len(self.targets)

    @classmethod
    def from_numpy(
        cls,
        ids: np.ndarray,
        targets: np.ndarray,
        extra: Mapping[str, np.ndarray],
        *,
        rng: np.random.Generator,
    ) -> Batch:
        """Make a batch of numpy arrays and draw its seed."""
        tensors = {name: torch.from_numpy(array) for name, array in extra.items()}
        seed = int(rng.integers(2**63))
        return cls(torch.from_numpy(ids), torch.from_numpy(targets), tensors, seed)

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        extra = {name: tensor.to(device) for name, tensor in self.extra.items()}
        return Batch(self.ids.to(device), self.targets.to(device), extra, self.seed)


class Batches:
    """The batches of successive epochs: each iteration is one epoch.

    Parameters
    ----------
    rows : int array of shape (n,)
        Which texts take part.
    lengths : int array
        Length of each text, by row number; texts of like length share a batch.
    make_batch : callable
        ``make_batch(rows, rng) -> Batch``.
    batch_size : int
        Texts per batch.
    seed : int
        Seed of order and corruption.
    fixed : bool, default=False
        Whether every epoch is the same, as held-out batches are.
    """

    def __init__(
        self,
        rows: np.ndarray,
        lengths: Sequence[int] | np.ndarray,
        make_batch: MakeBatch,
        *,
        batch_size: int,
        seed: int,
        fixed: bool = False,
    ) -> None:
        self.rows = np.asarray(rows)
        self.lengths = np.asarray(lengths)
        self.make_batch = make_batch
        self.batch_size = batch_size
        self.seed = seed
        self.fixed = fixed
        self.epoch = 0

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        epoch = self.epoch
        self.epoch += not self.fixed
        some = False
        for batch in self._filled(epoch):
            some = True
            yield batch
        if not some:
            raise ValueError(
                f"Nothing to predict in {len(self.rows)} texts: they are empty, or too short for "
                "this task's masking parameters. Pass longer texts or lower those parameters."
            )

    def is_empty(self) -> bool:
        """Whether there is nothing to predict in the coming epoch."""
        return next(self._filled(self.epoch), None) is None

    def _filled(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch that have something to predict."""
        for number, rows in enumerate(self._order(epoch), start=1):  # numpy takes [.., 0] for [..]
            batch = self.make_batch(rows, np.random.default_rng([self.seed, epoch, number]))
            if len(batch):
                yield batch

    def _order(self, epoch: int) -> list[np.ndarray]:
        """Return the rows of each batch: shuffled, like lengths together, batches shuffled."""
        rng = np.random.default_rng([self.seed, epoch])
        rows = rng.permutation(self.rows)
        size = self.batch_size
        buckets = [rows[i : i + _BUCKET * size] for i in range(0, len(rows), _BUCKET * size)]
        ordered = [bucket[np.argsort(self.lengths[bucket], kind="stable")] for bucket in buckets]
        batches = [b[i : i + size] for b in ordered for i in range(0, len(b), size)]
        return [batches[i] for i in rng.permutation(len(batches))]
