"""Tagged tokens from files with one token a line, as the CoNLL shared tasks have them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from glob import escape, glob
from itertools import groupby
from typing import TypeAlias

from sklearn_cclm._text.files import TextFiles

_Path: TypeAlias = str | os.PathLike
_SPACES = re.compile("[ \t]+")


def read_conll(
    path: _Path | Sequence[_Path], *, encoding: str = "utf-8"
) -> tuple[list[list[str]], list[list[str]]]:
    r"""Read sentences and their tags from CoNLL files.

    A line holds a token and its tag in columns that tabs separate or, where a line has no tab,
    spaces: the first column is the token and the last one the tag. A blank line ends a sentence.
    Lines whose token is ``-DOCSTART-`` are left out.

    Parameters
    ----------
    path : str or path-like, or sequence of them
        Files, or patterns such as ``"ner/*.train.txt.gz"``, whose files are read by sorted name;
        names that end in ".gz" are decompressed.
    encoding : str, default="utf-8"
        Encoding of the files; "utf-8-sig" for those that begin with a byte order mark.

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
        If a line has no token or no tag.

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
    paths = [path] if isinstance(path, str | os.PathLike) else path
    sentences: list[list[str]] = []
    tags: list[list[str]] = []
    for name in [name for pattern in paths for name in _names(os.fspath(pattern))]:
        for filled, rows in groupby(_rows(name, encoding), key=bool):
            if filled:
                tokens, answers = zip(*rows, strict=True)
                sentences.append(list(tokens))
                tags.append(list(answers))
    return sentences, tags


def _names(pattern: str) -> list[str]:
    """Return the files of a pattern, or what is a name and no pattern."""
    return sorted(glob(pattern, recursive=True)) or [pattern]


def _rows(name: str, encoding: str) -> Iterator[tuple[str, ...]]:
    """Yield token and tag of each line, and an empty tuple for a blank line."""
    for number, line in enumerate(TextFiles(escape(name), encoding=encoding), start=1):
        if not line.strip():
            yield ()
            continue
        columns = line.split("\t") if "\t" in line else _SPACES.split(line.strip(" "))
        token, tag = columns[0], columns[-1]
        if token == "-DOCSTART-":
            continue
        if len(columns) < 2 or not token or not tag:
            raise ValueError(
                f"{name}, line {number}: {line!r} is not a token and a tag, separated by a tab or "
                "by spaces. Give every token a tag, 'O' where there is no entity."
            )
        yield token, tag
