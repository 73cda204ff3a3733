"""Which lines of a CoNLL file are comments, and which columns hold tokens and tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from numbers import Integral
from typing import NamedTuple, TypeAlias

from sklearn_cclm._targets.tag_schemes import is_tag, read_scheme

Column: TypeAlias = int | str | None

_SPACES = re.compile("[ \t]+")
_NAMES = re.compile(r"#\s*global\.columns\s*=(.*)")
_PART = re.compile(r"[0-9]+[-.][0-9]+")  # "1-2", several words in one, or "1.1", one left out


class Line(NamedTuple):
    """A line, and its columns, of which a blank one has none."""

    number: int
    text: str
    columns: list[str]


class Layout(NamedTuple):
    """Where tokens and tags stand, and whether the first column numbers the tokens."""

    token: int
    tag: int
    numbered: bool

    def is_part(self, line: Line) -> bool:
        """Whether a line is of CoNLL-U's that stand beside those of the words."""
        return self.numbered and self.token != 0 and bool(_PART.fullmatch(line.columns[0]))


def split(texts: Iterable[str]) -> list[Line]:
    """Return lines with their columns, which tabs separate or, where there is none, spaces."""
    lines = []
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            columns = []
        elif "\t" in text:
            columns = [column.strip(" ") for column in text.split("\t")]
        else:
            columns = _SPACES.split(text.strip(" "))
        lines.append(Line(number, text, columns))
    return lines


def without_comments(lines: Sequence[Line], sign: str | None) -> list[Line]:
    """Return the lines that do not begin with a sign.

    With None, comments are lines of several words before a sentence that begin with "#" and do not
    look like the lines of tokens.
    """
    if sign is not None:
        return [line for line in lines if not line.text.startswith(sign)]
    others = [line for line in lines if line.columns and not line.text.startswith("#")]
    tags = {line.columns[-1] for line in others}
    widths = {("\t" in line.text, len(line.columns)) for line in others}
    kept: list[Line] = []
    for line in lines:
        if line.text.startswith("#") and _SPACES.search(line.text) is not None:
            alike = ("\t" in line.text, len(line.columns)) in widths or not others
            tagged = any(column in tags or is_tag(column) for column in line.columns[1:])
            named = alike and (tagged or "\t" in line.text)
            if not named and (not kept or not kept[-1].columns):
                continue
        kept.append(line)
    return kept


def names_of(lines: Iterable[Line]) -> list[str] | None:
    """Return the names of the columns as CoNLL-U Plus has them, or None."""
    found = filter(None, (_NAMES.match(line.text) for line in lines))
    return next((match[1].split() for match in found), None)


def layout(lines: Sequence[Line], names: Sequence[str], token: Column, tag: Column) -> Layout:
    """Return where tokens and tags stand in lines of two columns or more, or raise ValueError."""
    numbered = _are_numbered(lines)
    found = Layout(int(numbered) if token is None else _index("token", token, names), -1, numbered)
    rows = [line.columns for line in lines if line.columns and not found.is_part(line)]
    column = _tag_column(rows, found.token, numbered) if tag is None else _index("tag", tag, names)
    ends = {
        number + (number < 0) * len(row) for row in rows[:1] for number in (found.token, column)
    }
    if len(ends) == 1:
        raise ValueError(f"token and tag are the same column of {rows[0]}")
    return found._replace(tag=column)


def _index(name: str, column: int | str, names: Sequence[str]) -> int:
    """Return the number of a column."""
    if isinstance(column, Integral) and not isinstance(column, bool):
        return int(column)
    if not isinstance(column, str):
        raise TypeError(f"{name}={column!r} must be the number or the name of a column.")
    if column not in names:
        raise ValueError(f"{name}={column!r} is not among the columns {list(names)}")
    return names.index(column)


def _are_numbered(lines: Sequence[Line]) -> bool:
    """Whether the first of three columns or more counts the tokens of sentences or documents."""
    last = -1
    for filled, sentence in groupby(lines, key=_filled):
        rows = [
            line.columns for line in sentence if filled and not _PART.fullmatch(line.columns[0])
        ]
        for place, row in enumerate(rows):
            numbers = {str(number): number for number in (last + 1, *((0, 1) if not place else ()))}
            if row[0] not in numbers or len(row) < 3:
                return False
            last = numbers[row[0]]
    return last >= 0


def _filled(line: Line) -> bool:
    return bool(line.columns)


def _tag_column(rows: Sequence[list[str]], token: int, numbered: bool) -> int:
    """Return the column of the tags: the last one, if nothing says that it holds something else."""
    width = min(map(len, rows), default=2)

    def tagged(column: int, some: Sequence[list[str]] = rows) -> bool:
        return all(is_tag(row[column]) for row in some)

    found = [column for column in range(numbered, width - 1) if tagged(column)]
    last = tagged(-1)
    if found and (numbered or not last) and (last or len(found) > 1 or found[0] == token):
        columns = " and ".join(map(str, [*found, width - 1] if last else found))
        raise ValueError(f"tags are in column {columns}, counted from 0")
    if found and not last:
        return found[0]
    if not last and tagged(-1, rows[1:]) and {row[-1] for row in rows[1:]} - {"O"}:
        raise ValueError(f"tags are below a header, {rows[0]}")
    if not last and width > 2:
        _check_labels(rows, numbered and width > 3)
    return -1


def _check_labels(rows: Sequence[list[str]], doubtful: bool) -> None:
    """Raise ValueError unless the last of several columns can be tags without letters."""
    try:
        read_scheme([[row[-1] for row in rows]])
    except ValueError:
        doubtful = True
    if doubtful:
        raise ValueError(f"no column holds tags, the first line being {rows[0]}")
