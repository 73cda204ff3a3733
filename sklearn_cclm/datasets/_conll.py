"""Tagged tokens from files with one token a line, as the CoNLL shared tasks have them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from glob import escape, glob
from itertools import groupby
from typing import TypeAlias

from sklearn_cclm._text.files import TextFiles
from sklearn_cclm.datasets._layout import (
    Column,
    Layout,
    Line,
    layout,
    names_of,
    split,
    without_comments,
)

_Path: TypeAlias = str | os.PathLike


def read_conll(
    path: _Path | Sequence[_Path],
    *,
    encoding: str = "utf-8",
    token: int | str | None = None,
    tag: int | str | None = None,
    comment: str | None = None,
) -> tuple[list[list[str]], list[list[str]]]:
    r"""Read sentences and their tags from CoNLL files.

    A line holds a token and its tag in columns that tabs separate or, where a line has no tab,
    spaces. A blank line ends a sentence. Lines whose token is ``-DOCSTART-`` are left out, those
    of an empty token that is tagged "O", and those that CoNLL-U numbers "1-2" or "1.1".

    Parameters
    ----------
    path : str or path-like, or sequence of them
        Files, or patterns such as ``"ner/*.train.txt.gz"``, whose files are read by sorted name;
        names that end in ".gz" are decompressed.
    encoding : str, default="utf-8"
        Encoding of the files; a byte order mark is left out.
    token : int or str, default=None
        Column of the tokens: its number, from 0 on, or from -1 back, or its name in a line
        ``# global.columns =`` or else in the first line. None is the first column, or the second
        one where the first one counts the tokens.
    tag : int or str, default=None
        Column of the tags. None is the last one, or another one that alone has tags such as
        ``B-person``.
    comment : str, default=None
        What comments begin with. None is "#", but for tokens that begin with it: of lines before
        a sentence, those are comments that hold several words and no tag.

    Returns
    -------
    sentences : list of list of str
        The tokens of each sentence.
    tags : list of list of str
        A tag for each token.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a line has no token or no tag, or if it cannot be told which columns hold them.

    See Also
    --------
    TextFiles : Lines of text, as a stream.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from sklearn_cclm.datasets import read_conll
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "ner.txt")
    ...     _ = path.write_text("Ada\tB-person\nwrites\tO\n\nHi\tO\n")
    ...     sentences, tags = read_conll(path)
    >>> sentences
    [['Ada', 'writes'], ['Hi']]
    >>> tags
    [['B-person', 'O'], ['O']]
    """
    if comment == "":
        raise ValueError("comment='' begins every line: pass a sign, such as '#', or None.")
    paths = [path] if isinstance(path, str | os.PathLike) else path
    sentences: list[list[str]] = []
    tags: list[list[str]] = []
    for name in [name for pattern in paths for name in _names(os.fspath(pattern))]:
        lines = split(TextFiles(escape(name), encoding=encoding))
        for filled, rows in groupby(_rows(name, lines, token, tag, comment), key=bool):
            if filled:
                tokens, answers = zip(*rows, strict=True)
                sentences.append(list(tokens))
                tags.append(list(answers))
    return sentences, tags


def _names(pattern: str) -> list[str]:
    """Return the files of a pattern, or what is a name and no pattern."""
    return sorted(glob(pattern, recursive=True)) or [pattern]


def _rows(
    name: str, lines: list[Line], token: Column, tag: Column, comment: str | None
) -> Iterator[tuple[str, ...]]:
    """Yield token and tag of each line, and an empty tuple for a blank line."""
    names = names_of(lines)
    lines = [
        line for line in without_comments(lines, comment) if "-DOCSTART-" not in line.columns[:1]
    ]
    if names is None and (isinstance(token, str) or isinstance(tag, str)):
        header = next((line for line in lines if line.columns), Line(0, "", []))
        names, lines = header.columns, [line for line in lines if line is not header]
    for line in lines:
        if len(line.columns) == 1:
            raise _malformed(name, line)
    try:
        places = layout(lines, names or [], token, tag)
    except ValueError as error:
        raise ValueError(
            f"{name}: {error}. Say where tokens and tags are, such as token=1, tag=2, or by name; "
            'to fit, pass read_conll(path, token=1, tag=2). Comments: comment="#".'
        ) from error
    for line in lines:
        if not line.columns:
            yield ()
        elif not places.is_part(line):
            yield from _row(name, line, places)


def _row(name: str, line: Line, places: Layout) -> Iterator[tuple[str, str]]:
    """Yield token and tag of one line, or nothing if there is no token to be tagged."""
    try:
        token, tag = line.columns[places.token], line.columns[places.tag].strip()
    except IndexError:
        token = tag = ""
    if not tag or (not token and tag != "O"):
        raise _malformed(name, line)
    if token:
        yield token, tag


def _malformed(name: str, line: Line) -> ValueError:
    return ValueError(
        f"{name}, line {line.number}: {line.text!r} is not a token and a tag, separated by a tab "
        "or by spaces. Give every token a tag, 'O' where there is no entity."
    )
