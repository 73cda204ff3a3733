"""A shelf behind an http(s) URL, read with the standard library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from http.client import PROXY_AUTHENTICATION_REQUIRED, HTTPException, HTTPResponse
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from sklearn_cclm.shelf._cache import Cache
from sklearn_cclm.shelf._entry import Entry, File, ShelfError
from sklearn_cclm.shelf._index import INDEX, MAX_INDEX, read_index

TIMEOUT = 30  # seconds without an answer
ATTEMPTS = 3  # of going on with a transfer that broke
BLOCK = 1 << 16

OFFLINE = (
    "What was fetched before needs no network. Else check the connection, or copy the shelf's "
    "directory and pass its path as index."
)


class Url:
    """``index.json`` at a URL, and the artefacts beside it, cached."""

    def __init__(self, url: str, cache: Cache) -> None:
        if not urlsplit(url).path.endswith(f"/{INDEX}"):
            raise ValueError(f"index={url!r} must be the URL of a shelf's {INDEX}.")
        self.url = url
        self.cache = cache

    def index(self, *, refresh: bool = False) -> bytes:
        """Return the index as it was read last."""
        return self.cache.index(self.url, self._read_index, refresh=refresh)

    def artefact(self, entry: Entry) -> Path:
        """Return where an artefact lies in the cache, after downloading it if need be."""
        return self.cache.artefact(entry, self._download)

    def _read_index(self) -> bytes:
        with _open(self.url) as answer:
            raw = b"".join(islice(_blocks(answer), MAX_INDEX // BLOCK + 1))
            if answer.length and len(raw) <= MAX_INDEX:
                raise ConnectionError(f"{self.url} broke off. {OFFLINE}")
        read_index(raw, self.url)  # one that is not valid is not kept
        return raw

    def _download(self, path: str, file: File, part: Path) -> None:
        """Download a file, going on from the part that is there."""
        url = urljoin(self.url, path)
        for _ in range(ATTEMPTS):
            have = part.stat().st_size if part.exists() else 0
            if have == file.size:
                return
            if have > file.size:  # of another download
                part.unlink()
                have = 0
            _go_on(url, have, file.size, part)
        have = part.stat().st_size
        if have < file.size:
            raise ConnectionError(
                f"{url} broke off {ATTEMPTS} times, last after {have} of {file.size} bytes. Fetch "
                f"again to go on from there. {OFFLINE}"
            )


def _go_on(url: str, have: int, size: int, part: Path) -> None:
    """Append what is missing of a file to its part, as far as it arrives."""
    with _open(url, have) as answer:
        if not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            have = 0  # the server knows no ranges: it sends all
        fits = answer.length in (None, size - have)
        with part.open("r+b" if part.exists() else "wb") as target:
            target.seek(have)
            target.truncate()
            with suppress(ConnectionError):
                for block in _blocks(answer) if fits else ():
                    have += target.write(block)
                    if have > size:
                        break
    if not fits or have > size:
        part.unlink()
        raise ShelfError(
            f"{url} is not what the index says: its size is not {size} bytes. Nothing of it was "
            "kept; tell who runs the shelf."
        )


def _blocks(answer: HTTPResponse) -> Iterator[bytes]:
    """Yield what arrives, to the end, or to a ConnectionError where the transfer breaks."""
    while True:
        try:
            block = answer.read(BLOCK)
        except (OSError, HTTPException) as error:
            raise ConnectionError(f"{answer.url} broke off: {error!r}. {OFFLINE}") from error
        if not block:
            return
        yield block


class _SameHost(HTTPRedirectHandler):
    """Follow redirects within a host alone, and never from https to http."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        same = (old.scheme, old.netloc) == (new.scheme, new.netloc)
        secured = (old.scheme, new.scheme) == ("http", "https") and old.hostname == new.hostname
        if not (same or secured):
            fp.close()
            raise ShelfError(
                f"{req.full_url} redirects to {new.scheme}://{new.netloc}, which is not followed: "
                "a shelf's files lie on its own host. If you trust that one, pass its URL as index."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(url: str, start: int = 0) -> HTTPResponse:
    request = Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        return build_opener(_SameHost).open(request, timeout=TIMEOUT)
    except (OSError, HTTPException) as error:
        if not isinstance(error, HTTPError) or error.code == PROXY_AUTHENTICATION_REQUIRED:
            raise ConnectionError(f"{url} cannot be reached: {error}. {OFFLINE}") from error
        error.close()
        raise ShelfError(
            f"{url} answers {error.code} {error.reason}. Check index, or tell who runs the shelf."
        ) from error
