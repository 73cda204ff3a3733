"""Entity-level F1 of `EntityPretrainer` on wnut17, and on a split of wikigold of our own.

    python benchmarks/entities.py [--epochs N] [--threads N]

Reads the data sets from the folder in the environment variable CCLM_DATA (default ../shared/data).
The towers are trained from scratch on the training sentences alone. Of wikigold, which has no
split, a fifth of the sentences, drawn with a fixed seed, is the test set.
"""

import argparse
import time

import numpy as np
import torch
from _data import need

from sklearn_cclm import EntityPretrainer
from sklearn_cclm.datasets import read_conll


def wikigold():
    """Return training and test sentences."""
    sentences, tags = read_conll(need("ner_wikigold.all.txt.gz"))
    order = np.random.default_rng(0).permutation(len(sentences))
    cut = len(order) // 5
    return [
        ([sentences[i] for i in rows], [tags[i] for i in rows])
        for rows in (order[cut:], order[:cut])
    ]


def wnut17():
    """Return training and test sentences."""
    return [read_conll(need(f"ner_wnut17.{part}.txt.gz")) for part in ("train", "test")]


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=8, help="passes over the sentences (8)")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (2)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print("| data set | sentences | seconds | F1 |")
    print("|---|---|---|---|")
    for name, (train, test) in {"wnut17": wnut17(), "wikigold": wikigold()}.items():
        pretrainer = EntityPretrainer(
            max_epochs=options.epochs, validation_fraction=0.0, random_state=0
        )
        start = time.perf_counter()
        pretrainer.fit(*train)
        seconds = time.perf_counter() - start
        f1 = pretrainer.score(*test)
        print(f"| {name} | {len(train[0]):,} | {seconds:.0f} | {f1:.3f} |", flush=True)


if __name__ == "__main__":
    main()
