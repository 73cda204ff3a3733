"""A shelf in a local directory, such as the one packaged with the distribution."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from sklearn_cclm._persistence._files import read_file
from sklearn_cclm.shelf._cache import write_file
from sklearn_cclm.shelf._entry import Entry, ShelfError
from sklearn_cclm.shelf._index import INDEX, MAX_INDEX, read_index, write_index


class Directory:
    """``index.json``, and ``name/revision`` for each entry."""

    def __init__(self, root: str | os.PathLike) -> None:
        self.root = Path(root)

    def index(self, *, refresh: bool = False) -> bytes:
        """Return the index, which is read anew each time."""
        path = self.root / INDEX
        if not path.is_file():
            raise ShelfError(
                f"{str(self.root)!r} is no shelf: it has no {INDEX}. Pass the directory of a "
                "shelf, or make one with Shelf(directory).publish(...)."
            )
        try:
            return read_file(path, MAX_INDEX)
        except ValueError as error:
            raise ShelfError(f"The index of {str(self.root)!r}: {error}") from error

    def artefact(self, entry: Entry) -> Path:
        """Return where an artefact lies; whether it is whole is for the loader to see."""
        return self.root / entry.folder

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Keep other writers out, and give a place for an artefact that is not yet on the shelf."""
        self.root.mkdir(parents=True, exist_ok=True)
        staged = self.root / ".staging"
        with FileLock(self.root / ".lock"):
            shutil.rmtree(staged, ignore_errors=True)  # of a writer that was killed
            try:
                yield staged
            finally:
                shutil.rmtree(staged, ignore_errors=True)

    def add(self, entry: Entry, staged: Path) -> None:
        """Move a staged artefact onto the shelf, and then add its entry to the index."""
        path = self.root / INDEX
        entries = read_index(path.read_bytes(), str(self.root)) if path.exists() else []
        if any(other.folder == entry.folder for other in entries):
            raise ShelfError(
                f"{entry.name}@{entry.revision} is on this shelf already, and a published "
                "revision never changes."
            )
        target = self.artefact(entry)
        shutil.rmtree(target, ignore_errors=True)  # no entry names it: its writer was killed
        target.parent.mkdir(exist_ok=True)
        os.replace(staged, target)
        write_file(path, write_index([*entries, entry]))
