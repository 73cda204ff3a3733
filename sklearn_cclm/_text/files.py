"""Text files as a stream of lines."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Iterator
from glob import glob, has_magic
from typing import Any

_BYTE_ORDER_MARK = "\ufeff"
_HEAD = 2**13  # bytes that show what ends a line


class TextFiles:
    r"""The lines of text files, read anew at each iteration and never held all at once.

    Lines end with LF, with CR LF, or with CR in a file without LF. Pass it to the `fit` of a
    preprocessor or pretrainer to train on more text than fits into memory.

    Parameters
    ----------
    path : str or path-like
        A file, or a pattern such as ``"corpus/*.txt.gz"``, whose files are read by sorted name;
        names that end in ".gz" are decompressed.
    encoding : str, default="utf-8"
        Encoding of the files; a byte order mark is left out.

    Raises
    ------
    FileNotFoundError
        When it is iterated over, if there is no such file.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from sklearn_cclm.datasets import TextFiles
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "some.txt").write_text("first line\nsecond line\n")
    ...     list(TextFiles(f"{folder}/*.txt"))
    ['first line', 'second line']
    """

    def __init__(self, path: str | os.PathLike, *, encoding: str = "utf-8") -> None:
        self.path = path
        self.encoding = encoding

    def __iter__(self) -> Iterator[str]:
        path = os.fspath(self.path)
        names = sorted(glob(path, recursive=True)) if has_magic(path) else [path]
        if not names:
            raise FileNotFoundError(f"No file matches {path!r}.")
        for name in names:
            for number, line in enumerate(_lines(name, self.encoding)):
                yield line if number else line.removeprefix(_BYTE_ORDER_MARK)

    def __repr__(self) -> str:
        return f"TextFiles({os.fspath(self.path)!r})"


def _lines(name: str, encoding: str) -> Iterator[str]:
    """Yield the lines of one file, which may be a pipe."""
    read: Any = gzip.open if name.endswith(".gz") else open
    with read(name, "rb") as file:
        head = file.peek(_HEAD).decode(encoding, "ignore")
        end = "\r" if "\r" in head[:-1] and "\n" not in head else "\n"
        with io.TextIOWrapper(file, encoding=encoding, newline=end) as lines:
            for line in lines:
                yield line.removesuffix("\n").removesuffix("\r")
