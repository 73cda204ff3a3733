"""Texts and their spans in the files of annotation tools, read and written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from sklearn_cclm._targets.entities import Span, read_entities
from sklearn_cclm._text.files import TextFiles
from sklearn_cclm._tools.params import check_option
from sklearn_cclm.datasets._brat import read_brat, write_brat
from sklearn_cclm.datasets._utf16 import spans_from_utf16, spans_to_utf16

_Path: TypeAlias = str | os.PathLike


class _Lines(NamedTuple):
    """How a tool writes the spans of a text in a JSON object."""

    keys: tuple[str, ...]
    spans: Callable[[Mapping[str, Any]], Iterable[Any]]
    row: Callable[[str, list[Span]], dict[str, Any]]


def read_spans(
    path: _Path, *, tool: str, utf16: bool = False
) -> tuple[list[str], list[list[Span]]]:
    r"""Read texts and the entities in them, as an annotation tool has exported them.

    Parameters
    ----------
    path : str or path-like
        A file, or a pattern, of JSON lines, decompressed if its name ends in ".gz"; of Label Studio
        also of one JSON list; of brat the folder of the ".txt" and ".ann" files.
    tool : {"prodigy", "doccano", "label_studio", "brat"}
        The tool. Texts that Prodigy's user rejected or ignored are left out, of Label Studio's
        several annotations of a text the first one that was not cancelled is read.
    utf16 : bool, default=False
        Whether places count units of UTF-16, as doccano's do unless it counts grapheme clusters.

    Returns
    -------
    X : list of str
        The texts.
    y : list of list of Span
        The entities of each.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError, TypeError
        If a line is no such object, or a span is not allowed: as spans that overlap, or, of brat,
        are discontinuous.

    See Also
    --------
    read_conll : Reads files of tagged tokens.
    write_spans : Writes what this reads.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from sklearn_cclm.datasets import read_spans
    >>> line = '{"text": "Ada met Bob", "label": [[0, 3, "person"], [8, 11, "person"]]}'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "export.jsonl")
    ...     _ = path.write_text(line + "\n")
    ...     X, y = read_spans(path, tool="doccano")
    >>> y
    [[Span(start=0, end=3, label='person'), Span(start=8, end=11, label='person')]]
    """
    check_option("tool", tool, (*_TOOLS, "brat"))
    if tool == "brat":
        texts, spans = read_brat(Path(path))
    else:
        texts, spans = [], []
        for where, row in _objects(path):
            if row.get("answer", "accept") == "accept":
                texts.append(_text(where, row, _TOOLS[tool], tool))
                spans.append([*_TOOLS[tool].spans(row)])
    if utf16:
        return texts, spans_from_utf16(texts, spans)
    return texts, read_entities(texts, spans)[1] or []


def write_spans(path: _Path, X: Any, y: Any, *, tool: str, utf16: bool = False) -> None:
    r"""Write texts and the entities in them, for an annotation tool to import.

    Parameters
    ----------
    path : str or path-like
        The file; of brat a folder, which is made if there is none.
    X : iterable of str, or of lists of str
        Texts, or lists of tokens, which are joined by single spaces.
    y : iterable
        The entities of each, as `EntityPretrainer` takes and predicts them.
    tool : {"prodigy", "doccano", "label_studio", "brat"}
        The tool. Label Studio's entities are predictions of a labeler "label" on "text", with the
        least score of them, if they have any.
    utf16 : bool, default=False
        Whether places are to count units of UTF-16.

    Raises
    ------
    ValueError, TypeError
        If a text or a span is not allowed.

    See Also
    --------
    read_spans : Reads what this writes.
    write_conll : Writes tagged tokens.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from sklearn_cclm.datasets import write_spans
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "import.jsonl")
    ...     write_spans(path, ["Ada came"], [[(0, 3, "person")]], tool="prodigy")
    ...     path.read_text()
    '{"text": "Ada came", "spans": [{"start": 0, "end": 3, "label": "person"}]}\n'
    """
    check_option("tool", tool, (*_TOOLS, "brat"))
    texts, spans = read_entities(X, y)
    rows = spans_to_utf16(texts, spans or []) if utf16 else spans or []
    if tool == "brat":
        write_brat(Path(path), texts, rows)
        return
    lines = (
        json.dumps(_TOOLS[tool].row(text, row), ensure_ascii=False)
        for text, row in zip(texts, rows, strict=True)
    )
    Path(path).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def _objects(path: _Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the objects of JSON lines, or of one list, each with where it stands."""
    lines = [*enumerate(TextFiles(path), start=1)]
    whole = "\n".join(line for _, line in lines)
    pieces = [(1, whole)] if whole.lstrip().startswith("[") else lines
    for number, piece in pieces:
        where = f"{os.fspath(path)}, line {number}"
        try:
            found = json.loads(piece) if piece.strip() else []
        except ValueError as error:
            raise ValueError(f"{where}: {piece[:80]!r} is not JSON: {error}.") from error
        for row in found if isinstance(found, list) else [found]:
            if not isinstance(row, Mapping):
                raise ValueError(f"{where} holds {row!r}, where an object with a text is expected.")
            yield where, row


def _text(where: str, row: Mapping[str, Any], lines: _Lines, tool: str) -> str:
    """Return the text of an object, or say what it lacks."""
    text = row.get("data", row) if tool == "label_studio" else row
    text = text.get("text") if isinstance(text, Mapping) else None
    if not isinstance(text, str) or not any(key in row for key in lines.keys):
        raise ValueError(
            f"{where} has the keys {list(row)}: of {tool!r}, a text and one of {lines.keys} are "
            "expected. Is it the export of another tool?"
        )
    return text


def _of_label_studio(row: Mapping[str, Any]) -> Iterator[tuple[int, int, str]]:
    """Yield the spans of the annotation of a text, or of its prediction, if there is none."""
    given = [a for a in row.get("annotations", []) if not a.get("was_cancelled")]
    given = given or row.get("predictions", [])
    for result in given[0]["result"] if given else []:
        value = result.get("value", {})
        for label in value.get("labels", []):
            yield value["start"], value["end"], label


def _to_label_studio(text: str, spans: list[Span]) -> dict[str, Any]:
    """Return a text and its predictions as a task."""
    results = [
        {
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
            "value": {**_place(span), "text": text[span.start : span.end], "labels": [span.label]},
        }
        for span in spans
    ]
    scores = [span.score for span in spans if span.score is not None]
    least = {"score": float(min(scores))} if scores else {}
    return {"data": {"text": text}, "predictions": [{"result": results, **least}]}


def _place(span: Span) -> dict[str, int]:
    return {"start": span.start, "end": span.end}


_TOOLS = {
    "prodigy": _Lines(
        ("spans", "tokens", "answer"),
        lambda row: [
            {k: span[k] for k in ("start", "end", "label")} for span in row.get("spans") or []
        ],
        lambda text, spans: {
            "text": text,
            "spans": [{**_place(span), "label": span.label} for span in spans],
        },
    ),
    "doccano": _Lines(
        ("label", "labels", "entities"),
        lambda row: row.get("label") or row.get("labels") or row.get("entities") or [],
        lambda text, spans: {"text": text, "label": [list(span) for span in spans]},
    ),
    "label_studio": _Lines(("annotations", "predictions"), _of_label_studio, _to_label_studio),
}
