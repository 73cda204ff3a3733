"""The words of texts, and their parts where what characters say changes within them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from unicodedata import category

import numpy as np

from sklearn_cclm._text.codes import code_points

_SPACE, _LETTER, _MARK = range(3)


def words(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the words of texts: runs of letters and digits, and single punctuation marks.

    Returns
    -------
    starts, ends : int64 arrays of shape (n_words,)
        Places in all texts in a row.
    owners : int64 array of shape (n_words,)
        The text of each word.
    """
    points, lengths = code_points(texts)
    return word_places(points, np.repeat(np.arange(len(texts)), lengths))


def word_places(points: np.ndarray, text: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the words of code points in a row, each of a text, as `words` does."""
    kinds = of_each(points, _kind)
    joined = (kinds[1:] == _LETTER) & (kinds[:-1] == _LETTER) & (text[1:] == text[:-1])
    solid = kinds != _SPACE
    starts = np.flatnonzero(solid & ~np.append(False, joined)[: len(points)])
    ends = np.flatnonzero(solid & ~np.append(joined, False)[: len(points)]) + 1
    return starts, ends, text[starts]


def of_each(points: np.ndarray, what: Callable[[str], int]) -> np.ndarray:
    """Return what a function says of each character, asked once for each distinct one."""
    distinct, where = np.unique(points, return_inverse=True)
    return np.array([what(chr(point)) for point in distinct.tolist()], dtype=np.int8)[where]


def _kind(character: str) -> int:
    if character.isspace():
        return _SPACE
    return _MARK if category(character)[0] in "PS" else _LETTER


def parts(
    votes: np.ndarray, cuts: np.ndarray, starts: np.ndarray, ends: np.ndarray, *, cost: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split words into parts that say the same: those that say most, less a cost for each change.

    Parameters
    ----------
    votes : float array of shape (n_characters, n_kinds)
        What each character says.
    cuts : bool array of shape (n_characters,)
        Where a part begins even if the one before it says the same.
    starts, ends : int64 arrays of shape (n_words,)
        As of `words`.
    cost : float
        What a change within a word costs, in votes.

    Returns
    -------
    starts, ends : int64 arrays of shape (n_parts,)
        Places as those of the words.
    words : int64 array of shape (n_parts,)
        The word of each part.
    """
    said = votes.argmax(axis=1)
    edge = cuts.copy()
    edge[1:] |= said[1:] != said[:-1]
    edge[starts] = True
    inside = np.zeros(len(votes) + 1, dtype=np.int8)
    inside[starts] += 1
    inside[ends] -= 1
    places = np.flatnonzero(edge & (np.cumsum(inside[:-1]) > 0))  # where runs of one kind begin
    first = np.searchsorted(places, starts)
    counts = np.diff(np.append(first, len(places)))
    owners = np.repeat(np.arange(len(starts)), counts)
    stops = np.append(places[1:], 0)[: len(places)]
    stops[first + counts - 1] = ends
    kinds = _cheapest(sums(votes, places, stops), first, counts, cost)
    begins = cuts[places]
    begins[1:] |= kinds[1:] != kinds[:-1]
    begins[first] = True
    places, owners = places[begins], owners[begins]
    last = np.flatnonzero(np.append(begins[1:], True)[: len(begins)])
    return places, stops[last], owners


def _cheapest(votes: np.ndarray, first: np.ndarray, counts: np.ndarray, cost: float) -> np.ndarray:
    """Return the kind of each run, by Viterbi's algorithm: all words at once, run by run."""
    kinds = votes.argmax(axis=1)
    order = np.argsort(-counts, kind="stable")
    first, counts = first[order], counts[order]
    best, trace = votes[first], []
    for step in range(1, counts.max(initial=1)):
        n = int(np.searchsorted(-counts, -step))  # words that have as many runs
        top = best[:n].argmax(axis=1)
        change = best[np.arange(n), top] - cost
        changed = change[:, None] > best[:n]
        best[:n] = np.where(changed, change[:, None], best[:n]) + votes[first[:n] + step]
        trace.append((top, changed))
    kind = best.argmax(axis=1)
    for step, (top, changed) in reversed([*enumerate(trace, start=1)]):
        n = len(top)
        kinds[first[:n] + step] = kind[:n]
        kind[:n] = np.where(changed[np.arange(n), kind[:n]], top, kind[:n])
    kinds[first] = kind
    return kinds


def sums(values: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the sum of the rows of values from each start to its end."""
    totals = np.zeros((len(values) + 1, values.shape[1]))
    np.cumsum(values, axis=0, out=totals[1:])
    return totals[ends] - totals[starts]
