"""
Which errors a robust model makes
=================================

Accuracy says how many answers are wrong as letters go wrong. Here we look at which: kind by kind,
and at one text character by character.
"""

# %%
# Two models
# ----------
# Ten names of each kind have a label. One model counts character n-grams; the other has the
# published tower, which learned for a minute to read the unlabelled half of the names misspelt.

import os

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_cclm import ComposedEmbedder, DistillationPretrainer, TypoNoise
from sklearn_cclm.datasets import load_pictures
from sklearn_cclm.robustness import explain

pictures = load_pictures()
labels = np.array(pictures.target_names)[pictures.target]
train_texts, test_texts, train_labels, test_labels = train_test_split(
    pictures.data, labels, test_size=0.5, stratify=labels, random_state=0
)
few = np.concatenate([np.flatnonzero(train_labels == kind)[:10] for kind in pictures.target_names])
minutes = 0.05 if os.environ.get("CCLM_QUICK") else 1
adapted = DistillationPretrainer(
    teacher="en-semantic", init_from="en-semantic", max_minutes=minutes, random_state=0
).fit(train_texts)
features = {
    "TF-IDF": TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    "adapted": ComposedEmbedder([("own", adapted.tower_)]),
}
models = {
    name: make_pipeline(each, LogisticRegression(max_iter=1000)).fit(
        [train_texts[i] for i in few], train_labels[few]
    )
    for name, each in features.items()
}

# %%
# Kind by kind
# ------------
# The share of each kind that is found in clean text, and where one letter in five is mistyped.

misspelt = TypoNoise(rate=0.2, random_state=0).transform(test_texts).tolist()
kinds = pictures.target_names
figure, axes = plt.subplots(1, 2, figsize=(9, 4.5), sharey=True, layout="constrained")
for ax, (name, model) in zip(axes, models.items(), strict=True):
    found = [
        recall_score(test_labels, model.predict(texts), labels=kinds, average=None)
        for texts in (test_texts, misspelt)
    ]
    ax.hlines(kinds, found[1], found[0], color="0.8", linewidth=3)
    ax.plot(found[0], kinds, "o", label="clean")
    ax.plot(found[1], kinds, "o", label="20 % mistyped")
    ax.set(title=name, xlabel="found", xlim=(-0.03, 1.03))
    print(
        f"{name}: {np.mean(found[0]):.2f} of each kind on average, misspelt {np.mean(found[1]):.2f}"
    )
axes[0].legend()

# %%
# What is mistaken for what
# -------------------------
# The most frequent errors on misspelt text. Some of the adapted model are near in meaning, such as
# food that is taken for a plant; most are words whose remaining letters look like those of another
# kind.

for name, model in models.items():
    predicted = model.predict(misspelt)
    wrong = predicted != test_labels
    pairs, counts = np.unique(
        np.char.add(np.char.add(test_labels[wrong], " taken for "), predicted[wrong]),
        return_counts=True,
    )
    most = counts.argsort()[::-1][:4]
    print(f"{name}: " + ", ".join(f"{pairs[i]} ({counts[i]})" for i in most))

# %%
# One text
# --------
# `explain` leaves out each character in turn: what falls then carried the decision. Of a right
# answer and, with two letters wrong, of a wrong one, where the word that would have decided is not
# understood.

for text in ("slice of pizza", "slide of pozza"):
    found = explain(models["adapted"], text)
    print(f"{text}: {found.label}")
    found.plot()
