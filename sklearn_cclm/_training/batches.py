"""Training batches: bucketed by length, made afresh each epoch from (seed, epoch, batch)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

MakeBatch = Callable[[np.ndarray, np.random.Generator], "Batch"]
_BUCKET = 50  # batches whose texts are sorted by length together


@dataclass(frozen=True)
class Batch:
    """Codes and what is to be predicted from them: arrays, or tensors once it is on a device.

    Attributes
    ----------
    ids : int64 array or Tensor of shape (B, L)
        Codes as the network sees them, padded with 0.
    targets : array or Tensor
        What the head predicts; its length is the number of predictions.
    extra : dict of str to array or Tensor
        Whatever else the head needs, such as where the predictions are.
    seed : int
        Seed of what the head draws at random.
    task : str
        Which of several tasks the batch is of.
    """

    ids: Any
    targets: Any
    extra: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    task: str = ""

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def weights(self) -> torch.Tensor:
        """What the loss of each prediction counts, by default 1; of several labels the mean."""
        found = self.extra.get("weights")
        if found is None:
            import torch

            return torch.ones(len(self), device=self.ids.device)
        return found if found.ndim == 1 else found.mean(1)

    @property
    def text_weights(self) -> torch.Tensor:
        """What each prediction counts in a metric, which knows no weights of classes."""
        return self.extra.get("text_weights", self.weights)

    @classmethod
    def seeded(
        cls,
        ids: np.ndarray,
        targets: np.ndarray,
        extra: Mapping[str, np.ndarray],
        *,
        rng: np.random.Generator,
    ) -> Batch:
        """Make a batch of arrays and draw its seed."""
        return cls(ids, targets, extra, int(rng.integers(2**63)))

    def to(self, device: torch.device) -> Batch:
        """Return the batch as tensors on a device."""
        import torch

        def moved(values: Any) -> torch.Tensor:
            return torch.as_tensor(values).to(device)

        extra = {name: moved(values) for name, values in self.extra.items()}
        return replace(self, ids=moved(self.ids), targets=moved(self.targets), extra=extra)


@dataclass(frozen=True)
class Chunk:
    """Texts that are shuffled and batched together: all of them, or some of a stream.

    Attributes
    ----------
    rows : int array of shape (n,)
        Which texts take part.
    lengths : int array
        Length of each text, by row number; texts of like length share a batch.
    make_batch : callable
        ``make_batch(rows, rng) -> Batch``.
    given : callable or None
        ``given(rows)`` returns the texts that rows are of, and what `score` takes as their y.
    """

    rows: np.ndarray
    lengths: np.ndarray
    make_batch: MakeBatch
    given: Callable[[np.ndarray], tuple[list[str], Any]] | None = None

    def batches(self, size: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Return the rows of each batch: shuffled, like lengths together, batches shuffled."""
        rows = rng.permutation(self.rows)
        buckets = [rows[i : i + _BUCKET * size] for i in range(0, len(rows), _BUCKET * size)]
        ordered = [bucket[np.argsort(self.lengths[bucket], kind="stable")] for bucket in buckets]
        batches = [b[i : i + size] for b in ordered for i in range(0, len(b), size)]
        return [batches[i] for i in rng.permutation(len(batches))]


class Batches:
    """The batches of successive epochs: each iteration is one epoch.

    Parameters
    ----------
    chunks : callable
        ``chunks()`` returns the iterable of the `Chunk` values of one epoch.
    n_batches : int
        Batches in an epoch.
    batch_size : int
        Texts per batch.
    seed : int
        Seed of order and corruption.
    fixed : bool, default=False
        Whether every epoch is the same, as held-out batches are.
    measure : callable, default=None
        ``measure(module)`` returns what else is to be known of a network, by name.
    n_chunks : int, default=0
        Chunks that are read anew in each epoch.

    Attributes
    ----------
    place : tuple of int
        Epoch and number of the batch that came last, for a later ``resume(*place)``.
    given : callable or None
        ``given()`` returns the texts and what `score` takes as y, where they are in memory.
    """

    given: Callable[[], tuple[list[str], Any]] | None = None

    def __init__(
        self,
        chunks: Callable[[], Iterable[Chunk]],
        n_batches: int,
        *,
        batch_size: int,
        seed: int,
        fixed: bool = False,
        measure: Callable[[Any], dict[str, float]] | None = None,
        n_chunks: int = 0,
    ) -> None:
        self.measure = measure
        self.n_chunks = n_chunks
        self.chunks = chunks
        self.n_batches = n_batches
        self.batch_size = batch_size
        self.seed = seed
        self.fixed = fixed
        self.resume(0, 0)

    @classmethod
    def of(cls, chunk: Chunk, *, batch_size: int, **how: Any) -> Batches:
        """Return the batches of texts that are in memory."""
        n_batches = -(-len(chunk.rows) // batch_size)
        batches = cls(lambda: [chunk], n_batches, batch_size=batch_size, **how)
        batches.given = partial(chunk.given, chunk.rows) if chunk.given else None
        return batches

    def resume(self, epoch: int, done: int) -> None:
        """Make the next iteration that of an epoch, after so many of its batches."""
        self.place = epoch, done
        self._next = epoch, done

    def __len__(self) -> int:
        return self.n_batches

    def __iter__(self) -> Iterator[Batch]:
        epoch, done = self._next
        self._next = (epoch, 0) if self.fixed else (epoch + 1, 0)
        some = done > 0
        for number, batch in self._filled(epoch, done):
            some = True
            self.place = epoch, number
            yield batch
        if not some:
            raise ValueError(
                "Nothing to predict: the texts are empty, or too short for this task's "
                "parameters. Pass longer texts or change those parameters."
            )

    def measured(self, module: Any) -> dict[str, float]:
        """Return what is measured of a network beside its loss."""
        return self.measure(module) if self.measure else {}

    def is_empty(self) -> bool:
        """Whether there is nothing to predict in the coming epoch."""
        return next(self._filled(self._next[0], 0), None) is None

    def _filled(self, epoch: int, done: int) -> Iterator[tuple[int, Batch]]:
        """Yield number and batch, after the first `done`, where there is something to predict."""
        turns = islice(self._turns(epoch), done, None)
        for number, make in enumerate(turns, start=done + 1):
            if len(batch := make()):
                yield number, batch

    def _turns(self, epoch: int) -> Iterator[Callable[[], Batch]]:
        """Yield what makes each batch of an epoch, which may have nothing to predict."""
        number = 0
        for place, chunk in enumerate(self.chunks()):
            order = np.random.default_rng([self.seed, epoch, 0, place])
            for rows in chunk.batches(self.batch_size, order):
                number += 1  # from 1 on, as numpy takes [.., 0] for [..]
                yield partial(self._made, chunk, rows, [self.seed, epoch, number])

    @staticmethod
    def _made(chunk: Chunk, rows: np.ndarray, seeds: list[int]) -> Batch:
        return chunk.make_batch(rows, np.random.default_rng(seeds))


class AlternatingBatches:
    """The batches of several tasks, in random order; each iteration is one epoch of all.

    Parameters
    ----------
    of : mapping of str to Batches
        The batches of each task.
    seed : int
        Seed of the order.
    """

    def __init__(self, of: Mapping[str, Batches], *, seed: int) -> None:
        self.of = of
        self.seed = seed
        self.batch_size = max(batches.batch_size for batches in of.values())
        known = all(batches.given for batches in of.values())
        self.given = self._given if known else None
        self.resume(0, 0)

    def resume(self, epoch: int, done: int) -> None:
        """Make the next iteration that of an epoch, after so many of its batches."""
        self.place = epoch, done
        for batches in self.of.values():
            batches.resume(epoch, 0)

    def __len__(self) -> int:
        return sum(map(len, self.of.values()))

    def __iter__(self) -> Iterator[Batch]:
        epoch, done = self.place
        for number, batch in self._alternating(epoch):
            self.place = epoch, number
            if number > done:
                yield batch
        self.place = epoch + 1, 0

    def measured(self, module: Any) -> dict[str, float]:
        """Return what is measured of the network of each task."""
        return {
            f"{name}_{key}": value
            for name, batches in self.of.items()
            for key, value in batches.measured(module.tasks[name]).items()
        }

    def _given(self) -> tuple[list[str], dict[str, Any] | None]:
        """Return the texts of the first task, and what `score` takes as y for each that has it."""
        pairs = {name: batches.given() for name, batches in self.of.items() if batches.given}
        texts, _ = next(iter(pairs.values()))
        return texts, {name: y for name, (_, y) in pairs.items() if y is not None} or None

    def _alternating(self, epoch: int) -> Iterator[tuple[int, Batch]]:
        """Yield number and batch of an epoch, leaving out those with nothing to predict."""
        turns = [name for name, batches in self.of.items() for _ in range(len(batches))]
        left = {name: iter(batches) for name, batches in self.of.items()}
        order = np.random.default_rng([self.seed, epoch, 0]).permutation(len(turns))
        for number, turn in enumerate(order, start=1):
            batch = next(left[turns[turn]], None)
            if batch is not None:
                yield number, replace(batch, task=turns[turn])
