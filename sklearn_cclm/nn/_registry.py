"""The network of each architecture, in torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from sklearn_cclm.architectures._registry import config_class, from_dict
from sklearn_cclm.nn._blank import Blank

_NETWORKS: dict[type, type[nn.Module]] = {}


def network(config: type) -> Callable[[type], type]:
    """Class decorator: make a module class the network of the architecture with this config."""

    def add(module: type) -> type:
        _NETWORKS[config] = module
        return module

    return add


def build(kind: str, name: str, config: Mapping[str, Any], **shape: Any) -> nn.Module:
    """Build the module of an architecture from its plain config and the shapes around it."""
    return _NETWORKS[config_class(kind, name)](from_dict(kind, name, config), **shape)


def state_shapes(
    kind: str, name: str, config: Mapping[str, Any], **shape: Any
) -> dict[str, tuple[int, ...]]:
    """Return the shapes of an architecture's state, without memory for it."""
    with torch.device("meta"), Blank():
        state = build(kind, name, config, **shape).state_dict()
    return {key: tuple(tensor.shape) for key, tensor in state.items()}
