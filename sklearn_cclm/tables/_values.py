"""The distinct values of a column, read once: what a tower says of them, and their n-grams."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from sklearn_cclm._engines import engine
from sklearn_cclm._text.read import (
    as_table,
    check_texts,
    column_names,
    is_missing,
    read_rows,
)
from sklearn_cclm.models._inference import Member, features
from sklearn_cclm.models._lexical import Lexical
from sklearn_cclm.shelf._names import resolve
from sklearn_cclm.values import Tower

_HALF = 0.5  # of words, .25 and .75 are about as good; of codes, the less the better
_SHORT = 40  # characters: the n-grams of longer values say the more themselves
_BATCH_CHARS = 32768
AT_ONCE = 2**24  # similarities that are held at once
_SAMPLE = 2000  # values that components are learned from
_END = "\uffff"  # stands after a value; Unicode has no such character


def read_column(X: Any, *, missing: str = "empty", min_texts: int = 0) -> list[str]:
    """Return the values of a column as texts, "" where one is missing or blank.

    Numbers among texts are written out; a column of numbers alone is no text.
    """
    table = as_table(X)
    if len(names := column_names(table) or []) > 1:
        raise ValueError(f"X has the columns {names}, and one is read: pass it alone.")
    rows = list(read_rows(table, None))
    if any(isinstance(row, str) for row in rows):
        rows = [str(row) if isinstance(row, Real) and not is_missing(row) else row for row in rows]
    if missing == "error" and any(gone := [is_missing(row) for row in rows]):
        place = gone.index(True)
        raise ValueError(
            f"Text {place} is missing ({rows[place]!r}): drop the row, or set missing='zeros' or "
            "missing='indicator'."
        )
    texts = check_texts(rows, missing="empty", min_texts=min_texts)
    return ["" if text.isspace() else text for text in texts]


def ready_tower(tower: Any) -> Tower:
    """Return the tower that a parameter is, or names on the shelf, or raise TypeError."""
    found = resolve(tower, "tower") if isinstance(tower, str) else tower
    if not isinstance(found, Tower):
        raise TypeError(f"tower={tower!r} must be a Tower or the name of one on the shelf.")
    return found


def share_of_meaning(values: Sequence[str]) -> float:
    """Return what a tower should have: half of short words, little of codes and long texts."""
    values = values[:: -(-len(values) // _SAMPLE)]
    some = "".join(values)
    letters, digits = (sum(map(kind, some)) for kind in (str.isalpha, str.isdigit))
    worded = letters / (letters + digits) if letters + digits else 1.0
    return _HALF * worded * min(1.0, _SHORT * len(values) / max(1, len(some)))


class Blocks(NamedTuple):
    """Two blocks of features of values; together, rows have norm 1, or 0 where a value is blank."""

    meaning: np.ndarray
    spelling: sparse.csr_matrix

    def take(self, rows: Any) -> Blocks:
        """Return the blocks of some of the values."""
        return Blocks(self.meaning[rows], self.spelling[rows])

    def similarity(self, other: Blocks) -> np.ndarray:
        """Return the cosine of each value with each of others, a float32 array."""
        spelt = (self.spelling @ other.spelling.T).toarray()
        return self.meaning @ other.meaning.T + spelt

    def project(self, components: np.ndarray) -> np.ndarray:
        """Return the blocks, side by side, projected on components."""
        width = self.meaning.shape[1]
        return self.meaning @ components[:, :width].T + self.spelling @ components[:, width:].T


def learn_blocks(
    values: Sequence[str],
    tower: Tower,
    device: Any,
    *,
    share: float,
    ends: bool = False,
    with_new: bool = False,
) -> tuple[Lexical, Blocks]:
    """Return what n-grams of the tower's base weigh in values, and the values' blocks.

    `share` is that of the tower in the squared norm. With `ends`, there are n-grams that know that
    a value ends, as all know where it begins; those of no character weigh nothing. With `with_new`,
    n-grams that no value has weigh what TF-IDF has them weigh: a text that has many of them is not
    near anything.
    """
    every = Lexical.counting(tower.base)
    counts = _counts(values, every, device, ends)
    idf = Lexical.of(tower.base, counts).idf
    if with_new:
        idf = np.where(idf > 0, idf, np.float32(1 + np.log(1 + len(values))))
    idf[_counts([""], every, device, ends).indices] = 0
    lexical = Lexical(tower.base, idf)
    return lexical, _blocks(values, tower, counts[:, lexical.buckets], lexical, device, share)


def read_blocks(
    values: Sequence[str],
    tower: Tower,
    lexical: Lexical,
    device: Any,
    *,
    share: float,
    ends: bool = False,
) -> Blocks:
    """Return the blocks of values; n-grams that have no weight are passed over."""
    counts = _counts(values, lexical, device, ends)
    return _blocks(values, tower, counts, lexical, device, share)


def singular_vectors(blocks: Blocks, n_components: int) -> np.ndarray:
    """Return the first right singular vectors of blocks, of which the largest value is positive.

    They are zeros where values have no more directions.
    """
    from scipy.linalg import eigh
    from scipy.sparse.linalg import eigsh  # both slow to import

    some = blocks.take(slice(None, None, -(-blocks.meaning.shape[0] // _SAMPLE)))
    products = some.similarity(some).astype(float)
    n = len(products)
    if n > 4 * n_components:
        squares, left = eigsh(products, n_components, v0=np.ones(n))
    else:
        squares, left = eigh(products)
    order = [i for i in np.argsort(-squares, kind="stable") if squares[i] > 1e-6 * n]
    left = left[:, order[:n_components]] / np.sqrt(squares[order[:n_components]])
    found = np.hstack([left.T @ some.meaning, (some.spelling.T @ left).T])
    largest = np.abs(found).argmax(axis=1)
    found *= np.sign(found[np.arange(len(found)), largest])[:, None]
    components = np.zeros((n_components, found.shape[1]), dtype=np.float32)
    components[: len(found)] = found
    return components


def _counts(values: Sequence[str], lexical: Lexical, device: Any, ends: bool) -> sparse.csr_matrix:
    """Return how often each value has each n-gram; the base's begin before a text as well."""
    after = _END * (max(lexical.base.config["ngram_orders"]) - 1) if ends else ""
    return _features([value + after for value in values], [], lexical, device)[1]


def _blocks(
    values: Sequence[str],
    tower: Tower,
    counts: sparse.csr_matrix,
    lexical: Lexical,
    device: Any,
    share: float,
) -> Blocks:
    members = [Member(tower, slice(0, tower.native_width), 1.0)] if share else []
    meaning, _ = _features(values, members, None, device)
    known = np.array([bool(value) for value in values])
    norms = np.linalg.norm(meaning, axis=1)
    scale = np.divide(share**0.5 * known, norms, out=np.zeros_like(norms), where=norms > 0)
    return Blocks(meaning * scale[:, None], lexical.weigh(counts, (1 - share) ** 0.5))


def _features(
    values: Sequence[str], members: Sequence[Member], lexical: Lexical | None, device: Any
) -> Any:
    return features(
        values,
        members,
        lexical,
        n_rows=len(values),
        pooling="native",
        windowed=True,
        batch_chars=_BATCH_CHARS,
        device=engine().resolve_device(device),
    )
