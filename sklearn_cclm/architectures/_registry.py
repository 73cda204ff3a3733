"""Architectures by name: for each a frozen dataclass of its settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

_CONFIGS: dict[str, dict[str, type]] = {"base": {}, "tower": {}}


def register(kind: str, name: str) -> Callable[[type], type]:
    """Class decorator: make a config class known as that of architecture `name` of a `kind`."""

    def add(config: type) -> type:
        _CONFIGS[kind][name] = config
        return config

    return add


def names(kind: str) -> list[str]:
    """Return the names of the registered architectures of a kind."""
    return sorted(_CONFIGS[kind])


def config_class(kind: str, name: str) -> type:
    """Return the config dataclass of an architecture.

    Raises
    ------
    ValueError
        If no such architecture is registered.
    """
    if name not in _CONFIGS[kind]:
        raise ValueError(f"{kind}={name!r} is not an architecture; known are {names(kind)}.")
    return _CONFIGS[kind][name]


def name_of(kind: str, config: Any) -> str:
    """Return the architecture name that a config value belongs to.

    Raises
    ------
    TypeError
        If the value is no config of a registered architecture.
    """
    for name, cls in _CONFIGS[kind].items():
        if type(config) is cls:
            return name
    known = [cls.__name__ for cls in _CONFIGS[kind].values()]
    raise TypeError(
        f"{kind}={config!r} is neither the name of an architecture ({names(kind)}) "
        f"nor a config value ({known})."
    )


def to_dict(config: Any) -> dict[str, Any]:
    """Return a config as plain values that JSON can hold."""
    return {key: _plain(value) for key, value in dataclasses.asdict(config).items()}


def from_dict(kind: str, name: str, config: Mapping[str, Any]) -> Any:
    """Return the config of an architecture from plain values.

    Raises
    ------
    ValueError, TypeError
        If the architecture is unknown, or a setting is not allowed.
    """
    values = {key: tuple(v) if isinstance(v, list | tuple) else v for key, v in config.items()}
    return config_class(kind, name)(**values)


def _plain(value: Any) -> Any:
    """Return a value without numpy's types and tuples."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value
