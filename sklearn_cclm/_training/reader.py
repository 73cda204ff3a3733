"""How texts are read for a training: cut, corrupted, batched, and some of them held out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from sklearn_cclm._text.streams import TextStream, chunked
from sklearn_cclm._training.batches import Batch, Batches, Chunk
from sklearn_cclm._training.cut import Cut
from sklearn_cclm._training.hold_out import hold_out
from sklearn_cclm._training.task import Task
from sklearn_cclm._training.views import view
from sklearn_cclm.preprocessing import CharPreprocessor

_STREAMED = 16_384  # texts of a stream that are shuffled together
_MOST_HELD_OUT = 10_000  # texts of a stream


@dataclass(frozen=True)
class Reader:
    """How a task reads texts.

    Attributes
    ----------
    task : Task
        What is to be learnt of them.
    preprocessors : sequence of CharPreprocessor
        One for each base; the first has the shortest windows, into which texts are cut.
    noise : TypoNoise or None
        Corrupts what the network sees.
    batch_size : int
        Windows per batch.
    """

    task: Task
    preprocessors: Sequence[CharPreprocessor]
    noise: Any
    batch_size: int

    def read(self, texts: Sequence[str], y: Any) -> tuple[Chunk, np.ndarray]:
        """Return the windows of texts, to be batched, and the text that each is of."""
        cut = Cut.of(texts, self.preprocessors[0])
        examples = self.task.examples(cut, y)

        def make_batch(rows: np.ndarray, rng: np.random.Generator) -> Batch:
            example = None if examples is None else examples[rows]
            return self.batch([cut.pieces[row] for row in rows], example, rng)

        def given(rows: np.ndarray) -> tuple[list[str], Any]:
            whole = np.unique(cut.owners[rows])
            targets = self.task.targets(y)
            return [texts[row] for row in whole], None if targets is None else targets[whole]

        return Chunk(np.arange(len(cut.pieces)), cut.lengths, make_batch, given), cut.owners

    def batch(self, pieces: list[str], example: Any, rng: np.random.Generator) -> Batch:
        """Return windows, and what goes with them, as a batch."""
        first, *others = self.preprocessors
        seen = view(self.task.shown(pieces, example), first, self.noise, rng)
        ids, targets, extra = self.task.batch(seen, example, rng)
        codes = {f"ids_{i}": seen.read_by(other) for i, other in enumerate(others, start=1)}
        return Batch.seeded(ids, targets, {**extra, **codes}, rng=rng)

    def batches(
        self,
        texts: Any,
        y: Any,
        *,
        fraction: float,
        seed: int,
        validation: Any = None,
        kinds: csr_array | None = None,
    ) -> tuple[Batches, Batches | None]:
        """Return the batches to train on, and those held out if there is something to predict.

        The latter are of other texts: those of `validation`, or a fraction of these, of all
        `kinds`, by default those of the task. Of a stream, each epoch shuffles the texts of each
        stretch; the held-out texts alone stay in memory, at most 10,000. Where several processes
        train together, each reads its part of it, and all have the same texts held out.
        """
        if isinstance(texts, TextStream):
            batches, held_out = self._split_stream(texts, y, fraction, seed)
        else:
            kinds = self.task.kinds(y) if kinds is None else kinds
            batches, held_out = self._split(
                texts, y, hold_out(len(texts), kinds, fraction, seed), seed
            )
        if validation is not None:
            held_out = self.fixed(*validation, seed=seed)
        return batches, None if held_out.is_empty() else held_out

    def fixed(self, texts: Any, y: Any, *, seed: int = 0) -> Batches:
        """Return batches that are the same in each epoch; the texts of a stream stay in memory."""
        texts = list(texts) if isinstance(texts, TextStream) else texts
        chunk, _ = self.read(texts, y)
        measure = self._measure(y, np.arange(len(texts)))
        return Batches.of(chunk, batch_size=self.batch_size, seed=seed, fixed=True, measure=measure)

    def without_noise(self) -> Reader:
        """Return a reader that shows texts as they are."""
        return replace(self, noise=None)

    def _measure(self, y: Any, rows: np.ndarray) -> Callable[[Any], dict[str, float]]:
        return lambda module: self.task.measure(self, module, y, rows)

    def _split(
        self, texts: Sequence[str], y: Any, others: np.ndarray, seed: int
    ) -> tuple[Batches, Batches]:
        size: dict[str, Any] = {"batch_size": self.batch_size, "seed": seed}
        chunk, owners = self.read(texts, y)
        held_out = np.isin(owners, others)
        measure = self._measure(y, np.sort(others))
        return (
            Batches.of(replace(chunk, rows=np.flatnonzero(~held_out)), **size),
            Batches.of(
                replace(chunk, rows=np.flatnonzero(held_out)), **size, fixed=True, measure=measure
            ),
        )

    def _split_stream(
        self, stream: TextStream, y: Any, fraction: float, seed: int
    ) -> tuple[Batches, Batches]:
        from sklearn_cclm._training import distributed

        size: dict[str, Any] = {"batch_size": self.batch_size, "seed": seed}
        stream = stream.part(*distributed.place())
        n = sum(distributed.gathered(sum(1 for _ in stream)))
        if not n:
            raise ValueError(
                f"{stream.X!r} can be read once only: pass a list, or what can be reread."
            )
        share = min(fraction, _MOST_HELD_OUT / n)

        def parts() -> Iterator[tuple[list[str], list[str]]]:
            for place, texts in enumerate(chunked(stream, _STREAMED)):
                drawn = np.random.default_rng([seed, 0, 1, place]).random(len(texts))
                yield (
                    [text for text, draw in zip(texts, drawn, strict=True) if draw >= share],
                    [text for text, draw in zip(texts, drawn, strict=True) if draw < share],
                )

        held_out: list[str] = []
        n_batches = n_chunks = 0
        for texts, others in parts():
            n_chunks += 1
            held_out += others
            n_batches += -(-len(Cut.of(texts, self.preprocessors[0]).pieces) // self.batch_size)
        held_out = [text for texts in distributed.gathered(held_out) for text in texts]
        n_batches, n_chunks = max(distributed.gathered((n_batches, n_chunks)))

        def chunks() -> Iterator[Chunk]:
            return (self.read(texts, y)[0] for texts, _ in parts())

        return (
            Batches(chunks, n_batches, n_chunks=n_chunks, **size),
            Batches.of(self.read(held_out, y)[0], **size, fixed=True),
        )
