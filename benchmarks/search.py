"""A grid search of 24 fits over towers and classifier: what caching and composition save.

    python benchmarks/search.py [--quick] [--json FILE]

Two towers on one base, on docstrings of installed libraries, of which the label is the library;
the grid has 4 values of C and 2 of a tower's weight, and 3 folds. The same search runs with the
towers in a `ComposedEmbedder`, with that and ``Pipeline(memory=...)``, with a plain FeatureUnion of
two embedders of one tower each, with and without memory, and on features that were made once before
the search (where weights can not be searched: 12 fits). Counted are the vectors made, one for each
text and tower, and the runs of a base over a batch. Each search runs once, after a transform that
builds the networks; a cached search starts with an empty cache. BLAS has one thread: with two, a
logistic regression as small as this took ten times as long. Pooled towers take 2,000 texts and
strided ones, which cost more, 500.
"""

import tempfile
import time
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
from _measure import options, table, write
from _towers import on_one_base
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer
from threadpoolctl import threadpool_limits

from sklearn_cclm import ComposedEmbedder
from sklearn_cclm.datasets import load_docstrings
from sklearn_cclm.models import _inference

COSTS = [0.3, 1.0, 3.0, 10.0]
WEIGHTS = [1.0, 2.0]


@contextmanager
def counted():
    """Count the vectors that towers make and the batches that a base runs over."""
    counts, embed, encodings = {"vectors": 0, "batches": 0}, _inference.embed, _inference.encodings

    def counting(texts, base, members, out, **how):
        counts["vectors"] += len(texts) * len(members)
        return embed(texts, base, members, out, **how)

    def batches(*args):
        for batch in encodings(*args):
            counts["batches"] += 1
            yield batch

    with (
        patch.object(_inference, "embed", counting),
        patch.object(_inference, "encodings", batches),
    ):
        yield counts


def kinds(towers, folder):
    """Return the features and the grid of each search, by name."""
    one = ComposedEmbedder(towers)
    union = FeatureUnion([(name, ComposedEmbedder([(name, tower)])) for name, tower in towers])
    of_one = {"features__tower_weights": [{"b": w} for w in WEIGHTS]}
    of_union = {"features__transformer_weights": [{"b": w} for w in WEIGHTS]}
    return {
        "ComposedEmbedder": (one, of_one, None),
        "ComposedEmbedder, memory": (one, of_one, f"{folder}/one"),
        "FeatureUnion": (union, of_union, None),
        "FeatureUnion, memory": (union, of_union, f"{folder}/union"),
        "embedded once": (FunctionTransformer(), {}, None),
    }


def search(features, grid, memory, texts, labels):
    """Return the fitted search."""
    classifier = LogisticRegression(max_iter=200)
    pipeline = Pipeline([("features", features), ("clf", classifier)], memory=memory)
    found = GridSearchCV(pipeline, grid | {"clf__C": COSTS}, cv=3, refit=False)
    with threadpool_limits(1, user_api="blas"):
        return found.fit(texts, labels)


def compare(towers, texts, labels):
    """Return the figures of each search, by name."""
    figures = {}
    ComposedEmbedder(towers).fit(texts).transform(texts)
    with tempfile.TemporaryDirectory() as folder:
        for name, (features, grid, memory) in kinds(towers, folder).items():
            with counted() as counts:
                start = time.perf_counter()
                read = texts
                if name == "embedded once":
                    read = ComposedEmbedder(towers).fit(texts).transform(texts)
                found = search(features, grid, memory, read, labels)
                seconds = time.perf_counter() - start
            fits = 3 * len(found.cv_results_["params"])
            figures[name] = counts | {"fits": fits, "seconds": seconds, "score": found.best_score_}
    return figures


def main():
    """Run the benchmark."""
    given = options(__doc__)
    data = load_docstrings()
    order = np.random.default_rng(0).permutation(len(data.data))
    figures = {}
    sizes = {"pooled": 200} if given.quick else {"pooled": 2000, "strided": 500}
    for tower, n in sizes.items():
        texts, labels = [data.data[i] for i in order[:n]], np.array(data.target)[order[:n]]
        named = list(zip("ab", on_one_base(texts, 2, tower), strict=True))
        figures[tower] = found = compare(named, texts, labels)
        print(f"Two {tower} towers, {n:,} texts:\n")
        rows = [
            [name, f["fits"], f"{f['vectors']:,}", f["batches"], f"{f['seconds']:.1f}"]
            + [f"{1000 * f['seconds'] / f['fits']:.0f}", f"{f['score']:.4f}"]
            for name, f in found.items()
        ]
        table(["features", "fits", "vectors", "batches", "s", "ms a fit", "accuracy"], rows)
    write(given, searches=figures)


if __name__ == "__main__":
    main()
