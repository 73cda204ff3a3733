"""What a tower is worth on open labelled sets, clean and under noise, for its model card."""

import csv
import gzip

import numpy as np
from _corpora import need
from sklearn.linear_model import LogisticRegression

from sklearn_cclm import ComposedEmbedder, TypoNoise
from sklearn_cclm.shelf import Curve

RATES = (0.0, 0.05, 0.1, 0.2)
N_LABELS, DRAWS = 10, 3


def curves(tower):
    """Return the accuracy by rate of slips, with few labels of each open set."""
    return [curve(tower, name) for name in ("banking77", "tweet_emotion")]


def curve(tower, name):
    """Return the accuracy of a logistic regression on ten texts of each class."""
    with gzip.open(need(f"{name}.csv.gz"), "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    (texts, labels), (tests, truth) = (
        ([row["text"] for row in rows if row["split"] == part],
         np.array([row["label"] for row in rows if row["split"] == part]))
        for part in ("train", "test")
    )  # fmt: skip
    embedder = ComposedEmbedder([("own", tower)]).fit(texts[:1])
    X = embedder.transform(texts)
    noisy = [TypoNoise(rate=rate, random_state=0).transform(tests) for rate in RATES]
    found, scores = [embedder.transform(text) for text in noisy], []
    for seed in range(DRAWS):
        rng = np.random.default_rng(seed)
        drawn = [rng.permutation(np.flatnonzero(labels == k))[:N_LABELS] for k in np.unique(labels)]
        chosen = np.sort(np.concatenate(drawn))
        model = LogisticRegression(max_iter=1000).fit(X[chosen], labels[chosen])
        scores.append([model.score(features, truth) for features in found])
    return Curve(
        f"{name}, test, {N_LABELS} labels per class", "accuracy",
        "slips of the keyboard, share of letters", RATES,
        tuple(round(float(score), 4) for score in np.mean(scores, axis=0)),
    )  # fmt: skip
