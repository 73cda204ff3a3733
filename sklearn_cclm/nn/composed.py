"""Several towers as one network: codes in, one concatenated vector per character out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


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
    """

    def __init__(
        self,
        bases: Sequence[nn.Module],
        towers: Sequence[nn.Module],
        places: Sequence[int],
        weights: Sequence[float],
    ) -> None:
        super().__init__()
        self.bases = nn.ModuleList(bases)
        self.towers = nn.ModuleList(towers)
        self.places = tuple(places)
        self.weights = tuple(weights)

    def forward(self, *ids: Tensor) -> Tensor:
        """Return float vectors of shape (B, L, sum of widths), zero at padding.

        Parameters
        ----------
        *ids : int64 Tensors of shape (B, L)
            The codes that each base's own preprocessor gives, in the order of the bases.
        """
        encodings = [base(codes) for base, codes in zip(self.bases, ids, strict=True)]
        parts = [
            tower(encodings[place]) * weight
            for tower, place, weight in zip(self.towers, self.places, self.weights, strict=True)
        ]
        return torch.cat(parts, dim=-1)
