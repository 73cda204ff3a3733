"""
A dirty column: which name is meant, and what kinds there are
=============================================================

A catalogue has the right names; a column was typed by hand. Which name does each row mean? And if
there is no catalogue, which rows are of a kind? Nobody gives a label.
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

catalogue, kinds = load_pictures(return_X_y=True)
levels = (0, 0.1, 0.2, 0.3)
columns = [TypoNoise(rate=rate, random_state=0).transform(catalogue).tolist() for rate in levels]
for name, row in list(zip(catalogue, columns[2], strict=True))[40:43]:
    print(f"{name}: {row}")

# %%
# Four kinds of vectors
# ---------------------
# Adapted to the catalogue, the published tower learns to say of a misspelt name what it says of
# the name.

minutes = 0.05 if os.environ.get("CCLM_QUICK") else 1
adapted = DistillationPretrainer(
    teacher="en-semantic", init_from="en-semantic", max_minutes=minutes, random_state=0
).fit(catalogue)
vectors = {
    "TF-IDF": TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    "en-semantic": ComposedEmbedder([("en", "en-semantic")]),
    "adapted": ComposedEmbedder([("own", adapted.tower_)]),
    "adapted, n-grams": ComposedEmbedder([("own", adapted.tower_)], lexical=True),
}

# %%
# Names and kinds
# ---------------
# A name is found if it is the nearest of all of the catalogue. Clusters of the rows, as many as
# there are kinds, are compared with the kinds by their normalised mutual information, which is 0
# for chance and 1 for equal.

named, alike = {}, {}
for name, transformer in vectors.items():
    index = NearestNeighbors(n_neighbors=1, metric="cosine").fit(
        transformer.fit_transform(catalogue)
    )
    rows = [transformer.transform(column) for column in columns]
    nearest = [index.kneighbors(each, return_distance=False)[:, 0] for each in rows]
    named[name] = [np.mean(found == np.arange(len(catalogue))) for found in nearest]
    clusters = [KMeans(13, n_init=3, random_state=0).fit_predict(each) for each in rows]
    alike[name] = [normalized_mutual_info_score(kinds, found) for found in clusters]
    print(f"{name:<18} names {np.round(named[name], 2)}, kinds {np.round(alike[name], 2)}")

figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
for ax, found, title in zip(axes, (named, alike), ("names found", "kinds found"), strict=True):
    for name, values in found.items():
        ax.plot([100 * rate for rate in levels], values, "o-", label=name)
    ax.set(title=title, xlabel="letters mistyped, %", ylim=(0, None))
axes[0].legend(loc="lower left")

# %%
# To find a name is a matter of spelling, and n-grams do that well. What is of a kind they do not
# know: clusters of the adapted vectors keep much of the kinds as letters go wrong, those of
# n-grams have none to keep. Both stand together where both are asked for.
