"""The shelf that comes with the package, with those of data packages that are installed."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from sklearn_cclm.shelf._directory import Directory
from sklearn_cclm.shelf._entry import Entry, ShelfError
from sklearn_cclm.shelf._index import read_index, write_index

GROUP = "sklearn_cclm.towers"
PACKAGED = Path(__file__).parent / "published"


class Installed:
    """Several directories as one shelf.

    A name means what it means on the packaged shelf, if it is there: another package can add
    revisions to it, and cannot change its newest one.
    """

    def __init__(self) -> None:
        self.shelves = [Directory(root) for root in (*_data_packages(), PACKAGED)]

    def index(self, *, refresh: bool = False) -> bytes:
        """Return the index of all, that of the package last."""
        return _joined(*((shelf.index(), str(shelf.root)) for shelf in self.shelves))

    def artefact(self, entry: Entry) -> Path:
        """Return where an artefact lies; whether it is whole is for the loader to see."""
        found = [shelf.artefact(entry) for shelf in self.shelves]
        return next((path for path in found if path.is_dir()), found[-1])


@lru_cache(maxsize=4)
def _joined(*indexes: tuple[bytes, str]) -> bytes:
    """Return indexes, each with where it is, as one; the same ones are joined once."""
    entries: dict[str, Entry] = {}
    for raw, where in indexes:
        for entry in read_index(raw, where):
            entries.pop(entry.folder, None)
            entries[entry.folder] = entry
    return write_index(entries.values())


@cache
def _data_packages() -> tuple[Path, ...]:
    """Return the directories of installed data packages, in the order of their names."""
    points = entry_points(group=GROUP)
    return tuple(_directory(point) for point in sorted(points, key=lambda point: point.name))


def _directory(point: EntryPoint) -> Path:
    """Return the directory of the module that an entry point names, without importing it."""
    spec = find_spec(point.module)
    if spec is None or not spec.submodule_search_locations:
        raise ShelfError(
            f"The entry point {point.name!r} of {GROUP} names {point.value!r}, which is no "
            "package: install anew, or uninstall, what brought it."
        )
    return Path(spec.submodule_search_locations[0])
