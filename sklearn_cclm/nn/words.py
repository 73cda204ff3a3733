"""The words of a batch: vectors of characters become those of words, and words stand in a row."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import torch
from torch import Tensor


class Words(NamedTuple):
    """Where the words of a batch are.

    Attributes
    ----------
    places : int64 Tensor of shape (n,)
        Places of their characters in the batch, flattened.
    owners : int64 Tensor of shape (n,)
        The word of each.
    rows, columns : int64 Tensors of shape (n_words,)
        The text of each word, and how many words stand before it there.
    """

    places: Tensor
    owners: Tensor
    rows: Tensor
    columns: Tensor

    @classmethod
    def of(cls, batch: Any) -> Self:
        """Return the words of a batch whose task reads words."""
        extra = batch.extra
        inside = extra["words"] >= 0
        places, owners = extra["positions"][inside], extra["words"][inside]
        return cls(places, owners, extra["rows"], extra["columns"])

    @property
    def counts(self) -> Tensor:
        """How many characters each word has."""
        return torch.bincount(self.owners, minlength=len(self.rows))

    def mean(self, features: Tensor) -> Tensor:
        """Average vectors of characters, (B, L, d), over each word: (n_words, d)."""
        chosen = features.flatten(0, 1)[self.places]
        total = chosen.new_zeros(len(self.rows), chosen.shape[1]).index_add(0, self.owners, chosen)
        return total / self.counts.unsqueeze(1)

    def padded(self, vectors: Tensor, n: int) -> tuple[Tensor, Tensor]:
        """Return the words of each of n texts in a row, (n, m, d), and where there is one."""
        m = int(self.columns.max()) + 1 if len(self.columns) else 1
        place = self.rows * m + self.columns
        found = vectors.new_zeros(n * m, vectors.shape[1]).index_copy(0, place, vectors)
        mask = torch.zeros(n * m, dtype=torch.bool, device=place.device)
        mask[place] = True
        return found.view(n, m, -1), mask.view(n, m)

    def flat(self, padded: Tensor) -> Tensor:
        """Return what `padded` made, (n, m, d), as (n_words, d) again."""
        return padded[self.rows, self.columns]
