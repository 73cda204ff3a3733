"""What an object knows, as lines of text and as a table in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape


class FactsMixin:
    """Print facts, a line each, and show them as a table in notebooks."""

    def _title(self) -> str:
        """Return what it is, in a few words."""
        raise NotImplementedError

    def _facts(self) -> Mapping[str, object]:
        """Return what is known, by name; what is None is left out."""
        raise NotImplementedError

    def __str__(self) -> str:
        rows = [(name, str(fact)) for name, fact in _known(self._facts()).items()]
        return "\n".join([self._title(), *aligned(rows)])

    def _repr_html_(self) -> str:
        return table(self._title(), _known(self._facts()).items())


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line of each row, its cells in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(f"{c:{w}}" for c, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def table(title: str, rows: Iterable[Iterable[object]], head: Iterable[str] = ()) -> str:
    """Return a table as HTML; the first cell of each row is its head."""
    heads = "".join(_cell("th", name) for name in head)
    lines = [f"<tr>{heads}</tr>"] if heads else []
    for first, *others in rows:
        cells = _cell("th", first) + "".join(_cell("td", cell) for cell in others)
        lines.append(f"<tr>{cells}</tr>")
    caption = _cell("caption", title, "; caption-side: top; font-weight: bold")
    return f"<table>{caption}{''.join(lines)}</table>"


def as_size(n_bytes: int) -> str:
    """Return a number of bytes as people say it."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if n_bytes >= factor:
            return f"{n_bytes / factor:.1f} {unit}"
    return f"{n_bytes} bytes"


def _cell(tag: str, content: object, style: str = "") -> str:
    return f'<{tag} style="text-align: left{style}">{escape(str(content))}</{tag}>'


def _known(facts: Mapping[str, object]) -> dict[str, object]:
    return {name: fact for name, fact in facts.items() if fact is not None}
