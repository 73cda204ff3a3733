"""How much TF-IDF should weigh beside a tower, where few texts have a label.

    pip install -r benchmarks/requirements.txt
    python benchmarks/balance.py [--cache DIR] [--quick]

Reads banking77, trec_questions, tweet_emotion and sentence_polarity from the folder in the
environment variable CCLM_DATA (default ../shared/data), of each the training texts alone: some are
held out to measure accuracy, clean and with one letter in ten replaced by its neighbour on the
keyboard. The others pretrain two towers without labels: one distilled from all-MiniLM-L6-v2, whose
vectors are kept in --cache, and one by masked language modelling. Two draws of labelled texts, and
a logistic regression with C=30.
"""

import argparse
from pathlib import Path

import numpy as np
from _data import few_per_class, read_csv
from own_text import Teacher
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_cclm import (
    ComposedEmbedder,
    DistillationPretrainer,
    MaskedLanguagePretrainer,
    TypoNoise,
)

SIZES = {  # texts to pretrain on, and labels per class
    "banking77": (5000, (5, 10)),
    "trec_questions": (1800, (10, 40)),
    "tweet_emotion": (1800, (20, 80)),
    "sentence_polarity": (1800, (50, 200)),
}
HELD_OUT = 1000
WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)


def read(name, n_texts):
    """Return texts and labels to pretrain on and to draw from, and those held out."""
    rows = [row for row in read_csv(f"{name}.csv.gz") if row.get("split", "train") == "train"]
    order = np.random.default_rng(0).permutation(len(rows))
    parts = order[HELD_OUT : HELD_OUT + n_texts], order[:HELD_OUT]
    return [
        ([rows[i]["text"] for i in part], np.array([rows[i]["label"] for i in part]))
        for part in parts
    ]


def pretrain(texts, vectors, quick):
    """Return a distilled tower and one from masked language modelling."""
    epochs = (2, 1) if quick else (40, 3)
    distilled = DistillationPretrainer(max_epochs=epochs[0], random_state=0).fit(texts, vectors)
    masked = MaskedLanguagePretrainer(tower="pooled", max_epochs=epochs[1], random_state=0)
    return {"distilled": distilled.tower_, "masked": masked.fit(texts).tower_}


def mixes(tower):
    """Return the embedders to compare: TF-IDF by its weight beside a tower, and alone."""
    mix = ComposedEmbedder([("own", tower)], lexical="tfidf")
    weighted = [clone(mix).set_params(tower_weights={"lexical": weight}) for weight in WEIGHTS]
    return [*weighted, clone(mix).set_params(own="drop")]


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, default=Path(__file__).parent / ".cache")
    parser.add_argument("--quick", action="store_true", help="a tiny run that shows the steps")
    options = parser.parse_args()
    print("accuracy on clean / misspelt text by the weight of TF-IDF; a tower weighs 1\n")
    columns = [*(f"{weight:g}" for weight in WEIGHTS), "alone"]
    print(f"| data, labels per class, tower | {' | '.join(columns)} |")
    print("|---" * (len(columns) + 1) + "|")
    teacher, every = Teacher(options.cache), {}
    for name, (n_texts, sizes) in SIZES.items():
        (texts, labels), (held_out, truth) = read(name, 200 if options.quick else n_texts)
        misspelt = TypoNoise(rate=0.1, random_state=0).transform(held_out).tolist()
        towers = pretrain(texts, teacher.cached(f"{name}-part", texts), options.quick)
        for n in sizes:
            for kind, tower in towers.items():
                cells = []
                for embedder in mixes(tower):
                    found = []
                    for seed in range(1 if options.quick else 2):
                        rows = few_per_class(labels, n, seed)
                        model = make_pipeline(embedder, LogisticRegression(C=30, max_iter=500))
                        model.fit([texts[i] for i in rows], labels[rows])
                        found.append([model.score(test, truth) for test in (held_out, misspelt)])
                    cells.append(np.mean(found, axis=0))
                every.setdefault(kind, []).append(cells)
                show(f"{name}, {n}, {kind}", cells)
    for kind, cells in every.items():
        show(f"mean, {kind}", np.mean(cells, axis=0))


def show(name, cells):
    """Print a row of the table."""
    found = " | ".join(f"{clean:.3f} / {misspelt:.3f}" for clean, misspelt in cells)
    print(f"| {name} | {found} |", flush=True)


if __name__ == "__main__":
    main()
