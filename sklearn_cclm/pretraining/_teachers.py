"""Teachers of a distillation: what gives vectors of texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import normalize
from sklearn.utils import check_array

from sklearn_cclm._engines import engine
from sklearn_cclm._targets.numbers import as_numbers
from sklearn_cclm._text.streams import chunked
from sklearn_cclm._tools.progress import is_shown, progress_bar, show_line
from sklearn_cclm.models._inference import Member, distinct, vectors
from sklearn_cclm.shelf._entry import ShelfError
from sklearn_cclm.shelf._names import resolve
from sklearn_cclm.values import Tower

_ASKED = 1024  # texts at once: enough for a teacher to sort by length, few enough for a bar
_RETURNED = "what the teacher returns"


def check_teacher(teacher: Any) -> Any:
    """Return a teacher, a tower in the place of its name, or raise ValueError or TypeError."""
    if isinstance(teacher, str):
        try:
            return resolve(teacher, "tower")
        except ShelfError as error:
            raise ShelfError(
                f"teacher={teacher!r}: {error} Of a sentence transformer pass the model: "
                f"teacher=sentence_transformers.SentenceTransformer({teacher!r}).encode."
            ) from None
    _asking(teacher)
    return teacher


def teach(teacher: Any, texts: Sequence[str], *, verbose: int = 0) -> np.ndarray:
    """Return a teacher's vectors of texts, of unit length; it is asked for some at a time."""
    ask, shown = _asking(teacher), is_shown(verbose)
    found = []
    with progress_bar(len(texts), "text", description="teacher", shown=shown) as bar:
        if shown and bar.disable:
            show_line(f"teacher  {len(texts)} texts")
        for chunk in chunked(texts, _ASKED):
            found.append(unit(ask(chunk), len(chunk), _RETURNED))
            bar.update(len(chunk))
    widths = sorted({part.shape[1] for part in found})
    if len(widths) > 1:
        raise ValueError(f"{_RETURNED} has vectors of lengths {widths}: one is needed.")
    return np.concatenate(found)


def _asking(teacher: Any) -> Callable[[list[str]], Any]:
    """Return the function that gives a teacher's vectors."""
    if isinstance(teacher, Tower):
        return partial(native, teacher)
    for name in ("transform", "encode", "__call__"):
        if hasattr(teacher, name):
            return getattr(teacher, name)
    raise TypeError(
        f"teacher={teacher!r} must be a callable, a transformer, a Tower, a name on the shelf or "
        "None."
    )


def native(tower: Tower, texts: list[str]) -> np.ndarray:
    """Return a tower's native vectors."""
    member = Member(tower, slice(0, tower.native_width), 1.0)
    return vectors(
        *distinct(texts), [member],
        pooling="native", windowed=True, batch_chars=32768, device=engine().resolve_device("auto"),
    )  # fmt: skip


def unit(given: Any, n: int, name: str) -> np.ndarray:
    """Return one vector for each of n texts, checked, dense and of unit length, or zero."""
    found = check_array(
        as_numbers(given, name), accept_sparse="csr", dtype=np.float32, order="C", input_name=name
    )
    found = found.toarray() if issparse(found) else found
    if len(found) != n:
        raise ValueError(f"{name} has {len(found)} rows for {n} texts: one for each is needed.")
    return normalize(found)
