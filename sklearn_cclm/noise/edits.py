"""Characters lost, doubled and swapped."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_cclm.noise._flat import Edit, begins, corrupt, disjoint, multiply, spare_one


def drop_characters(
    ids: Any, rate: Any, rng: np.random.Generator, *, return_origin: bool = False
) -> Any:
    """Drop characters.

    Parameters
    ----------
    ids : uint32 array of shape (n, length)
        Unicode code points, padded with 0 on the right.
    rate : float or array of shape (n,)
        Probability, from 0 to 1, with which each character is dropped; one for all texts or one
        for each. Of a text that would lose all characters a random one stays.
    rng : numpy.random.Generator
        The only source of randomness.
    return_origin : bool, default=False
        Whether to return `origin` as well.

    Returns
    -------
    ids : uint32 ndarray of shape (n, length)
        The corrupted code points.
    origin : int64 ndarray of shape (n, length), if `return_origin`
        The column of `ids` that each character comes from; -1 for padding.

    Raises
    ------
    ValueError
        If the shape or type of ids, or a rate, is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_cclm.noise import drop_characters
    >>> drop_characters(np.array([[97, 98, 99, 0]]), 0.4, np.random.default_rng(0))
    array([[97,  0,  0,  0]], dtype=uint32)
    """
    return corrupt(drop, ids, rate, rng, return_origin)


def repeat_characters(
    ids: Any, rate: Any, rng: np.random.Generator, *, return_origin: bool = False
) -> Any:
    """Double characters, as a key that is held too long does.

    Parameters
    ----------
    ids : uint32 array of shape (n, length)
        Unicode code points, padded with 0 on the right.
    rate : float or array of shape (n,)
        Probability, from 0 to 1, with which each character is doubled; one for all texts or one
        for each.
    rng : numpy.random.Generator
        The only source of randomness.
    return_origin : bool, default=False
        Whether to return `origin` as well.

    Returns
    -------
    ids : uint32 ndarray of shape (n, new_length)
        The corrupted code points; `new_length` is at least `length`.
    origin : int64 ndarray of shape (n, new_length), if `return_origin`
        The column of `ids` that each character comes from; -1 for padding.

    Raises
    ------
    ValueError
        If the shape or type of ids, or a rate, is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_cclm.noise import repeat_characters
    >>> repeat_characters(np.array([[97, 98, 0]]), 1.0, np.random.default_rng(0))
    array([[97, 97, 98, 98]], dtype=uint32)
    """
    return corrupt(repeat, ids, rate, rng, return_origin)


def swap_neighbours(
    ids: Any, rate: Any, rng: np.random.Generator, *, return_origin: bool = False
) -> Any:
    """Swap neighbouring characters.

    Parameters
    ----------
    ids : uint32 array of shape (n, length)
        Unicode code points, padded with 0 on the right.
    rate : float or array of shape (n,)
        Probability with which each pair of neighbours that differ is swapped; one for all texts
        or one for each. It lies between 0 and 1, and counts as 0.5 where it is higher: no
        character is in two swaps.
    rng : numpy.random.Generator
        The only source of randomness.
    return_origin : bool, default=False
        Whether to return `origin` as well.

    Returns
    -------
    ids : uint32 ndarray of shape (n, length)
        The corrupted code points.
    origin : int64 ndarray of shape (n, length), if `return_origin`
        The column of `ids` that each character comes from; -1 for padding.

    Raises
    ------
    ValueError
        If the shape or type of ids, or a rate, is not allowed.

    Notes
    -----
    The "Swap" noise of [1]_, but of any neighbours, the first and the last letter of a word and
    spaces included.

    References
    ----------
    .. [1] Y. Belinkov, Y. Bisk: Synthetic and natural noise both break neural machine
       translation. ICLR 2018, arXiv:1711.02173.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_cclm.noise import swap_neighbours
    >>> rng = np.random.default_rng(0)
    >>> ids, origin = swap_neighbours(np.array([[97, 98, 99, 0]]), 0.5, rng, return_origin=True)
    >>> ids, origin
    (array([[97, 99, 98,  0]], dtype=uint32), array([[ 0,  2,  1, -1]]))
    """
    return corrupt(swap, ids, rate, rng, return_origin)


def change_spaces(
    ids: Any, rate: Any, rng: np.random.Generator, *, return_origin: bool = False
) -> Any:
    """Lose or double spaces.

    Parameters
    ----------
    ids : uint32 array of shape (n, length)
        Unicode code points, padded with 0 on the right.
    rate : float or array of shape (n,)
        Probability, from 0 to 1, with which each space (U+0020) is lost or doubled, as likely the
        one as the other; one for all texts or one for each. Of a text of spaces one stays.
    rng : numpy.random.Generator
        The only source of randomness.
    return_origin : bool, default=False
        Whether to return `origin` as well.

    Returns
    -------
    ids : uint32 ndarray of shape (n, new_length)
        The corrupted code points; `new_length` is at least `length`.
    origin : int64 ndarray of shape (n, new_length), if `return_origin`
        The column of `ids` that each character comes from; -1 for padding.

    Raises
    ------
    ValueError
        If the shape or type of ids, or a rate, is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_cclm.noise import change_spaces
    >>> change_spaces(np.array([[97, 32, 98, 0]]), 1.0, np.random.default_rng(0))
    array([[97, 98,  0,  0]], dtype=uint32)
    """
    return corrupt(space, ids, rate, rng, return_origin)


def drop(
    points: np.ndarray, lengths: np.ndarray, rates: np.ndarray, rng: np.random.Generator
) -> Edit:
    """Drop characters, but not all of a text."""
    kept = rng.random(len(points)) >= rates
    spare_one(kept, lengths, rng)
    return multiply(points, lengths, kept)


def repeat(
    points: np.ndarray, lengths: np.ndarray, rates: np.ndarray, rng: np.random.Generator
) -> Edit:
    """Double characters."""
    return multiply(points, lengths, (rng.random(len(points)) < rates) + 1)


def swap(
    points: np.ndarray, lengths: np.ndarray, rates: np.ndarray, rng: np.random.Generator
) -> Edit:
    """Swap disjoint pairs of neighbours that differ.

    Where the pair before may be swapped as well, which then spares this one, r / (1 - r) is the
    chance that leaves r for this one.
    """
    differ = (points[:-1] != points[1:]) & ~begins(lengths)[1:]
    chances = np.minimum(rates[:-1], 0.5)
    follows = np.append(False, differ)[: len(differ)]
    chances = np.where(follows, chances / (1 - chances), chances)
    pairs = disjoint(np.flatnonzero((rng.random(len(differ)) < chances) & differ))
    source = np.arange(len(points))
    source[pairs], source[pairs + 1] = pairs + 1, pairs
    return Edit(points[source], lengths, source)


def space(
    points: np.ndarray, lengths: np.ndarray, rates: np.ndarray, rng: np.random.Generator
) -> Edit:
    """Lose or double spaces."""
    counts = np.ones(len(points), dtype=np.int64)
    hit = np.flatnonzero((rng.random(len(points)) < rates) & (points == ord(" ")))
    counts[hit] = rng.choice([0, 2], len(hit))
    spare_one(counts, lengths, rng)
    return multiply(points, lengths, counts)
