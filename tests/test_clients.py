"""Objects of this package in the files of skops and in MLflow, with the real packages."""

import io
import zipfile

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from tiny import tiny

from sklearn_cclm import ComposedClassifier, ComposedEmbedder
from sklearn_cclm.utils.discovery import all_estimators

pytestmark = pytest.mark.clients
TEXTS = ["good film", "bad film", "good book", "bad book"] * 5
LABELS = [0, 1, 0, 1] * 5


def through_skops(thing):
    """Return what comes back if all of this package is trusted, and nothing else."""
    from skops import io as skops

    stored = skops.dumps(thing)
    names = zipfile.ZipFile(io.BytesIO(stored)).namelist()
    assert all(name.endswith((".json", ".npy", ".npz")) for name in names)  # and no pickle
    types = skops.get_untrusted_types(data=stored)
    ours = ("sklearn_cclm.", "tiny.", "scipy.sparse._csr.csr_matrix")  # stored as arrays
    assert all(name.startswith(ours) for name in types)
    return skops.loads(stored, trusted=types)


@pytest.fixture(scope="module")
def embedder():
    return tiny("ComposedEmbedder", ComposedEmbedder).fit(TEXTS)


@pytest.mark.parametrize(("name", "cls"), all_estimators())
@pytest.mark.parametrize("fitted", [False, True])
def test_skops_stores_every_estimator(name, cls, fitted):
    estimator = tiny(name, cls)
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    if fitted:
        estimator.fit(TEXTS, LABELS)
    stored = through_skops(estimator)
    assert joblib.hash(stored) == joblib.hash(estimator)
    assert joblib.hash(clone(stored)) == joblib.hash(clone(estimator))
    for method in ("transform", "predict"):
        if fitted and hasattr(estimator, method):
            found, expected = (getattr(e, method)(TEXTS) for e in (stored, estimator))
            np.testing.assert_array_equal(as_lists(found), as_lists(expected))


def as_lists(found):
    """Return an array, of characters' vectors put in a row."""
    return np.concatenate(found) if isinstance(found, list) else np.asarray(found)


def test_skops_stores_values_and_what_partial_fit_keeps(embedder):
    tower = embedder.towers_[0][1]
    stored = through_skops([tower, tower.base])
    assert stored == [tower, tower.base]
    assert stored[0].base is stored[1]
    assert not any(weights.flags.writeable for weights in stored[0].weights.values())
    head = tiny("ComposedClassifier", ComposedClassifier).set_params(random_state=0)
    head.partial_fit(TEXTS, LABELS, classes=[0, 1])
    stored = through_skops(head).partial_fit(TEXTS, LABELS)
    assert stored.towers_ == head.partial_fit(TEXTS, LABELS).towers_


def test_skops_refuses_weights_that_are_others(embedder):
    from skops import io as skops

    tower = embedder.towers_[0][1]
    forged = tower._with(task="another")
    vars(forged)["digest"] = tower.digest
    stored = skops.dumps(forged)
    with pytest.raises(ValueError, match="damaged or forged"):
        skops.loads(stored, trusted=skops.get_untrusted_types(data=stored))


@pytest.mark.parametrize("how", ["skops", "cloudpickle"])
@pytest.mark.filterwarnings("default")  # of MLflow
def test_mlflow_logs_a_pipeline(embedder, how, tmp_path, monkeypatch):
    import mlflow
    from skops import io as skops

    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    pipeline = make_pipeline(embedder, LogisticRegression()).fit(TEXTS, LABELS)
    types = skops.get_untrusted_types(data=skops.dumps(pipeline))
    given = {"skops_trusted_types": types} if how == "skops" else {"serialization_format": how}
    with mlflow.start_run():
        logged = mlflow.sklearn.log_model(pipeline, name="model", pip_requirements=[], **given)
    expected = pipeline.predict(TEXTS)
    assert list(mlflow.sklearn.load_model(logged.model_uri).predict(TEXTS)) == list(expected)
    assert list(mlflow.pyfunc.load_model(logged.model_uri).predict(TEXTS)) == list(expected)
