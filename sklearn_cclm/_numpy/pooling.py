"""Masked pooling: (batch, length, width) and a mask become (batch, width)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import softmax

_LOWEST = np.finfo(np.float32).min


def masked_mean(features: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Average over the characters of each text; an empty text gives zeros."""
    weights = mask.astype(features.dtype)
    total = (weights[:, None] @ features)[:, 0]
    return total / np.maximum(weights.sum(axis=1, keepdims=True), 1)


def masked_max(features: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Largest value over the characters of each text; an empty text gives zeros."""
    pooled = np.where(mask[..., None], features, _LOWEST).max(axis=1)
    return pooled * mask.any(axis=1, keepdims=True)


def first(features: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Vector at the first position, where the preprocessor puts the cls code."""
    return features[:, 0] * mask[:, :1]


def mean_attention(features: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Dot-product attention over the characters with the text's own mean as the query."""
    query = masked_mean(features, mask)[..., None]  # (B, d, 1)
    return attend(features, mask, (features @ query)[..., 0] / features.shape[-1] ** 0.5)


def attend(features: np.ndarray, mask: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Average over the characters of each text by the softmax of their scores, (B, L)."""
    weights = softmax(np.where(mask, scores, _LOWEST), axis=1) * mask
    return (weights[:, None] @ features)[:, 0]


POOLINGS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "mean": masked_mean,
    "max": masked_max,
    "cls": first,
    "attention": mean_attention,
}


def pool(features: np.ndarray, mask: np.ndarray, pooling: str) -> np.ndarray:
    """Pool by one name of ``POOLINGS``, or several joined by ``+`` and concatenated."""
    return np.hstack([POOLINGS[name](features, mask) for name in pooling.split("+")])
