"""A shelf in a repository of the Hugging Face hub, read with the hub's own client."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from sklearn_cclm.shelf._cache import Cache
from sklearn_cclm.shelf._entry import Entry, File
from sklearn_cclm.shelf._index import INDEX

_LOCATION = re.compile(r"hf://([\w.-]+/[\w.-]+)@([0-9a-f]{40})", re.ASCII)


class Hub:
    """A repository that is laid out as a directory shelf, at one commit."""

    def __init__(self, location: str, cache: Cache) -> None:
        found = _LOCATION.fullmatch(location)
        if not found:
            raise ValueError(
                f"index={location!r} must be 'hf://owner/repository@commit', with all 40 digits of "
                "the commit: a branch would be another shelf tomorrow."
            )
        self.repository, self.commit = found.groups()
        self.cache = cache

    def index(self, *, refresh: bool = False) -> bytes:
        """Return the index, which at one commit never changes."""
        return self._file(INDEX).read_bytes()

    def artefact(self, entry: Entry) -> Path:
        """Return where an artefact lies in the cache, after downloading it if need be."""
        return self.cache.artefact(entry, self._download)

    def _download(self, path: str, file: File, part: Path) -> None:
        shutil.copyfile(self._file(path), part)

    def _file(self, path: str) -> Path:
        """Return where the client keeps a file; it asks the hub only for what it does not have."""
        try:
            from huggingface_hub import hf_hub_download
        except ImportError as error:
            raise ImportError(
                "A shelf on the Hugging Face hub needs its client: pip install sklearn-cclm[hub]"
            ) from error
        try:
            return Path(hf_hub_download(self.repository, path, revision=self.commit))
        except Exception as error:  # those of the client's own client, httpx, are no OSError
            raise ConnectionError(
                f"{path} of {self.repository} cannot be read from the hub: {error!r}. What was "
                "fetched before needs no network. Else check the connection and the commit."
            ) from error
