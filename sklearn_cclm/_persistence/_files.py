"""The two files of an artefact: read or mapped within a limit, and written whole or not at all."""

from __future__ import annotations

import mmap
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
_MAPS = os.name == "posix"  # elsewhere, a file that is mapped could not be replaced


def read_file(path: Path, limit: int) -> bytes:
    """Return the content of a regular file, or raise ValueError if it has more bytes than that.

    A link to a regular file will do: the cache of the Hugging Face hub is made of them.
    """
    size = _size(path, limit)
    with open(path, "rb") as file:
        return file.read(size)


def map_file(path: Path, limit: int) -> np.ndarray:
    """Return the content of such a file as read-only bytes, which processes share where they can.

    What is mapped stays as it is when another file takes this one's place, as in
    `write_directory`.
    """
    size = _size(path, limit)
    with open(path, "rb") as file:
        mapped = _MAPS and size > 0
        content: Any = (
            mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if mapped else file.read(size)
        )
    return np.frombuffer(content, dtype=np.uint8)


def _size(path: Path, limit: int) -> int:
    if not path.is_file():
        raise ValueError(f"it has no regular file {path.name}.")
    size = path.stat().st_size
    if size > limit:
        raise ValueError(f"{path.name} has {size} bytes, and at most {limit} are allowed.")
    return size


def write_directory(path: Path, files: Mapping[str, bytes]) -> None:
    """Put a directory with these files in the place of `path`, which is old, empty or not there.

    A crash leaves what was there before, or in the moment between two renames nothing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".cclm-", dir=path.parent) as scratch:
        new, old = Path(scratch, "new"), Path(scratch, "old")
        new.mkdir()
        for name, content in files.items():
            _write(new / name, content)
        replaces = path.exists()
        if replaces:
            os.replace(path, old)
        try:
            os.replace(new, path)
        except OSError:
            if replaces:
                os.replace(old, path)
            raise


def _write(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
