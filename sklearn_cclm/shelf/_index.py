"""The index of a shelf as JSON: strict to read, the same bytes for the same entries to write."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from functools import lru_cache
from typing import Any

from sklearn_cclm.shelf._entry import Entry, ShelfError

INDEX = "index.json"
MAX_INDEX = 16 * 2**20

_HEAD = {"format": "sklearn_cclm.shelf", "format_version": 1}


def read_index(raw: bytes, where: str) -> list[Entry]:
    """Return the entries, the newest revision of each name last; the same bytes are parsed once.

    Raises
    ------
    ShelfError
        If anything is not as `write_index` writes it.
    """
    if len(raw) > MAX_INDEX:
        raise ShelfError(f"The index of {where} has more than {MAX_INDEX} bytes.")
    return list(_parsed(raw, where))


@lru_cache(maxsize=4)
def _parsed(raw: bytes, where: str) -> tuple[Entry, ...]:
    try:
        index = json.loads(raw.decode(), object_pairs_hook=_unique)
        if not isinstance(index, dict) or index.keys() != {*_HEAD, "entries"}:
            raise ShelfError(f"it must be an object with the keys {[*_HEAD, 'entries']}.")
        if repr({key: index[key] for key in _HEAD}) != repr(_HEAD):  # True is not 1
            raise ShelfError(f"it must be of {_HEAD}: a newer one needs a newer sklearn-cclm.")
        if not isinstance(index["entries"], list):
            raise ShelfError("its entries must be a list.")
        entries = [Entry.from_json(entry) for entry in index["entries"]]
        if len({entry.folder for entry in entries}) < len(entries):
            raise ShelfError("a revision is listed twice.")
        _check_bases(entries)
    except (ValueError, RecursionError) as error:
        raise ShelfError(f"The index of {where} is not valid: {error}") from error
    return tuple(entries)


def _check_bases(entries: Iterable[Entry]) -> None:
    """Raise ShelfError if an entry has its base in another that does not hold it."""
    held = {entry.pinned: entry.base for entry in entries if entry.base_in is None}
    for entry in entries:
        if entry.base_in is not None and held.get(entry.base_in) != entry.base:
            raise ShelfError(f"{entry.pinned} has its base in {entry.base_in}, which lacks it.")


def write_index(entries: Iterable[Entry]) -> bytes:
    """Return the index of these entries."""
    index = {**_HEAD, "entries": list(map(_as_json, entries))}
    text = json.dumps(index, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def _as_json(entry: Entry) -> dict[str, Any]:
    """Return an entry without optional fields that say nothing, as before there were any."""
    optional = {f.name for f in fields(entry) if f.default is None}
    return {k: v for k, v in asdict(entry).items() if v is not None or k not in optional}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key is there twice.")
    return dict(pairs)
