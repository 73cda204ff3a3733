"""Which characters to hide: boolean masks over padded code arrays."""

from __future__ import annotations

import numpy as np

from sklearn_cclm._text.codes import CLS, PAD


def mask_characters(ids: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Choose each character independently.

    Parameters
    ----------
    ids : int array of shape (n, length)
        Codes, padded with 0 on the right.
    rate : float
        Probability with which a character is chosen; padding and the cls code never are.
    rng : numpy.random.Generator
        The only source of randomness.

    Returns
    -------
    bool ndarray of shape (n, length)
        True where chosen.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_cclm.noise import mask_characters
    >>> mask_characters(np.array([[5, 6, 0]]), 1.0, np.random.default_rng(0))
    array([[ True,  True, False]])
    """
    return (rng.random(ids.shape) < rate) & is_character(ids)


def mask_span(ids: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """Choose one run of consecutive characters in each text, at a uniformly random place.

    Parameters
    ----------
    ids : int array of shape (n, length)
        Codes, padded with 0 on the right.
    length : int
        Characters in a run; a shorter text is chosen whole.
    rng : numpy.random.Generator
        The only source of randomness.

    Returns
    -------
    bool ndarray of shape (n, length)
        True where chosen.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_cclm.noise import mask_span
    >>> mask_span(np.array([[5, 6, 0]]), 3, np.random.default_rng(0))
    array([[ True,  True, False]])
    """
    characters = is_character(ids)
    sizes = characters.sum(axis=1)
    runs = np.minimum(sizes, length)
    first = characters.argmax(axis=1)  # 1 behind a cls code
    starts = first + rng.integers(0, sizes - runs + 1)
    return span_mask(ids.shape, np.arange(len(ids)), starts, starts + runs)


def span_mask(
    shape: tuple[int, int], rows: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> np.ndarray:
    """Mark spans given by row, start and end.

    Parameters
    ----------
    shape : tuple of int
        Shape (n, length) of the mask.
    rows, starts, ends : int arrays of shape (n_spans,)
        Columns from `start` to before `end` of each row are marked. Spans may overlap.

    Returns
    -------
    bool ndarray of the given shape
        True inside a span.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_cclm.noise import span_mask
    >>> span_mask((1, 4), np.array([0]), np.array([1]), np.array([3]))
    array([[False,  True,  True, False]])
    """
    steps = np.zeros((shape[0], shape[1] + 1), dtype=np.int32)
    np.add.at(steps, (rows, starts), 1)
    np.add.at(steps, (rows, ends), -1)
    return np.cumsum(steps, axis=1)[:, :-1] > 0


def is_character(ids: np.ndarray) -> np.ndarray:
    """Whether each code is that of a character: neither padding nor cls."""
    return (ids != PAD) & (ids != CLS)
