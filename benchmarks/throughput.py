"""Texts per second of `ComposedEmbedder.transform` beside TF-IDF's, in one run.

    python benchmarks/throughput.py [--quick] [--json FILE]

The texts are distinct sentences of the installed libraries' docstrings, cut to 60 characters. The
towers are trained for one step: their speed does not depend on what they have learned. Rounds are
interleaved; the table gives the median, the spread, and the ratio to TF-IDF char_wb.
"""

import argparse
import json
import time

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from sklearn_cclm import ComposedEmbedder, MaskedCharacterPretrainer, PooledConfig
from sklearn_cclm._batches import length_batches
from sklearn_cclm.datasets import load_docstrings

LENGTH = 60


def short_texts(n):
    """Return n distinct texts of LENGTH characters."""
    pieces = dict.fromkeys(
        text[i : i + LENGTH]
        for text in load_docstrings().data
        for i in range(0, len(text) - LENGTH + 1, LENGTH)
    )
    texts = list(pieces)[:n]
    if len(texts) < n:
        raise SystemExit(f"only {len(texts)} texts of {LENGTH} characters; ask for fewer")
    return texts


def pretrained(texts):
    """Return a pooled and a strided tower on one base, and the pooled one on bases of its own."""

    def fit(base=None, tower="pooled", seed=0):
        pretrainer = MaskedCharacterPretrainer(base, tower=tower, max_epochs=1, random_state=seed)
        return pretrainer.fit(texts[:512])

    first = fit()
    shared = [first.tower_] + [fit(first.base_, PooledConfig(), seed).tower_ for seed in (1, 2)]
    separate = [first.tower_] + [fit(None, "pooled", seed).tower_ for seed in (1, 2)]
    return shared, separate, fit(first.base_, "strided").tower_


def embedder(*towers):
    """Return a fitted embedder of these towers."""
    return ComposedEmbedder([(f"t{i}", tower) for i, tower in enumerate(towers)]).fit(["text"])


def padding_share(texts, batch_chars=32768):
    """Return the share of padding among the codes of all batches."""
    lengths = np.array([len(text) for text in texts])
    padded = sum(len(rows) * lengths[rows].max() for rows in length_batches(lengths, batch_chars))
    return 1 - lengths.sum() / padded


def measure(transforms, texts, rounds):
    """Return the seconds of each transform, (rounds, n), in interleaved rounds."""
    for transform in transforms.values():
        transform(texts[:1000])
    seconds = np.empty((rounds, len(transforms)))
    for row in seconds:
        for i, transform in enumerate(transforms.values()):
            start = time.perf_counter()
            transform(texts)
            row[i] = time.perf_counter() - start
    return seconds


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer texts and rounds")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to FILE")
    options = parser.parse_args()
    n, rounds = (2000, 3) if options.quick else (20000, 7)
    texts = short_texts(n)
    shared, separate, strided = pretrained(texts)
    tfidf = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True).fit(texts)
    transforms = {
        "TF-IDF char_wb (2-5)": tfidf.transform,
        "1 pooled tower": embedder(shared[0]).transform,
        "3 pooled towers on one base": embedder(*shared).transform,
        "3 pooled towers on three bases": embedder(*separate).transform,
        "1 strided tower": embedder(strided).transform,
    }
    seconds = measure(transforms, texts, rounds)
    ratios = seconds[:, :1] / seconds
    print(
        f"{n:,} distinct texts of {LENGTH} characters, {torch.get_num_threads()} threads, ", end=""
    )
    print(f"{rounds} rounds\n\n| transform | texts/s | spread | speed against TF-IDF |")
    print("|---|---|---|---|")
    figures = {}
    for i, name in enumerate(transforms):
        rates = n / seconds[:, i]
        low, high = rates.min(), rates.max()
        ratio = np.median(ratios[:, i])
        print(f"| {name} | {np.median(rates):,.0f} | {low:,.0f}-{high:,.0f} | {ratio:.2f} |")
        figures[name] = {"texts_per_s": float(np.median(rates)), "ratio": float(ratio)}
    mixed = load_docstrings().data
    figures["padding_share"] = float(padding_share(mixed))
    print("\nPadding share, whole docstring sentences of mixed length: ", end="")
    print(f"{figures['padding_share']:.2%}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(figures, file, indent=2)


if __name__ == "__main__":
    main()
