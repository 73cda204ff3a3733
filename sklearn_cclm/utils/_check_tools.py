"""What the checks of text estimators share: texts, results, and how results are compared."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

import joblib
import numpy as np
import torch
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import get_tags

TEXTS = (
    "a red fox", "two dogs bark", "the old cat sleeps", "birds", "Rain falls on the hills",
    "a red fox", "we read books", "snow and ice", "he sings", "the sun is out", "go",
    "trains run late", "she bakes bread", "wind", "a long walk by the river", "two cats",
)  # fmt: skip
UNUSUAL = (
    "", " ", "\0", "Stra\u00dfe", "\u65e5\u672c", "e\u0301", "\U0001f600", "a\ud800b", "Z" * 99,
)  # fmt: skip
LABELS = [0, 1] * (len(TEXTS) // 2)
REFUSED = {
    "a bare string": "a red fox",
    "bytes": b"a red fox",
    "None": None,
    "a number": 7,
    "numbers": [1, 2.5],
    "a list with None": ["a red fox", None],
    "a list with NaN": ["a red fox", float("nan")],
    "a list with bytes": ["a red fox", b"birds"],
    "lists of strings": [["a red fox", "x"], ["birds", "go"]],
    "two columns": np.array([["a", "b"], ["c", "d"]], dtype=object),
    "a dict": {"text": "a red fox"},
    "a set": {"a red fox", "birds"},
    "a Series of dask": type("Series", (), {"__module__": "dask.dataframe", "columns": ["t"]})(),
}
READERS = ("transform", "predict", "score")
ATOL = 1e-5  # of float32 sums whose order depends on the batch


class Invalid:
    """A value that no parameter can mean."""

    __hash__ = None  # type: ignore[assignment]


def seeded(estimator: Any) -> Any:
    """Return a clone whose every random_state is 0."""
    names = estimator.get_params(deep=True)
    seeds = [n for n in names if n == "random_state" or n.endswith("__random_state")]
    return clone(estimator).set_params(**dict.fromkeys(seeds, 0))


def fitted(estimator: Any, texts: Sequence[str] = TEXTS) -> Any:
    """Return a seeded clone, fitted."""
    estimator = seeded(estimator)
    call(estimator.fit, list(texts))
    return estimator


def call(method: Any, X: Any) -> Any:
    """Call a method with texts, and with labels if it learns from them or measures by them."""
    labelled = method.__name__ in ("fit", "score")
    if not (labelled and get_tags(method.__self__).target_tags.required):
        return method(X)
    n = len(X) if hasattr(X, "__len__") else 2
    return method(X, [row % 2 for row in range(n)])


def outcome(estimator: Any, texts: Any = TEXTS) -> dict[str, Any]:
    """Return what a fitted estimator makes of texts, and the digests of what it learned."""
    texts = list(texts) if isinstance(texts, tuple) else texts
    readers = {name: getattr(estimator, name) for name in READERS if hasattr(estimator, name)}
    found = {name: call(reader, texts) for name, reader in readers.items()}
    digests = {n: v.digest for n, v in vars(estimator).items() if hasattr(v, "digest")}
    assert found or digests, f"{type(estimator).__name__} has nothing to compare"
    return {**{name: dense(value) for name, value in found.items()}, **digests}


def dense(value: Any) -> np.ndarray:
    """Return a result as an array, be it sparse or not."""
    return value.toarray() if sparse.issparse(value) else np.asarray(value)


def assert_same(expected: dict[str, Any], found: dict[str, Any], of: str) -> None:
    """Raise unless two outcomes are equal."""
    assert expected.keys() == found.keys(), f"{of}: {sorted(found)} instead of {sorted(expected)}"
    for name, value in expected.items():
        assert np.array_equal(value, found[name]), f"{of}: another {name}"


def assert_close_padded(first: np.ndarray, second: np.ndarray) -> None:
    """Raise unless the rows are close; per-character blocks may differ in zeros at their end."""
    if first.ndim == 3:
        length = max(first.shape[1], second.shape[1])
        first, second = (
            np.pad(x, [(0, 0), (0, length - x.shape[1]), (0, 0)]) for x in (first, second)
        )
    assert_allclose(first, second, atol=ATOL, rtol=0)


def state(estimator: Any) -> str:
    """Return a hash of all attributes."""
    return joblib.hash(vars(estimator))


def refusal(method: Callable, X: Any) -> str | None:
    """Return the message with which a method refuses X, or None if it does not."""
    try:
        call(method, X)
    except (TypeError, ValueError) as error:
        return str(error)
    return None


def containers(texts: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield the kinds of sequence that hold texts, with the name of each."""
    yield "list", list(texts)
    yield "tuple", tuple(texts)
    yield "object array", np.array(texts, dtype=object)
    yield "str array", np.array(texts)
    if find_spec("pandas"):
        import pandas as pd

        yield "pandas", pd.Series(texts, index=range(7, 7 + len(texts)))
    if find_spec("polars"):
        import polars as pl

        yield "polars", pl.Series(texts)


def rng_states() -> dict[str, Any]:
    """Return the state of each global random generator."""
    return {
        "Python": random.getstate(),
        "numpy": repr(np.random.get_state(legacy=False)["state"]),  # noqa: NPY002
        "torch": torch.get_rng_state().tolist(),
    }


def pipeline(estimator: Any) -> Pipeline:
    """Return the estimator in front of a classifier, which sees one vector per text."""
    return make_pipeline(
        seeded(estimator), FunctionTransformer(_per_text), StandardScaler(), LogisticRegression()
    )


def _per_text(features: Any) -> np.ndarray:
    """Sum the vectors of each text's characters, where there are such."""
    features = dense(features)
    return features.sum(axis=1) if features.ndim == 3 else features
