"""Which texts are held out: of each kind a part, and of none all."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array


def kinds_of(owners: np.ndarray, kinds: Any, n: int | None = None) -> csr_array:
    """Return which kinds each of n texts is of, where text ``owners[i]`` is of ``kinds[i]``."""
    names, columns = np.unique(kinds, return_inverse=True)
    of = csr_array(
        (np.ones(len(owners), dtype=np.int64), (owners, columns)),
        shape=(len(owners) if n is None else n, len(names)),
    )
    of.sum_duplicates()
    return of


def hold_out(n: int, kinds: csr_array | None, fraction: float, seed: int) -> np.ndarray:
    """Return the rows to hold out of n texts.

    Parameters
    ----------
    n : int
        How many texts there are.
    kinds : csr_array of shape (n, n_kinds) or None
        Which kinds each text is of; None if all are alike.
    fraction : float
        Share of the texts, and of those of each kind, to hold out; fewer where no text of a kind
        would be left to train on.
    seed : int
        Which ones.

    Returns
    -------
    int array
        Rows.
    """
    rng = np.random.default_rng([seed, 0, 1])
    order = rng.permutation(n)
    most = int(fraction * n)
    if kinds is None:
        return order[:most]
    left = np.bincount(kinds.indices, minlength=kinds.shape[1])
    stretched = _stretched(_rarest(kinds, left), order, rng)
    held_out = []
    for row in np.argsort(stretched, kind="stable")[:most]:
        own = kinds.indices[kinds.indptr[row] : kinds.indptr[row + 1]]
        if (left[own] > 1).all():
            left[own] -= 1
            held_out.append(row)
    return np.array(held_out, dtype=np.int64)


def _rarest(kinds: csr_array, counts: np.ndarray) -> np.ndarray:
    """Return of each text the kind that the fewest are of; one more where it is of none."""
    found = np.full(kinds.shape[0], kinds.shape[1])
    rows = np.repeat(np.arange(kinds.shape[0]), np.diff(kinds.indptr))
    often_first = np.argsort(-counts[kinds.indices], kind="stable")
    found[rows[often_first]] = kinds.indices[often_first]
    return found


def _stretched(groups: np.ndarray, order: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a place from 0 to 1 for each text, so that each group is spread evenly."""
    sizes = np.bincount(groups)
    rows = order[np.argsort(groups[order], kind="stable")]
    own = groups[rows]
    numbers = np.arange(len(rows)) - (np.cumsum(sizes) - sizes)[own]
    places = np.empty(len(rows))
    places[rows] = (numbers + rng.random(len(sizes))[own]) / sizes[own]
    return places
