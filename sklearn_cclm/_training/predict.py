"""What a trained network says of texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sklearn_cclm._text.lengths import length_batches
from sklearn_cclm._training.cut import Cut
from sklearn_cclm._training.reader import Reader

_BATCH_CHARS = 32768


def logits(
    reader: Reader, module: Any, cut: Cut, examples: Any
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield rows of windows, with examples of any value, and the logits of each.

    Parameters
    ----------
    reader : Reader
        How they are read; its noise is left out.
    module : TaskModule or Predictor
        The trained network, of torch or of numpy.
    cut : Cut
        The windows.
    examples : object
        What goes with each of them, as the reader's task makes it.
    """
    clean, rng = reader.without_noise(), np.random.default_rng(0)
    for rows in length_batches(cut.lengths + cut.preprocessor.add_cls, _BATCH_CHARS):
        batch = clean.batch([cut.pieces[row] for row in rows], examples[rows], rng)
        yield rows, module.predict(batch)


def text_logits(reader: Reader, module: Any, texts: list[str]) -> np.ndarray:
    """Return what the output layer says of each text, windows averaged by their lengths."""
    cut = Cut.of(texts, reader.preprocessors[0])
    task: Any = reader.task
    n_outputs = module.n_outputs
    found = np.empty((len(cut.pieces), n_outputs), dtype=np.float32)
    for rows, values in logits(reader, module, cut, task.blank(len(cut.pieces))):
        found[rows] = values
    weights = cut.lengths.astype(np.float32).clip(min=1)
    total = np.zeros((len(texts), n_outputs), dtype=np.float32)
    np.add.at(total, cut.owners, found * weights[:, None])
    return total / np.bincount(cut.owners, weights, len(texts))[:, None].astype(np.float32)
