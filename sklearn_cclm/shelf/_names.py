"""Names on the shelf where a base or tower is expected."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sklearn_cclm._tools.locks import Lock
from sklearn_cclm.shelf._entry import ShelfError
from sklearn_cclm.shelf._shelf import Shelf

_KEPT = 8  # components that were asked for last: a search fits many times, and keeps none
_lock = Lock()


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
    with _lock:  # so that threads wait for the one that reads
        component = _fetched(entry.pinned, entry.sha256)
    return component.base if kind != entry.kind else component


@lru_cache(maxsize=_KEPT)
def _fetched(pinned: str, sha256: str) -> Any:
    """Return the component of the default shelf with this sha256, read once while it is kept."""
    return Shelf().fetch(pinned)
