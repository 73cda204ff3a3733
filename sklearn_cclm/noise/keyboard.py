"""Fingers that miss their key: neighbours on the keyboard instead of, or beside, what was meant."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import numpy as np

from sklearn_cclm._tools.params import check_option
from sklearn_cclm.noise._flat import Edit, corrupt, multiply

# Four rows of keys from the top, each with its shift to the right in key widths. A space is a key
# without a letter.
_SHIFTS = (-0.5, 0.0, 0.25, 0.75)
LAYOUTS = {
    "qwerty": ("", "qwertyuiop", "asdfghjkl", "zxcvbnm"),
    "qwertz": ("          ß", "qwertzuiopü", "asdfghjklöä", "yxcvbnm"),
    "azerty": (" é    è çà", "azertyuiop", "qsdfghjklmù", "wxcvbn"),
}
_WITHOUT_CAPITAL = "ßéèçàù"  # the shift key makes something else of them


def slip_keys(
    ids: Any,
    rate: Any,
    rng: np.random.Generator,
    *,
    layout: str = "qwerty",
    return_origin: bool = False,
) -> Any:
    """Replace letters by those of neighbouring keys.

    Parameters
    ----------
    ids : uint32 array of shape (n, length)
        Unicode code points, padded with 0 on the right.
    rate : float or array of shape (n,)
        Probability, from 0 to 1, with which each letter that has a key is replaced; one for all
        texts or one for each. Case is kept; all other characters stay.
    rng : numpy.random.Generator
        The only source of randomness.
    layout : {"qwerty", "qwertz", "azerty"}, default="qwerty"
        The keyboard: US English, German with ä, ö, ü and ß, or French with é, è, ç, à and ù.
    return_origin : bool, default=False
        Whether to return `origin` as well.

    Returns
    -------
    ids : uint32 ndarray of shape (n, length)
        The corrupted code points.
    origin : int64 ndarray of shape (n, length), if `return_origin`
        The column of `ids` that each character comes from, here its own; -1 for padding.

    Raises
    ------
    ValueError
        If the shape or type of ids, a rate or the layout is not allowed.

    Notes
    -----
    The "Key" noise of [1]_. Keys are neighbours if they touch, in their row or the next; each
    neighbour is as likely as the others.

    References
    ----------
    .. [1] Y. Belinkov, Y. Bisk: Synthetic and natural noise both break neural machine
       translation. ICLR 2018, arXiv:1711.02173.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_cclm.noise import slip_keys
    >>> ids = np.array([list(map(ord, "keyboard"))])
    >>> "".join(map(chr, slip_keys(ids, 0.3, np.random.default_rng(0))[0]))
    'ksgvoard'
    """
    check_option("layout", layout, LAYOUTS)
    return corrupt(partial(slip, layout=layout), ids, rate, rng, return_origin)


def insert_characters(
    ids: Any,
    rate: Any,
    rng: np.random.Generator,
    *,
    layout: str = "qwerty",
    return_origin: bool = False,
) -> Any:
    """Insert stray characters.

    Parameters
    ----------
    ids : uint32 array of shape (n, length)
        Unicode code points, padded with 0 on the right.
    rate : float or array of shape (n,)
        Probability, from 0 to 1, with which each character is followed by an inserted one; one
        for all texts or one for each.
    rng : numpy.random.Generator
        The only source of randomness.
    layout : {"qwerty", "qwertz", "azerty"}, default="qwerty"
        The keyboard: behind a letter that has a key a neighbour's letter is inserted, behind
        anything else a random one of a to z.
    return_origin : bool, default=False
        Whether to return `origin` as well.

    Returns
    -------
    ids : uint32 ndarray of shape (n, new_length)
        The corrupted code points; `new_length` is at least `length`.
    origin : int64 ndarray of shape (n, new_length), if `return_origin`
        The column of `ids` that each character comes from, for an inserted one that of the
        character before it; -1 for padding.

    Raises
    ------
    ValueError
        If the shape or type of ids, a rate or the layout is not allowed.

    Notes
    -----
    More than four in five misspellings are one insertion, omission, substitution or swap of
    neighbours [1]_.

    References
    ----------
    .. [1] F. J. Damerau: A technique for computer detection and correction of spelling errors.
       Communications of the ACM 7(3), 1964.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_cclm.noise import insert_characters
    >>> ids, origin = insert_characters(
    ...     np.array([[ord("q"), 0]]), 1.0, np.random.default_rng(0), return_origin=True
    ... )
    >>> "".join(map(chr, ids[0])), origin
    ('qa', array([[0, 0]]))
    """
    check_option("layout", layout, LAYOUTS)
    return corrupt(partial(insert, layout=layout), ids, rate, rng, return_origin)


def slip(
    points: np.ndarray,
    lengths: np.ndarray,
    rates: np.ndarray,
    rng: np.random.Generator,
    *,
    layout: str,
) -> Edit:
    """Replace letters by those of neighbouring keys."""
    table, counts = _tables(layout)
    hit = (rng.random(len(points)) < rates) & (counts.take(points, mode="clip") > 0)
    letters = points[hit]
    slipped = points.copy()
    slipped[hit] = table[letters, rng.integers(0, counts[letters])]
    return Edit(slipped, lengths, None)


def insert(
    points: np.ndarray,
    lengths: np.ndarray,
    rates: np.ndarray,
    rng: np.random.Generator,
    *,
    layout: str,
) -> Edit:
    """Put neighbouring keys' letters, or any, behind characters."""
    table, counts = _tables(layout)
    hit = rng.random(len(points)) < rates
    edit = multiply(points, lengths, hit + 1)
    before = np.minimum(points[hit], len(counts) - 1)
    n_keys = counts[before]
    drawn = rng.integers(0, np.where(n_keys > 0, n_keys, 26))
    inserted = np.flatnonzero(hit) + np.arange(1, len(before) + 1)
    edit.points[inserted] = np.where(
        n_keys > 0, table[before, np.minimum(drawn, table.shape[1] - 1)], drawn + ord("a")
    )
    return edit


def _neighbours(layout: str) -> dict[str, str]:
    """For each letter of a keyboard, the letters whose keys touch its key."""
    places = {
        letter: (x + shift, y)
        for y, (row, shift) in enumerate(zip(LAYOUTS[layout], _SHIFTS, strict=True))
        for x, letter in enumerate(row)
        if letter != " "
    }

    def touch(one: tuple[float, int], other: tuple[float, int]) -> bool:
        across, down = abs(one[0] - other[0]), abs(one[1] - other[1])
        return (down == 0 and across == 1) or (down == 1 and across < 1)

    return {
        letter: "".join(other for other in places if touch(places[letter], places[other]))
        for letter in places
    }


@lru_cache(maxsize=len(LAYOUTS))
def _tables(layout: str) -> tuple[np.ndarray, np.ndarray]:
    """Code points of each letter's neighbours, (257, most), and how many; none for the last."""
    neighbours = _neighbours(layout)
    without = dict.fromkeys(map(ord, _WITHOUT_CAPITAL))
    neighbours |= {
        letter.upper(): others.translate(without).upper()
        for letter, others in neighbours.items()
        if letter not in _WITHOUT_CAPITAL
    }
    counts = np.zeros(257, dtype=np.int64)
    table = np.zeros((257, max(map(len, neighbours.values()))), dtype=np.uint32)
    for letter, others in neighbours.items():
        counts[ord(letter)] = len(others)
        table[ord(letter), : len(others)] = list(map(ord, others))
    counts.setflags(write=False)
    table.setflags(write=False)
    return table, counts
