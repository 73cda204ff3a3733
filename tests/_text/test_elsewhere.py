"""What does not hold its texts itself is refused by name, with the line that does."""

import gzip
import io
import tempfile
from collections import UserDict

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest
import torch.utils.data

from sklearn_cclm._text.read import check_texts
from sklearn_cclm._text.streams import read_texts

TEXTS = ["one", "two"]


def stand_in(module, name, *parents):
    """An object of a class that is called as one of a package that is not installed."""
    members = {"__module__": module, "columns": ["text"], "__iter__": lambda self: iter([self])}
    return type(name, parents, members)()


def child(module, name):
    """An object of another class of the package that inherits from that one."""
    return stand_in(module, f"Own{name}", type(stand_in(module, name)))


FOREIGN = {
    "dask series": (stand_in("dask.dataframe.dask_expr._collection", "Series"), r"map_partitions"),
    "dask frame": (stand_in("dask.dataframe.dask_expr._collection", "DataFrame"), r"meta="),
    "dask array": (stand_in("dask.array.core", "Array"), r"map_blocks"),
    "dask bag": (stand_in("dask.bag.core", "Bag"), r"map_partitions\(estimator.transform\)"),
    "dask delayed": (child("dask.delayed", "Delayed"), r"X\.compute\(\)"),
    "ray": (child("ray.data.dataset", "Dataset"), r"X\.to_pandas\(\)"),
    "spark frame": (child("pyspark.sql.dataframe", "DataFrame"), r"X\.toPandas\(\)"),
    "spark column": (child("pyspark.sql.column", "Column"), r"select\(X\)"),
    "spark rdd": (stand_in("pyspark.core.rdd", "RDD"), r"X\.collect\(\)"),
    "pandas on spark": (child("pyspark.pandas.generic", "Frame"), r"X\.to_pandas\(\)"),
    "duckdb": (stand_in("duckdb._relation", "DuckDBPyRelation"), r"X\.df\(\)"),
    "old duckdb": (stand_in("_duckdb", "DuckDBPyRelation"), r"X\.df\(\)"),
    "ibis": (stand_in("ibis.expr.types", "Table"), r"X\.to_pandas\(\)"),
    "cudf": (stand_in("cudf.core.series", "Series"), r"X\.to_pandas\(\)"),
    "tf dataset": (stand_in("tensorflow.python.data.ops", "MapDataset"), r"as_numpy_iterator"),
    "tf tensor": (child("tensorflow.python.framework", "Tensor"), r"X\.numpy\(\)"),
    "lazy frame": (pl.LazyFrame({"text": TEXTS}), r"collect\(\) it first"),
    "polars expression": (pl.col("text"), r"frame\.select\(X\)"),
    "arrow dataset": (pyarrow.dataset.dataset(pa.table({"text": TEXTS})), r"X\.to_table\(\)"),
    "arrow scanner": (
        pyarrow.dataset.dataset(pa.table({"text": TEXTS})).scanner(),
        r"X\.to_table\(\)",
    ),
    "multiindex": (pd.MultiIndex.from_tuples([("one", 1), ("two", 2)]), r"get_level_values"),
    "string methods": (pd.Series(TEXTS).str, r"without \.str"),
    "data loader": (torch.utils.data.DataLoader(TEXTS), r"for batch in X"),
    "open file": (io.StringIO("one\ntwo\n"), r"X\.read\(\)\.splitlines\(\)"),
    "open gzip": (gzip.GzipFile(fileobj=io.BytesIO(), mode="wb"), r"splitlines"),
    "temporary file": (tempfile.NamedTemporaryFile("w+"), r"splitlines"),  # noqa: SIM115
}


@pytest.mark.parametrize(("X", "line"), FOREIGN.values(), ids=FOREIGN.keys())
@pytest.mark.parametrize("column", [None, "text"])
@pytest.mark.parametrize("read", [check_texts, read_texts])
def test_refused_with_the_line_to_write(read, X, line, column):
    with pytest.raises(TypeError, match=line) as error:
        read(X, column=column)
    assert type(X).__name__ in str(error.value)


def test_classes_of_users_are_known_by_their_parents():
    class Mine(torch.utils.data.DataLoader):
        pass

    with pytest.raises(TypeError, match="for batch in X"):
        check_texts(Mine(TEXTS))


def test_what_only_looks_alike_is_read():
    """A class of one's own, or of a package with a like name, is known by what it does."""

    class Series(list):
        pass

    Series.__module__ = "dasky.dataframe"
    assert check_texts(Series(TEXTS)) == TEXTS


@pytest.mark.parametrize("X", [{"a": TEXTS, "n": [1, 2]}, datasets.DatasetDict({"a": []})])
def test_mapping_is_refused_with_its_first_key(X):
    with pytest.raises(TypeError, match=rf"a {type(X).__name__} lacks: .*X\['a'\], or .*column="):
        check_texts(X)


@pytest.mark.parametrize("kind", [dict, UserDict])
def test_column_of_a_mapping(kind):
    batch = kind(text=TEXTS, n=[1, 2])
    assert check_texts(batch, column="text") == TEXTS
    assert check_texts(kind(text=np.array(TEXTS)), column="text") == TEXTS
    with pytest.raises(ValueError, match=r"column='body' is not among the columns"):
        check_texts(batch, column="body")
    with pytest.raises(ValueError, match="put it in a list"):
        check_texts(kind(text="one"), column="text")


def test_batch_of_a_dataset():
    assert check_texts(datasets.Dataset.from_dict({"text": TEXTS})[:1], column="text") == ["one"]


@pytest.mark.parametrize(("row", "line"), [
    ({"body": "one"}, r"pass \[row\['body'\] for row in X\]"),
    (("one", 1), r"pass \[row\[0\] for row in X\]"),
    (["one"], r"pass \[row\[0\] for row in X\]"),
])  # fmt: skip
def test_records_are_refused_with_the_line_to_write(row, line):
    with pytest.raises(TypeError, match=line):
        check_texts([row])
    with pytest.raises(TypeError, match="convert it to str first"):
        check_texts([type(row)()])


class Items:
    """What torch calls a map-style dataset: places, a length, and no iterator."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, place):
        return self.items[place]


class ArrayLike:
    """What is an array to numpy alone, as of xarray; its items are arrays as well."""

    shape = (2,)

    def __array__(self, dtype=None, copy=None):
        return np.array(TEXTS, dtype=object)

    def __iter__(self):
        return map(np.array, TEXTS)


@pytest.mark.parametrize("X", [Items(TEXTS), torch.utils.data.Subset(TEXTS, [0, 1]), ArrayLike()])
def test_natural_ones_are_read(X):
    assert check_texts(X) == TEXTS


def test_items_of_several_parts_are_refused():
    with pytest.raises(TypeError, match="Text 0 is not a str but tuple"):
        check_texts(Items([("one", 1)]))


def test_reader_of_record_batches_is_read_through_once():
    reader = pa.table({"text": TEXTS, "n": [1, 2]}).to_reader(max_chunksize=1)
    assert check_texts(reader, column="text") == TEXTS
    assert check_texts(reader, column="text") == []


@pytest.mark.parametrize("form", [None, "numpy", "torch", "pandas", "polars", "arrow"])
def test_formatted_streamed_column(form):
    rows = {"text": TEXTS, "meta": [{"source": text} for text in TEXTS]}
    stream = datasets.Dataset.from_dict(rows).to_iterable_dataset().with_format(form)
    assert check_texts(stream, column="text") == TEXTS
    assert list(read_texts(stream["text"])) == TEXTS
    if form in (None, "numpy", "torch"):
        assert check_texts(stream["meta"]["source"]) == TEXTS
