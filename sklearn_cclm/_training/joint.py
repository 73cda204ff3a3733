"""Several tasks on one base: a task of tasks, and how each of them reads the texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from scipy.sparse import hstack

from sklearn_cclm._text.streams import TextStream, read_texts
from sklearn_cclm._training.batches import AlternatingBatches
from sklearn_cclm._training.reader import Reader
from sklearn_cclm._training.task import Task


@dataclass(frozen=True)
class JointTask:
    """Tasks by name, all of the same texts.

    What is to be learnt is for each task the texts that it reads, None where they are those of
    all, and what it learns of them.
    """

    tasks: Mapping[str, Task]
    needs_y = False

    def read(self, X: Any, y: Any, *, missing: str, column: Any) -> tuple[Any, dict[str, Any]]:
        """Return checked texts, and for each task what is to be learnt of them."""
        texts = read_texts(X, missing=missing, column=column)
        inputs = {}
        for name, task in self.tasks.items():
            given = y.get(name) if isinstance(y, Mapping) else y
            own, targets = task.read(texts, given, missing=missing, column=None)
            same = isinstance(own, TextStream) or own == texts
            inputs[name] = (None if same else own), targets
        return texts, inputs

    def characters(self, texts: Any, y: Mapping[str, Any]) -> Any:
        """Return the texts to learn characters from, with those that a task alone has."""
        for name, task in self.tasks.items():
            own, targets = _of(name, texts, y)
            more = task.characters(own, targets)
            texts = texts if more is own else [*texts, *more]
        return texts

    def learn(self, texts: Any, y: Mapping[str, Any], preprocessor: Any) -> Self:
        """Return the tasks as they are once they know the texts."""
        learned = {
            name: task.learn(*_of(name, texts, y), preprocessor)
            for name, task in self.tasks.items()
        }
        return replace(self, tasks=learned)

    def scored(self) -> Self:
        """Return the tasks that `score` measures."""
        return replace(self, tasks={name: task.scored() for name, task in self.tasks.items()})


@dataclass(frozen=True)
class JointReader:
    """The readers of tasks by name, whose batches alternate."""

    readers: Mapping[str, Reader]

    def batches(
        self, texts: Any, y: Any, *, fraction: float, seed: int, validation: Any = None
    ) -> tuple[AlternatingBatches, AlternatingBatches | None]:
        """Return the batches to train on and those held out, which are of the same texts."""
        batches, held_out = {}, {}
        found = (r.task.kinds(y[name][1]) for name, r in self.readers.items() if y[name][0] is None)
        several = [kinds for kinds in found if kinds is not None]
        kinds = hstack(several, format="csr") if several else None
        for number, (name, reader) in enumerate(self.readers.items()):
            others = None if validation is None else _of(name, *validation)
            batches[name], held = reader.batches(
                *_of(name, texts, y),
                fraction=fraction,
                seed=seed,
                validation=others,
                kinds=kinds if y[name][0] is None else None,
            )
            batches[name].seed += number  # of order and noise alone
            if held is not None:
                held_out[name] = held
        alternating = AlternatingBatches(held_out, seed=seed) if held_out else None
        return AlternatingBatches(batches, seed=seed), alternating

    def fixed(self, texts: Any, y: Any) -> AlternatingBatches:
        """Return batches that are the same in each epoch."""
        fixed = {name: r.fixed(*_of(name, texts, y)) for name, r in self.readers.items()}
        return AlternatingBatches(fixed, seed=0)


def _of(name: str, texts: Any, y: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the texts of a task, and what it is to learn of them."""
    own, targets = y[name]
    return (texts if own is None else own), targets
