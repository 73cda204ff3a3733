"""The code of the page on engines, on real local clusters of two workers."""

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pages
import pytest

from sklearn_cclm import ComposedEmbedder, load

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("default")]  # of the engines
TEXTS = [f"{noun} number {n}" for n in range(20) for noun in ("hen", "fox", "")]


def run(title, **given):
    return pages.run("scaling_out", title, texts=TEXTS, **given)


@pytest.fixture(scope="module")
def expected():
    return ComposedEmbedder(lexical=False).transform(TEXTS)


def check(vectors, expected):
    vectors = np.array([list(vector) for vector in vectors])
    np.testing.assert_allclose(vectors, expected, atol=1e-5)


def in_order(texts, vectors):
    """Return vectors in the order of the texts."""
    found = dict(zip(texts, vectors, strict=True))
    return [found[text] for text in TEXTS]


def test_a_name_is_all_that_travels():
    names = pages.run("scaling_out", "Past one process")
    assert len(pickle.dumps(names["embedder"])) < 300


def test_processes(expected):
    check(run("Processes, without an engine")["vectors"], expected)


def test_dask(expected):
    found = run("Dask")
    check(found["rows"], expected)
    check(found["vectors"], expected)
    check(found["framed"].to_numpy(), expected)
    assert found["ngrams"].shape[0] == 10
    for collection in (found["frame"], found["frame"]["text"], found["array"], found["bag"]):
        with pytest.raises(TypeError, match=r"got dask's .*X\.compute\(\)"):
            found["embedder"].transform(collection)


def test_ray(expected):
    found = run("Ray Data")
    check(in_order(found["found"]["text"], found["found"]["vector"]), expected)


@pytest.mark.skipif(not shutil.which("java"), reason="Spark needs a Java runtime")
def test_spark(expected, tmp_path, monkeypatch):
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    found = run("Spark")
    try:
        check(found["found"]["vector"], expected)
        check([vector.toArray() for vector in found["features"]], expected)
        monkeypatch.setattr(sys.modules["__main__"], "Embedder", found["Embedder"], raising=False)
        found["Embedder"](tower="en-entities").write().save(str(tmp_path / "stored"))
        again = found["Embedder"].load(str(tmp_path / "stored"))
        assert again.getOrDefault("tower") == "en-entities"
        with pytest.raises(TypeError, match="got pyspark's DataFrame"):
            found["embedder"].transform(found["frame"])
    finally:
        found["spark"].stop()


def test_datasets(expected):
    found = run("Hugging Face datasets")
    check(found["found"]["vector"], expected)
    assert found["found"].features["vector"].length == expected.shape[1]


def test_datasets_know_in_another_process_what_was_embedded():
    code = (
        "import pages;"
        f"found = pages.run('scaling_out', 'Hugging Face datasets', texts={TEXTS!r});"
        "print(found['found']._fingerprint)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    prints = [
        subprocess.check_output([sys.executable, "-W", "ignore", "-c", code], env=environment)
        for _ in range(2)
    ]
    assert prints[0] == prints[1]


def test_polars(expected):
    found = run("Polars")
    check(found["found"]["vector"], expected)
    with pytest.raises(TypeError, match=r"got polars's LazyFrame.*collect\(\) it first"):
        found["embedder"].transform(found["frame"])


def test_duckdb(expected):
    found = run("DuckDB")
    table = found["found"].to_pydict()
    check(in_order(table["text"], table["vector"]), expected)
    with pytest.raises(TypeError, match=r"got duckdb's .*X\.df\(\)"):
        found["embedder"].transform(found["connection"].sql("SELECT 'a' AS text"))


@pytest.mark.timeout(900)
def test_ray_train_and_accelerate_train_the_same_tower_in_two_processes(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(TEXTS))
    run("Ray Train", path=str(path), folder=str(tmp_path / "ray"))
    script = str(pages.GUIDE / "several_processes.py")
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu"]
    command += ["--num_processes=2", script, str(path), str(tmp_path / "accelerate")]
    subprocess.run(command, check=True, timeout=500)
    assert load(tmp_path / "ray" / "tower") == load(tmp_path / "accelerate" / "tower")
