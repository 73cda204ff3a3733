"""Components on disk, and what an index says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sklearn_cclm._persistence import load, save
from sklearn_cclm.models._values import Base, Tower
from sklearn_cclm.shelf._entry import Entry, ShelfError


def write(component: Any, folder: Path, dtype: str) -> dict[str, Any]:
    """Save a component, and return what is to be said of it as it will be loaded."""
    if not isinstance(component, Base | Tower):
        raise TypeError(
            f"A Base or a Tower can be published, got {type(component).__name__}. Of a fitted "
            "pretrainer pass its tower_ or base_."
        )
    save(component, folder, dtype=dtype)
    return _facts(load(folder))


def read(folder: Path, entry: Entry) -> Base | Tower:
    """Load a component, which must be what its entry says."""
    component = load(folder, sha256=entry.sha256)
    wrong = [name for name, fact in _facts(component).items() if getattr(entry, name) != fact]
    if wrong:
        raise ShelfError(
            f"{entry.name}@{entry.revision} is not what the index says: {wrong} differ. Tell who "
            "runs the shelf."
        )
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
