"""What fine-tuning brings over frozen features, and what it costs.

    pip install -r benchmarks/requirements.txt
    python benchmarks/finetuning.py [--sets NAME ...] [--tower NAME] [--draws N] [--threads N]
                                    [--json FILE]

Reads banking77, tweet_emotion, sentence_polarity and wnut17 from the folder in the environment
variable CCLM_DATA (default ../shared/data). The tower is the published "en-semantic", or another
name on the shelf. With 10 labels per class, accuracies are means over --draws draws; of
sentence_polarity, which has no split, a tenth is the test set. Noise replaces one letter in ten of
the test text by its neighbour on the keyboard; nothing else is trained on noise. Settings were
chosen on held-out parts of the training texts. On wnut17 the tower is "en-entities", which has seen
its training sentences, with other kinds of entities.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from _data import few_per_class, need, read_csv
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from sklearn_cclm import (
    ComposedClassifier,
    ComposedEmbedder,
    ComposedTagger,
    EntityPretrainer,
    TypoNoise,
)
from sklearn_cclm.datasets import read_conll

SETS = ("banking77", "tweet_emotion", "sentence_polarity", "wnut17")


def read_set(name):
    """Return texts and labels to learn from, and to test on."""
    rows = read_csv(f"{name}.csv.gz")
    rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    if "split" in rows[0]:
        parts = [[row for row in rows if row["split"] == part] for part in ("train", "test")]
    else:
        parts = [rows[len(rows) // 10 :], rows[: len(rows) // 10]]
    return [([r["text"] for r in part], np.array([r["label"] for r in part])) for part in parts]


def models(tower, n):
    """Return the models to compare, for n labels per class or None for all."""
    towers = [("tower", tower)]
    epochs = 40 if n else 10

    def head(**params):
        return ComposedClassifier(
            towers, max_epochs=epochs, validation_fraction=0.0, random_state=0, **params
        )

    logistic = LogisticRegression(C=30, max_iter=300)
    tfidf = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    return {
        "TF-IDF char_wb (2-5) + LogisticRegression": make_pipeline(tfidf, logistic),
        "frozen + LogisticRegression": make_pipeline(
            ComposedEmbedder(towers), Normalizer(), logistic
        ),
        "head alone": head(freeze="towers"),
        "everything": head(),
        "probe, then everything (LP-FT)": head(linear_probe=True, lr=3e-4),
        "LP-FT with noise": head(linear_probe=True, lr=3e-4, noise=TypoNoise(rate=(0.0, 0.2))),
    }


def measure(make, train, tests, truth, n, draws):
    """Return accuracies, clean and noisy, and seconds of training: means over the draws."""
    found = []
    for seed in range(draws if n else 1):
        rows = few_per_class(train[1], n, seed) if n else np.arange(len(train[1]))
        start = time.perf_counter()
        model = make.fit([train[0][row] for row in rows], train[1][rows])
        seconds = time.perf_counter() - start
        found.append([*(model.score(test, truth) for test in tests), seconds])
    return np.mean(found, axis=0).tolist()


def classification(name, options):
    """Print and return the table of one data set."""
    train, (texts, truth) = read_set(name)
    tests = [texts, TypoNoise(rate=0.1, random_state=0).transform(texts).tolist()]
    report = {}
    print(f"\n**{name}**\n\n| model | labels | clean | 10 % | seconds |\n|---|---|---|---|---|")
    for n in (10, None):
        for kind, model in models(options.tower, n).items():
            row = measure(model, train, tests, truth, n, options.draws)
            report[f"{kind}, {n or 'all'}"] = row
            clean, noisy, seconds = row
            print(
                f"| {kind} | {n or 'all'} | {clean:.3f} | {noisy:.3f} | {seconds:.1f} |",
                flush=True,
            )
    return report


def tagging(options):
    """Print and return the entity F1 on wnut17."""
    train, test = (read_conll(need(f"ner_wnut17.{part}.txt.gz")) for part in ("train", "test"))
    params = {"max_epochs": 8, "validation_fraction": 0.0, "random_state": 0}
    own = {**params, "dropout": 0.1, "noise": TypoNoise("scramble", rate=0.3)}
    towers = [("names", "en-entities")]
    taggers = {
        "ComposedTagger on en-entities, head alone": ComposedTagger(towers, freeze="towers", **own),
        "ComposedTagger on en-entities, everything": ComposedTagger(towers, **own),
        "EntityPretrainer, from the start": EntityPretrainer(**params),
    }
    report = {}
    print("\n**wnut17**\n\n| model | F1 | seconds |\n|---|---|---|")
    for kind, tagger in taggers.items():
        start = time.perf_counter()
        tagger.fit(*train)
        report[kind] = [tagger.score(*test), time.perf_counter() - start]
        print(f"| {kind} | {report[kind][0]:.3f} | {report[kind][1]:.0f} |", flush=True)
    return report


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--tower", default="en-semantic", help="name on the shelf (en-semantic)")
    parser.add_argument("--draws", type=int, default=3, help="draws of labels (3)")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (2)")
    parser.add_argument("--json", help="file to write the figures to")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    report = {
        name: tagging(options) if name == "wnut17" else classification(name, options)
        for name in options.sets
    }
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
