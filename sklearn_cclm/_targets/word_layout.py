"""The words of a batch: where they stand, what they look like, and the tag of each."""

from __future__ import annotations

import numpy as np

from sklearn_cclm._targets.words import of_each, word_places

_LOOKS = 6  # capital, small letter, other letter, digit, sign of a handle or topic, other sign
N_SHAPES = 2 * _LOOKS  # of a word: its first character, and all of them on average


def word_layout(points: np.ndarray, owners: np.ndarray) -> dict[str, np.ndarray]:
    """Return the words of the code points of a batch, in a row, as a network is to read them.

    Parameters
    ----------
    points : int array of shape (n_characters,)
        Code points.
    owners : int array of shape (n_characters,)
        The row of the batch that each is in, ascending.

    Returns
    -------
    dict of str to ndarray
        "rows" and "columns", of each word the row and how many words stand before it there;
        "shapes", (n_words, N_SHAPES); "words", of each character its word, -1 if it is a blank.
    """
    starts, ends, rows = word_places(points, owners)
    lengths = ends - starts
    words = np.full(len(points), -1)
    inside = np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
    words[inside] = np.repeat(np.arange(len(starts)), lengths)
    looks = np.eye(_LOOKS, dtype=np.float32)[of_each(points[inside], _look)]
    first = np.cumsum(lengths) - lengths
    means = np.add.reduceat(looks, first) / lengths[:, None] if len(first) else looks
    return {
        "rows": rows,
        "columns": np.arange(len(rows)) - np.searchsorted(rows, rows),
        "shapes": np.concatenate([looks[first], means], axis=1, dtype=np.float32),
        "words": words,
    }


def word_tags(tags: np.ndarray, words: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the tag of each word: what most of its characters name.

    One begins an entity if a character does, or if the word before it in its text names something
    else, as where noise has taken the character that did.

    Parameters
    ----------
    tags : int array of shape (n_characters,)
        Their codes, as of `TagSet`.
    words, columns : int arrays
        As of `word_layout`.
    """
    words, tags = words[words >= 0], tags[words >= 0]
    votes = np.zeros((len(columns), tags.max(initial=0) // 2 + 2), dtype=np.int64)
    np.add.at(votes, (words, (tags + 1) // 2), 1)
    kinds = votes.argmax(axis=1)
    begins = np.zeros(len(columns), dtype=bool)
    begins[words[tags % 2 == 1]] = True
    begins[1:] |= kinds[1:] != kinds[:-1]
    begins |= columns == 0
    return np.where(kinds > 0, 2 * kinds - begins, 0)


def _look(character: str) -> int:
    if character.isalpha():
        return 0 if character.isupper() else 1 if character.islower() else 2
    return 3 if character.isdigit() else 4 if character in "@#" else 5
