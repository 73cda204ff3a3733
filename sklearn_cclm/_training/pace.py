"""How long a pass over texts takes, measured on a few steps of a network that is thrown away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from time import perf_counter
from typing import Any

import numpy as np

from sklearn_cclm._training.batches import Batch, Batches
from sklearn_cclm._training.distributed import gathered
from sklearn_cclm._training.epoch_tasks import EpochTasks
from sklearn_cclm._training.loop import train
from sklearn_cclm._training.schedule import Schedule
from sklearn_cclm._training.scored import Scored

_STEPS = 8


def seconds_a_pass(
    build: Callable[[], Any], batches: Batches, scored: Scored, schedule: Schedule, *, seed: int
) -> float:
    """Return about how long a pass over all batches takes; nothing of it is kept.

    The arguments are those of `train`.
    """
    place = batches.place
    some: Any = _Timed(batches)
    quiet = replace(schedule, max_epochs=1, callbacks=None, verbose=0)
    train(build, some, None, quiet, scored, EpochTasks(), seed=seed)
    batches.resume(*place)
    reading, *steps = np.diff(some.times)
    return max(gathered(float(np.median(steps) * len(batches) + reading * batches.n_chunks)))


class _Timed:
    """The first batches of a pass, and when it began, each was ready, and the last was done."""

    def __init__(self, batches: Batches) -> None:
        self.batches = batches
        self.times: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.batches, name)

    def __len__(self) -> int:
        return min(_STEPS, len(self.batches))

    def __iter__(self) -> Iterator[Batch]:
        self.times = [perf_counter()]
        for batch in islice(self.batches, _STEPS):
            self.times.append(perf_counter())
            yield batch
        self.times.append(perf_counter())
