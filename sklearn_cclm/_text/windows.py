"""Long texts in pieces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def windows(texts: Sequence[str], size: int, overlap: int = 0) -> tuple[list[str], np.ndarray]:
    """Cut each text into consecutive windows of at most `size` characters.

    Parameters
    ----------
    texts : sequence of str
        An empty text has one empty window.
    size : int
        Longest window, in characters.
    overlap : int, default=0
        Characters that a window shares with the one before it; less than `size`.

    Returns
    -------
    pieces : list of str
        The windows, text after text.
    owners : int64 array of shape (len(pieces),)
        The text that each window belongs to.
    """
    if all(len(text) <= size for text in texts):
        return list(texts), np.arange(len(texts))
    step = size - overlap
    pieces, owners = [], []
    for owner, text in enumerate(texts):
        for start in range(0, max(1, len(text) - overlap), step):
            pieces.append(text[start : start + size])
            owners.append(owner)
    return pieces, np.array(owners, dtype=np.int64)
