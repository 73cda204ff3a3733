"""Layers: functions of what they read, and of weights by the names that torch gives them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import erf

Weights = Mapping[str, np.ndarray]
Shapes = dict[str, tuple[int, ...]]
_ROOT_HALF = np.float32(0.5**0.5)
_EPSILON = np.float32(1e-5)


def linear(x: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    """Apply a linear map, with its bias if it has one."""
    out = x @ weights[f"{name}.weight"].T
    bias = weights.get(f"{name}.bias")
    if bias is not None:
        out += bias
    return out


def linear_shapes(name: str, n_in: int, n_out: int) -> Shapes:
    """Return the shapes of the weights of a linear map with a bias."""
    return {f"{name}.weight": (n_out, n_in), f"{name}.bias": (n_out,)}


def layer_norm(x: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    """Standardise each vector, then scale and shift its values."""
    centred = x - x.mean(axis=-1, keepdims=True)
    spread = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + _EPSILON)
    return centred / spread * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def norm_shapes(name: str, width: int) -> Shapes:
    """Return the shapes of the weights of a layer norm."""
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def gelu(x: np.ndarray) -> np.ndarray:
    """Gaussian error linear unit, exact."""
    return x * (np.float32(0.5) * (1 + erf(x * _ROOT_HALF)))


def residual_conv(x: np.ndarray, mask: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    """Add to vectors of characters, (B, L, d), what a convolution makes of them."""
    kernel = weights[f"{name}.conv.weight"]  # (d, d, size)
    length, size = x.shape[1], kernel.shape[2]
    keep = mask[..., None].astype(x.dtype)
    reach = (size - 1) // 2
    inner = layer_norm(x, weights, f"{name}.norm") * keep
    inner = np.pad(inner, ((0, 0), (reach, size - 1 - reach), (0, 0)))
    found = sum(inner[:, i : i + length] @ kernel[:, :, i].T for i in range(size))
    out = linear(gelu(found + weights[f"{name}.conv.bias"]), weights, f"{name}.project")
    return (x + out) * keep


def conv_shapes(name: str, width: int, size: int) -> Shapes:
    """Return the shapes of the weights of a residual convolution."""
    return {
        **norm_shapes(f"{name}.norm", width),
        f"{name}.conv.weight": (width, width, size),
        f"{name}.conv.bias": (width,),
        **linear_shapes(f"{name}.project", width, width),
    }
