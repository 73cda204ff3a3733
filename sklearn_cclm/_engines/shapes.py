"""The shapes of the weights that a stored base or tower must have."""

from __future__ import annotations

from typing import Any

from sklearn_cclm._engines.by_numpy import NETWORKS
from sklearn_cclm._tools.extras import needs_train
from sklearn_cclm.architectures._registry import config_class, from_dict, to_dict


def state_shapes(kind: str, name: str, config: Any, **shape: Any) -> dict[str, tuple[int, ...]]:
    """Return the shapes of an architecture's weights, without memory for them.

    Raises
    ------
    ValueError
        If the config lacks a setting, or has one that is not allowed.
    ImportError
        If torch alone knows, and is not installed.
    """
    cls = config_class(kind, name)
    if not isinstance(config, dict) or to_dict(cls(**config)) != config:
        raise ValueError(f"config must hold all settings of {cls.__name__} and nothing else.")
    if cls in NETWORKS:
        return NETWORKS[cls].shapes(from_dict(kind, name, config), **shape)
    with needs_train(f"The {kind} {name!r}"):
        from sklearn_cclm.nn import _registry
    return _registry.state_shapes(kind, name, config, **shape)
