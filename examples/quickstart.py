"""
Quickstart: few labels, misspelt text
=====================================

What kind of thing does "sliec of pziza" name? Thirteen kinds, five examples of each, and test
texts in which letters are mistyped: TF-IDF of character n-grams, the default embedder, and one
that is adapted to the texts.

The texts are the names that Unicode gives its pictures, as Python has them; ``--data FILE.csv``
with the columns text and label (gzipped or not) runs the same on a file of yours.
"""

# %%
# The texts
# ---------
# Half of them are to learn from, and five of each kind have a label; the others are to test on. In
# misspelt ones, one or two letters in ten are replaced by a neighbour on the keyboard.

import argparse
import csv
import gzip
import os
import pickle
import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline

from sklearn_cclm import ComposedEmbedder, DistillationPretrainer, TypoNoise
from sklearn_cclm.datasets import load_pictures

parser = argparse.ArgumentParser(description="Classify misspelt texts with few labels.")
parser.add_argument("--data", metavar="FILE", help="CSV file, may be gzipped: text,label")
parser.add_argument("--labels", type=int, default=5, help="labelled texts per class (5)")
parser.add_argument("--quick", action="store_true", help="a short run that shows the steps")
options = parser.parse_args()
quick = options.quick or bool(os.environ.get("CCLM_QUICK"))


def read_csv(path):
    """Return the texts and labels of a CSV file."""
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], np.array([row["label"] for row in rows])


if options.data:
    texts, labels = read_csv(options.data)
else:
    pictures = load_pictures()
    texts, labels = pictures.data, np.array(pictures.target_names)[pictures.target]
train_texts, test_texts, train_labels, test_labels = train_test_split(
    texts, labels, test_size=0.5, stratify=labels, random_state=0
)
kinds = np.unique(labels)
draws = [
    np.random.default_rng(seed).permutation(len(train_texts)) for seed in range(1 if quick else 5)
]
few = [
    np.concatenate([order[train_labels[order] == kind][: options.labels] for kind in kinds])
    for order in draws
]
tests = [test_texts] + [
    TypoNoise(rate=rate, random_state=0).transform(test_texts).tolist() for rate in (0.1, 0.2)
]
print(f"{len(few[0])} labels of {len(kinds)} kinds; such as {tests[1][:3]}")

# %%
# Adapt the published tower to the texts
# --------------------------------------
# It learns to say of each text, misspelt anew in each pass, what it said of the clean one. Labels
# are not looked at. The published tower stands beside it, as texts to come have words that these
# lack. What was learned is floats; rounded to bytes it answers the same.

start = time.perf_counter()
adapted = DistillationPretrainer(
    teacher="en-semantic", init_from="en-semantic",
    max_epochs="auto" if options.data or quick else 500,  # of "auto" the minutes bound them
    max_minutes=0.05 if quick else 1, random_state=0,
).fit(train_texts)  # fmt: skip
own = adapted.tower_.astype("int8")  # rounded: a quarter of the bytes
print(f"adapted in {time.perf_counter() - start:.0f} s, {adapted.n_iter_} passes")

# %%
# Compare
# -------
# The same logistic regression on each, with five draws of the labels.

features = {
    "TF-IDF": TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    "ComposedEmbedder()": ComposedEmbedder(),
    "without n-grams": ComposedEmbedder(lexical=False),
    "adapted": ComposedEmbedder([("own", own), ("en", "en-semantic")]),
}
scores, models = {}, {}
print(f"\n{'accuracy':<20}{'clean':>8}{'10 %':>8}{'20 %':>8}")
for name, transformer in features.items():
    found = []
    for rows in few:
        model = make_pipeline(transformer, LogisticRegression(max_iter=1000))
        model.fit([train_texts[i] for i in rows], train_labels[rows])
        found.append([model.score(each, test_labels) for each in tests])
    scores[name], models[name] = np.mean(found, axis=0), model
    print(f"{name:<20}" + "".join(f"{score:>8.3f}" for score in scores[name]))

figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for name, values in scores.items():
    ax.plot([0, 10, 20], values, "o-", label=name)
ax.set(xlabel="letters mistyped, %", ylabel="accuracy", xticks=[0, 10, 20], ylim=(0, None))
ax.legend(loc="lower left")

# %%
# "Slice of pizza" shares no word with "hamburger": few labels leave TF-IDF little to go by, and
# what words mean has to come from elsewhere. The published tower brings it; n-grams beside it, the
# default, cost more here than they bring, since few words occur twice. Adapted it is as good on
# clean text, and keeps more as letters go wrong. The published towers may have read names of
# pictures, among a million other texts, and never a kind. These are everyday words: on sentences
# about software, as in ``load_docstrings``, the default is level with TF-IDF.

# %%
# Search by a misspelt query
# --------------------------
# The vectors of the published tower find texts by what they mean, where one word of two is still
# readable. In the last query neither is, and letters are all that is left.

embedder = features["without n-grams"]
index = NearestNeighbors(metric="cosine").fit(embedder.transform(texts))
print()
for query in ("sea creatrue", "public trasnport", "sad fcae", "raniy wether"):
    _, places = index.kneighbors(embedder.transform([query]), n_neighbors=4)
    print(f"{query}: {', '.join(texts[place] for place in places[0])}")

# %%
# Pickle and load
# ---------------
# Towers are values that hold arrays, so a pipeline is stored as any other; without code, ``save``
# and ``load`` store embedders and heads.

stored = pickle.dumps(models["adapted"])
same = np.array_equal(pickle.loads(stored).predict(tests[2]), models["adapted"].predict(tests[2]))
print(f"\n{len(stored) / 1e6:.0f} MB; the loaded pipeline predicts the same: {same}")
assert same
