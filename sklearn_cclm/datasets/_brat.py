"""brat's standoff: a text in one file, a line for each entity in another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sklearn_cclm._targets.entities import Span

_ENTITY = re.compile(r"T\d+\t(?P<label>\S+) (?P<start>\d+) (?P<end>\d+)(\t.*)?")


def read_brat(folder: Path) -> tuple[list[str], list[list[Span]]]:
    """Return the texts of a folder, by sorted name, and the entities of each; or raise."""
    names = sorted(folder.glob("*.ann"))
    if not names:
        raise FileNotFoundError(f"No .ann file is in the folder {str(folder)!r}.")
    texts = [_read(name.with_suffix(".txt")) for name in names]
    spans = [
        [_span(line, name) for line in _read(name).split("\n") if line[:1] == "T"] for name in names
    ]
    return texts, spans


def write_brat(folder: Path, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> None:
    """Write two files for each text, named by its number."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (text, row) in enumerate(zip(texts, spans, strict=True)):
        lines = [_line(place, span, text) for place, span in enumerate(row, start=1)]
        name = folder / f"{number:0{len(str(len(texts)))}}"
        name.with_suffix(".txt").write_text(text, encoding="utf-8", newline="")
        name.with_suffix(".ann").write_text("".join(lines), encoding="utf-8", newline="")


def _read(name: Path) -> str:
    with name.open(encoding="utf-8", newline="") as file:
        return file.read()


def _span(line: str, name: Path) -> Span:
    """Return the span of a line."""
    match = _ENTITY.fullmatch(line.rstrip("\r"))
    if match is None:
        raise ValueError(
            f"{name}: {line!r} is not an entity in one piece. Of a discontinuous one, leave out "
            "all but one part, or write the whole stretch."
        )
    return Span(int(match["start"]), int(match["end"]), match["label"])


def _line(place: int, span: Span, text: str) -> str:
    """Return the line of a span, whose label must not have blanks."""
    if len(span.label.split()) != 1 or "\n" in text[span.start : span.end]:
        raise ValueError(
            f"brat knows no label with blanks and no entity of several lines, as {span} has: "
            "rename the label, or make it an entity of each line."
        )
    return f"T{place}\t{span.label} {span.start} {span.end}\t{text[span.start : span.end]}\n"
