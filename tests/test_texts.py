"""The input policy, row by row."""

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sklearn_cclm._texts import check_texts

TEXTS = ["one", "zwölf", "", "🙂 \ud83d"]  # the last ends in a lone surrogate
CLEAN = ["one", "zwölf", "", "🙂"]

ACCEPTED = {
    "list": list,
    "tuple": tuple,
    "object array": lambda t: np.array(t, dtype=object),
    "U array": np.array,
    "column array": lambda t: np.array(t, dtype=object)[:, None],
    "pandas str": pd.Series,
    "pandas object": lambda t: pd.Series(t, dtype=object),
    "pandas arrow": lambda t: pd.Series(t, dtype="string[pyarrow]"),
    "pandas category": lambda t: pd.Series(t, dtype="category"),
    "pandas index": pd.Index,
    "pandas frame": lambda t: pd.DataFrame({"text": t}),
    "shuffled index": lambda t: pd.Series(t, index=[3, 1, 2, 0]),
    "polars": pl.Series,
    "polars categorical": lambda t: pl.Series(t, dtype=pl.Categorical),
    "polars frame": lambda t: pl.DataFrame({"text": t}),
    "arrow array": pa.array,
    "arrow chunked array": lambda t: pa.chunked_array([t[:1], t[1:]]),
    "arrow table": lambda t: pa.table({"text": t}),
    "hf column": lambda t: datasets.Dataset.from_dict({"text": t})["text"],
    "generator": iter,
    "map": lambda t: map(str, t),
}


@pytest.mark.parametrize("make", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(make):
    texts = check_texts(make(CLEAN))
    assert texts == CLEAN
    assert set(map(type, texts)) == {str}


def test_lone_surrogates_and_nul_pass():
    assert check_texts([*TEXTS, "\0"]) == [*TEXTS, "\0"]


def test_numpy_str_becomes_str():
    assert type(check_texts([np.str_("a")])[0]) is str


TABLES = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "arrow": pa.table,
    "dataset": datasets.Dataset.from_dict,
    "iterable dataset": lambda d: datasets.Dataset.from_dict(d).to_iterable_dataset(),
    "unknown columns": lambda d: datasets.IterableDataset.from_generator(
        lambda: ({"text": t, "n": n} for t, n in zip(d["text"], d["n"], strict=True))
    ),
}


@pytest.fixture(params=TABLES.values(), ids=TABLES.keys())
def table(request):
    return request.param({"text": CLEAN, "n": [1, 2, 3, 4]})


def test_column_of_a_table(table):
    assert check_texts(table, column="text") == CLEAN


def test_several_columns_need_a_name(table):
    with pytest.raises(ValueError, match=r"\['text', 'n'\]: say with column="):
        check_texts(table)


def test_missing_column_lists_the_columns(table):
    with pytest.raises(ValueError, match=r"column='body' is not among the columns \['text', 'n'\]"):
        check_texts(table, column="body")


def test_dataset_of_one_column_still_needs_its_name():
    with pytest.raises(ValueError, match="column="):
        check_texts(datasets.Dataset.from_dict({"text": CLEAN}))


def test_repeated_column_name_is_refused():
    frame = pd.DataFrame([["a", "b"]], columns=["text", "text"])
    with pytest.raises(ValueError, match="several columns"):
        check_texts(frame, column="text")


@pytest.mark.parametrize("X", ["text", b"text", np.str_("text")])
def test_one_text_is_refused(X):
    with pytest.raises(ValueError, match="put it in a list"):
        check_texts(X)


@pytest.mark.parametrize("X", [{"a"}, {"a": 1}, frozenset("a"), {"a": 1}.keys()])
def test_unordered_is_refused(X):
    with pytest.raises(TypeError, match="need an order"):
        check_texts(X)


@pytest.mark.parametrize("X", [3, None, object(), np.array("text")])
def test_not_iterable_is_refused(X):
    with pytest.raises(TypeError, match="iterable of texts"):
        check_texts(X)


@pytest.mark.parametrize("shape", [(1, 2), (2, 1, 1)])
def test_array_of_several_columns_is_refused(shape):
    with pytest.raises(ValueError, match=r"got shape \("):
        check_texts(np.full(shape, "a"))


MISSING = {
    "None": None,
    "nan": float("nan"),
    "numpy nan": np.nan,
    "numpy float32 nan": np.float64("nan"),
    "NA": pd.NA,
    "NaT": pd.NaT,
}


@pytest.mark.parametrize("row", MISSING.values(), ids=MISSING.keys())
def test_missing_text(row):
    with pytest.raises(ValueError, match=r"Text 1 is missing .*missing='empty'"):
        check_texts(["a", row])
    assert check_texts(["a", row], missing="empty") == ["a", ""]


@pytest.mark.parametrize(
    "make", [pd.Series, pl.Series, pa.array, lambda t: pd.Series(t, dtype="string[pyarrow]")]
)
def test_missing_text_in_a_column(make):
    with pytest.raises(ValueError, match="Text 1 is missing"):
        check_texts(make(["a", None]))
    assert check_texts(make(["a", None]), missing="empty") == ["a", ""]


@pytest.mark.parametrize(
    ("row", "message"),
    [(b"b", "Text 1 .* bytes .*decode it first"), (3, "Text 1 .* int"), (2.5, "Text 1 .* float"),
     (["b"], "Text 1 .* list"), (True, "Text 1 .* bool")],
)  # fmt: skip
def test_other_types_are_refused_by_row_and_type(row, message):
    for missing in ("error", "empty"):
        with pytest.raises(TypeError, match=message):
            check_texts(["a", row], missing=missing)


def test_numbers_are_refused():
    with pytest.raises(TypeError, match="Text 0 is not a str but"):
        check_texts(np.arange(3))


def test_too_few_texts():
    assert check_texts([]) == []
    with pytest.raises(ValueError, match=r"0 sample\(s\) while a minimum of 1 is required"):
        check_texts([], min_texts=1)


def test_unknown_policy():
    with pytest.raises(ValueError, match="missing='drop'"):
        check_texts(["a"], missing="drop")


def test_input_is_not_changed():
    texts = np.array(["a", None], dtype=object)
    check_texts(texts, missing="empty")
    assert texts.tolist() == ["a", None]
