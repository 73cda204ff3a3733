"""Blocks of features that no tower makes: text transformers, read, balanced and put beside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from sklearn_cclm._targets.numbers import as_numbers

_SAMPLE = 2000


def lexical() -> TfidfVectorizer:
    """Return what ``lexical=True`` adds: TF-IDF of character n-grams."""
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
    """Put blocks side by side: an array, or a CSR matrix if one of them is sparse."""
    if any(map(sparse.issparse, blocks)):
        return sparse.hstack([sparse.csr_matrix(block) for block in blocks], format="csr")
    return np.hstack(blocks)


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
