"""Vectors of many texts by the engines of the user guide, with two workers of one thread each.

    python benchmarks/scaling_out.py [--quick] [--texts N] [--engines NAME ...] [--json FILE]

Each engine is run in a process of its own, on the same texts of 60 characters; all of them end
with one array in the process that asked. The start, a first call of 2,000 texts, a second one and
one of all texts are timed. Costs are then taken for a sum, of what start and first call cost and a
price per text, from which follows from how many texts on the engine is done before one process is.
An engine that is not installed is left out: tests/requirements-engines.txt.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from _measure import machine, options, random_texts, table

from sklearn_cclm import ComposedEmbedder

FEW = 2_000
embedder = ComposedEmbedder(lexical=False)


def parts(texts, n):
    """Return texts in n parts."""
    size = -(-len(texts) // n)
    return [texts[i : i + size] for i in range(0, len(texts), size)]


@contextmanager
def in_process():
    yield embedder.transform


@contextmanager
def by_joblib():
    from joblib import Parallel, delayed

    with Parallel(n_jobs=2) as pool:
        yield lambda texts: np.vstack(
            pool(delayed(embedder.transform)(part) for part in parts(texts, 8))
        )


@contextmanager
def by_dask():
    import dask.dataframe as dd
    import pandas as pd
    from dask.distributed import Client, LocalCluster

    as_frame = ComposedEmbedder(lexical=False).set_output(transform="pandas")
    meta = as_frame.transform(["a"])[:0]

    def embed(texts):
        column = dd.from_pandas(pd.Series(texts, name="text"), npartitions=8)
        return column.map_partitions(as_frame.transform, meta=meta).compute().to_numpy()

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        with Client(cluster):
            yield embed


class Actor:
    """What an actor of Ray keeps."""

    def __init__(self):
        self.embedder = ComposedEmbedder(lexical=False)

    def __call__(self, batch):
        return {"row": batch["row"], "vector": self.embedder.transform(batch["text"])}


@contextmanager
def by_ray():
    import pandas as pd
    import ray

    def embed(texts):
        rows = pd.DataFrame({"row": range(len(texts)), "text": texts})
        pool = ray.data.ActorPoolStrategy(size=2)
        found = ray.data.from_pandas(rows).repartition(8)
        found = found.map_batches(Actor, batch_size=5_000, compute=pool).to_pandas()
        return np.stack(found.sort_values("row")["vector"].to_numpy())

    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield embed
    ray.shutdown()


def make():
    """Return what a worker of Spark calls."""
    return ComposedEmbedder(lexical=False).transform


@contextmanager
def by_spark():
    from pyspark.ml.functions import predict_batch_udf
    from pyspark.sql import SparkSession
    from pyspark.sql.types import ArrayType, FloatType

    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", False)
    spark = session.config("spark.driver.memory", "6g").getOrCreate()
    vector = predict_batch_udf(make, return_type=ArrayType(FloatType()), batch_size=5_000)

    def embed(texts):
        import pyarrow as pa

        frame = spark.createDataFrame(pa.table({"text": texts})).repartition(8)
        column = frame.select(vector("text").alias("vector")).toArrow()["vector"].combine_chunks()
        return column.flatten().to_numpy().reshape(len(texts), -1)

    yield embed
    spark.stop()


@contextmanager
def by_datasets():
    import datasets

    datasets.disable_caching()
    datasets.disable_progress_bars()
    width = embedder.transform(["a"]).shape[1]
    column = datasets.List(datasets.Value("float32"), length=width)

    def embed(texts):
        rows = datasets.Dataset.from_dict({"text": texts})
        features = datasets.Features({**rows.features, "vector": column})
        found = rows.map(
            lambda batch: {"vector": embedder.transform(batch["text"])},
            batched=True, batch_size=5_000, features=features, num_proc=2,
        )  # fmt: skip
        return found.with_format("numpy")["vector"][:]

    yield embed


@contextmanager
def by_polars():
    import polars as pl

    def embed(texts):
        vectors = pl.col("text").map_batches(embedder.transform)
        return pl.LazyFrame({"text": texts}).select(vectors).collect()["text"].to_numpy()

    yield embed


@contextmanager
def by_duckdb():
    import duckdb
    import pyarrow as pa

    def vectors(column):
        found = embedder.transform(column)
        return pa.FixedSizeListArray.from_arrays(found.ravel(), found.shape[1])

    width = embedder.transform(["a"]).shape[1]
    connection = duckdb.connect(config={"threads": 1})
    returned = duckdb.array_type(duckdb.sqltypes.FLOAT, width)
    taken = [duckdb.sqltypes.VARCHAR]
    connection.create_function("embed", vectors, taken, returned, type="arrow")

    def embed(texts):
        rows = pa.table({"text": texts})
        connection.register("texts", rows)
        found = connection.sql("SELECT embed(text) AS vector FROM texts").to_arrow_table()
        return found["vector"].combine_chunks().flatten().to_numpy().reshape(len(texts), -1)

    yield embed


ENGINES = {
    "in_process": (in_process, None, 1),
    "joblib": (by_joblib, "joblib", 2),
    "dask": (by_dask, "dask", 2),
    "ray": (by_ray, "ray", 2),
    "spark": (by_spark, "pyspark", 2),
    "datasets": (by_datasets, "datasets", 2),
    "polars": (by_polars, "polars", 1),
    "duckdb": (by_duckdb, "duckdb", 1),
}


def measure(name, n, file):
    """Time an engine, and write the seconds."""
    texts = random_texts(n, 60)
    engine, seconds = ENGINES[name][0](), {}

    def timed(what, call):
        start = time.perf_counter()
        found = call()
        seconds[what] = time.perf_counter() - start
        return found

    embed = timed("start", engine.__enter__)
    timed("first", lambda: embed(texts[:FEW]))
    timed("second", lambda: embed(texts[:FEW]))
    vectors = timed("all", lambda: embed(texts))
    engine.__exit__(None, None, None)
    picked = np.arange(0, n, max(1, n // 1000))
    if name not in ("spark",):  # whose rows come back in another order
        expected = embedder.transform([texts[i] for i in picked])
        np.testing.assert_allclose(vectors[picked], expected, atol=1e-5)
    assert vectors.shape[0] == n
    Path(file).write_text(json.dumps(seconds))


def measured(name, n):
    """Return the seconds of an engine, or None where it is not installed."""
    package = ENGINES[name][1]
    try:
        found = version(package) if package else ""
    except PackageNotFoundError:
        print(f"{name}: not installed", file=sys.stderr)
        return None
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
        "PYSPARK_PYTHON": sys.executable,
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    }
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [sys.executable, __file__, "--engine", name, str(n), file.name]
        subprocess.run(command, env=environment, check=True)
        return {"version": found, **json.loads(Path(file.name).read_text())}


def pays(fixed, price, alone):
    """Return from how many texts on an engine is done before one process, in words."""
    if price >= alone:
        return "never, on this machine"
    return f"{fixed / (alone - price):,.0f}"


def main():
    """Run the benchmark."""
    given = options(
        __doc__,
        texts={"type": int, "default": 200_000, "help": "how many texts"},
        engines={"nargs": "*", "default": ENGINES, "choices": ENGINES, "help": "beside one; all"},
    )
    n = 4_000 if given.quick else given.texts
    names = dict.fromkeys(["in_process", *given.engines])
    found = {name: figures for name in names if (figures := measured(name, n))}
    alone = found["in_process"]["all"] / n
    rows = []
    for name, s in found.items():
        price = (s["all"] - s["second"]) / (n - FEW)
        fixed = s["start"] + s["first"] - FEW * price
        s |= {"per_text": price, "fixed": fixed}
        rows.append(
            [
                f"{name} {s['version']}".strip(),
                ENGINES[name][2],
                f"{s['start']:.1f}",
                f"{s['first']:.2f}",
                f"{s['second']:.2f}",
                f"{s['all']:.2f}",
                f"{n / s['all']:,.0f}",
                "" if name == "in_process" else pays(fixed, price, alone),
            ]
        )
    table(
        [
            "engine",
            "workers",
            "start, s",
            f"first {FEW:,}, s",
            f"{FEW:,} more, s",
            f"{n:,}, s",
            "texts/s",
            "pays from, texts",
        ],
        rows,
    )
    if given.json:
        Path(given.json).write_text(json.dumps(machine() | found, indent=2) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--engine"]:
        measure(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    else:
        main()
