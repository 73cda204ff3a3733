"""Trainings with callbacks, for tests."""

import numpy as np
import tiny

from sklearn_cclm.utils import all_estimators

WORDS = ["hen", "fox", "owl", "cow"]
TEXTS = [f"a {a} and a {b} by {n}" for n in range(3) for a in WORDS for b in WORDS]
Y = np.array(["farm" if text[2] in "hc" else "wood" for text in TEXTS])
JOINT = {"MultiTaskPretrainer"}
NAMES = ["ClassificationPretrainer", "ComposedClassifier", "MultiTaskPretrainer"]
KINDS = dict(all_estimators())


def made(name, *callbacks, **params):
    estimator = tiny.tiny(name, KINDS[name])
    defaults = {"max_epochs": 3, "random_state": 0, "validation_fraction": 0.25}
    if name not in JOINT:
        defaults["batch_size"] = 12
    return estimator.set_params(**{**defaults, **params}, callbacks=list(callbacks))


def fit(name, *callbacks, y=Y, **params):
    return made(name, *callbacks, **params).fit(TEXTS, y)


def towers(estimator):
    return [t for _, t in getattr(estimator, "towers_", [("", getattr(estimator, "tower_", None))])]
