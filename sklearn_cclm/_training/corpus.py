"""The texts of a training, in memory or streamed, as batches to train on and batches held out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import joblib
import numpy as np

from sklearn_cclm._text.streams import TextStream, chunked
from sklearn_cclm._text.windows import windows
from sklearn_cclm._training.batches import Batch, Batches, Chunk
from sklearn_cclm._training.views import view
from sklearn_cclm.preprocessing import CharPreprocessor

_STREAMED = 16_384  # texts of a stream that are shuffled together
_MOST_HELD_OUT = 10_000  # texts of a stream
_NO_MATTER = ("callbacks", "checkpoint", "checkpoint_every", "verbose")  # to the weights


@dataclass(frozen=True)
class Reader:
    """How a task reads texts.

    Attributes
    ----------
    preprocessor : CharPreprocessor
        The base's.
    noise : TypoNoise or None
        Corrupts what the network sees.
    shown : callable
        ``shown(texts, example)`` returns the texts that a batch shows, each with noise of its own.
    targets : callable
        ``targets(texts, y)`` returns what is to be learnt of texts, where a stream has no y.
    examples : callable
        ``examples(pieces, y, owners)`` returns what goes with each window, or None.
    make_batch : callable
        ``make_batch(view, example, rng)`` returns codes, targets and extras.
    """

    preprocessor: CharPreprocessor
    noise: Any
    shown: Callable
    targets: Callable
    examples: Callable
    make_batch: Callable

    def cut(self, texts: Sequence[str]) -> tuple[list[str], np.ndarray]:
        """Return the windows of the texts, normalised, and the text that each is of."""
        size = self.preprocessor.max_example_len - self.preprocessor.add_cls
        return windows(self.preprocessor.normalize(texts, whole=True), size)

    def read(self, texts: Sequence[str], y: Any) -> tuple[Chunk, np.ndarray]:
        """Return the windows of the texts, to be batched, and the text that each is of."""
        pieces, owners = self.cut(texts)
        examples = self.examples(pieces, self.targets(texts, y), owners)

        def make_batch(rows: np.ndarray, rng: np.random.Generator) -> Batch:
            example = None if examples is None else examples[rows]
            texts = self.shown([pieces[row] for row in rows], example)
            seen = view(texts, self.preprocessor, self.noise, rng)
            return Batch.from_numpy(*self.make_batch(seen, example, rng), rng=rng)

        lengths = np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces))
        return Chunk(np.arange(len(pieces)), lengths, make_batch), owners


def split(
    reader: Reader,
    texts: list[str] | TextStream,
    y: Any,
    *,
    fraction: float,
    batch_size: int,
    seed: int,
) -> tuple[Batches, Batches]:
    """Return the batches to train on, and those held out: of other texts.

    Of a stream, each epoch shuffles the texts of each stretch; the held-out texts alone stay in
    memory, at most 10,000.
    """
    size: dict[str, Any] = {"batch_size": batch_size, "seed": seed}
    if isinstance(texts, TextStream):
        return _split_stream(reader, texts, fraction, size)
    chunk, owners = reader.read(texts, y)
    order = np.random.default_rng([seed, 0, 1]).permutation(len(texts))
    held_out = np.isin(owners, order[: int(fraction * len(texts))])
    return (
        Batches.of(replace(chunk, rows=np.flatnonzero(~held_out)), **size),
        Batches.of(replace(chunk, rows=np.flatnonzero(held_out)), **size, fixed=True),
    )


def _split_stream(
    reader: Reader, stream: TextStream, fraction: float, size: dict[str, Any]
) -> tuple[Batches, Batches]:
    n = sum(1 for _ in stream)
    if not n:
        raise ValueError(f"{stream.X!r} can be read once only: pass a list, or what can be reread.")
    share = min(fraction, _MOST_HELD_OUT / n)

    def parts() -> Iterator[tuple[list[str], list[str]]]:
        for place, texts in enumerate(chunked(stream, _STREAMED)):
            drawn = np.random.default_rng([size["seed"], 0, 1, place]).random(len(texts))
            yield (
                [text for text, draw in zip(texts, drawn, strict=True) if draw >= share],
                [text for text, draw in zip(texts, drawn, strict=True) if draw < share],
            )

    held_out: list[str] = []
    n_batches = 0
    for texts, others in parts():
        held_out += others
        n_batches += -(-len(reader.cut(texts)[0]) // size["batch_size"])
    return (
        Batches(lambda: (reader.read(texts, None)[0] for texts, _ in parts()), n_batches, **size),
        Batches.of(reader.read(held_out, None)[0], **size, fixed=True),
    )


def as_pair(validation: Any) -> tuple[Any, Any]:
    """Return the X and y of a `validation` argument."""
    if isinstance(validation, tuple) and len(validation) == 2:
        X, y = validation
        if not isinstance(X, str):
            return X, y
    return validation, None


def training_digest(
    pretrainer: Any, texts: Sequence[str] | TextStream, y: Any, validation: Any, source: Any
) -> str:
    """Return what tells a training from others: a digest of parameters, data and first tower."""
    params = {
        name: value
        for name, value in pretrainer.get_params(deep=True).items()
        if name not in _NO_MATTER and not hasattr(value, "get_params")
    }
    named = re.sub(r" at 0x[0-9a-fA-F]+", "", repr(sorted(params.items())))
    found = hashlib.sha256()
    for chunk in chunked(texts):
        found.update("\0".join([*chunk, ""]).encode("utf-8", "surrogatepass"))
    return joblib.hash(
        [type(pretrainer).__name__, named, repr(source), found.digest(), y, validation]
    )
