"""Teachers of a distillation: what gives vectors of texts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import normalize
from sklearn.utils import check_array

from sklearn_cclm._tools.device import resolve_device
from sklearn_cclm.models._inference import Member, distinct, vectors
from sklearn_cclm.shelf._names import resolve
from sklearn_cclm.values import Tower


def ask(teacher: Any) -> Callable[[list[str]], Any]:
    """Return the function that gives a teacher's vectors."""
    if isinstance(teacher, str):
        teacher = resolve(teacher, "tower")
    if isinstance(teacher, Tower):
        return partial(_native, teacher)
    for name in ("transform", "encode", "__call__"):
        if hasattr(teacher, name):
            return getattr(teacher, name)
    raise TypeError(
        f"teacher={teacher!r} must be a callable, a transformer, a Tower, a name on the shelf or "
        "None."
    )


def _native(tower: Tower, texts: list[str]) -> np.ndarray:
    """Return a tower's native vectors."""
    member = Member(tower, slice(0, tower.native_width), 1.0)
    return vectors(
        *distinct(texts), [member],
        pooling="native", windowed=True, batch_chars=32768, device=resolve_device("auto"),
    )  # fmt: skip


def unit(vectors: Any, n: int, name: str) -> np.ndarray:
    """Return one vector for each of n texts, checked, dense and of unit length."""
    vectors = check_array(vectors, accept_sparse="csr", dtype=np.float32, input_name=name)
    vectors = vectors.toarray() if issparse(vectors) else vectors
    if len(vectors) != n:
        raise ValueError(f"{name} has {len(vectors)} rows for {n} texts: one for each is needed.")
    return normalize(vectors)
