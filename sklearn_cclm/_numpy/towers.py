"""The tower "pooled"."""

from __future__ import annotations

import numpy as np

from sklearn_cclm._numpy.base import Encoding
from sklearn_cclm._numpy.layers import (
    Shapes,
    Weights,
    gelu,
    layer_norm,
    linear,
    linear_shapes,
    norm_shapes,
)
from sklearn_cclm.architectures import PooledConfig


class PooledTower:
    """The network of a tower: maps what the base says to vectors of texts, or of characters.

    Parameters
    ----------
    config : PooledConfig
        Settings.
    weights : mapping of str to ndarray
        By the names of torch's.
    base_width : int
        Length of the base's vectors.
    """

    def __init__(self, config: PooledConfig, weights: Weights, *, base_width: int) -> None:
        self.config = config
        self.weights = weights

    @staticmethod
    def shapes(config: PooledConfig, *, base_width: int) -> Shapes:
        """Return the shapes of the weights."""
        width = config.width
        found = norm_shapes("norm", base_width)
        if config.hidden or width != base_width:
            found["linear.weight"] = width, base_width
        if config.hidden:
            found |= linear_shapes("layers.0", base_width, config.hidden)
            found |= linear_shapes("layers.2", config.hidden, width)
        if config.native_width:
            found |= linear_shapes("project", width, config.native_width)
        return found

    def __call__(self, encoding: Encoding) -> np.ndarray:
        return self._map(encoding.characters) * encoding.mask[..., None]

    def native(self, encoding: Encoding) -> np.ndarray:
        """Pool a text the way this tower was made for: (B, native width)."""
        found = self._map(encoding.mean)
        return linear(found, self.weights, "project") if self.config.native_width else found

    def _map(self, x: np.ndarray) -> np.ndarray:
        x = layer_norm(x, self.weights, "norm")
        mapped = linear(x, self.weights, "linear") if "linear.weight" in self.weights else x
        if not self.config.hidden:
            return mapped
        hidden = gelu(linear(x, self.weights, "layers.0"))
        return mapped + linear(hidden, self.weights, "layers.2")
