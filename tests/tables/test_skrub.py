"""`TextColumnEncoder` where skrub has encoders stand, with the real package."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import Ridge

from sklearn_cclm import TextColumnEncoder

pytestmark = pytest.mark.clients
TITLES = [f"{rank} {role}" for rank in ("junior", "senior") for role in ("cook", "nurse", "clerk")]
FRAME = pd.DataFrame({"title": [*TITLES * 10, None], "years": range(61)})
NAMES = ["title_0", "title_1", "title_2", "years"]


@pytest.fixture(scope="module")
def vectorizer():
    from skrub import TableVectorizer

    encoder = TextColumnEncoder(3)
    return TableVectorizer(high_cardinality=encoder, cardinality_threshold=3)


@pytest.mark.parametrize("frame", [FRAME, pl.from_pandas(FRAME)], ids=["pandas", "polars"])
def test_a_table_vectorizer_makes_the_same_columns_of_either_frame(vectorizer, frame):
    out = vectorizer.fit_transform(frame)
    assert list(out.columns) == NAMES
    assert type(out) is type(frame)
    expected = TextColumnEncoder(3).fit_transform(FRAME["title"])
    np.testing.assert_allclose(out.to_numpy()[:, :3], expected, atol=1e-5)
    np.testing.assert_allclose(vectorizer.transform(frame).to_numpy(), out.to_numpy(), atol=1e-5)


def test_a_tabular_pipeline_predicts(vectorizer):
    from skrub import tabular_pipeline

    pipeline = tabular_pipeline(Ridge())
    pipeline.set_params(tablevectorizer=vectorizer)
    y = FRAME["title"].str.contains("cook", na=False).to_numpy(float)
    assert pipeline.fit(FRAME, y).score(FRAME, y) > 0.8


def test_data_ops_apply_it_to_a_column():
    import skrub

    made = skrub.var("table", FRAME).skb.apply(TextColumnEncoder(3), cols="title")
    assert list(made.skb.eval().columns) == NAMES


def test_apply_to_cols_passes_other_columns_on():
    from skrub import ApplyToCols

    some = ApplyToCols(TextColumnEncoder(3), cols=["title"])
    assert list(some.fit_transform(FRAME).columns) == NAMES
