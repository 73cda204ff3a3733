"""What serves: the same numbers as with torch, and all that is made of them."""

import re
import sys
import tomllib
from pathlib import Path

import joblib
import numpy as np
import pytest
import serving
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_cclm import (
    ComposedClassifier,
    ComposedEmbedder,
    ComposedRegressor,
    Shelf,
    TextColumnEncoder,
    TypoNoise,
    load,
    make_composed,
)
from sklearn_cclm.robustness import explain, robustness_curve

TEXTS = ["where is my card", "my card has not arrived", "cancel the order", "I want a refund"] * 3
LABELS = ["card", "card", "order", "order"] * 3


@pytest.fixture(scope="module")
def pipeline():
    return make_pipeline(ComposedEmbedder(lexical=True), LogisticRegression()).fit(TEXTS, LABELS)


@pytest.mark.filterwarnings("ignore:.* texts are longer than")
def test_the_same_is_said_as_with_torch():
    found = serving.said()
    with np.load(serving.RECORDED / "said.npz") as recorded:
        assert found.keys() == recorded.keys()
        for name, expected in recorded.items():
            np.testing.assert_allclose(found[name], expected, rtol=1e-5, atol=1e-5, err_msg=name)


def test_heads_go_on_from_joblib_as_from_save(tmp_path):
    for name, cls in {"classifier": ComposedClassifier, "regressor": ComposedRegressor}.items():
        head = cls.load(serving.RECORDED / name)
        joblib.dump(head, tmp_path / name)
        np.testing.assert_array_equal(
            joblib.load(tmp_path / name).predict(serving.TEXTS), head.predict(serving.TEXTS)
        )
        head.save(tmp_path / "again")
        np.testing.assert_array_equal(
            load(tmp_path / "again").predict(serving.TEXTS), head.predict(serving.TEXTS)
        )
    assert head.embedder_.transform(["a text"]).shape[0] == 1


def test_a_pipeline_is_fitted_stored_and_read_again(pipeline, tmp_path):
    joblib.dump(pipeline, tmp_path / "pipeline")
    assert joblib.load(tmp_path / "pipeline").predict(["my crad"]).tolist() == ["card"]
    pipeline[0].save(tmp_path / "embedder", dtype="int8")
    again = load(tmp_path / "embedder")
    assert abs(again.transform(TEXTS) - pipeline[0].transform(TEXTS)).max() < 0.01


def test_published_towers_are_fetched_and_composed():
    tower = Shelf().fetch("en-semantic")
    assert {tower, tower.base} == {Shelf().fetch("en-semantic"), tower.base}
    embedder = make_composed("en-semantic", tower, pooling="mean").fit(["a text"])
    one, two = np.hsplit(embedder.transform(["where is my card"]), 2)
    np.testing.assert_array_equal(one, two)


def test_a_column_of_a_table_is_encoded():
    encoder = TextColumnEncoder(3).fit(TEXTS)
    known, new = encoder.transform(TEXTS[:4]), encoder.transform(["my crad has not arived", None])
    assert np.square(known - new[0]).sum(axis=1).argmin() == 1
    assert not new[1].any()


def test_characters_that_count_are_explained(pipeline):
    found = explain(pipeline, "cancel my order")
    assert found.label == "order"
    assert {"en-semantic", "lexical"} == set(found.parts)
    assert np.isfinite(found.characters).all()


def test_robustness_is_measured(pipeline):
    curve = robustness_curve(pipeline, TEXTS, LABELS, noise=TypoNoise(), rates=[0, 0.1])
    assert curve.scores.shape == (2, 3)
    assert curve.mean[0] == 1


def test_nothing_of_the_extra_was_imported():
    assert not {"torch", "skorch", "tokenizers", "tqdm"} & sys.modules.keys()


def test_what_is_required_is_light():
    content = Path(__file__).parents[2].joinpath("pyproject.toml").read_text(encoding="utf-8")
    lines = tomllib.loads(content)["project"]["dependencies"]
    required = {re.split("[>=]", line)[0] for line in lines}
    assert required == {"filelock", "joblib", "numpy", "safetensors", "scikit-learn", "scipy"}
