"""Accuracy on banking77 of towers pretrained on its training text and dialogues, without labels.

    python benchmarks/banking77.py [--turns N] [--epochs N] [--quick] [--json FILE]

Reads banking77 and the dialogue corpora from the folder in the environment variable CCLM_DATA
(default ../shared/data). Ten labels per class are drawn three times; the spread is their standard
deviation. Noise replaces one letter in ten by its neighbour on the keyboard, in test text alone.
The strength of the regularisation is chosen by cross-validation on the labelled training texts.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from _data import few_per_class, read_banking77, read_lines
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_cclm import (
    CCLMModelBase,
    ComposedEmbedder,
    MaskedCharacterPretrainer,
    MaskedLanguagePretrainer,
    MLMPreprocessor,
    TypoNoise,
)


def pretrain(texts, epochs):
    """Return the towers by name, on one base, and the seconds that each took."""
    shared = {"validation_fraction": 0.02, "random_state": 0, "verbose": 1}
    recipe = CCLMModelBase(MLMPreprocessor(max_example_len=256))
    tasks = {
        "mlm": MaskedLanguagePretrainer(recipe, tower="pooled", max_epochs=epochs, **shared),
        "strided mlm": MaskedLanguagePretrainer(max_epochs=max(1, epochs // 2), **shared),
        "chars": MaskedCharacterPretrainer(tower="pooled", max_epochs=1, **shared),
    }
    towers, seconds, base = {}, {}, None
    for name, pretrainer in tasks.items():
        start = time.perf_counter()
        if base is not None:
            pretrainer.set_params(base=base)
        base = pretrainer.fit(texts).base_
        towers[name], seconds[name] = pretrainer.tower_, time.perf_counter() - start
    return towers, seconds


def features(towers):
    """Return the feature pipelines to compare."""

    def tfidf():
        return TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)

    def dense(*names, pooling="native"):
        embedder = ComposedEmbedder([(n, towers[n]) for n in names], pooling=pooling)
        return make_pipeline(embedder, StandardScaler())

    def beside_tfidf(*names):  # rows of norm 0.5, those of TF-IDF having 1
        width = sum(towers[name].width for name in names)
        parts = [("cclm", dense(*names)), ("tfidf", tfidf())]
        return FeatureUnion(parts, transformer_weights={"cclm": 0.5 / width**0.5})

    return {
        "TF-IDF char_wb (2-5)": tfidf(),
        **{name: dense(name) for name in towers},
        "mlm, mean+max": dense("mlm", pooling="mean+max"),
        "all three towers": dense(*towers),
        "mlm beside TF-IDF": beside_tfidf("mlm"),
        "all three beside TF-IDF": beside_tfidf(*towers),
    }


def accuracy(transformer, train, tests, rows):
    """Return the accuracy on each test set of a logistic regression on these training rows."""
    texts, labels = [train[0][i] for i in rows], [train[1][i] for i in rows]
    vectors = transformer.fit(texts).transform(texts)
    grid = {"C": [0.01, 0.1, 1, 10, 100]}
    search = GridSearchCV(LogisticRegression(max_iter=2000, tol=1e-3), grid, cv=3, n_jobs=2)
    search.fit(vectors, labels)
    return [search.score(transformer.transform(texts), labels) for texts, labels in tests]


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=60_000, help="dialogue turns to add (60000)")
    parser.add_argument("--epochs", type=int, default=6, help="epochs of the first tower (6)")
    parser.add_argument("--quick", action="store_true", help="a tiny run that shows the steps")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to FILE")
    options = parser.parse_args()
    if options.quick:
        options.turns, options.epochs = 500, 1
    train, test = read_banking77()
    noisy = (TypoNoise(rate=0.1, random_state=0).transform(test[0]), test[1])
    texts = train[0] + read_lines("self_dialogue", "dialogues_sgd", n=options.turns)
    towers, seconds = pretrain(texts, options.epochs)
    took = ", ".join(f"{name} {value:,.0f} s" for name, value in seconds.items())
    print(f"{len(texts):,} texts without labels; pretraining took {took}\n")
    print("| features | 10 labels, clean | 10 labels, 10 % noise | all, clean | all, 10 % noise |")
    print("|---|---|---|---|---|")
    figures = {}
    for name, transformer in features(towers).items():
        few = [
            accuracy(transformer, train, [test, noisy], few_per_class(train[1], 10, seed))
            for seed in range(1 if options.quick else 3)
        ]
        rows = few_per_class(train[1], 10, 9) if options.quick else np.arange(len(train[0]))
        full = accuracy(transformer, train, [test, noisy], rows)
        mean, spread = np.mean(few, axis=0), np.std(few, axis=0)
        cells = [f"{m:.3f} ± {s:.3f}" for m, s in zip(mean, spread, strict=True)]
        print(f"| {name} | {' | '.join(cells + [f'{f:.3f}' for f in full])} |", flush=True)
        figures[name] = {"few": mean.tolist(), "spread": spread.tolist(), "all": full}
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
