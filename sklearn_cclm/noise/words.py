"""Words taken for their attested misspellings, or stripped to their shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from reprlib import repr as short_repr
from typing import Any, NamedTuple

import numpy as np

from sklearn_cclm._text.codes import code_points, pad
from sklearn_cclm.noise._flat import Edit, begins, corrupt, ranges, splice
from sklearn_cclm.noise._tables import Choices, other_case, word_characters

_KINDS_OF_CHARACTER = (("a", "z"), ("A", "Z"), ("0", "9"))


class TypoList(NamedTuple):
    """The words of a list, sorted, and the typos of each."""

    words: np.ndarray  # numpy strings
    typos: Choices


def substitute_words(
    ids: Any,
    rate: Any,
    rng: np.random.Generator,
    *,
    typos: Any,
    return_origin: bool = False,
) -> Any:
    """Replace words by their typos in a list, attested or phonetic.

    Parameters
    ----------
    ids : uint32 array of shape (n, length)
        Unicode code points, padded with 0 on the right.
    rate : float or array of shape (n,)
        Probability, from 0 to 1, with which each word of the list is replaced; one for all texts
        or one for each.
    rng : numpy.random.Generator
        The only source of randomness.
    typos : mapping of str to str or sequence of str, or sequence of (str, str)
        The typo or typos of each correct word, ``{"the": ["teh", "hte"]}``, or pairs of a typo
        and the correct word, ``[("teh", "the"), ("hte", "the")]``. A pair listed twice is twice
        as likely. Pairs whose correct side is not one word, or is the typo, are never used.
    return_origin : bool, default=False
        Whether to return `origin` as well.

    Returns
    -------
    ids : uint32 ndarray of shape (n, new_length)
        The corrupted code points; `new_length` is at least `length`.
    origin : int64 ndarray of shape (n, new_length), if `return_origin`
        The column of `ids` that each character comes from, those of a typo evenly from the word;
        -1 for padding.

    Raises
    ------
    ValueError, TypeError
        If the shape or type of ids, a rate or the list is not allowed.

    Notes
    -----
    A word is a run of letters, combining marks and digits, with apostrophes between them. It is
    looked up as it is, else with its first letter in lower case; its typo then has a capital. The
    list is read at each call; `TypoNoise` keeps it. Lists of attested typos are the "Natural"
    noise of [1]_; a list of how words sound makes phonetic noise.

    References
    ----------
    .. [1] Y. Belinkov, Y. Bisk: Synthetic and natural noise both break neural machine
       translation. ICLR 2018, arXiv:1711.02173.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_cclm.noise import substitute_words
    >>> ids = np.array([list(map(ord, "The other"))])
    >>> noisy = substitute_words(ids, 1.0, np.random.default_rng(0), typos={"the": "teh"})
    >>> "".join(map(chr, noisy[0]))
    'Teh other'
    """
    return corrupt(partial(substitute, typos=typo_list(typos)), ids, rate, rng, return_origin)


def scramble_words(
    ids: Any, rate: Any, rng: np.random.Generator, *, return_origin: bool = False
) -> Any:
    """Replace the letters and digits of words by random ones, so that their shape alone is left.

    No typo, but what makes a tower learn from the shape of a word and from the words around it,
    and not by heart: the default noise of `EntityPretrainer`.

    Parameters
    ----------
    ids : uint32 array of shape (n, length)
        Unicode code points, padded with 0 on the right.
    rate : float or array of shape (n,)
        Probability, from 0 to 1, with which each word is scrambled; one for all texts or one for
        each. Of a scrambled word, small and capital ASCII letters and digits are replaced by
        others of the same kind, each as likely; all other characters stay.
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
    >>> from sklearn_cclm.noise import scramble_words
    >>> ids = np.array([list(map(ord, "Mr Smith, 42"))])
    >>> "".join(map(chr, scramble_words(ids, 1.0, np.random.default_rng(0))[0]))
    'Xb Naevq, 69'
    """
    return corrupt(scramble, ids, rate, rng, return_origin)


def scramble(
    points: np.ndarray, lengths: np.ndarray, rates: np.ndarray, rng: np.random.Generator
) -> Edit:
    """Replace the letters and digits of words by random ones."""
    starts, sizes = _words(points, lengths)
    hit = rng.random(len(starts)) < rates[starts]
    places = ranges(starts[hit], sizes[hit])
    scrambled = points.copy()
    for first, last in _KINDS_OF_CHARACTER:
        of_kind = places[(points[places] >= ord(first)) & (points[places] <= ord(last))]
        scrambled[of_kind] = rng.integers(ord(first), ord(last) + 1, len(of_kind))
    return Edit(scrambled, lengths, None)


def substitute(
    points: np.ndarray,
    lengths: np.ndarray,
    rates: np.ndarray,
    rng: np.random.Generator,
    *,
    typos: TypoList,
) -> Edit:
    """Replace listed words by their typos."""
    longest = typos.words.dtype.itemsize // 4
    starts, sizes = _words(points, lengths)
    hit = (rng.random(len(starts)) < rates[starts]) & (sizes <= longest)
    starts, sizes = starts[hit], sizes[hit]
    words = pad(points[ranges(starts, sizes)], sizes, length=longest, dtype=np.uint32)
    entries, found = _look_up(words, typos.words)
    capital = ~found & np.strings.isupper(words[:, :1].copy().view("U1")[:, 0])
    words[capital, 0] = other_case().take(words[capital, 0], mode="clip")
    entries[capital], found[capital] = _look_up(words[capital], typos.words)
    new, new_sizes = typos.typos.draw(entries[found], rng)
    heads = (np.cumsum(new_sizes) - new_sizes)[capital[found]]
    upper = other_case().take(new[heads], mode="clip")
    rises = np.strings.islower(new[heads].view("U1")) & (upper > 0)
    new[heads] = np.where(rises, upper, new[heads])
    return splice(points, lengths, starts[found], sizes[found], (new, new_sizes))


def typo_list(typos: Any) -> TypoList:
    """Make a table of a list of typos, or say what is wrong with it."""
    pairs = list(_pairs(typos))
    for typo, correct in pairs:
        if not (isinstance(typo, str) and isinstance(correct, str) and typo and correct):
            raise _misread(typos, f"it has the typo {typo!r} of {correct!r}")
    listed: dict[str, list[str]] = {}
    for (typo, correct), word in zip(pairs, _are_words([pair[1] for pair in pairs]), strict=True):
        if word and typo != correct:
            listed.setdefault(correct, []).append(typo)
    if not listed:
        raise _misread(typos, "it has no typo of a word")
    words = sorted(listed)
    return TypoList(np.array(words), Choices.of([listed[word] for word in words]))


def _pairs(typos: Any) -> Iterator[tuple[Any, Any]]:
    """Yield a typo and the correct word, of either form of a list."""
    if isinstance(typos, Mapping):
        for correct, found in typos.items():
            if not isinstance(found, str | Sequence):
                raise _misread(typos, f"{correct!r} has {found!r}")
            for typo in [found] if isinstance(found, str) else found:
                yield typo, correct
        return
    if isinstance(typos, str) or not isinstance(typos, Sequence):
        raise _misread(typos, f"it is of type {type(typos).__name__}")
    for pair in typos:
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise _misread(typos, f"it holds {pair!r}")
        yield pair[0], pair[1]


def _misread(typos: Any, why: str) -> ValueError:
    return ValueError(
        f"typos={short_repr(typos)}: {why}. Pass a mapping from each correct word to its typo or "
        'typos, {"the": ["teh", "hte"]}, or a list of pairs (typo, correct word), '
        '[("teh", "the"), ("hte", "the")].'
    )


def _are_words(texts: list[str]) -> list[bool]:
    """Return which texts, none of them empty, are one word."""
    points, lengths = code_points(texts)
    starts, sizes = _words(points, lengths)
    size_at = np.zeros(len(points), dtype=np.int64)
    size_at[starts] = sizes
    return (size_at[np.cumsum(lengths) - lengths] == lengths).tolist()


def _words(points: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where words start, and their sizes."""
    inside = word_characters().take(points, mode="clip")
    first = begins(lengths)
    apostrophe = (points == ord("'")) | (points == ord("\N{RIGHT SINGLE QUOTATION MARK}"))
    inside[1:-1] |= apostrophe[1:-1] & inside[:-2] & inside[2:] & ~first[1:-1] & ~first[2:]
    left, right = inside.copy(), inside.copy()
    left[1:] &= ~inside[:-1] | first[1:]
    right[:-1] &= ~inside[1:] | first[1:]
    starts = np.flatnonzero(left)
    return starts, np.flatnonzero(right) + 1 - starts


def _look_up(words: np.ndarray, listed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of words, rows of code points, in a sorted list, and whether they are."""
    strings = words.view(listed.dtype)[:, 0]
    places = np.minimum(np.searchsorted(listed, strings), len(listed) - 1)
    return places, listed[places] == strings
