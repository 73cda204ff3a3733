"""Texts end to end in one flat array: the form in which noise is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from sklearn_cclm._text.codes import pad


class Edit(NamedTuple):
    """Texts after an edit: all code points in a row, and the length of each text."""

    points: np.ndarray
    lengths: np.ndarray
    source: Any  # array: where each character stood in the row before; None: it stayed


# code points, length of each text, rate of each character, generator
Kernel = Callable[[np.ndarray, np.ndarray, np.ndarray, np.random.Generator], Edit]
Steps = Iterable[tuple[Kernel, Any]]  # with the rate, one for all texts or one for each


def corrupt(
    kernel: Kernel, ids: Any, rate: Any, rng: np.random.Generator, return_origin: bool
) -> Any:
    """Apply one kernel to padded code points: the body of every public function."""
    ids = np.asarray(ids)
    rates = np.asarray(rate, dtype=float)
    if rates.shape not in ((), ids.shape[:1]):
        raise ValueError(
            f"rate={rate!r} has the shape {rates.shape}: pass one number, or one for each text, "
            f"{ids.shape[:1]}."
        )
    if not np.all((rates >= 0) & (rates <= 1)):
        raise ValueError(f"rate={rate!r} must lie between 0 and 1: a share of what can change.")
    noisy, origin = run_padded(ids, [(kernel, rates)], rng)
    return (noisy, origin) if return_origin else noisy


def run_padded(
    ids: np.ndarray, steps: Steps, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Apply kernels to code points padded with 0; return them, and the column each came from."""
    if ids.ndim != 2 or not np.issubdtype(ids.dtype, np.integer):
        raise ValueError(
            f"ids must be integer code points of shape (n, length), got {ids.dtype} of shape "
            f"{ids.shape}; TypoNoise reads texts."
        )
    filled = np.logical_or.accumulate(ids[:, ::-1] != 0, axis=1)[:, ::-1]
    edit = run(ids[filled].astype(np.uint32, copy=False), filled.sum(axis=1), steps, rng)
    columns = np.broadcast_to(np.arange(1, ids.shape[1] + 1), ids.shape)[filled]
    if edit.source is not None:
        columns = columns[edit.source]
    length = max(ids.shape[1], int(edit.lengths.max(initial=0)))
    noisy = pad(edit.points, edit.lengths, length=length, dtype=np.uint32)
    return noisy, pad(columns, edit.lengths, length=length) - 1


def run(points: np.ndarray, lengths: np.ndarray, steps: Steps, rng: np.random.Generator) -> Edit:
    """Apply kernels one after the other."""
    source = None
    for kernel, rate in steps:
        rates = np.broadcast_to(rate, len(points)) if np.ndim(rate) == 0 else rate.repeat(lengths)
        edit = kernel(points, lengths, rates, rng)
        points, lengths = edit.points, edit.lengths
        if edit.source is not None:
            source = edit.source if source is None else source[edit.source]
    return Edit(points, lengths, source)


def begins(lengths: np.ndarray) -> np.ndarray:
    """Mark the first character of each text."""
    marks = np.zeros(lengths.sum(), dtype=bool)
    marks[(np.cumsum(lengths) - lengths)[lengths > 0]] = True
    return marks


def spare_one(counts: np.ndarray, lengths: np.ndarray, rng: np.random.Generator) -> None:
    """Set, in place, a random count of each text that would lose all its characters to 1."""
    lost = (_sums(counts, lengths) == 0) & (lengths > 0)
    starts = np.cumsum(lengths) - lengths
    counts[starts[lost] + rng.integers(0, lengths[lost])] = 1


def multiply(points: np.ndarray, lengths: np.ndarray, counts: np.ndarray) -> Edit:
    """Make each character as many copies of itself as its count says."""
    source = np.repeat(np.arange(len(points)), counts)
    return Edit(points[source], _sums(counts, lengths), source)


def splice(
    points: np.ndarray,
    lengths: np.ndarray,
    starts: np.ndarray,
    sizes: np.ndarray,
    new: tuple[np.ndarray, np.ndarray],
) -> Edit:
    """Replace runs that do not overlap by others, given as flat points and the size of each.

    The characters of a new run come evenly from those of the old one.
    """
    new_points, new_sizes = new
    counts = np.ones(len(points), dtype=np.int64)
    counts[ranges(starts, sizes)] = 0
    counts[starts] = new_sizes
    edit = multiply(points, lengths, counts)
    growth = new_sizes - sizes
    written = ranges(starts + np.cumsum(growth) - growth, new_sizes)
    steps = ranges(np.zeros_like(new_sizes), new_sizes) * sizes.repeat(new_sizes)
    edit.points[written] = new_points
    edit.source[written] = starts.repeat(new_sizes) + steps // new_sizes.repeat(new_sizes)
    return edit


def ranges(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the integers from each start on, so many as its size says, end to end."""
    before = np.cumsum(sizes) - sizes
    return np.arange(sizes.sum()) + (starts - before).repeat(sizes)


def disjoint(pairs: np.ndarray) -> np.ndarray:
    """Of pairs of neighbours, given by their ascending starts, keep those that overlap no kept one.

    In each run of overlapping pairs that is every other one, the first included.
    """
    index = np.arange(len(pairs))
    apart = np.diff(pairs, prepend=-2) > 1
    return pairs[(index - np.maximum.accumulate(np.where(apart, index, 0))) % 2 == 0]


def _sums(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the sum over each text."""
    sums = np.zeros(len(lengths), dtype=np.int64)
    starts = (np.cumsum(lengths) - lengths)[lengths > 0]
    if len(starts):
        sums[lengths > 0] = np.add.reduceat(values, starts, dtype=np.int64)
    return sums
