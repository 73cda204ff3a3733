"""A warning of texts of which nothing is known: blank ones, and those in unseen characters."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from reprlib import repr as short_repr
from string import ascii_letters
from typing import Any

import numpy as np

from sklearn_cclm._text.codes import UNKNOWN, code_points
from sklearn_cclm._text.streams import chunked
from sklearn_cclm.preprocessing._vocabulary import characters, code_table

_LETTERS = frozenset(ascii_letters)
_expected = ContextVar("_expected", default=False)


@contextmanager
def unread_expected() -> Iterator[None]:
    """Count no texts within, in this thread; a filter of warnings would be one of all threads."""
    token = _expected.set(True)
    try:
        yield
    finally:
        _expected.reset(token)


def warn_unread(
    texts: Sequence[str], preprocessors: Iterable[Any], *, missing: str, stacklevel: int = 4
) -> None:
    """Warn, once and with counts, of texts that no vocabulary has much of.

    Parameters
    ----------
    texts : sequence of str
        Checked texts that are embedded, or predicted for.
    preprocessors : iterable of CharPreprocessor
        Those of the bases; a text is unread if none knows half of its characters.
    missing : {"error", "empty"}
        With "empty", blank texts are wanted, and not counted.
    stacklevel : int, default=4
        Calls from here to the line that the warning is of.
    """
    if _expected.get():
        return
    blank = [text for text in texts if not text or text.isspace()]
    unseen = _unseen(texts, list(preprocessors)) if len(blank) < len(texts) else []
    said = []
    if blank and missing == "error":
        said.append(f"blank: {len(blank)}")
    if unseen:
        said.append(
            f"mostly of characters unseen in training: {len(unseen)}, as {short_repr(unseen[0])}"
        )
    if said:
        warnings.warn(
            f"Of {len(texts)} texts, {'; '.join(said)}. What is made of them says little.",
            UserWarning,
            stacklevel=stacklevel,
        )


def _unseen(texts: Sequence[str], preprocessors: list[Any]) -> list[str]:
    """Return the texts of which no preprocessor knows half of the characters that are no blanks."""
    left = list(texts) if preprocessors else []
    for preprocessor in preprocessors:
        table = code_table(preprocessor.vocabulary_)
        if _LETTERS <= characters(preprocessor.vocabulary_):  # of most texts nothing is to do
            left = [text for text in left if not text.isascii()]
        left = [
            text
            for chunk in chunked(left)
            for text, strange in zip(
                chunk, _mostly_unknown(chunk, preprocessor, table), strict=True
            )
            if strange
        ]
    return left


def _mostly_unknown(texts: list[str], preprocessor: Any, table: np.ndarray) -> np.ndarray:
    """Return for each text whether more than half of what is no blank is unknown."""
    solid = ["".join(text.split()) for text in preprocessor.normalize(texts, whole=True)]
    points, lengths = code_points(solid)
    owners = np.repeat(np.arange(len(texts)), lengths)
    unknown = table.take(points, mode="clip") == UNKNOWN
    return 2 * np.bincount(owners[unknown], minlength=len(texts)) > lengths
