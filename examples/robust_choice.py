"""
Choose a model that survives typos
==================================

A search that scores clean text chooses what reads clean text. `make_robust_scorer` scores the same
folds misspelt, so that one search says both, and refits what is best where it matters.
"""

# %%
# The candidates
# --------------
# Which library does a sentence of a docstring come from? Labelled sentences of five libraries, and
# four kinds of features before the same classifier, with a strong and a weak penalty.

import os

import matplotlib.pyplot as plt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline

from sklearn_cclm import ComposedEmbedder
from sklearn_cclm.datasets import load_docstrings
from sklearn_cclm.robustness import make_robust_scorer, robustness_curve

texts, labels = load_docstrings(
    libraries=["joblib", "numpy", "python", "scikit-learn", "scipy"], return_X_y=True
)
train_texts, test_texts, train_labels, test_labels = train_test_split(
    texts, labels, train_size=200 if os.environ.get("CCLM_QUICK") else 1000, test_size=2000,
    stratify=labels, random_state=0,
)  # fmt: skip
features = {
    "words": TfidfVectorizer(sublinear_tf=True),
    "n-grams": TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    "tower": ComposedEmbedder(lexical=False),
    "tower, n-grams": ComposedEmbedder(),
}
print(train_texts[0])

# %%
# One search, two scores
# ----------------------
# Each candidate is fitted on the clean text of a fold, and scored on the rest of it twice: as it
# is, and with one letter in five mistyped. `refit` says which score decides.

pipeline = Pipeline([("features", "passthrough"), ("classify", LogisticRegression(max_iter=1000))])
robust = make_robust_scorer("accuracy", rate=0.2)
search = GridSearchCV(
    pipeline,
    {"features": list(features.values()), "classify__C": [1, 10]},
    scoring={"clean": "accuracy", "mistyped": robust},
    refit="mistyped",
    cv=3,
).fit(train_texts, train_labels)

names = [f"{name}, C={C}" for C in (1, 10) for name in features]
clean, mistyped = (search.cv_results_[f"mean_test_{score}"] for score in ("clean", "mistyped"))
for name, *scores in sorted(zip(names, clean, mistyped, strict=True), key=lambda row: -row[2]):
    print(f"{name:<22}{scores[0]:>8.3f}{scores[1]:>8.3f}")

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.scatter(clean, mistyped)
for name, *place in zip(names, clean, mistyped, strict=True):
    ax.annotate(name, place, (5, 3), textcoords="offset points")
ax.set(xlabel="accuracy, clean", ylabel="accuracy, 20 % mistyped")
ax.margins(x=0.25, y=0.1)

# %%
# On texts that no search has seen
# --------------------------------
# What each score would have chosen, on other texts.

for score, place in (("clean", clean.argmax()), ("mistyped", mistyped.argmax())):
    chosen = pipeline.set_params(**search.cv_results_["params"][place])
    curve = robustness_curve(chosen.fit(train_texts, train_labels), test_texts, test_labels)
    print(f"{score}: {names[place]}, {curve.mean.round(3)} at {curve.rates}")
