"""Texts and what is right of them, as they are under noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

from sklearn.utils import check_consistent_length

from sklearn_cclm._targets.entities import (
    Span,
    are_tokens,
    given_entities,
    input_rows,
    token_tags,
)
from sklearn_cclm._targets.moved_spans import corrupted_spans
from sklearn_cclm.noise import TypoNoise


@dataclass(frozen=True)
class Samples:
    """Clean texts, or lists of tokens, and what is right of them.

    Parameters
    ----------
    rows : list of str, or of lists of str
        The texts.
    y : object
        What is right of them.
    spans : list of list of Span, or None
        The same, if that are entities of texts.
    tagged : bool
        Whether these are given as tags of characters.
    """

    rows: list[Any]
    y: Any
    spans: list[list[Span]] | None = None
    tagged: bool = False

    @classmethod
    def of(cls, X: Any, y: Any, *, missing: str, column: Any) -> Self:
        """Return checked texts and what is right of them."""
        try:
            rows = input_rows(X, missing=missing, column=column)
        except ValueError as error:
            error.add_note(
                "missing and column are parameters of noise: noise=TypoNoise(column=...)."
            )
            raise
        if not rows:
            raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
        y = list(y) if isinstance(y, Iterator) else y
        check_consistent_length(rows, y)
        found = None if y is None or are_tokens(rows) else given_entities(rows, y)
        return cls(rows, y) if found is None else cls(rows, y, *found)

    def under(self, noise: TypoNoise) -> tuple[list[Any], Any]:
        """Return noisy texts, or lists of noisy tokens, and what is right of them."""
        if are_tokens(self.rows):
            tokens = iter(noise.transform([token for row in self.rows for token in row]))
            return [list(islice(tokens, len(row))) for row in self.rows], self.y
        texts, origins = noise.corrupt_texts(self.rows)
        if self.spans is None:
            return texts, self.y
        spans = corrupted_spans(self.spans, texts, origins)
        return texts, token_tags(texts, spans, gap=0) if self.tagged else spans
