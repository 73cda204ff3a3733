"""Tagged tokens written to files with one token a line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sklearn_cclm._targets.entities import Span, are_tokens, input_rows, read_entities, token_tags
from sklearn_cclm._targets.tag_schemes import in_scheme
from sklearn_cclm._tools.params import check_option

_SCHEMES = ("BIO", "BIOES", "BMES", "BILOU")


def write_conll(path: str | os.PathLike, X: Any, y: Any, *, scheme: str = "BIO") -> None:
    r"""Write tokens and a tag for each, separated by a tab, as `read_conll` reads them.

    Parameters
    ----------
    path : str or path-like
        The file.
    X : iterable of lists of str, or of str
        Lists of tokens, or texts, which are split at blanks: a token then has the tag of the first
        entity that has a character of it.
    y : iterable
        The tags of the tokens in any scheme, or the spans of texts, as `EntityPretrainer` takes and
        predicts them.
    scheme : {"BIO", "BIOES", "BMES", "BILOU"}, default="BIO"
        The letters of the tags.

    Raises
    ------
    ValueError, TypeError
        If a text, a token, a tag or a span is not allowed.

    See Also
    --------
    read_conll : Reads them.
    write_spans : Writes texts and spans for annotation tools.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from sklearn_cclm.datasets import write_conll
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "ner.txt")
    ...     write_conll(path, ["Ada Lovelace came"], [[(0, 12, "person")]], scheme="BIOES")
    ...     print(path.read_text(), end="")
    Ada	B-person
    Lovelace	E-person
    came	O
    <BLANKLINE>
    """
    check_option("scheme", scheme, _SCHEMES)
    rows = input_rows(X)
    texts, spans = read_entities(rows, y)
    if not are_tokens(rows):
        rows = [text.split() for text in texts]
        spans = [_squeezed(row, text) for row, text in zip(spans or [], texts, strict=True)]
    lines = []
    for tokens, tags in zip(rows, token_tags(rows, spans or [], gap=1), strict=True):
        for token in tokens:
            if not token.strip() or any(sign in token for sign in "\t\n\r"):
                raise ValueError(f"The token {token!r} has no place on a line with tabs: drop it.")
        pairs = zip(tokens, in_scheme(tags, scheme), strict=True)
        lines += [*(f"{token}\t{tag}\n" for token, tag in pairs), "\n"]
    Path(path).write_text("".join(lines), encoding="utf-8", newline="\n")


def _squeezed(spans: Sequence[Span], text: str) -> list[Span]:
    """Return spans where they are once the words of a text stand one blank apart."""
    blank = np.array([character.isspace() for character in text], dtype=bool)
    kept = ~blank | ~np.append(True, blank)[: len(blank)]
    place = np.append(0, np.cumsum(kept)).tolist()
    return [span._replace(start=place[span.start], end=place[span.end]) for span in spans]
