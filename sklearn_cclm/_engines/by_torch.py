"""Inference in torch: of all networks, on any device."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch

from sklearn_cclm._persistence._rows import ByteRows
from sklearn_cclm._tools.device import resolve_device
from sklearn_cclm.nn._loaded import loaded
from sklearn_cclm.nn.pooling import pool
from sklearn_cclm.nn.rows import ByteTable

__all__ = ["array", "codes", "inference", "network", "pool", "resolve_device"]

_TABLE = "table.weight"


def network(
    kind: str,
    name: str,
    config: Mapping[str, Any],
    weights: Any,
    shape: Any,
    device: torch.device,
) -> torch.nn.Module:
    """Return the network of a base or tower, on a device: never train it.

    Tables of bytes stay what they are where a CPU sums them.
    """
    tables, tensors = {}, {}
    for key, kept in weights.kept.items():
        if key == _TABLE and isinstance(kept, ByteRows) and device.type == "cpu":
            tables[key.rpartition(".")[0]] = ByteTable(torch.from_dlpack(kept.packed))
        else:
            tensors[key] = torch.from_dlpack(weights[key])
    module = loaded(kind, name, config, tensors, shape, tables=tables)
    return module.requires_grad_(False).to(device)


def codes(found: np.ndarray, device: torch.device) -> torch.Tensor:
    """Return codes as networks take them."""
    return torch.from_numpy(found).to(device)


def array(found: torch.Tensor) -> np.ndarray:
    """Return what networks give as an array."""
    return found.cpu().numpy()


def inference() -> AbstractContextManager:
    """Return the context to run networks in."""
    return torch.inference_mode()
