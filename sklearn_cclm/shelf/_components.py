"""Components on disk, and what an index says of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sklearn_cclm._persistence import load, save
from sklearn_cclm.shelf._entry import Entry, ShelfError
from sklearn_cclm.values import Base, Tower
from sklearn_cclm.values._value import published


def write(component: Any, folder: Path, dtype: str, holder: Entry | None) -> dict[str, Any]:
    """Save a component, and return what is to be said of it as it will be loaded.

    A tower whose base another entry holds is saved without it.
    """
    if not isinstance(component, Base | Tower):
        raise TypeError(
            f"A Base or a Tower can be published, got {type(component).__name__}. Of a fitted "
            "pretrainer pass its tower_ or base_."
        )
    apart = []
    if holder is not None:
        if not isinstance(component, Tower) or component.base.digest != holder.base:
            raise ShelfError(
                f"base_in={holder.pinned!r} has another base than this {component!r}: train on "
                f"that of Shelf.fetch({holder.pinned!r}), or store its own with base_in=None."
            )
        apart = [component.base]
    save(component, folder, dtype=dtype, apart=apart)
    return {**_facts(load(folder, parts=apart)), "base_in": holder and holder.pinned}


def read(artefact: Callable[[Entry], Path], entry: Entry, entries: list[Entry]) -> Base | Tower:
    """Load a component, which must be what its entry says, and first the base it shares."""
    parts = []
    for other in entries:
        if other.pinned == entry.base_in:
            component = read(artefact, other, [])
            parts = [component if isinstance(component, Base) else component.base]
    component = load(artefact(entry), sha256=entry.sha256, parts=parts)
    wrong = [name for name, fact in _facts(component).items() if getattr(entry, name) != fact]
    if wrong:
        raise ShelfError(
            f"{entry.name}@{entry.revision} is not what the index says: {wrong} differ. Tell who "
            "runs the shelf."
        )
    published[component.digest] = entry
    return component


def _facts(component: Base | Tower) -> dict[str, Any]:
    tower = component if isinstance(component, Tower) else None
    base = component if isinstance(component, Base) else component.base
    return {
        "kind": "tower" if tower else "base",
        "task": tower.task if tower else None,
        "digest": component.digest,
        "base": base.digest,
        "width": component.width,
        "native_width": tower.native_width if tower else None,
    }
