"""The input policy, row by row."""

import datetime

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sklearn_cclm._text.read import check_texts

CLEAN = ["one", "zwölf", "", "🙂"]

ACCEPTED = {
    "list": list,
    "tuple": tuple,
    "object array": lambda t: np.array(t, dtype=object),
    "U array": np.array,
    "StringDType array": lambda t: np.array(t, dtype=np.dtypes.StringDType()),
    "column array": lambda t: np.array(t, dtype=object)[:, None],
    "U column array": lambda t: np.array(t)[:, None],
    "pandas str": pd.Series,
    "pandas object": lambda t: pd.Series(t, dtype=object),
    "pandas arrow": lambda t: pd.Series(t, dtype="string[pyarrow]"),
    "pandas array": lambda t: pd.array(t, dtype="string"),
    "pandas category": lambda t: pd.Series(t, dtype="category"),
    "pandas index": pd.Index,
    "pandas frame": lambda t: pd.DataFrame({"text": t}),
    "pandas frame of object": lambda t: pd.DataFrame({"text": t}, dtype=object),
    "shuffled index": lambda t: pd.Series(t, index=[3, 1, 2, 0]),
    "column of our words": lambda t: pd.DataFrame({"column_names": t}),
    "polars": pl.Series,
    "polars categorical": lambda t: pl.Series(t, dtype=pl.Categorical),
    "polars frame": lambda t: pl.DataFrame({"text": t}),
    "arrow array": pa.array,
    "arrow chunked array": lambda t: pa.chunked_array([t[:1], t[1:]]),
    "arrow dictionary": lambda t: pa.array(t).dictionary_encode(),
    "arrow table": lambda t: pa.table({"text": t}),
    "arrow batch": lambda t: pa.record_batch({"text": t}),
    "hf column": lambda t: datasets.Dataset.from_dict({"text": t})["text"],
    "hf iterable column": lambda t: datasets.Dataset.from_dict({"t": t}).to_iterable_dataset()["t"],
    "generator": iter,
    "map": lambda t: map(str, t),
}


@pytest.mark.parametrize("make", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(make):
    texts = check_texts(make(CLEAN))
    assert texts == CLEAN
    assert type(texts) is list
    assert set(map(type, texts)) == {str}


def test_lone_surrogates_and_nul_pass():
    texts = ["\ud83d", "a\0", "\0"]
    assert check_texts(texts) == texts


def test_numpy_str_becomes_str_and_keeps_its_nul():
    texts = check_texts([np.str_("a\0")])
    assert texts == ["a\0"]
    assert type(texts[0]) is str


TABLES = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "arrow": pa.table,
    "arrow batch": pa.record_batch,
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


def test_column_can_be_named_by_a_number():
    assert check_texts(pd.DataFrame([["a", "b"]]), column=1) == ["b"]


@pytest.mark.parametrize("column", [True, ["text"], 1.0])
def test_column_of_another_type_is_refused(column):
    with pytest.raises(TypeError, match="name of a column or None"):
        check_texts(pd.DataFrame([["a", "b"]]), column=column)


@pytest.mark.parametrize("name", ["dataset", "iterable dataset", "unknown columns"])
def test_dataset_of_one_column_still_needs_its_name(name):
    dataset = TABLES[name]({"text": CLEAN, "n": [1, 2, 3, 4]}).select_columns(["text"])
    with pytest.raises(ValueError, match=r"\['text'\]: say with column="):
        check_texts(dataset)
    assert check_texts(dataset, column="text") == CLEAN


@pytest.mark.parametrize("form", ["numpy", "pandas", "polars", "arrow"])
def test_formatted_stream(form):
    stream = datasets.Dataset.from_dict({"text": CLEAN}).to_iterable_dataset()
    assert check_texts(stream.with_format(form), column="text") == CLEAN


@pytest.mark.parametrize("missing", ["error", "empty"])
def test_dataset_with_missing_texts(missing):
    dataset = datasets.Dataset.from_dict({"text": ["a", None]})
    stream = dataset.to_iterable_dataset()
    for X in (dataset, dataset["text"], stream, stream["text"]):
        if missing == "empty":
            assert check_texts(X, missing=missing, column="text") == ["a", ""]
        else:
            with pytest.raises(ValueError, match="Text 1 is missing"):
                check_texts(X, missing=missing, column="text")


def test_row_of_a_stream_without_the_column_is_missing():
    rows = [{"text": "a"}, {"body": "b"}]
    stream = datasets.IterableDataset.from_generator(lambda: iter(rows))
    with pytest.raises(ValueError, match="Text 1 is missing"):
        check_texts(stream, column="text")


def test_stream_is_read_through_once():
    started = []

    def rows():
        started.append(1)
        yield {"text": "a"}
        yield {"text": "b"}

    stream = datasets.IterableDataset.from_generator(rows)
    assert check_texts(stream, column="text") == ["a", "b"]
    assert started == [1]


def test_stream_without_rows_has_no_texts():
    stream = datasets.IterableDataset.from_generator(lambda: iter(()))
    assert check_texts(stream, column="text") == []


def test_iterator_is_read_through_once():
    texts = iter(CLEAN)
    assert check_texts(texts) == CLEAN
    assert check_texts(texts) == []


def test_frame_without_rows_has_no_texts():
    assert check_texts(pd.DataFrame({"text": []})) == []
    assert check_texts(np.empty((0, 1), dtype=object)) == []


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame([["a", "b"]], columns=["text", "text"]),
        pa.table([["a"], ["b"]], names=["text", "text"]),
    ],
    ids=["pandas", "arrow"],
)
def test_repeated_column_name_is_refused(table):
    with pytest.raises(ValueError, match="names several columns"):
        check_texts(table, column="text")


@pytest.mark.parametrize("X", ["text", b"text", bytearray(b"text"), np.str_("text")])
def test_one_text_is_refused(X):
    with pytest.raises(ValueError, match="put it in a list"):
        check_texts(X)


@pytest.mark.parametrize(
    "X", [{"a"}, {"a": 1}, frozenset("a"), {"a": 1}.keys(), datasets.DatasetDict()]
)
def test_unordered_is_refused(X):
    with pytest.raises(TypeError, match="need an order"):
        check_texts(X)


@pytest.mark.parametrize(
    "X", [3, None, pd.NA, object(), np.array("text"), pa.scalar("text"), list, iter]
)
def test_not_iterable_is_refused(X):
    with pytest.raises(TypeError, match="iterable of texts"):
        check_texts(X)


@pytest.mark.parametrize("shape", [(1, 2), (2, 1, 1), (0, 0)])
def test_array_of_several_columns_is_refused(shape):
    with pytest.raises(ValueError, match=r"got shape \("):
        check_texts(np.full(shape, "a"))


MISSING = {
    "None": None,
    "nan": float("nan"),
    "numpy nan": np.nan,
    "float32 nan": np.float32("nan"),
    "NA": pd.NA,
    "NaT": pd.NaT,
}


@pytest.mark.parametrize("row", MISSING.values(), ids=MISSING.keys())
def test_missing_text(row):
    name = type(row).__name__
    with pytest.raises(ValueError, match=rf"Text 1 is missing .*{name}\).*missing='empty'"):
        check_texts(["a", row])
    assert check_texts(["a", row], missing="empty") == ["a", ""]


@pytest.mark.parametrize(
    "make",
    [
        pd.Series,
        lambda t: pd.Series(t, dtype="string[pyarrow]"),
        lambda t: pd.Series(t, dtype="category"),
        pl.Series,
        lambda t: pl.Series(t, dtype=pl.Categorical),
        pa.array,
        lambda t: np.ma.masked_array(["a", "b"], mask=[False, True]),
    ],
)
def test_missing_text_in_a_column(make):
    with pytest.raises(ValueError, match="Text 1 is missing"):
        check_texts(make(["a", None]))
    assert check_texts(make(["a", None]), missing="empty") == ["a", ""]


@pytest.mark.parametrize(
    ("row", "message"),
    [(b"b", "Text 1 .* bytes .*decode it first"), (3, "Text 1 .* int"), (2.5, "Text 1 .* float"),
     (["b"], "Text 1 .* list"), (True, "Text 1 .* bool"), (np.bytes_(b"b"), "decode it first"),
     (datetime.date(2026, 1, 1), "Text 1 .* date"), (np.int64(3), "Text 1 .* int64")],
)  # fmt: skip
def test_other_types_are_refused_by_row_and_type(row, message):
    for missing in ("error", "empty"):
        with pytest.raises(TypeError, match=message):
            check_texts(["a", row], missing=missing)


@pytest.mark.parametrize(
    "make", [np.array, lambda x: np.array(x)[:, None], pd.Series, pl.Series, pa.array]
)
def test_numbers_are_refused(make):
    with pytest.raises(TypeError, match=r"Text 0 is not a str but int \(1\)"):
        check_texts(make([1, 2, 3]))


def test_message_about_a_huge_row_is_short():
    with pytest.raises(TypeError) as caught:
        check_texts([["text"] * 100_000])
    assert len(str(caught.value)) < 200


def test_too_few_texts():
    assert check_texts([]) == []
    assert check_texts(["a"], min_texts=1) == ["a"]
    with pytest.raises(ValueError, match=r"0 sample\(s\) while a minimum of 1 is required"):
        check_texts([], min_texts=1)


def test_unknown_policy():
    with pytest.raises(ValueError, match="missing='drop'"):
        check_texts(["a"], missing="drop")


class Shouted(str):
    def __str__(self):
        return self.upper()


def test_str_subclass_is_read_as_its_text():
    assert check_texts([Shouted("red")]) == ["red"]


def test_labels_of_a_series_are_not_its_attributes():
    labels = ["columns", "to_pylist", "tolist", "shape"]
    assert check_texts(pd.Series(CLEAN, index=labels)) == CLEAN


@pytest.mark.parametrize("format", ["numpy", "torch", "pandas", "polars", "arrow"])
def test_formatted_dataset(format):
    dataset = datasets.Dataset.from_dict({"text": CLEAN}).with_format(format)
    assert check_texts(dataset, column="text") == CLEAN
    assert check_texts(dataset["text"]) == CLEAN


def test_list_is_copied():
    texts = ["a"]
    assert check_texts(texts) is not texts


def test_input_is_not_changed():
    texts = np.array(["a", None], dtype=object)
    check_texts(texts, missing="empty")
    assert texts.tolist() == ["a", None]
