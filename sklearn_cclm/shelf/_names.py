"""Names on the shelf where a base or tower is expected."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

from sklearn_cclm.shelf._entry import ShelfError
from sklearn_cclm.shelf._shelf import Shelf

_loaded: WeakValueDictionary[str, Any] = WeakValueDictionary()  # as long as they are in use


def resolve(name: str, kind: str) -> Any:
    """Return the tower that a name on the default shelf stands for, or the base of either kind.

    Raises
    ------
    ShelfError
        If there is no such name, or it names a base where a tower is needed.
    """
    shelf = Shelf()
    entry = shelf.entry(name)
    if kind == "tower" and entry.kind != "tower":
        raise ShelfError(
            f"{name!r} on the shelf is a {entry.kind}, and a tower is needed here: pass one of "
            f"{[other.name for other in shelf.search(kind='tower')]}."
        )
    component: Any = _loaded.get(entry.sha256)
    if component is None:
        component = _loaded[entry.sha256] = shelf.fetch(entry.pinned)
    return component.base if kind != entry.kind else component
