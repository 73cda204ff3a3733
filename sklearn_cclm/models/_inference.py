"""The fast path from texts to vectors: distinct texts, like lengths together, each base once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_cclm._engines import engine
from sklearn_cclm._text.lengths import length_batches
from sklearn_cclm._text.windows import windows
from sklearn_cclm.models._blocks import below
from sklearn_cclm.models._lexical import Lexical, Tally
from sklearn_cclm.preprocessing import CharPreprocessor
from sklearn_cclm.values import Base, Tower
from sklearn_cclm.values._value import built

_COPIED = 2**22  # bytes of rows that are copied at once
_AT_ONCE = 2**22  # characters whose windows are held at once


@dataclass(frozen=True)
class Member:
    """A tower's place in the composed vector."""

    tower: Tower
    columns: slice
    weight: float


def group_by_base(members: Sequence[Member]) -> dict[Base, list[Member]]:
    """Group towers by their base, so that each distinct base runs once."""
    groups: dict[Base, list[Member]] = {}
    for member in members:
        groups.setdefault(member.tower.base, []).append(member)
    return groups


def distinct(texts: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Return each distinct text once, in order of first occurrence, and the place of each text."""
    place = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    places = np.fromiter(map(place.__getitem__, texts), dtype=np.int64, count=len(texts))
    return list(place), places


def spread(out: np.ndarray, places: np.ndarray) -> None:
    """Give each row of `out` what is in the row of its place, of those that `distinct` returns.

    Rows are filled from the last on, in the memory that is there: a place is no later than its
    row, so that nothing is overwritten before it is read.
    """
    (moved,) = np.nonzero(places != np.arange(len(places)))
    if len(moved):
        n = max(1, _COPIED // max(1, out[0].nbytes))
        for start in reversed(range(moved[0], len(places), n)):
            out[start : start + n] = out[places[start : start + n]]


def vectors(
    texts: Sequence[str], places: np.ndarray, members: Sequence[Member], **how: Any
) -> np.ndarray:
    """Return the vectors by towers, side by side, of the text at each place.

    `how` is passed on to `embed`.
    """
    out, _ = features(texts, members, None, n_rows=len(places), **how)
    spread(out, places)
    return out


def features(
    texts: Sequence[str],
    members: Sequence[Member],
    lexical: Lexical | None,
    *,
    n_rows: int,
    **how: Any,
) -> tuple[np.ndarray, sparse.csr_matrix | None]:
    """Return vectors by towers, in an array of `n_rows`, and counts of n-grams, of texts.

    Each distinct base runs once, whether towers or the n-grams are on it.
    """
    width = members[-1].columns.stop if members else 0
    out = np.empty((n_rows, width), dtype=np.float32)
    of_bases = group_by_base(members)
    if lexical is not None:
        of_bases.setdefault(lexical.base, [])
    counts = []
    for base, group in of_bases.items():
        counted = lexical if lexical is not None and base == lexical.base else None
        for some in groups(texts, _AT_ONCE):
            with engine().inference():
                found = embed(texts[some], base, group, out[some], lexical=counted, **how)
            counts.append(found)
    if lexical is None:
        return out, None
    return out, below([found for found in counts if found is not None] or [lexical.nothing()])


def groups(texts: Sequence[str], size: int) -> Iterator[slice]:
    """Yield slices of some `size` characters: what is made of their windows is bounded."""
    group = np.cumsum(_lengths(texts)) // size
    starts = np.flatnonzero(np.diff(group, prepend=-1)).tolist()
    yield from map(slice, starts, [*starts[1:], len(texts)])


def embed(
    texts: Sequence[str],
    base: Base,
    members: Sequence[Member],
    out: np.ndarray,
    *,
    pooling: str,
    windowed: bool,
    batch_chars: int,
    device: Any,
    lexical: Lexical | None = None,
) -> sparse.csr_matrix | None:
    """Write the vectors of texts, by towers on one base, into their columns of `out`.

    With `lexical`, return the counts of its n-grams in the texts.
    """
    preprocessor = base.preprocessor()
    size = preprocessor.max_example_len - preprocessor.add_cls
    overlap = size // 8
    pieces = preprocessor.normalize(texts, whole=windowed)
    if windowed:
        pieces, owners = windows(pieces, size, overlap)
    else:
        pieces, owners = [text[:size] for text in pieces], np.arange(len(texts))
    views = [out[:, member.columns] for member in members]
    in_place = len(pieces) == len(texts)
    targets = (
        views
        if in_place
        else [np.empty((len(pieces), view.shape[1]), dtype=np.float32) for view in views]
    )
    towers = [built(member.tower, device) for member in members]
    tally = None if lexical is None else Tally(lexical, owners, preprocessor.add_cls + overlap)
    network = built(base, device)
    for rows, encoding in encodings(pieces, preprocessor, network, batch_chars, device):
        for member, tower, target in zip(members, towers, targets, strict=True):
            target[rows] = engine().array(_pooled(tower, encoding, pooling)) * member.weight
        if tally is not None:
            tally.add(rows, encoding)
    if not in_place:
        for view, target in zip(views, targets, strict=True):
            view[:] = _average(target, owners, np.maximum(_lengths(pieces), 1))
    return None if tally is None else tally.counts(len(texts))


def characters(
    texts: Sequence[str],
    base: Base,
    members: Sequence[Member],
    out: np.ndarray,
    *,
    batch_chars: int,
    device: Any,
) -> None:
    """Write a vector per character, by towers on one base, into their columns of `out`."""
    towers = [built(member.tower, device) for member in members]
    network = built(base, device)
    for rows, encoding in encodings(texts, base.preprocessor(), network, batch_chars, device):
        for member, tower in zip(members, towers, strict=True):
            with engine().inference():
                features = engine().array(tower(encoding)) * member.weight
            out[rows, : features.shape[1], member.columns] = features


def encodings(
    texts: Sequence[str],
    preprocessor: CharPreprocessor,
    base: Any,
    batch_chars: int,
    device: Any,
) -> Iterator[tuple[np.ndarray, Any]]:
    """Run a base over texts that are short enough: yield rows and what the base says of them."""
    for rows in length_batches(_lengths(texts) + preprocessor.add_cls, batch_chars):
        codes = preprocessor.encode([texts[row] for row in rows])
        yield rows, base(engine().codes(codes, device))


def _lengths(texts: Sequence[str]) -> np.ndarray:
    return np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))


def _pooled(tower: Any, encoding: Any, pooling: str) -> Any:
    """Return one vector per text."""
    if pooling == "native":
        return tower.native(encoding)
    return engine().pool(tower(encoding), encoding.mask, pooling)


def _average(vectors: np.ndarray, owners: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average the windows of each text, weighted by their lengths."""
    first = np.flatnonzero(np.diff(owners, prepend=-1))
    weights = weights[:, None].astype(np.float32)
    return np.add.reduceat(vectors * weights, first) / np.add.reduceat(weights, first)
