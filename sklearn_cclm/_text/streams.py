"""Texts that are read anew at each pass, and never held all at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sklearn_cclm._text.codes import CHUNK
from sklearn_cclm._text.files import TextFiles
from sklearn_cclm._text.read import check_texts, text_rows

_MOST_CHARACTERS = 2**22  # in a chunk: bounds the memory where texts are long


class TextStream:
    """Checked texts of something that can be iterated over again and again.

    Parameters
    ----------
    X : iterable of str
        A Hugging Face IterableDataset or any other iterable without a length that is no iterator.
    missing, column
        As in `check_texts`.
    first, step : int, default=0, 1
        Of the rows, which to begin with, and at which distance the others follow.
    """

    def __init__(
        self, X: Any, *, missing: str, column: str | int | None, first: int = 0, step: int = 1
    ) -> None:
        self.X = X
        self.missing = missing
        self.column = column
        self.first = first
        self.step = step

    def __iter__(self) -> Iterator[str]:
        rows = text_rows(self.X, missing=self.missing, column=self.column)
        return islice(rows, self.first, None, self.step)

    def part(self, rank: int, n: int) -> TextStream:
        """Return the texts that one of n processes reads, of a Hugging Face stream its shards."""
        how: dict[str, Any] = {"missing": self.missing, "column": self.column}
        if n > 1 and type(self.X).__name__ == "IterableDataset":
            from datasets.distributed import split_dataset_by_node

            return TextStream(split_dataset_by_node(self.X, rank, n), **how)
        return TextStream(self.X, **how, first=rank, step=n)


def read_texts(X: Any, *, missing: str = "error", column: str | int | None = None) -> Any:
    """Return texts to learn from: a list of str, or a `TextStream` of what is read anew.

    Raises
    ------
    ValueError, TypeError
        As `check_texts`, where there is no text.
    """
    if isinstance(X, os.PathLike):
        X = TextFiles(X)
    if not _is_stream(X):
        return check_texts(X, missing=missing, column=column, min_texts=1)
    stream = TextStream(X, missing=missing, column=column)
    if next(iter(stream), None) is None:
        raise ValueError(f"Found array with 0 sample(s) in {X!r}; pass at least one text.")
    return stream


def chunked(texts: Iterable[str], size: int = CHUNK) -> Iterator[list[str]]:
    """Yield texts in lists of at most `size`, shorter where the texts are long."""
    chunk: list[str] = []
    characters = 0
    for text in texts:
        chunk.append(text)
        characters += len(text)
        if len(chunk) == size or characters >= _MOST_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _is_stream(X: Any) -> bool:
    """Whether X can be read again and again, but does not know its length."""
    known = isinstance(X, Iterator | str | bytes | os.PathLike) or hasattr(X, "__len__")
    return hasattr(X, "__iter__") and not known
