"""Where a shelf's files are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from sklearn_cclm.shelf._cache import Cache
from sklearn_cclm.shelf._directory import Directory
from sklearn_cclm.shelf._entry import Entry
from sklearn_cclm.shelf._http import Url
from sklearn_cclm.shelf._hub import Hub
from sklearn_cclm.shelf._installed import Installed


class Source(Protocol):
    """Gives the index, and the directory of an artefact."""

    def index(self, *, refresh: bool = False) -> bytes:
        """Return the index."""

    def artefact(self, entry: Entry) -> Path:
        """Return where an artefact lies."""


def source_of(
    given: str | os.PathLike | None, cache_dir: str | os.PathLike | None
) -> Directory | Source:
    """Return the source of a shelf; None is what is installed.

    Raises
    ------
    ValueError
        If the location is of no kind that is known.
    """
    if given is None:
        return Installed()
    location = os.fspath(given)
    if location.startswith(("http://", "https://")):
        return Url(location, Cache(cache_dir))
    if location.startswith("hf://"):
        return Hub(location, Cache(cache_dir))
    if "://" in location:
        raise ValueError(
            f"index={location!r} must be a directory, or start with https://, http:// or hf://."
        )
    return Directory(location)
