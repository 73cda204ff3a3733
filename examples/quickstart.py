"""
Quickstart: from raw text to a searched, saved pipeline
=======================================================

Two small towers are pretrained on text without labels, composed, and used as features with a few
labels per class. The text is the docstrings of the installed Python libraries, and the label the
library, so that nothing needs to be downloaded; ``--data FILE.csv`` with the columns text and label
(gzipped or not) runs the same on a file of yours.
"""

# %%
# The text
# --------
# A few labelled texts per class are all that the classifier will see; the towers see the training
# texts without labels.

import argparse
import csv
import gzip
import os
import tempfile
import time

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_cclm import (
    CCLMModelBase,
    ComposedEmbedder,
    MaskedCharacterPretrainer,
    MaskedLanguagePretrainer,
    MLMPreprocessor,
    TypoNoise,
)
from sklearn_cclm.datasets import load_docstrings

parser = argparse.ArgumentParser(description="Pretrain, compose, classify, search and save.")
parser.add_argument("--data", metavar="FILE", help="CSV file, may be gzipped: text,label")
parser.add_argument("--labels", type=int, default=20, help="labelled texts per class (20)")
parser.add_argument("--quick", action="store_true", help="a small run that shows the steps")
options = parser.parse_args()
quick = options.quick or bool(os.environ.get("CCLM_QUICK"))


def read_csv(path):
    """Return the texts and labels of a CSV file."""
    opened = gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path)
    with opened as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], np.array([row["label"] for row in rows])


if options.data:
    texts, labels = read_csv(options.data)
else:
    docstrings = load_docstrings()
    texts, labels = docstrings.data, np.array(docstrings.target_names)[docstrings.target]
if quick:
    texts, _, labels, _ = train_test_split(
        texts, labels, train_size=min(3000, len(texts) - 1), random_state=0
    )

classes, counts = np.unique(labels, return_counts=True)
train_texts, test_texts, train_labels, test_labels = train_test_split(
    texts, labels, test_size=min(len(texts) // 4, 5000), stratify=labels, random_state=0
)
rng = np.random.default_rng(0)
few = np.concatenate(
    [rng.permutation(np.flatnonzero(train_labels == name))[: options.labels] for name in classes]
)
few_texts, few_labels = [train_texts[i] for i in few], train_labels[few]
print(f"{len(train_texts):,} texts to pretrain on, {len(few)} with a label, {len(classes)} classes")

# %%
# Pretrain two towers without labels
# ----------------------------------
# The first pretrainer trains a base and a tower by masked language modelling. The second takes the
# trained base, which stays as it is, and adds a small tower that predicts masked characters.

start = time.perf_counter()
unlabelled = train_texts[:30000]
mlm = MaskedLanguagePretrainer(
    CCLMModelBase(MLMPreprocessor(max_example_len=256)),
    tower="pooled",
    max_epochs=1 if quick else 5,
    random_state=0,
    verbose=1,
).fit(unlabelled)
chars = MaskedCharacterPretrainer(
    mlm.base_, tower="pooled", max_epochs=1, random_state=0, verbose=1
).fit(unlabelled)
print(f"pretrained in {time.perf_counter() - start:.0f} s")

# %%
# Compose them, and train a classifier on a few labels
# ----------------------------------------------------
# The composed towers are features like any other: alone, or with ``lexical="tfidf"`` beside TF-IDF
# of character n-grams, which knows more here and so weighs double. Misspelt text has one letter in
# ten replaced by a neighbour on the keyboard. The classes differ in size, so the figure is balanced
# accuracy.

embedder = ComposedEmbedder([("mlm", mlm.tower_), ("chars", chars.tower_)])
tfidf = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
scaled = Pipeline([("cclm", embedder), ("scale", StandardScaler())])
both = clone(embedder).set_params(lexical="tfidf", tower_weights={"lexical": 2})
misspelt = TypoNoise(rate=0.1, random_state=0).transform(test_texts)
print(f"\n{'features':<16}{'clean':>8}{'misspelt':>10}")
for name, features, strength in [("TF-IDF", tfidf, 10), ("cclm", scaled, 0.01), ("both", both, 1)]:
    model = Pipeline([("features", features), ("clf", LogisticRegression(C=strength))])
    model.set_params(clf__max_iter=2000).fit(few_texts, few_labels)
    scores = [
        balanced_accuracy_score(test_labels, model.predict(texts))
        for texts in (test_texts, misspelt)
    ]
    print(f"{name:<16}{scores[0]:>8.3f}{scores[1]:>10.3f}")

# %%
# Search
# ------
# Towers and pooling are parameters like any other: a tower can be dropped, or changed by its name.
# With ``memory=``, each embedding is computed once per fold, whatever the classifier's parameters.

with tempfile.TemporaryDirectory() as cache:
    pipeline = Pipeline(
        [
            ("cclm", embedder),
            ("scale", StandardScaler()),
            ("clf", LogisticRegression(max_iter=2000)),
        ],
        memory=cache,
    )
    search = GridSearchCV(
        pipeline,
        {
            "cclm__pooling": ["native", "mean+max"],
            "cclm__chars": [chars.tower_, "drop"],
            "clf__C": [0.001, 0.01, 0.1],
        },
        cv=3,
        scoring="balanced_accuracy",
    ).fit(few_texts, few_labels)
print(f"\nbest of {len(search.cv_results_['params'])}: {search.best_params_}")
print(f"on clean test text: {search.score(test_texts, test_labels):.3f}")

# %%
# Save and load
# -------------
# Bases and towers are values that hold numpy arrays, so joblib stores the whole pipeline.

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "pipeline.joblib")
    joblib.dump(search.best_estimator_.set_params(memory=None), path)
    size = os.path.getsize(path) / 1e6
    loaded = joblib.load(path)
same = np.array_equal(loaded.predict(test_texts[:500]), search.predict(test_texts[:500]))
print(f"\n{size:.0f} MB on disk; the loaded pipeline predicts the same: {same}")
assert same
