"""Containers whose texts are elsewhere, or still to be made: refused with the line to write."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

_IN_PARTS = "pass X.compute(), or read it in parts: X.{}(estimator.transform, {})"
_FRAME = "pass X.to_pandas()"

# By package and class, and "" for any class of the package. Known by name: nothing is imported.
_LINES = {
    ("dask", "Array"): _IN_PARTS.format("map_blocks", "dtype='float32', chunks=..., new_axis=1"),
    ("dask", "Bag"): "pass X.compute(), or read it in parts: X.map_partitions(estimator.transform)",
    ("dask", "Delayed"): "pass X.compute()",
    ("dask", ""): _IN_PARTS.format("map_partitions", "meta=..."),
    ("ray", "Dataset"): "pass X.to_pandas(), or read it in parts: X.map_batches(...)",
    ("pyspark", "Column"): "pass frame.select(X).toPandas()",
    ("pyspark", "RDD"): "pass X.collect()",
    ("pyspark", "Frame"): _FRAME,  # of pyspark.pandas, with its Series
    ("pyspark", ""): "pass X.toPandas()",
    ("polars", "Expr"): "pass frame.select(X)",
    ("polars", "LazyFrame"): "collect() it first",
    ("duckdb", ""): "pass X.df()",
    ("ibis", ""): _FRAME,
    ("cudf", ""): _FRAME,
    ("pyarrow", "Dataset"): "pass X.to_table()",
    ("pyarrow", "Scanner"): "pass X.to_table()",
    ("pandas", "MultiIndex"): "pass X.get_level_values(...)",
    ("pandas", "StringMethods"): "pass the Series without .str",
    ("tensorflow", "Tensor"): "pass [text.decode() for text in X.numpy()]",
    ("tensorflow", ""): "pass [text.decode() for text in X.as_numpy_iterator()]",
    ("torch", "DataLoader"): "pass [text for batch in X for text in batch]",
    ("tempfile", ""): "pass X.read().splitlines()",
    ("io", "_IOBase"): "pass X.read().splitlines()",
    ("codecs", ""): "pass X.read().splitlines()",
}


def refuse_elsewhere(X: Any) -> None:
    """Raise TypeError, with what to write instead, for what does not hold texts itself."""
    if isinstance(X, PathLike):
        raise TypeError(
            f"Texts are expected, got the path {str(X)!r}, which `fit` alone reads: pass "
            "list(sklearn_cclm.datasets.TextFiles(path))."
        )
    if isinstance(X, Mapping):
        first = next(iter(X), "text")
        raise TypeError(
            f"Texts need an order, which a {type(X).__name__} lacks: pass what it holds, such as "
            f"X[{first!r}], or name it with column=."
        )
    kinds = [
        (parent.__module__.partition(".")[0].lstrip("_"), parent.__name__)
        for parent in type(X).__mro__
    ]
    lines = [
        _LINES[key] for key in (*kinds, *((package, "") for package, _ in kinds)) if key in _LINES
    ]
    if lines:
        raise TypeError(
            f"Texts are expected, got {kinds[0][0]}'s {type(X).__name__}, which does not hold them "
            f"itself: {lines[0]}."
        )
