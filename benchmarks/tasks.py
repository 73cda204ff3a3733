"""What each pretraining task teaches a tower in a fixed time, by accuracy on four labelled sets.

    python benchmarks/tasks.py [--minutes M] [--threads N] [--only NAME ...] [--json FILE]

Each task is pretrained for about --minutes (20) of processor time, 10 minutes on 2 cores, whatever
else runs; short runs first tell how many texts that is. To keep 2 cores busy, run two of these,
each with a half of the tasks as --only. The texts are of the corpora in the folder named by the
environment variable CCLM_DATA (default ../shared/data); a set that is read through sooner is read
as many times as the task's default says. Classification and entities need labels, and take six
labelled sets, and wnut17 and wikigold. Distillation asks all-MiniLM-L6-v2 (see own_text.py), whose
time counts.

Whitened features of the trained tower, of the same tower with untrained weights, and TF-IDF
character n-grams are compared by a logistic regression on all training labels of trec_questions,
tweet_emotion and sentence_polarity (of which a tenth is kept for testing), and on 10 labels per
class of banking77 (mean of 3 draws).
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from _data import few_per_class, need, read_banking77, read_csv, read_lines
from own_text import Teacher
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sklearn_cclm import (
    CausalLanguagePretrainer,
    ClassificationPretrainer,
    ComposedEmbedder,
    ContrastivePretrainer,
    DistillationPretrainer,
    EntityPretrainer,
    MaskedCharacterPretrainer,
    MaskedLanguagePretrainer,
    MultiTaskPretrainer,
    TypoNoise,
)
from sklearn_cclm.datasets import read_conll

CORPORA = (
    "dialogues_sgd", "ebooks_cc0", "openstax_ccby", "self_dialogue", "state_of_the_union",
    "wikipedia_sentences",
)  # fmt: skip
LABELLED = ("pros_cons", "snips", "newsgroups20", "ewt_genre", "sms_spam", "tweet_irony")
MOST = 200_000  # texts
GRID = {"C": [0.01, 0.1, 1, 10]}


def tasks():
    """Return the pretrainers by name, with what they read."""
    noise = TypoNoise(["slip", "swap", "drop"], rate=(-0.1, 0.2))
    both = [
        ("chars", MaskedCharacterPretrainer(tower="pooled")),
        ("mlm", MaskedLanguagePretrainer(tower="pooled")),
    ]
    return {
        "masked language, strided": (MaskedLanguagePretrainer(), "corpora"),
        "denoising, strided": (MaskedCharacterPretrainer(noise=noise), "corpora"),
        "causal language, conv": (CausalLanguagePretrainer(n_predict=3), "corpora"),
        "contrastive, pooled": (ContrastivePretrainer(), "corpora"),
        "distillation, pooled": (DistillationPretrainer(max_epochs=100), "teacher"),
        "classification, pooled": (ClassificationPretrainer(lr=5e-4, base_lr=1e-4), "labels"),
        "entities, conv": (EntityPretrainer(), "entities"),
        "multi-task, pooled": (MultiTaskPretrainer(both), "corpora"),
    }


def read(kind, teacher, seconds):
    """Return the texts and targets that a task learns from."""
    if kind == "labels":
        rows = shuffled([row for name in LABELLED for row in labelled(name)])
        return [text for text, _ in rows], [label for _, label in rows]
    if kind == "entities":
        return read_conll([need(f"ner_{n}.txt.gz") for n in ("wnut17.train", "wikigold.all")])
    texts = read_lines(*CORPORA, n=MOST)
    if kind == "corpora":
        return texts, None
    vectors, start = [], time.process_time()
    while time.process_time() - start < seconds / 2 and len(vectors) * 500 < len(texts):
        vectors.append(teacher.encode(texts[len(vectors) * 500 :][:500]))
    vectors = np.concatenate(vectors)
    return texts[: len(vectors)], vectors


def labelled(name):
    """Return the (text, label) pairs of a set's training part, labels named after the set."""
    return [
        (row["text"][:600], f"{name}: {row['label']}")
        for row in read_csv(f"{name}.csv.gz")
        if row.get("split", "train") == "train" and row["text"].strip()
    ]


def fit_for(pretrainer, texts, y, seconds):
    """Train for about so much processor time: on as many texts as short runs foretell."""
    most = pretrainer.max_epochs
    pretrainer.set_params(random_state=0, max_epochs=1, validation_fraction=0.01)

    def took(n):
        start = time.process_time()
        pretrainer.fit(texts[:n], None if y is None else y[:n])
        return time.process_time() - start

    n = min(len(texts), 2000)
    before, last = 0.0, took(n)
    while last < seconds / 100 and 2 * n <= len(texts):
        n, before, last = 2 * n, last, took(2 * n)
    rate = (n // 2 if before else n) / max(1e-3, last - before)
    passes = max(1.0, min(most, rate * seconds / len(texts)))
    n = len(texts) if passes > 1 else max(1, int(rate * seconds))
    pretrainer.set_params(max_epochs=round(passes))
    used = took(n)
    return f"{n:,} texts x {round(passes)}, {used / 60:.1f} min"


def towers(pretrainer):
    """Return the (name, tower) pairs of a fitted pretrainer."""
    return getattr(pretrainer, "towers_", None) or [("own", pretrainer.tower_)]


def shuffled(rows):
    """Return rows in random order."""
    return [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]


def labelled_sets():
    """Return train and test of each labelled set, and the numbers of the draws of labels."""
    sets = {}
    for name, file in (("trec", "trec_questions"), ("emotion", "tweet_emotion")):
        rows = read_csv(f"{file}.csv.gz")
        parts = [[r for r in rows if r["split"] == split] for split in ("train", "test")]
        sets[name] = [([r["text"] for r in p], [r["label"] for r in p]) for p in parts]
    rows = shuffled(read_csv("sentence_polarity.csv.gz"))
    parts = rows[len(rows) // 10 :], rows[: len(rows) // 10]
    sets["polarity"] = [([r["text"] for r in p], [r["label"] for r in p]) for p in parts]
    sets["banking77"] = read_banking77()
    return sets


def accuracies(transformer, sets):
    """Return the accuracy on each set."""
    figures = {}
    for name, (train, test) in sets.items():
        few = name == "banking77"
        draws = [few_per_class(train[1], 10, seed) for seed in range(3)] if few else [slice(None)]
        features = transformer.fit(train[0]).transform(train[0]), transformer.transform(test[0])
        labels = np.array(train[1])
        found = []
        for rows in draws:
            search = GridSearchCV(LogisticRegression(max_iter=300, tol=1e-3), GRID, cv=3)
            search.fit(features[0][rows], labels[rows])
            found.append(search.score(features[1], test[1]))
        figures[name] = float(np.mean(found))
    return figures


def show(name, figures, note):
    """Print a row of the table."""
    cells = " | ".join(f"{value:.3f}" for value in figures.values())
    print(f"| {name} | {cells} | {note} |", flush=True)


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20, help="of processor time a task (20)")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (1)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="tasks whose name starts so")
    parser.add_argument("--cache", type=Path, default=Path(__file__).parent / ".cache")
    parser.add_argument("--quick", action="store_true", help="a tiny run that shows the steps")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to FILE")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    seconds = 3 if options.quick else options.minutes * 60
    sets = labelled_sets()
    if options.quick:
        sets = {name: [(t[:300], y[:300]) for t, y in parts] for name, parts in sets.items()}
    print(f"| features | {' | '.join(sets)} | pretraining |")
    print(f"|---{'|---' * len(sets)}|---|")
    tfidf = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    report = {"TF-IDF char_wb (2-5)": accuracies(make_pipeline(tfidf, MaxAbsScaler()), sets)}
    show("TF-IDF char_wb (2-5)", report["TF-IDF char_wb (2-5)"], "")
    for name, (pretrainer, kind) in tasks().items():
        if options.only and not name.startswith(tuple(options.only)):
            continue
        texts, y = read(kind, Teacher(options.cache), seconds)
        left = seconds / 2 if kind == "teacher" else seconds
        still = clone(pretrainer).set_params(max_epochs=1, lr=1e-12, base_lr=None, random_state=0)
        untrained = towers(still.fit(texts[:2000], None if y is None else y[:2000]))
        note = fit_for(pretrainer, texts, y, left)
        for label, parts, said in (
            (name, towers(pretrainer), note), (f"{name}, untrained", untrained, "")
        ):  # fmt: skip
            report[label] = accuracies(
                make_pipeline(ComposedEmbedder(parts), PCA(whiten=True)), sets
            )
            show(label, report[label], said)
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
