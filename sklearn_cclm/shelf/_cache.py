"""What was fetched, on disk: whole or not there, whoever else fetches at the same time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from sklearn_cclm.shelf._entry import Entry, File, ShelfError

Download = Callable[[str, File, Path], None]


class Cache:
    """Artefacts by their sha256, and indexes by where they are from.

    Parameters
    ----------
    root : path-like or None
        A directory, made when something is stored. None is ``SKLEARN_CCLM_CACHE`` of the
        environment, or else "sklearn_cclm" in the user's cache directory.
    """

    def __init__(self, root: str | os.PathLike | None) -> None:
        self.root = Path(root or os.environ.get("SKLEARN_CCLM_CACHE") or _user_cache())

    def artefact(self, entry: Entry, download: Download) -> Path:
        """Return the directory of an artefact, after downloading what of it is not whole."""
        folder = self.root / "artefacts" / entry.sha256
        if not damaged(folder, entry):
            return folder
        with self._lock(entry.sha256):
            for name in damaged(folder, entry):  # another process may have been faster
                file = entry.files[name]
                part = self.root / "parts" / f"{entry.sha256}-{name}"
                part.parent.mkdir(exist_ok=True)
                download(f"{entry.folder}/{name}", file, part)
                if not _is(part, file):
                    part.unlink()
                    raise ShelfError(
                        f"{name} of {entry.name}@{entry.revision} is not what the index says: its "
                        "sha256 is another. Nothing of it was kept; fetch again, and if that is of "
                        "no use tell who runs the shelf."
                    )
                folder.mkdir(parents=True, exist_ok=True)
                os.replace(part, folder / name)
        return folder

    def index(self, location: str, read: Callable[[], bytes], *, refresh: bool) -> bytes:
        """Return the index of a location as it was read last; read it if it never was."""
        key = hashlib.sha256(location.encode()).hexdigest()
        path = self.root / "indexes" / f"{key}.json"
        if refresh or not path.exists():
            raw = read()
            with self._lock(key):
                path.parent.mkdir(exist_ok=True)
                write_file(path, raw)
        return path.read_bytes()

    def _lock(self, key: str) -> FileLock:
        (self.root / "locks").mkdir(parents=True, exist_ok=True)
        return FileLock(self.root / "locks" / key)


def damaged(folder: Path, entry: Entry) -> list[str]:
    """Return the files that are missing or not what the entry says."""
    return [name for name, file in entry.files.items() if not _is(folder / name, file)]


def describe(path: Path) -> File:
    """Return the size and sha256 of a file."""
    with path.open("rb") as file:
        return File(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def write_file(path: Path, content: bytes) -> None:
    """Write a file so that there is always the old or the new one, whole."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def _is(path: Path, file: File) -> bool:
    return path.is_file() and path.stat().st_size == file.size and describe(path) == file


def _user_cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(home, "sklearn_cclm")
