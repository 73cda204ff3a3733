"""Features are named after the column that their texts came from."""

import pickle

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ComposedEmbedder,
    ComposedModel,
    MaskedCharacterPretrainer,
    PooledConfig,
    TypoNoise,
)
from sklearn_cclm._text.column import column_of
from sklearn_cclm._text.read import check_texts
from sklearn_cclm.preprocessing import MLMPreprocessor
from sklearn_cclm.robustness import explain

TEXTS = ["a good film", "a bad film", "a fine book", "a poor book"]
ROWS = {"title": TEXTS, "n": [1, 2, 3, 4]}
HF = datasets.Dataset.from_dict(ROWS)


@pytest.fixture(scope="module")
def tower():
    recipe = CCLMModelBase(width=16, n_buckets=500)
    config = PooledConfig(width=8, hidden=8)
    return (
        MaskedCharacterPretrainer(recipe, tower=config, max_epochs=1, random_state=0)
        .fit(TEXTS)
        .tower_
    )


@pytest.fixture
def transformers(tower):
    return {
        "one__0": ComposedEmbedder([("one", tower)]),
        "tfidf__bad": ComposedEmbedder([("tfidf", TfidfVectorizer())]),
        "one__1": ComposedModel([("one", tower)]),
        "charpreprocessor0": CharPreprocessor(max_example_len=20),
        "mlmpreprocessor0": MLMPreprocessor(max_example_len=20),
    }


NAMED = {
    "pandas series": (pd.Series(TEXTS, name="title"), None),
    "pandas index": (pd.Index(TEXTS, name="title"), None),
    "pandas frame": (pd.DataFrame({"title": TEXTS}), None),
    "column of a frame": (pd.DataFrame(ROWS), "title"),
    "polars series": (pl.Series("title", TEXTS), None),
    "column of a polars frame": (pl.DataFrame(ROWS), "title"),
    "arrow table": (pa.table({"title": TEXTS}), None),
    "column of an arrow batch": (pa.record_batch(ROWS), "title"),
    "mapping": (ROWS, "title"),
    "dataset": (HF, "title"),
    "hf column": (HF["title"], None),
    "stream": (HF.to_iterable_dataset(), "title"),
    "hf streamed column": (HF.to_iterable_dataset()["title"], None),
}
NAMELESS = {
    "list": (TEXTS, None),
    "list, for which column says nothing": (TEXTS, "title"),
    "array": (np.array(TEXTS), None),
    "pandas series": (pd.Series(TEXTS), None),
    "series with a number": (pd.Series(TEXTS, name=3), None),
    "series with labels of our words": (pd.Series(TEXTS, index=[*"ab", "name", "title"]), None),
    "frame with a number": (pd.DataFrame({0: TEXTS}), None),
    "polars series": (pl.Series(TEXTS), None),
    "arrow": (pa.array(TEXTS), None),
    "iterator": (iter(TEXTS), None),
}


@pytest.mark.parametrize(("X", "column"), NAMED.values(), ids=NAMED.keys())
def test_named_containers(X, column):
    assert column_of(X, column) == "title"


@pytest.mark.parametrize(("X", "column"), NAMELESS.values(), ids=NAMELESS.keys())
def test_nameless_containers(X, column):
    assert column_of(X, column) is None


def test_batch_that_map_hands_in():
    read = []

    def look(batch):
        read.append((column_of(batch, "title"), check_texts(batch, column="title")))

    HF.map(look, batched=True)
    assert read == [("title", TEXTS)]


def test_names_begin_with_the_column(transformers):
    for name, transformer in transformers.items():
        transformer.fit(pd.Series(TEXTS, name="title"))
        assert transformer.column_ == "title"
        names = transformer.get_feature_names_out()
        assert f"title__{name}" in names
        assert names.dtype == object
        transformer.fit(TEXTS)  # of which nothing is left after the first fit
        assert name in transformer.get_feature_names_out()
        assert not hasattr(transformer, "column_")


def test_texts_to_transform_change_no_name(transformers):
    for name, transformer in transformers.items():
        transformer.fit(pd.Series(TEXTS, name="title"))
        transformer.transform(pd.Series(TEXTS, name="body"))
        assert f"title__{name}" in transformer.get_feature_names_out(["body"])


def test_preprocessor_of_a_file_has_no_column(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(TEXTS))
    assert not hasattr(CharPreprocessor().fit(path), "column_")


def test_two_columns_of_a_table(tower):
    frame = pd.DataFrame({"title": TEXTS, "body": TEXTS[::-1]})
    one = ComposedEmbedder([("one", tower)])
    both = ColumnTransformer(
        [("t", one, "title"), ("b", one, ["body"])], verbose_feature_names_out=False
    ).set_output(transform="pandas")
    out = both.fit_transform(frame)
    assert out.columns[[0, 8]].tolist() == ["title__one__0", "body__one__0"]
    assert clone(both).fit(frame).get_feature_names_out().tolist() == out.columns.tolist()
    chosen = ColumnTransformer([("t", one, make_column_selector("title"))]).fit(frame)
    assert chosen.get_feature_names_out()[0] == "t__title__one__0"


def test_saved_and_pickled(transformers, tmp_path):
    for name, transformer in transformers.items():
        transformer.fit(pd.Series(TEXTS, name="title"))
        names = transformer.get_feature_names_out().tolist()
        assert pickle.loads(pickle.dumps(transformer)).get_feature_names_out().tolist() == names
        assert not hasattr(clone(transformer), "column_")
        if name != "tfidf__bad":  # a text transformer is not saved without code
            transformer.save(tmp_path / name)
            loaded = type(transformer).load(tmp_path / name)
            assert loaded.get_feature_names_out().tolist() == names


@pytest.mark.parametrize("column", [3, None, ["title"]])
def test_forged_column_is_refused(column):
    state, _ = CharPreprocessor().fit(TEXTS)._stored(None)
    with pytest.raises(ValueError, match="column="):
        CharPreprocessor._from_stored({**state, "column": column}, None, None)


def test_column_of_what_is_not_fitted_is_refused():
    state, _ = CharPreprocessor()._stored(None)
    with pytest.raises(ValueError, match="column='title'"):
        CharPreprocessor._from_stored({**state, "column": "title"}, None, None)


def test_towers_are_told_apart_behind_a_column(tower):
    embedder = ComposedEmbedder([("one", tower), ("two", tower)])
    pipe = make_pipeline(embedder, LogisticRegression())
    plain, named = (
        explain(clone(pipe).fit(X, [1, 0, 1, 0]), "a film")
        for X in (TEXTS, pd.Series(TEXTS, name="one__two"))
    )
    assert named.parts == plain.parts


def test_iterators_are_read_once(transformers):
    for transformer in (*transformers.values(), TypoNoise(random_state=0)):
        expected = transformer.fit_transform(TEXTS)
        found = clone(transformer).fit_transform(iter(TEXTS))
        assert found.shape == expected.shape
        assert (found != expected).sum() == 0
