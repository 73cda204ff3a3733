"""A column of strings as dense numbers: what missing, odd and new values become, and its names."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sklearn_cclm import TextColumnEncoder

TITLES = ["police officer", "police sergeant", "firefighter", "librarian", "library aide"] * 4
FRAME = pd.DataFrame({"title": [*TITLES, None], "years": range(21)})


@pytest.fixture(scope="module")
def encoder():
    return TextColumnEncoder(4).fit(FRAME["title"])


def test_columns_are_dense_and_named_after_the_column(encoder):
    out = encoder.transform(FRAME[["title"]])
    assert (out.shape, out.dtype) == ((21, 4), np.float32)
    assert encoder.get_feature_names_out().tolist() == [f"title_{i}" for i in range(4)]
    wide = TextColumnEncoder().fit(TITLES)
    assert wide.get_feature_names_out()[[0, 29]].tolist() == ["text_00", "text_29"]


@pytest.mark.parametrize("method", ["fit_transform", "transform"])
def test_values_of_which_nothing_is_known_are_told(encoder, method):
    new = clone(encoder) if method == "fit_transform" else encoder
    with pytest.warns(UserWarning, match="Of 3 texts, mostly of characters unseen .*: 2") as told:
        getattr(new, method)(["nurse", "\u13a0\u13a1", "\u13a2\u13a3"])
    assert told[0].filename == __file__


def test_missing_and_blank_values_are_zeros_and_told_apart_if_asked(encoder):
    out = encoder.transform(pd.Series(["police officer", None, np.nan, "", " "], dtype=object))
    assert out[0].any()
    assert not out[1:].any()
    told = clone(encoder).set_params(missing="indicator").fit(FRAME["title"])
    assert told.get_feature_names_out()[-1] == "title_missing"
    assert told.transform(["police officer", None])[:, -1].tolist() == [0, 1]
    with pytest.raises(ValueError, match="Text 20 is missing .*'zeros' or missing='indicator'"):
        clone(encoder).set_params(missing="error").fit(FRAME["title"])


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(["one"] * 5, id="constant"),
        pytest.param([None] * 5, id="all missing"),
        pytest.param(["", "x", ""], id="nearly all blank"),
        pytest.param([f"A-{i:04d}" for i in range(60)], id="all distinct codes"),
        pytest.param(["12", "-3.5", "1e9"], id="numbers as text"),
        pytest.param(["a", 12, 3.5, None], id="numbers among texts"),
    ],
)
def test_odd_columns_make_as_many_finite_columns(column):
    out = TextColumnEncoder(8).fit_transform(column)
    assert out.shape == (len(column), 8)
    assert np.isfinite(out).all()
    distinct = {str(value) for value in column if value}
    assert len(np.unique(out[[bool(value) for value in column]], axis=0)) == len(distinct)


def test_containers_say_the_same(encoder):
    expected = encoder.transform(FRAME["title"])
    for column in (
        pl.from_pandas(FRAME[["title"]]),
        pa.table({"title": [*TITLES, None]}),
        FRAME["title"].astype("category"),
        FRAME["title"].to_numpy(object),
    ):
        np.testing.assert_array_equal(encoder.transform(column), expected)


def test_what_is_no_column_of_text_is_refused(encoder):
    with pytest.raises(TypeError, match="Text 0 is not a str but int"):
        clone(encoder).fit(FRAME["years"])
    with pytest.raises(ValueError, match=r"has the columns \[.*\], and one is read: pass it alone"):
        encoder.transform(FRAME)
    with pytest.raises(TypeError, match="tower=7"):
        TextColumnEncoder(tower=7).fit(TITLES)


def test_the_order_of_rows_does_not_matter(encoder):
    again = TextColumnEncoder(4).fit(FRAME["title"][::-1])
    np.testing.assert_allclose(again.transform(TITLES), encoder.transform(TITLES), atol=1e-4)


def test_fit_transform_is_fit_then_transform(encoder):
    both = clone(encoder).fit_transform(FRAME["title"])
    np.testing.assert_allclose(both, encoder.transform(FRAME["title"]), atol=1e-6)


def test_the_tower_counts_most_for_short_words(encoder):
    assert encoder.meaning_ == 0.5
    assert TextColumnEncoder(4).fit(["00501", "10001"]).meaning_ == 0
    assert TextColumnEncoder(4).fit(["N1", "B2", "-"]).meaning_ == 0.25
    assert TextColumnEncoder(4).fit(["--", "?"]).meaning_ == 0.5
    assert TextColumnEncoder(4).fit(["so long a text. " * 5]).meaning_ == 0.25


def test_a_mistyped_value_stays_near_its_own(encoder):
    known, new = encoder.transform(TITLES[:5]), encoder.transform(["polcie officer", "firefigter"])
    nearest = np.square(new[:, None] - known).sum(axis=2).argmin(axis=1)
    assert nearest.tolist() == [0, 2]


def test_a_mistyped_value_is_read_as_the_frequent_one_it_is_like():
    rare = [f"clerk {i}" for i in range(40)]
    mistyped = ["polcie officer", "police ofificer"]

    def distances(column):
        encoder = TextColumnEncoder(8).fit(column)
        known, *new = encoder.transform(["police officer", *mistyped])
        return np.linalg.norm(new - known, axis=1)

    assert (
        distances(["police officer"] * 40 + rare) < 0.1 * distances(["police officer", *rare])
    ).all()


@pytest.mark.parametrize("place", [0, -1], ids=["first", "last"])
def test_the_first_and_the_last_character_of_codes_are_known(place):
    rng = np.random.default_rng(0)
    codes = ["".join(rng.choice(list("abcd"), 6)) for _ in range(400)]
    y = np.array([code[place] == "a" for code in codes], float)
    model = make_pipeline(TextColumnEncoder(), Ridge(0.1)).fit(codes[:300], y[:300])
    assert model.score(codes[300:], y[300:]) > 0.8


def test_frames_in_a_table_pipeline():
    features = make_column_transformer(
        (TextColumnEncoder(5), "title"), remainder="passthrough"
    ).set_output(transform="pandas")
    model = make_pipeline(features, HistGradientBoostingRegressor(max_iter=2))
    assert model.fit(FRAME, FRAME["years"]).predict(FRAME).shape == (21,)
    names = features.fit_transform(FRAME).columns.tolist()
    assert names[0] == "textcolumnencoder__title_0"
    frame = TextColumnEncoder(3).set_output(transform="polars").fit_transform(FRAME["title"])
    assert frame.columns == ["title_0", "title_1", "title_2"]


def test_pickles_say_the_same(encoder):
    again = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(again.transform(TITLES), encoder.transform(TITLES))


def test_salaries_of_titles_are_learned():
    pay = {"police officer": 60, "police sergeant": 80, "firefighter": 55, "librarian": 45}
    y = np.array([pay.get(title, 30) for title in TITLES], float)
    model = make_pipeline(TextColumnEncoder(), Ridge(0.01)).fit(TITLES, y)
    assert abs(model.predict(["police seargent", "librarain"]) - [80, 45]).max() < 10
