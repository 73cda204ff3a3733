"""Characters taken for others: the wrong case, look-alikes, and what a scanner misreads."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from sklearn_cclm.noise._flat import Edit, begins, corrupt, disjoint, splice
from sklearn_cclm.noise._tables import Choices, other_case

_ALIKE = ("0O", "1lI|", "2Z", "5S", "6G", "8B", "ce", "bh")
_HOMOGLYPHS = (
    ("aceijopsxyhABCEHIJKMOPSTX", "асеіјорѕхуһАВСЕНІЈКМОРЅТХ"),  # Latin, Cyrillic
    ("ovABEHIKMNOPTXYZ", "ονΑΒΕΗΙΚΜΝΟΡΤΧΥΖ"),  # Latin, Greek
)
_PAIRS = {"rn": "m", "cl": "d", "vv": "w"}


def change_case(
    ids: Any, rate: Any, rng: np.random.Generator, *, return_origin: bool = False
) -> Any:
    """Change the case of letters.

    Parameters
    ----------
    ids : uint32 array of shape (n, length)
        Unicode code points, padded with 0 on the right.
    rate : float or array of shape (n,)
        Probability, from 0 to 1, with which each letter that another code point stands for in the
        other case is changed; one for all texts or one for each. All other characters stay, ß
        and ŉ among them.
    rng : numpy.random.Generator
        The only source of randomness.
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
        If the shape or type of ids, or a rate, is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_cclm.noise import change_case
    >>> change_case(np.array([[97, 66, 63, 0]]), 1.0, np.random.default_rng(0))
    array([[65, 98, 63,  0]], dtype=uint32)
    """
    return corrupt(case, ids, rate, rng, return_origin)


def confuse_lookalikes(
    ids: Any, rate: Any, rng: np.random.Generator, *, return_origin: bool = False
) -> Any:
    """Replace characters by others that look like them.

    Parameters
    ----------
    ids : uint32 array of shape (n, length)
        Unicode code points, padded with 0 on the right.
    rate : float or array of shape (n,)
        Probability, from 0 to 1, with which each character that has look-alikes is replaced by
        one of them; one for all texts or one for each. The pairs rn, cl and vv count as one.
    rng : numpy.random.Generator
        The only source of randomness.
    return_origin : bool, default=False
        Whether to return `origin` as well.

    Returns
    -------
    ids : uint32 ndarray of shape (n, new_length)
        The corrupted code points; `new_length` is at least `length`.
    origin : int64 ndarray of shape (n, new_length), if `return_origin`
        The column of `ids` that each character comes from, for one made of a pair that of the
        first; -1 for padding.

    Raises
    ------
    ValueError
        If the shape or type of ids, or a rate, is not allowed.

    Notes
    -----
    Look-alikes are ``0 O``, ``1 l I |``, ``2 Z``, ``5 S``, ``6 G`` and ``8 B``; what optical
    character recognition confuses [1]_: ``c e``, ``b h``, ``m rn``, ``d cl`` and ``w vv``; and
    Latin letters and the Cyrillic and Greek ones of the same shape [2]_; each in all directions.
    The look-alikes of a character are equally likely.

    References
    ----------
    .. [1] Project Gutenberg FAQ, S.16: What types of mistakes do OCR packages typically make?
    .. [2] Unicode Technical Standard 39: Unicode security mechanisms, confusables.txt.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_cclm.noise import confuse_lookalikes
    >>> ids, origin = confuse_lookalikes(
    ...     np.array([[ord("r"), ord("n"), 0]]), 1.0, np.random.default_rng(0), return_origin=True
    ... )
    >>> "".join(map(chr, ids[0, :1])), origin
    ('m', array([[ 0, -1, -1]]))
    """
    return corrupt(look, ids, rate, rng, return_origin)


def case(
    points: np.ndarray, lengths: np.ndarray, rates: np.ndarray, rng: np.random.Generator
) -> Edit:
    """Change the case of letters."""
    others = other_case().take(points, mode="clip")
    hit = (rng.random(len(points)) < rates) & (others > 0)
    return Edit(np.where(hit, others, points), lengths, None)


def look(
    points: np.ndarray, lengths: np.ndarray, rates: np.ndarray, rng: np.random.Generator
) -> Edit:
    """Replace characters and pairs by look-alikes."""
    table, pairs, choices = _lookalikes()
    units = table.take(points, mode="clip")
    followed = ~begins(lengths)[1:]
    paired = np.zeros(len(followed), dtype=units.dtype)
    for first, second, unit in pairs:
        paired[(points[:-1] == first) & (points[1:] == second) & followed] = unit
    starts = disjoint(np.flatnonzero(paired))
    units[starts], units[starts + 1] = paired[starts], 0
    hit = np.flatnonzero((rng.random(len(points)) < rates) & (units > 0))
    sizes = 1 + (units[hit] >= pairs[0][2])
    return splice(points, lengths, hit, sizes, choices.draw(units[hit], rng))


@lru_cache(maxsize=1)
def _lookalikes() -> tuple[np.ndarray, list[tuple[int, int, int]], Choices]:
    """Return the units: of each code point, 0 for none; of pairs, the last ones; and choices."""
    groups = [*_ALIKE]
    for latin, other in _HOMOGLYPHS:
        groups += map("".join, zip(latin, other, strict=True))
    found: dict[str, list[str]] = {}
    for group in groups:
        for character in group:
            found.setdefault(character, []).extend(group.replace(character, ""))
    for pair, character in _PAIRS.items():
        found.setdefault(character, []).append(pair)
    table = np.zeros(max(map(ord, found)) + 2, dtype=np.int64)
    table[list(map(ord, found))] = np.arange(1, len(found) + 1)
    table.setflags(write=False)
    numbered = enumerate(_PAIRS, start=len(found) + 1)
    pairs = [(ord(pair[0]), ord(pair[1]), unit) for unit, pair in numbered]
    return table, pairs, Choices.of([[], *found.values(), *([one] for one in _PAIRS.values())])
