"""Rebuild the published tower "en-semantic": all-MiniLM-L6-v2's meaning, in a bag of n-grams.

    pip install -r recipes/requirements.txt
    python recipes/en_semantic.py --shelf DIR [--sentences N] [--words N] [--epochs N]
                                  [--buckets N] [--width N] [--hidden N] [--threads N]
                                  [--dtype DTYPE] [--work DIR]

Reads the corpora in the folder named by the environment variable CCLM_DATA (default
../shared/data). The teacher's vectors and the state of the training are kept in --work: after a
crash the same command goes on. Each epoch prints the cosine to the teacher on held-out texts; the
model card has that of the tower as it is stored, at several rates of noise. The tower is published
to the shelf in the directory --shelf.
"""

import argparse
import csv
import gzip
import time
from pathlib import Path

import numpy as np
import torch
from _corpora import LICENCES, need, training_texts
from _evaluate import RATES, curves
from _teacher import Teacher
from sklearn.preprocessing import normalize

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ComposedEmbedder,
    DistillationPretrainer,
    PooledConfig,
    Shelf,
    Tower,
    TypoNoise,
)
from sklearn_cclm.shelf import Curve

HELD_OUT = 0.02  # share of the texts
NORM = 5.0
KINDS = {"typos": 1, "slip": 3, "swap": 1, "drop": 1, "insert": 1, "repeat": 0.5, "space": 0.5,
         "case": 0.5}  # fmt: skip


def attested_typos():
    """Return (typo, word) pairs collected from Reddit and Wikipedia."""
    with gzip.open(need("typos_reddit_wikipedia.csv.gz"), "rt", encoding="utf-8") as file:
        return [(row["typo"], row["correction"]) for row in csv.DictReader(file)]


def pretrainer(options):
    """Return the unfitted pretrainer."""
    return DistillationPretrainer(
        CCLMModelBase(
            CharPreprocessor(max_example_len=320), width=options.width, n_buckets=options.buckets
        ),
        tower=PooledConfig(width=384, hidden=options.hidden),
        noise=TypoNoise(KINDS, rate=(-0.1, 0.3), typos=attested_typos()),
        max_epochs=options.epochs,
        checkpoint=options.work / "checkpoint",
        checkpoint_every=2000,
        random_state=0,
        verbose=1,
    )


def scaled(tower, texts):
    """Return the tower with vectors of norm 5 on average: it learned their directions alone.

    So a `LogisticRegression()` as it is does about as well as one of the best strength.
    """
    vectors = ComposedEmbedder([("own", tower)]).fit_transform(texts)
    factor = NORM / float(np.linalg.norm(vectors, axis=1).mean())
    module = tower.build()
    with torch.no_grad():
        for weights in (module.linear.weight, module.layers[-1].weight, module.layers[-1].bias):
            weights.mul_(factor)
    return tower.with_module(module, tower.base)


def curve(tower, texts, vectors):
    """Return the mean cosine to the teacher's vectors of the clean texts, by rate of slips."""
    embedder = ComposedEmbedder([("own", tower)]).fit(texts[:1])
    wanted, found = normalize(vectors.astype(np.float32)), []
    for rate in RATES:
        noisy = TypoNoise(rate=rate, random_state=0).transform(texts)
        own = normalize(embedder.transform(noisy))
        found.append(round(float(np.mean(np.sum(own * wanted, axis=1))), 4))
    return Curve(
        "held-out texts of the corpora", "cosine to all-MiniLM-L6-v2",
        "slips of the keyboard, share of letters", RATES, tuple(found),
    )  # fmt: skip


def main():
    """Run the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=int, default=400_000, help="to learn from (400,000)")
    parser.add_argument("--words", type=int, default=40_000, help="frequent words beside (40,000)")
    parser.add_argument("--epochs", type=int, default=45, help="passes (45)")
    parser.add_argument("--buckets", type=int, default=2**17, help="rows of the table (131,072)")
    parser.add_argument("--width", type=int, default=192, help="of the table (192)")
    parser.add_argument("--hidden", type=int, default=768, help="units of the tower (768)")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (2)")
    parser.add_argument("--dtype", default="int8", help="how weights are stored (int8)")
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / ".work")
    parser.add_argument("--shelf", type=Path, required=True, help="directory to publish to")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    texts = training_texts(options.sentences, options.words)
    vectors = Teacher(options.work / "teacher").vectors(texts)
    first = int(HELD_OUT * len(texts))
    train, held_out = slice(first, None), slice(first)
    start = time.perf_counter()
    fitted = pretrainer(options).fit(
        texts[train], vectors[train], validation=(texts[held_out], vectors[held_out])
    )
    seconds = time.perf_counter() - start
    stored = options.work / "stored"
    tower = scaled(fitted.tower_, texts[held_out])
    tower.save(stored, dtype=options.dtype)
    loaded = Tower.load(stored)
    measured = [curve(loaded, texts[held_out], vectors[held_out]), *curves(loaded)]
    entry = Shelf(options.shelf).publish(
        tower,
        "en-semantic",
        licence="CC-BY-SA-4.0",
        corpora={**LICENCES, "all-MiniLM-L6-v2 (teacher)": "Apache-2.0"},
        recipe=f"recipes/en_semantic.py, {len(texts):,} texts x {options.epochs}, {seconds:.0f} s",
        metrics=measured,
        dtype=options.dtype,
        language="en",
        limits="It learned from English alone, and sees the words of a text, hardly their order.",
    )
    print(f"published {entry.pinned}, {entry.size:,} bytes")
    for found in measured:
        print(f"{found.data}, {found.metric}: {found.scores}")


if __name__ == "__main__":
    main()
