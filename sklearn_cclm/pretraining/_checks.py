"""Checks of the parameters that all pretrainers have, beside those of the `Schedule`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn_cclm.architectures import _registry
from sklearn_cclm.models._base import CCLMModelBase
from sklearn_cclm.shelf._names import resolve
from sklearn_cclm.values import Base, Tower

_FROM_SHELF = {"base": "base", "init_from": "tower"}


def take_from_shelf(pretrainer: Any) -> None:
    """Replace parameters that are names on the shelf by what these stand for."""
    for name, kind in _FROM_SHELF.items():
        value = getattr(pretrainer, name, None)
        if isinstance(value, str):
            setattr(pretrainer, name, resolve(value, kind))


def check_base(base: Any) -> None:
    """Raise TypeError unless a base is a `Base`, its recipe or None."""
    if not (base is None or isinstance(base, Base | CCLMModelBase)):
        raise TypeError(
            "base must be a Base, a CCLMModelBase, a name on the shelf or None, got "
            f"{type(base).__name__}. Of a fitted pretrainer pass its base_."
        )


def check_base_kept(base: Any, module: Any) -> None:
    """Raise ValueError if a base that was to stay as it is has been trained."""
    if isinstance(base, Base) and any(p.requires_grad for p in module.base.parameters()):
        raise ValueError(
            "A callback has thawed the base, which is a trained one and stays as it is. To train "
            "it further, pass a tower on it as init_from, and no base."
        )


def check_init_from(tower: Any, base: Any) -> None:
    if tower is None:
        return
    if not isinstance(tower, Tower):
        raise TypeError(
            "init_from must be a Tower, a name on the shelf or None, got "
            f"{type(tower).__name__}. Of a fitted pretrainer pass its tower_."
        )
    if base is not None and base != tower.base:
        raise ValueError(
            "init_from brings its own base. Leave base=None to train that further, or pass "
            "base=init_from.base to keep it as it is."
        )


def check_sight(sees: str, tower: str, config: Any) -> None:
    """Raise ValueError for a tower that would see what a task wants to be predicted."""
    found = _registry.config_class("tower", tower)(**config).sees
    if sees not in ("both", found):
        raise ValueError(
            f"The tower {tower!r} sees {found!r}, so that direction={sees!r} would show it what "
            "is to be predicted. Pass tower='conv' or a config value that sees "
            f"{sees!r} alone, such as ConvConfig(direction={sees!r})."
        )


def check_sight_of_base(sees: str, base: Base) -> None:
    """Raise ValueError for a base that would see what a task wants to be predicted."""
    n_blocks = base.config["n_blocks"]
    if sees != "both" and n_blocks:
        raise ValueError(
            f"The base has n_blocks={n_blocks}, which look both ways and so would show what is "
            "to be predicted. Pass a base with n_blocks=0."
        )


def read_sources(init_from: Any, names: list[str]) -> dict[str, Tower]:
    """Return the towers that named tasks begin with, or raise ValueError or TypeError."""
    given = init_from.items() if isinstance(init_from, Mapping) else init_from or ()
    try:
        pairs = [(name, tower) for name, tower in given]
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"init_from={init_from!r} must be (name, Tower) pairs, such as the towers_ of a "
            "MultiTaskPretrainer, a mapping of names to towers, or None."
        ) from error
    found = [name for name, _ in pairs]
    for name in found:
        if name not in names or found.count(name) > 1:
            raise ValueError(f"init_from names {name!r}, but the tasks are {names}, once each.")
    sources = {
        name: resolve(tower, "tower") if isinstance(tower, str) else tower
        for name, tower in sorted(pairs, key=lambda pair: pair[0])
    }
    for name, tower in sources.items():
        if not isinstance(tower, Tower):
            raise TypeError(f"init_from[{name!r}] must be a Tower, got {tower!r}.")
    bases = {tower.base for tower in sources.values()}
    if len(bases) > 1:
        raise ValueError(f"init_from has towers on {len(bases)} bases; they must share one.")
    return sources
