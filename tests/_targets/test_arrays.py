"""Labels and numbers of all containers become arrays; what is missing is told with its rows."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from datasets import Dataset
from scipy.sparse import csc_array, csr_matrix
from sklearn.preprocessing import MultiLabelBinarizer

from sklearn_cclm._targets.arrays import label_array, target_array

WORDS = ["b", "a", "b"]
HAS = [[0, 1], [1, 1], [0, 0]]


@pytest.mark.parametrize(
    "y",
    [
        tuple(WORDS),
        np.array(WORDS, dtype=object),
        np.array(WORDS, dtype=np.dtypes.StringDType()),
        pd.Series(WORDS),
        pd.Series(WORDS, dtype="string"),
        pd.Series(WORDS, dtype="category", index=[5, 5, 7]),
        pd.Categorical(WORDS),
        pd.Index(WORDS),
        pl.Series(WORDS),
        pl.Series(WORDS, dtype=pl.Categorical),
        pl.Series(WORDS, dtype=pl.Enum(["a", "b"])),
        pa.array(WORDS),
        pa.array(WORDS).dictionary_encode(),
        pa.chunked_array([WORDS[:1], WORDS[1:]]),
        Dataset.from_dict({"y": WORDS})["y"],
    ],
)
def test_strings(y):
    found = label_array(y)
    assert found.dtype.kind == "U"
    assert found.tolist() == WORDS


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (pd.Series([3, 1], dtype="Int64"), "i"),
        (pd.Series([True, False], dtype="boolean"), "b"),
        (pd.Series([1.0, 2.0], dtype="Float64"), "f"),
        (pl.Series([True, False]), "b"),
        (pa.array([3, 1]), "i"),
        (np.array([3, 1], dtype=object), "i"),
        (np.ma.masked_array([3, 1], [False, False]), "i"),
    ],
)
def test_numbers_and_truth_values(y, kind):
    assert label_array(y).dtype.kind == kind


@pytest.mark.parametrize(
    "y",
    [
        HAS,
        np.array(HAS, dtype=object),
        pd.DataFrame(HAS).astype("Int64"),
        pd.DataFrame(HAS).astype("boolean"),
        pl.DataFrame(np.array(HAS)),
        pa.table({"a": [0, 1, 0], "b": [1, 1, 0]}),
        csr_matrix(HAS),
        csc_array(HAS),
    ],
)
def test_columns_of_labels(y):
    assert label_array(y).astype(int).tolist() == HAS


@pytest.mark.parametrize(
    "y",
    [
        np.array(WORDS, dtype=object)[:, None],
        pd.DataFrame({"y": WORDS}),
        pl.DataFrame({"y": WORDS}),
    ],
)
def test_one_column_is_taken_with_a_warning(y):
    with pytest.warns(Warning, match="column-vector y was passed"):
        assert label_array(y).tolist() == WORDS
    assert target_array(y).shape == (3, 1)


@pytest.mark.parametrize(
    "y",
    [
        ["b", None, "b", np.nan],
        np.array(["b", None, "b", np.nan], dtype=object),
        np.array(["b", None, "b", None], dtype=np.dtypes.StringDType(na_object=None)),
        np.array([1, np.nan, 1, np.nan]),
        np.array(["2026-01-01", "NaT", "2026-01-02", "NaT"], dtype="M8[D]"),
        np.ma.masked_array([1, 2, 1, 2], [0, 1, 0, 1]),
        pd.Series(["b", pd.NA, "b", pd.NA], dtype="string"),
        pd.Series(["b", None, "b", None], dtype="category"),
        pd.Series([1, None, 1, None], dtype="Int64"),
        pd.Series([True, None, True, None], dtype="boolean"),
        pd.DataFrame({"a": [1, None, 1, None], "b": 1}).astype("Int64"),
        pl.Series(["b", None, "b", None]),
        pa.array([1, None, 1, None]),
        [[0, 1], [0, None], [1, 1], [np.nan, 0]],
    ],
)
def test_missing_ones_are_told_with_their_rows(y):
    with pytest.raises(ValueError, match=r"NaN.* 2 missing value\(s\), in the rows \[1, 3\]\."):
        label_array(y)


def test_no_more_than_five_rows_are_told():
    with pytest.raises(ValueError, match=r"9 missing.* in the rows \[0, 1, 2, 3, 4\] and"):
        label_array([None] * 9 + ["a"])


@pytest.mark.parametrize(
    "y",
    [
        [["a"], ["a", "b"]],
        [["a"], ["b"]],
        [{"a"}, {"b"}],
        [("a", "b"), ()],
        [[0], [0, 1]],
        pd.Series([["a"], ["a", "b"]]),
        pl.Series([["a"], ["a", "b"]]),
        pa.array([["a"], ["a", "b"]]),
        np.array([["a"], ["a", "b"]], dtype=object),
    ],
)
def test_lists_of_labels_point_to_what_is_read(y):
    with pytest.raises(ValueError, match=r"MultiLabelBinarizer\(\).fit_transform\(y\)"):
        label_array(y)
    lists = y.to_pylist() if isinstance(y, pa.Array) else y
    for sparse in (False, True):
        assert label_array(MultiLabelBinarizer(sparse_output=sparse).fit_transform(lists)).ndim == 2


@pytest.mark.parametrize("y", ["ab", b"ab", {"a", "b"}, {"a": 1}, 7, np.array(7), None])
def test_what_has_no_order_is_an_error(y):
    with pytest.raises(ValueError, match="must be a list, an array or a column, got a"):
        label_array(y)


def test_strings_beside_numbers_are_an_error():
    with pytest.raises(ValueError, match=r"of the types \['int', 'str'\]: convert them"):
        label_array(["a", 1])
