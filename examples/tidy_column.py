"""
Duplicates and kinds in a dirty column
======================================

A column was typed by hand: each name stands in it three times, once as it should be and twice
misspelt. Which rows mean the same thing, and what kinds of things are there? Nobody gave a label.
"""

# %%
# The column
# ----------

import os

import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import normalized_mutual_info_score
from sklearn.neighbors import NearestNeighbors

from sklearn_cclm import ComposedEmbedder, DistillationPretrainer, TypoNoise
from sklearn_cclm.datasets import load_pictures

names, kinds = load_pictures(return_X_y=True)
minutes = 0.05 if os.environ.get("CCLM_QUICK") else 1
levels = (0.05, 0.1, 0.2)


def column(rate):
    """Return each name as it is and misspelt twice."""
    noisy = [TypoNoise(rate=rate, random_state=seed).transform(names) for seed in (1, 2)]
    return [*names, *(text for texts in noisy for text in texts)]


print([column(0.2)[i] for i in (40, 40 + len(names), 40 + 2 * len(names))])

# %%
# Three kinds of vectors
# ----------------------
# Adapted to a column, the published tower learns to say of each of its rows, misspelt further,
# what it said of the row.

adapted = DistillationPretrainer(
    teacher="en-semantic", init_from="en-semantic", max_minutes=minutes, random_state=0
).fit(column(0.1))
vectors = {
    "TF-IDF": TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    "en-semantic": ComposedEmbedder([("en", "en-semantic")]),
    "adapted": ComposedEmbedder([("own", adapted.tower_)]),
}

# %%
# Duplicates and clusters
# -----------------------
# A duplicate is found if the two nearest rows of a correct name are its misspelt forms; half if
# one is. Clusters of all rows, as many as there are kinds, are compared with the kinds by their
# normalised mutual information.

same, alike = {}, {}
for name, transformer in vectors.items():
    same[name], alike[name] = [], []
    for rate in levels:
        rows = transformer.fit_transform(column(rate))
        _, near = (
            NearestNeighbors(n_neighbors=3, metric="cosine")
            .fit(rows)
            .kneighbors(rows[: len(names)])
        )
        hits = near % len(names) == np.arange(len(names))[:, None]
        same[name].append((hits.sum(axis=1) - 1).mean() / 2)
        clusters = KMeans(len(set(kinds)), n_init=3, random_state=0).fit_predict(rows)
        alike[name].append(normalized_mutual_info_score(np.tile(kinds, 3), clusters))
    print(f"{name:<12}", np.round(same[name], 3), np.round(alike[name], 3))

figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
for ax, found, title in zip(axes, (same, alike), ("duplicates found", "kinds found"), strict=True):
    for name, values in found.items():
        ax.plot([100 * rate for rate in levels], values, "o-", label=name)
    ax.set(title=title, xlabel="letters mistyped, %", ylim=(0, None))
axes[0].legend(loc="lower left")
