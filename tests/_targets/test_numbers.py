"""Numbers and vectors beside texts are read from whatever holds them, to the same values."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from datasets import Dataset
from scipy import sparse
from sklearn.utils import check_array

from sklearn_cclm._targets.numbers import as_numbers

VECTORS = np.array([[1.5, -2, 0], [0.25, 3, 4], [0, 0, 1], [8, 1, 1]], dtype=np.float32)
LISTS = VECTORS.tolist()
FLAT = pa.array(VECTORS.ravel())
FIXED = pa.FixedSizeListArray.from_arrays(FLAT, 3)
FRAME = pd.DataFrame(VECTORS, index=[7, 5, 3, 1], columns=list("abc"))
HELD = Dataset.from_dict({"v": LISTS})
TENSOR = torch.tensor(VECTORS)

HOLDERS = {
    "list": LISTS,
    "tuple of arrays": tuple(VECTORS),
    "object array of arrays": np.fromiter(VECTORS, dtype=object, count=4),
    "fortran": np.asfortranarray(VECTORS),
    "strided": np.repeat(VECTORS, 2, axis=1)[::-1, ::2][::-1],
    "float16": VECTORS.astype(np.float16),
    "float64": VECTORS.astype(float),
    "big-endian": VECTORS.astype(">f4"),
    "frame": FRAME,
    "frame with a column of lists": pd.DataFrame({"v": LISTS}),
    "pandas column of lists": pd.Series(LISTS, index=[3, 2, 1, 0]),
    "pandas column of arrays": pd.Series(list(VECTORS)),
    "pandas column of Arrow": pd.Series(LISTS, dtype=pd.ArrowDtype(pa.list_(pa.float32()))),
    "polars frame": pl.DataFrame(VECTORS),
    "polars frame with a column of lists": pl.DataFrame({"v": LISTS}),
    "polars column of lists": pl.Series(LISTS),
    "polars column of arrays": pl.Series(VECTORS, dtype=pl.Array(pl.Float32, 3)),
    "Arrow list": pa.array(LISTS),
    "Arrow fixed list": FIXED,
    "Arrow chunks": pa.chunked_array([pa.array(LISTS[:1]), pa.array(LISTS[1:])]),
    "Arrow chunks of fixed lists": pa.chunked_array([FIXED[:1], FIXED[1:]]),
    "Arrow table": pa.table(dict(zip("abc", VECTORS.T, strict=True))),
    "Arrow table with a column of lists": pa.table({"v": LISTS}),
    "HF column": HELD["v"],
    "HF column, numpy": HELD.with_format("numpy")["v"],
    "HF column, torch": HELD.with_format("torch")["v"],
    "HF column, arrow": HELD.with_format("arrow")["v"],
    "tensor": TENSOR,
    "bfloat16": TENSOR.bfloat16(),
    "float8": TENSOR.to(torch.float8_e5m2),
    "needs gradients": TENSOR.clone().requires_grad_(),
    "transposed tensor": TENSOR.T.contiguous().T,
    "sparse tensor": TENSOR.to_sparse(),
    "list of tensors": list(TENSOR.clone().requires_grad_().bfloat16()),
    "csr": sparse.csr_matrix(VECTORS),
    "csc": sparse.csc_array(VECTORS),
    "coo": sparse.coo_array(VECTORS),
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_vectors_are_read_from(holder):
    read = as_numbers(HOLDERS[holder], "y")
    found = check_array(read, accept_sparse="csr", dtype=np.float32)
    dense = found.toarray() if sparse.issparse(found) else found
    assert np.array_equal(dense, VECTORS)


NUMBERS = [1.5, 0.0, 2.0]


@pytest.mark.parametrize(
    "holder",
    [
        NUMBERS,
        np.array(NUMBERS, dtype=object),
        pd.Series(NUMBERS),
        pl.Series(NUMBERS),
        pa.array(NUMBERS),
        Dataset.from_dict({"v": NUMBERS})["v"],
        torch.tensor(NUMBERS, requires_grad=True).bfloat16(),
        list(torch.tensor(NUMBERS, requires_grad=True)),
        [np.float32(v) for v in NUMBERS],
    ],
)
def test_numbers_are_read(holder):
    assert check_array(as_numbers(holder, "y"), ensure_2d=False, dtype=float).tolist() == NUMBERS


@pytest.mark.parametrize(
    "rows", [[*LISTS, [1.0]], pd.Series([*LISTS, [1.0]]), [*VECTORS, VECTORS[0, :1]]]
)
def test_vectors_of_several_lengths_are_an_error(rows):
    with pytest.raises(ValueError, match=r"y has vectors of lengths \[1, 3\]"):
        as_numbers(rows, "y")


@pytest.mark.parametrize(
    "rows",
    [
        [*LISTS, None],
        pd.Series([*LISTS, None]),
        pytest.param(
            pl.Series([*LISTS, None]),
            marks=pytest.mark.skipif(
                pl.__version__.startswith("1.0."), reason="polars 1.0 hands out an empty vector"
            ),
        ),
    ],
)
def test_a_missing_vector_is_an_error(rows):
    with pytest.raises(ValueError, match="Row 4 of y is None"):
        as_numbers(rows, "y")


@pytest.mark.parametrize("given", [None, {"v": LISTS}, {1.0}, iter(LISTS)])
def test_what_has_no_rows_is_refused_by_its_type(given):
    with pytest.raises(TypeError, match=f"y is of type {type(given).__name__}"):
        as_numbers(given, "y")
