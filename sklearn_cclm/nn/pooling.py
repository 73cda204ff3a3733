"""Masked pooling: (batch, length, width) and a mask become (batch, width)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def masked_mean(features: Tensor, mask: Tensor) -> Tensor:
    """Average over the characters of each text; an empty text gives zeros."""
    weights = mask.unsqueeze(-1).to(features.dtype)  # (B, L, 1)
    return (features * weights).sum(1) / weights.sum(1).clamp(min=1)


def masked_max(features: Tensor, mask: Tensor) -> Tensor:
    """Largest value over the characters of each text; an empty text gives zeros."""
    lowest = torch.finfo(features.dtype).min
    pooled = features.masked_fill(~mask.unsqueeze(-1), lowest).amax(1)
    return pooled.masked_fill(~mask.any(1, keepdim=True), 0)


def first(features: Tensor, mask: Tensor) -> Tensor:
    """Vector at the first position, where the preprocessor puts the cls code."""
    return features[:, 0] * mask[:, :1].to(features.dtype)


def mean_attention(features: Tensor, mask: Tensor) -> Tensor:
    """Dot-product attention over the characters with the text's own mean as the query.

    It has no weights of its own, so it needs no training.
    """
    query = masked_mean(features, mask).unsqueeze(-1)  # (B, d, 1)
    return attend(features, mask, (features @ query).squeeze(-1) / features.shape[-1] ** 0.5)


def attend(features: Tensor, mask: Tensor, scores: Tensor) -> Tensor:
    """Average over the characters of each text by the softmax of their scores, (B, L)."""
    lowest = torch.finfo(features.dtype).min
    weights = scores.masked_fill(~mask, lowest).softmax(1) * mask
    return (weights.unsqueeze(1) @ features).squeeze(1)


POOLINGS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mean": masked_mean,
    "max": masked_max,
    "cls": first,
    "attention": mean_attention,
}


def pool(features: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """Pool by one name of ``POOLINGS``, or several joined by ``+`` and concatenated."""
    return torch.cat([POOLINGS[name](features, mask) for name in pooling.split("+")], dim=1)
