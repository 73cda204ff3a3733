"""Rebuild the published tower "en-semantic": all-MiniLM-L6-v2's meaning, in a bag of n-grams.

    pip install -r recipes/requirements.txt
    python recipes/en_semantic.py [--sentences N] [--words N] [--epochs N] [--threads N]
                                  [--work DIR] [--shelf DIR]

Reads the corpora in the folder named by the environment variable CCLM_DATA (default
../shared/data). The teacher's vectors and the state of the training are kept in --work: after a
crash the same command goes on. The log ends with the held-out cosine of each epoch, from which the
learning curve is drawn, and the tower's cosine to the teacher at several rates of noise.
"""

import argparse
import csv
import gzip
import json
import time
from pathlib import Path

import numpy as np
import torch
from _corpora import need, training_texts
from _teacher import Teacher
from sklearn.preprocessing import normalize

from sklearn_cclm import CCLMModelBase, CharPreprocessor, DistillationPretrainer, TypoNoise
from sklearn_cclm.nn import PooledConfig

HELD_OUT = 5000  # texts
KINDS = {"typos": 1, "slip": 3, "swap": 1, "drop": 1, "insert": 1, "repeat": 0.5, "space": 0.5,
         "case": 0.5}  # fmt: skip


def attested_typos():
    """Return (typo, word) pairs collected from Reddit and Wikipedia."""
    with gzip.open(need("typos_reddit_wikipedia.csv.gz"), "rt", encoding="utf-8") as file:
        return [(row["typo"], row["correction"]) for row in csv.DictReader(file)]


def pretrainer(options):
    """Return the unfitted pretrainer."""
    return DistillationPretrainer(
        CCLMModelBase(CharPreprocessor(max_example_len=320), n_buckets=options.buckets),
        tower=PooledConfig(width=384, hidden=options.hidden),
        noise=TypoNoise(KINDS, rate=(-0.1, 0.3), typos=attested_typos()),
        max_epochs=options.epochs,
        checkpoint=options.work / "checkpoint",
        checkpoint_every=2000,
        random_state=0,
        verbose=1,
    )


def cosines(tower, texts, vectors):
    """Return the mean cosine to the teacher's vectors of the clean texts, by rate of slips."""
    from sklearn_cclm import ComposedEmbedder

    embedder = ComposedEmbedder([("own", tower)]).fit(texts[:1])
    found = {}
    for rate in (0.0, 0.05, 0.1, 0.2):
        noisy = TypoNoise(rate=rate, random_state=0).transform(texts)
        own = normalize(embedder.transform(noisy))
        found[rate] = float(np.mean(np.sum(own * normalize(vectors.astype(np.float32)), axis=1)))
    return found


def main():
    """Run the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=int, default=200_000, help="to learn from (200,000)")
    parser.add_argument("--words", type=int, default=40_000, help="frequent words beside (40,000)")
    parser.add_argument("--epochs", type=int, default=60, help="passes (60)")
    parser.add_argument("--buckets", type=int, default=2**16, help="rows of the table (65,536)")
    parser.add_argument("--hidden", type=int, default=512, help="units of the tower (512)")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (2)")
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / ".work")
    parser.add_argument("--shelf", type=Path, help="a shelf to publish to")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    texts = training_texts(options.sentences, options.words)
    vectors = Teacher(options.work / "teacher").vectors(texts)
    train, held_out = slice(HELD_OUT, None), slice(HELD_OUT)
    start = time.perf_counter()
    fitted = pretrainer(options).fit(
        texts[train], vectors[train], validation=(texts[held_out], vectors[held_out])
    )
    print(f"trained in {time.perf_counter() - start:.0f} s", flush=True)
    for row in fitted.history_:
        print(json.dumps(row))
    print("cosine by rate of slips:", cosines(fitted.tower_, texts[held_out], vectors[held_out]))


if __name__ == "__main__":
    main()
