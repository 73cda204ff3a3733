"""Several towers as one network: codes in, one concatenated vector per character or text out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_cclm.nn.pooling import pool


class ComposedModule(nn.Module):
    """Concatenate the vectors of towers, running each base once.

    Parameters
    ----------
    bases : sequence of nn.Module
        Base networks.
    towers : sequence of nn.Module
        Tower networks.
    places : sequence of int
        Of each tower, the base it stands on.
    weights : sequence of float
        What each tower's vectors are multiplied by.
    pooling : str, default=None
        How the characters of a text become one vector, as `ComposedEmbedder` names it; None
        leaves a vector per character.
    """

    def __init__(
        self,
        bases: Sequence[nn.Module],
        towers: Sequence[nn.Module],
        places: Sequence[int],
        weights: Sequence[float],
        pooling: str | None = None,
    ) -> None:
        super().__init__()
        self.bases = nn.ModuleList(bases)
        self.towers = nn.ModuleList(towers)
        self.places = tuple(places)
        self.weights = tuple(weights)
        self.pooling = pooling

    def forward(self, *ids: Tensor) -> Tensor:
        """Return float vectors, (B, L, sum of widths), zero at padding, or (B, sum of widths).

        Parameters
        ----------
        *ids : int64 Tensors of shape (B, L)
            The codes that each base's own preprocessor gives, in the order of the bases.
        """
        encodings = [base(codes) for base, codes in zip(self.bases, ids, strict=True)]
        parts = [
            vectors(tower, encodings[place], self.pooling) * weight
            for tower, place, weight in zip(self.towers, self.places, self.weights, strict=True)
        ]
        return torch.cat(parts, dim=-1)


def vectors(tower: Any, encoding: Any, pooling: str | None) -> Tensor:
    """Return what a tower says of each character, or pooled to one vector per text."""
    if pooling is None:
        return tower(encoding)
    if pooling == "native":
        return tower.native(encoding)
    return pool(tower(encoding), encoding.mask, pooling)
