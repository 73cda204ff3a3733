"""What the index says of one published component, each field checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from datetime import date
from itertools import accumulate
from reprlib import repr as short_repr
from typing import Any, Self

from sklearn_cclm._persistence._files import CONFIG, WEIGHTS
from sklearn_cclm._tools.facts import FactsMixin, as_size

FILES = (CONFIG, WEIGHTS)
REVISION_DIGITS = 12

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", re.ASCII)
_LANGUAGES = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*(, [a-z]{2,3}(-[A-Za-z0-9]+)*)*", re.ASCII)
_TEACHER = " (teacher)"
_LINE = 72  # characters of names
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ShelfError(ValueError):
    """What a shelf was asked for, or what it holds, is not right; the message says what to do."""


def _field(
    allowed: Callable[[Any], bool], what: str, read: Callable | None = None, default: Any = MISSING
) -> Any:
    """Declare a field: what it may hold, that in words, and how it is read from JSON."""
    metadata = {"allowed": allowed, "what": what, "read": read or (lambda raw: raw)}
    return field(metadata=metadata, default=default)


class _Record:
    """A frozen dataclass whose fields are all checked when it is made."""

    def __post_init__(self) -> None:
        for f in fields(self):  # type: ignore[arg-type]
            value = getattr(self, f.name)
            if not f.metadata["allowed"](value):
                raise ShelfError(f"{f.name}={short_repr(value)} must be {f.metadata['what']}.")

    @classmethod
    def from_json(cls, raw: Any) -> Self:
        """Read a record from what JSON gives, with exactly these keys, or without optional ones."""
        known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]
        needed = {f.name for f in known.values() if f.default is MISSING}
        if not isinstance(raw, dict) or not needed <= raw.keys() <= known.keys():
            raise ShelfError(f"{short_repr(raw)} must be an object with the keys {list(known)}.")
        return cls(**{name: known[name].metadata["read"](value) for name, value in raw.items()})


def _is_name(value: Any) -> bool:
    named = isinstance(value, str) and len(value) <= 80 and _NAME.fullmatch(value) is not None
    return named and value not in ("drop", "index.json")  # which mean something else


def _is_pinned(value: Any) -> bool:
    name, _, revision = value.partition("@") if isinstance(value, str) else ("", "", "")
    return _is_name(name) and re.fullmatch("[0-9a-f]{12}", revision) is not None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.replace("\n", "x").isprintable() and value.strip() != ""


def _is_line(value: Any) -> bool:
    return _is_text(value) and "\n" not in value


def _is_languages(value: Any) -> bool:
    return isinstance(value, str) and _LANGUAGES.fullmatch(value) is not None


def _is_sha256(value: Any) -> bool:
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 < value < 2**40


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e9  # NaN is not


def _is_day(value: Any) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except (TypeError, ValueError):
        return False


def _is_levels(value: Any) -> bool:
    return (
        _is_numbers(value)
        and value[:1] == (0,)
        and list(value) == sorted(set(value))
        and value[-1] <= 1
    )


def _is_numbers(value: Any) -> bool:
    return isinstance(value, tuple) and all(map(_is_number, value))


def _as_tuple(raw: Any) -> Any:
    return tuple(raw) if isinstance(raw, list) else raw


@dataclass(frozen=True)
class File(_Record):
    """What a file must be.

    Parameters
    ----------
    size : int
        Its bytes.
    sha256 : str
        In hexadecimal.

    Raises
    ------
    ShelfError
        If a field is not allowed.
    """

    size: int = _field(_is_size, "a number of bytes")
    sha256: str = _field(_is_sha256, "64 hexadecimal digits")


@dataclass(frozen=True)
class Curve(_Record):
    """What was measured on one open data set: a score on clean text, and under rising noise.

    Parameters
    ----------
    data : str
        Name of the data set, such as "AG News, test".
    metric : str
        What the scores are, such as "accuracy".
    noise : str
        What the levels are of, such as "typos, share of characters".
    levels : tuple of float
        From 0, which is clean text, rising, at most 1.
    scores : tuple of float
        One for each level.

    Raises
    ------
    ShelfError
        If a field is not allowed.
    """

    data: str = _field(_is_line, "a line of text")
    metric: str = _field(_is_line, "a line of text")
    noise: str = _field(_is_line, "a line of text")
    levels: tuple[float, ...] = _field(
        _is_levels, "a tuple of numbers that rise from 0 to at most 1", _as_tuple
    )
    scores: tuple[float, ...] = _field(
        _is_numbers, "a tuple of numbers, one for each level", _as_tuple
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.scores) != len(self.levels):
            raise ShelfError(f"{self.data!r} has {len(self.scores)} scores: one for each level.")


@dataclass(frozen=True, repr=False)
class Entry(FactsMixin, _Record):
    """What the index says of one revision of a published component.

    Parameters
    ----------
    name : str
        Lower-case letters and digits, joined by ".", "_" or "-".
    kind : {"base", "tower"}
        What it is.
    task : str or None
        What a tower was trained on.
    digest : str
        That of the component.
    base : str
        That of its base.
    base_in : str or None
        The other entry, "name@revision", whose files hold its base; None where its own do.
    width : int
        Length of its vectors of characters.
    native_width : int or None
        Length of a tower's vectors of texts.
    files : dict of str to File
        Its two files, with size and sha256.
    licence : str
        SPDX identifier, such as "CC-BY-4.0".
    corpora : dict of str to str
        What it was trained on, each with its licence.
    recipe : str
        How it was trained, such as the command.
    date : str
        When it was published, such as "2026-01-31".
    metrics : tuple of Curve
        What was measured.
    language : str, default=None
        Tags of the languages that it knows, such as "en" or "de, en"; None is not said.
    limits : str, default=None
        What it is not good for, in sentences.

    Attributes
    ----------
    sha256 : str
        Of the whole artefact: of its config.json, which pins the weights.
    revision : str
        The first 12 digits of that.
    size : int
        Bytes of both files.

    Raises
    ------
    ShelfError
        If a field is not allowed.
    """

    name: str = _field(_is_name, "lower-case letters and digits, joined by '.', '_' or '-'")
    kind: str = _field(lambda value: value in ("base", "tower"), "'base' or 'tower'")
    task: str | None = _field(lambda value: value is None or _is_line(value), "a task or None")
    digest: str = _field(_is_sha256, "64 hexadecimal digits")
    base: str = _field(_is_sha256, "64 hexadecimal digits")
    base_in: str | None = _field(lambda value: value is None or _is_pinned(value), "name@revision")
    width: int = _field(_is_size, "a positive integer")
    native_width: int | None = _field(
        lambda value: value is None or _is_size(value), "a positive integer or None"
    )
    files: dict[str, File] = _field(
        lambda value: sorted(value) == list(FILES),
        f"sizes and sha256 of {' and '.join(FILES)}",
        lambda raw: {name: File.from_json(file) for name, file in _object(raw).items()},
    )
    licence: str = _field(_is_line, "the SPDX identifier of a licence, such as 'CC-BY-4.0'")
    corpora: dict[str, str] = _field(
        lambda value: isinstance(value, dict) and all(map(_is_line, [*value, *value.values()])),
        "a dict of the names of corpora to their licences",
    )
    recipe: str = _field(_is_text, "a text that says how it was trained")
    date: str = _field(_is_day, "a date such as '2026-01-31'")
    metrics: tuple[Curve, ...] = _field(
        lambda value: all(isinstance(curve, Curve) for curve in value),
        "a tuple of Curve",
        lambda raw: tuple(Curve.from_json(curve) for curve in _list(raw)),
    )
    language: str | None = _field(
        lambda value: value is None or _is_languages(value),
        "tags of languages such as 'en' or 'de, en', or None",
        default=None,
    )
    limits: str | None = _field(
        lambda value: value is None or _is_line(value), "a line of text or None", default=None
    )

    def __repr__(self) -> str:
        return f"Entry({self.pinned}: {self.what}, {self.size:,} bytes, {self.licence})"

    def __hash__(self) -> int:
        return hash(self.sha256)

    @property
    def sha256(self) -> str:
        """Sha256 of the artefact."""
        return self.files[CONFIG].sha256

    @property
    def revision(self) -> str:
        """What it is asked for by, after "@"."""
        return self.sha256[:REVISION_DIGITS]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files.values())

    @property
    def teachers(self) -> list[str]:
        """Models among the corpora, whose names end in "(teacher)"."""
        return [name.removesuffix(_TEACHER) for name in self.corpora if name.endswith(_TEACHER)]

    @property
    def about(self) -> dict[str, Any]:
        """What is told of it wherever it is shown, by name."""
        return {
            "published": f"{self.pinned}, {self.date}",
            "licence": self.licence,
            "language": self.language,
            "teacher": ", ".join(self.teachers) or None,
            "trained on": _some([n for n in self.corpora if not n.endswith(_TEACHER)]) or None,
            "limits": self.limits,
        }

    @property
    def what(self) -> str:
        """What it is, such as "tower of masked_language"."""
        return f"{self.kind} of {self.task}" if self.task else self.kind

    def _title(self) -> str:
        return f"{self.name}, a {self.what}"

    def _facts(self) -> dict[str, Any]:
        of_texts = f"{self.native_width} numbers for a text, " if self.native_width else ""
        return {
            "vectors": f"{of_texts}{self.width} for a character",
            "size": as_size(self.size) + (f", beside {self.base_in}" if self.base_in else ""),
            **self.about,
        }

    @property
    def pinned(self) -> str:
        """Its name and revision."""
        return f"{self.name}@{self.revision}"

    @property
    def folder(self) -> str:
        """Where its files lie on a shelf."""
        return f"{self.name}/{self.revision}"

    def mentions(self, text: str) -> bool:
        """Say whether a text is part of what names the component or what it learned from.

        Parameters
        ----------
        text : str
            In whatever case.

        Returns
        -------
        bool
            Whether the name, task, recipe, or name of a corpus or measured data set has it.
        """
        data = [curve.data for curve in self.metrics]
        words = [self.name, self.task or "", self.recipe, *self.corpora, *data]
        return any(text.casefold() in word.casefold() for word in words)


def _some(names: list[str]) -> str:
    """Return the first names, as many as a line holds, and how many others there are."""
    most = sum(end <= _LINE for end in accumulate(len(name) + 2 for name in names))
    others = [f"and {len(names) - most} others, see its card"] if len(names) > most else []
    return ", ".join([*names[:most], *others])


def _object(raw: Any) -> dict:
    if not isinstance(raw, dict):
        raise ShelfError(f"{short_repr(raw)} must be an object.")
    return raw


def _list(raw: Any) -> list:
    if not isinstance(raw, list):
        raise ShelfError(f"{short_repr(raw)} must be a list.")
    return raw
