"""The service of the user guide, by FastAPI's own client."""

import importlib.util
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from tiny import tiny

from sklearn_cclm import ComposedEmbedder

pytestmark = pytest.mark.clients
FILE = Path(__file__).parents[1] / "docs" / "user_guide" / "service.py"
TEXTS = ["good film", "bad film", "good book", "bad book"] * 5


@pytest.fixture(scope="module")
def pipeline():
    return make_pipeline(tiny("ComposedEmbedder", ComposedEmbedder), LogisticRegression()).fit(
        TEXTS, ["+", "-", "+", "-"] * 5
    )


@pytest.fixture
def client(pipeline, tmp_path, monkeypatch):
    from fastapi.testclient import TestClient

    joblib.dump(pipeline, tmp_path / "pipeline.joblib")
    monkeypatch.setenv("MODEL", str(tmp_path / "pipeline.joblib"))
    spec = importlib.util.spec_from_file_location("service", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return TestClient(module.app)


def post(client, body):
    return client.post("/predict", content=body, headers={"Content-Type": "application/json"})


@pytest.mark.filterwarnings("default")  # of fastapi's and starlette's
class TestService:
    """Its answers are those of the pipeline, whoever asks for what."""

    def test_labels_are_those_of_the_pipeline(self, client, pipeline):
        assert client.get("/health").json() == {"ready": True}
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda text: post(client, json.dumps({"texts": [text]})), TEXTS))
        labels = [answer.json()["labels"] for answer in found]
        assert labels == [[label] for label in pipeline.predict(TEXTS)]

    @pytest.mark.parametrize(
        "body",
        [
            b"texts",
            b'{"texts": []}',
            b'{"texts": [null]}',
            b'{"texts": 7}',
            rb'{"texts": ["\ud800"]}',
            json.dumps({"texts": ["x" * 10_001]}),
            json.dumps({"texts": ["x"] * 257}),
        ],
    )
    def test_what_is_no_text_is_refused(self, client, body):
        answer = post(client, body)
        assert answer.status_code == 422
        assert len(answer.content) < 500  # the texts are not sent back

    def test_any_text_is_answered(self, client):
        texts = ["", "\0\u202e", "x" * 10_000, "\U0001f600"]
        assert len(post(client, json.dumps({"texts": texts})).json()["labels"]) == 4
