"""Architectures by name: each a frozen config dataclass beside its module class."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from sklearn_cclm.nn._blank import Blank

_ARCHITECTURES: dict[str, dict[str, tuple[type, type[nn.Module]]]] = {"base": {}, "tower": {}}


def register(kind: str, name: str, config: type) -> Callable[[type], type]:
    """Class decorator: make a module class known as architecture `name` of a `kind`."""

    def add(module: type) -> type:
        _ARCHITECTURES[kind][name] = (config, module)
        return module

    return add


def names(kind: str) -> list[str]:
    """Return the names of the registered architectures of a kind."""
    return sorted(_ARCHITECTURES[kind])


def config_class(kind: str, name: str) -> type:
    """Return the config dataclass of an architecture.

    Raises
    ------
    ValueError
        If no such architecture is registered.
    """
    if name not in _ARCHITECTURES[kind]:
        raise ValueError(f"{kind}={name!r} is not an architecture; known are {names(kind)}.")
    return _ARCHITECTURES[kind][name][0]


def name_of(kind: str, config: Any) -> str:
    """Return the architecture name that a config value belongs to.

    Raises
    ------
    TypeError
        If the value is no config of a registered architecture.
    """
    for name, (cls, _) in _ARCHITECTURES[kind].items():
        if type(config) is cls:
            return name
    known = [cls.__name__ for cls, _ in _ARCHITECTURES[kind].values()]
    raise TypeError(
        f"{kind}={config!r} is neither the name of an architecture ({names(kind)}) "
        f"nor a config value ({known})."
    )


def to_dict(config: Any) -> dict[str, Any]:
    """Return a config as plain values that JSON can hold."""
    return {key: _plain(value) for key, value in dataclasses.asdict(config).items()}


def _plain(value: Any) -> Any:
    """Return a value without numpy's types and tuples."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value


def build(kind: str, name: str, config: Mapping[str, Any], **shape: Any) -> nn.Module:
    """Build the module of an architecture from its plain config and the shapes around it."""
    cls = config_class(kind, name)
    values = {key: tuple(v) if isinstance(v, list | tuple) else v for key, v in config.items()}
    return _ARCHITECTURES[kind][name][1](cls(**values), **shape)


def state_shapes(
    kind: str, name: str, config: dict[str, Any], **shape: Any
) -> dict[str, tuple[int, ...]]:
    """Return the shapes of an architecture's state, without memory for it.

    Raises
    ------
    ValueError
        If the config lacks a setting, or has one that is not allowed.
    """
    cls = config_class(kind, name)
    if not isinstance(config, dict) or to_dict(cls(**config)) != config:
        raise ValueError(f"config must hold all settings of {cls.__name__} and nothing else.")
    with torch.device("meta"), Blank():
        state = build(kind, name, config, **shape).state_dict()
    return {key: tuple(tensor.shape) for key, tensor in state.items()}
