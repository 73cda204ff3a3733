"""Inference in numpy: of the base "ngram", of the tower "pooled", and of heads on it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from sklearn_cclm._numpy.base import NgramBase
from sklearn_cclm._numpy.pooling import pool
from sklearn_cclm._numpy.towers import PooledTower
from sklearn_cclm._persistence._rows import ByteRows
from sklearn_cclm.architectures import NgramConfig, PooledConfig
from sklearn_cclm.architectures._registry import config_class, from_dict

__all__ = ["array", "codes", "inference", "network", "pool", "resolve_device"]

NETWORKS: dict[type, Any] = {NgramConfig: NgramBase, PooledConfig: PooledTower}
_TABLE = "table.weight"


def resolve_device(device: str) -> str:
    """Return "cpu", or raise ImportError for another device than the processor."""
    if device not in ("auto", "cpu"):
        raise ImportError(needs_torch(f"device={str(device)!r}"), name="torch")
    return "cpu"


def network(
    kind: str, name: str, config: Mapping[str, Any], weights: Any, shape: Any, device: str
) -> Any:
    """Return the network of a base or tower, or raise ImportError where torch alone has one."""
    cls = config_class(kind, name)
    if cls not in NETWORKS:
        raise ImportError(needs_torch(f"The {kind} {name!r}"), name="torch")
    packed = {k: w.packed for k, w in weights.kept.items() if _is_table(k, w)}
    others = {k: weights[k] for k in weights if k not in packed}
    return NETWORKS[cls](from_dict(kind, name, config), {**others, **packed}, **shape)


def codes(found: np.ndarray, device: str) -> np.ndarray:
    """Return codes as networks take them."""
    return found


def array(found: np.ndarray) -> np.ndarray:
    """Return what networks give as an array."""
    return found


def inference() -> AbstractContextManager:
    """Return the context to run networks in."""
    return nullcontext()


def _is_table(name: str, kept: Any) -> bool:
    return name == _TABLE and isinstance(kept, ByteRows)


def needs_torch(what: str) -> str:
    """Return what to say of something that runs in torch alone."""
    return (
        f"{what} needs torch, and this process runs on numpy: pip install "
        '"sklearn-cclm[train]", and do not set SKLEARN_CCLM_ENGINE to numpy.'
    )
