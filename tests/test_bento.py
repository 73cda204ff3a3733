"""The service of the user guide by BentoML, as its own server has it."""

import importlib
import json
from pathlib import Path

import joblib
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from tiny import tiny

from sklearn_cclm import ComposedEmbedder

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("default")]  # of bentoml's
GUIDE = Path(__file__).parents[1] / "docs" / "user_guide"
TEXTS = ["good film", "bad film", "good book", "bad book"] * 5


def test_labels_are_those_of_the_pipeline_and_what_is_no_text_is_refused(tmp_path, monkeypatch):
    from starlette.testclient import TestClient

    embedder = tiny("ComposedEmbedder", ComposedEmbedder)
    pipeline = make_pipeline(embedder, LogisticRegression()).fit(TEXTS, ["+", "-", "+", "-"] * 5)
    joblib.dump(pipeline, tmp_path / "pipeline.joblib")
    monkeypatch.setenv("MODEL", str(tmp_path / "pipeline.joblib"))
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    monkeypatch.setenv("BENTOML_DO_NOT_TRACK", "True")
    monkeypatch.syspath_prepend(GUIDE)
    service = importlib.import_module("bento").Predictor
    with TestClient(service.to_asgi()) as client:
        found = client.post("/predict", content=json.dumps({"texts": TEXTS}))
        assert found.json() == list(pipeline.predict(TEXTS))
        for texts in ([], [None], 7, ["x" * 10_001], ["x"] * 257):
            refused = client.post("/predict", content=json.dumps({"texts": texts}))
            assert refused.status_code == 400
