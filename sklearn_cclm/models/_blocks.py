"""Blocks of features that no tower makes: text transformers, read, balanced and put beside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn import get_config

from sklearn_cclm._targets.numbers import as_numbers

_SAMPLE = 2000


def lexical() -> Any:
    """Return what ``lexical="tfidf"`` adds: TF-IDF of character n-grams."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # slow to import

    return TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, dtype=np.float32
    )


def is_transformer(entry: Any) -> bool:
    """Whether an entry is an estimator that transforms, frozen or not, and no pretrainer."""
    methods = hasattr(entry, "fit") and hasattr(entry, "transform")
    return methods and not (isinstance(entry, type) or hasattr(entry, "base"))


def read(name: str, transformer: Any, texts: Sequence[str], weight: float = 1.0) -> Any:
    """Return a transformer's features times a weight: float32 array, or CSR matrix if sparse."""
    found = transformer.transform(list(texts) or [""])  # few transformers take no texts at all
    found = as_numbers(found, f"What tower {name!r} makes")
    found = found.tocsr() if sparse.issparse(found) else np.asarray(found)
    if found.ndim != 2 or found.shape[0] != max(len(texts), 1) or found.dtype.kind not in "biuf":
        raise ValueError(
            f"Tower {name!r}, a {type(transformer).__name__}, must make a row of numbers of each "
            f"text; of {max(len(texts), 1)} it makes {found.dtype} of shape {found.shape}."
        )
    return (found if len(texts) else found[:0]).astype(np.float32, copy=False) * np.float32(weight)


def feature_names(name: str, transformer: Any) -> list[str]:
    """Return the transformer's own names of its features, or numbers, after its name."""
    try:
        features = list(transformer.get_feature_names_out())
    except (AttributeError, TypeError):  # it, or a step of it, has none, or needs the input's
        features = list(range(read(name, transformer, []).shape[1]))
    return [f"{name}__{feature}" for feature in features]


def beside(blocks: Sequence[Any]) -> Any:
    """Put blocks side by side: an array, or a CSR matrix if one of them is sparse.

    scipy's hstack would copy all of them once more.
    """
    if not any(map(sparse.issparse, blocks)):
        return np.hstack(blocks)
    n = blocks[0].shape[0]
    parts = [block if sparse.issparse(block) else _Rows(block) for block in blocks]
    lengths = np.stack([np.diff(part.indptr) for part in parts], axis=1)
    starts = np.concatenate([[0], lengths.sum(axis=1).cumsum()])
    data = np.empty(starts[-1], dtype=np.float32)
    columns = np.empty(starts[-1], dtype=np.int32)
    owner = np.repeat(np.tile(np.arange(len(parts), dtype=np.int8), n), lengths.ravel())
    first = 0
    for number, part in enumerate(parts):
        own = owner == number
        data[own] = part.data
        columns[own] = part.indices + np.int32(first)
        first += part.shape[1]
    return sparse.csr_matrix((data, columns, starts), shape=(n, first))


def below(parts: Sequence[Any]) -> Any:
    """Put the features of some texts below those of others: arrays, or CSR matrices."""
    if len(parts) == 1:
        return parts[0]
    return sparse.vstack(parts, format="csr") if sparse.issparse(parts[0]) else np.vstack(parts)


def by_interface(matrix: sparse.csr_matrix) -> Any:
    """Return a CSR matrix, or an array where scikit-learn is told so (from 1.9 on)."""
    wanted = get_config().get("sparse_interface", "spmatrix")
    return sparse.csr_array(matrix) if wanted == "sparray" else matrix


class _Rows:
    """An array as CSR matrices are: all values of a row, in a row."""

    def __init__(self, block: np.ndarray) -> None:
        n, width = self.shape = block.shape
        self.data = block.ravel()
        self.indices = np.tile(np.arange(width, dtype=np.int32), n)
        self.indptr = np.arange(0, n * width + 1, max(1, width))


def sample(texts: Sequence[str]) -> Sequence[str]:
    """Return texts at even distances, few enough to measure features on."""
    return texts[:: -(-len(texts) // _SAMPLE)]


def scale(name: str, features: Any) -> float:
    """Return the root of the mean squared norm of the rows, or 1 where all are zero."""
    values = features.data if sparse.issparse(features) else features
    mean = float(np.square(values, dtype=float).sum()) / max(features.shape[0], 1)
    if not np.isfinite(mean):
        raise ValueError(f"The features of tower {name!r} are not all finite.")
    return mean**0.5 or 1.0
