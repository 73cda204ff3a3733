"""Typing errors: seeded corruption of texts as real keyboards cause it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sklearn_cclm._codes import CHUNK, code_points, strings

_ROWS = (("qwertyuiop", 0.0), ("asdfghjkl", 0.25), ("zxcvbnm", 0.75))  # keys, shift in key widths


def _neighbours() -> dict[str, str]:
    """For each letter of a QWERTY keyboard, the letters whose keys touch its key."""
    places = {
        letter: (x + shift, y)
        for y, (row, shift) in enumerate(_ROWS)
        for x, letter in enumerate(row)
    }

    def touch(one: tuple[float, int], other: tuple[float, int]) -> bool:
        across, down = abs(one[0] - other[0]), abs(one[1] - other[1])
        return (down == 0 and across == 1) or (down == 1 and across < 1)

    return {
        letter: "".join(other for other in places if touch(places[letter], places[other]))
        for letter in places
    }


def _tables() -> tuple[np.ndarray, np.ndarray]:
    """Code points of each ASCII letter's neighbours, (128, most), and how many, (128,)."""
    neighbours = _neighbours()
    neighbours |= {k.upper(): v.upper() for k, v in neighbours.items()}
    counts = np.zeros(128, dtype=np.int64)
    table = np.zeros((128, max(map(len, neighbours.values()))), dtype=np.uint32)
    for letter, others in neighbours.items():
        counts[ord(letter)] = len(others)
        table[ord(letter), : len(others)] = list(map(ord, others))
    return table, counts


_TABLE, _COUNTS = _tables()


def slip_keys(points: np.ndarray, rate: float | np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Replace letters by their neighbours on a QWERTY keyboard.

    Parameters
    ----------
    points : uint32 array of shape (n, length)
        Unicode code points, padded with 0 on the right.
    rate : float or array of shape (n,)
        Probability, from 0 to 1, with which each ASCII letter is replaced; one for all texts or
        one for each. Case is kept; all other characters stay.
    rng : numpy.random.Generator
        The only source of randomness.

    Returns
    -------
    uint32 ndarray of shape (n, length)
        The corrupted code points.

    Raises
    ------
    ValueError
        If a rate is not between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_cclm.noise import slip_keys
    >>> slip_keys(np.array([[ord("?"), 0]], dtype=np.uint32), 1.0, np.random.default_rng(0))
    array([[63,  0]], dtype=uint32)
    """
    rates = np.asarray(rate, dtype=float)
    if not np.all((rates >= 0) & (rates <= 1)):
        raise ValueError(f"rate={rate!r} must lie between 0 and 1: a share of the letters.")
    letters = np.where(points < len(_COUNTS), points, 0)
    counts = _COUNTS[letters]
    hit = (rng.random(points.shape) < rates.reshape(-1, 1)) & (counts > 0)
    chosen = letters[hit]
    slipped = points.copy()
    slipped[hit] = _TABLE[chosen, rng.integers(0, counts[hit])]
    return slipped


def misspell(
    texts: Sequence[str], rate: float, *, random_state: int | np.random.Generator | None = None
) -> list[str]:
    """Return texts with slips of the keyboard.

    Parameters
    ----------
    texts : sequence of str
        Texts.
    rate : float
        Probability, from 0 to 1, with which each letter is replaced by its neighbour's.
    random_state : int, numpy.random.Generator or None, default=None
        Seed.

    Returns
    -------
    list of str
        Of the same lengths.

    Examples
    --------
    >>> from sklearn_cclm.noise import misspell
    >>> misspell(["keyboard"], 0.3, random_state=0)
    ['ksgvoard']
    """
    rng = np.random.default_rng(random_state)
    corrupted: list[str] = []
    for start in range(0, len(texts), CHUNK):
        points, lengths = code_points(texts[start : start + CHUNK])
        corrupted += strings(slip_keys(points[None], rate, rng)[0], lengths)
    return corrupted
