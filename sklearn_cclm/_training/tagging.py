"""What a tagging network says of texts: entities, and the probabilities of tags."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import accumulate, groupby
from typing import Any

import numpy as np
from scipy.special import softmax

from sklearn_cclm._targets.entities import Span
from sklearn_cclm._targets.entity_tags import CharacterTags
from sklearn_cclm._targets.moved_spans import original_places, original_spans
from sklearn_cclm._training.cut import Cut
from sklearn_cclm._training.predict import logits
from sklearn_cclm._training.reader import Reader

_AT_ONCE = 2**20  # characters, once normalised
_SHARED = 0.5  # of a window with the next, lest a character have no context on one side


def find_entities(reader: Reader, module: Any, texts: list[str]) -> list[list[Span]]:
    """Return the entities of texts, read by an `EntityTask`.

    They are read in groups of some 10^6 characters, which bounds the memory, but for that of a
    longer text, which is read whole.
    """
    task: Any = reader.task
    normalize = _normalize(reader)
    return [
        spans
        for group, scores in _scores(reader, module, texts)
        for spans in original_spans(task.tags.decode(scores, normalize(group)), group, normalize)
    ]


def tag_scores(reader: Reader, module: Any, texts: list[str]) -> Iterator[np.ndarray]:
    """Yield the probability of each tag at each character of a text, for each text."""
    normalize = _normalize(reader)
    for group, scores in _scores(reader, module, texts):
        ends = np.cumsum([len(text) for text in normalize(group)])
        rows = np.split(scores, ends[:-1])
        for places, row in zip(original_places(group, normalize), rows, strict=True):
            yield row[places] if len(row) else np.eye(1, row.shape[1], dtype=row.dtype)[0 * places]


def _normalize(reader: Reader) -> Any:
    return partial(reader.preprocessors[0].normalize, whole=True)


def _scores(
    reader: Reader, module: Any, texts: list[str]
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Yield groups of texts, and the probabilities of tags at their normalised characters."""
    ends = accumulate(len(_normalize(reader)([text])[0]) for text in texts)
    pairs = zip(texts, ends, strict=True)
    for _, pairs_of_group in groupby(pairs, key=lambda pair: pair[1] // _AT_ONCE):
        group = [text for text, _ in pairs_of_group]
        yield group, _of_group(reader, module, group)


def _of_group(reader: Reader, module: Any, texts: list[str]) -> np.ndarray:
    """Return the probabilities of tags; where windows overlap, that of the nearer one counts."""
    task: Any = reader.task
    cut = Cut.of(texts, reader.preprocessors[0], shared=_SHARED)
    starts, stops = cut.kept()
    ends = np.cumsum(stops - starts)
    scores = np.empty((ends[-1] if len(ends) else 0, len(task.tags.names)), dtype=np.float32)
    blank = CharacterTags(np.broadcast_to(np.int64(0), cut.lengths.sum()), cut.lengths)
    for rows, found in logits(reader, module, cut, blank):
        windows = softmax(found, axis=1)
        for row, window in zip(
            rows, np.split(windows, np.cumsum(cut.lengths[rows])[:-1]), strict=True
        ):
            kept = window[starts[row] : stops[row]]
            scores[ends[row] - len(kept) : ends[row]] = kept
    return scores
