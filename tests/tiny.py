"""Every public estimator, so small that a fit takes a fraction of a second."""

from unittest.mock import patch
from weakref import WeakValueDictionary

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm import (
    CCLMModelBase,
    ComposedRegressor,
    ComposedTagger,
    ConvConfig,
    EntityPretrainer,
    MaskedCharacterPretrainer,
    MLMPreprocessor,
    PooledConfig,
    StridedConfig,
    TypoNoise,
)
from sklearn_cclm._text.codes import code_points, pad
from sklearn_cclm._text.read import check_texts
from sklearn_cclm._training.entity_task import Named
from sklearn_cclm.pretraining.masked_character import MaskedCharacters
from sklearn_cclm.values import _interned

POOLED = PooledConfig(width=8, hidden=8)
STRIDED = StridedConfig(width=8, downsample_factor=4, n_strided_convs=2, n_layers=1, n_heads=2)


def apart(make):
    """Return what `make` does, with values that are their own objects, as in another process."""
    with patch.object(_interned, "_living", WeakValueDictionary()):
        return make()


def tiny_base(**params):
    return CCLMModelBase(width=8, ngram_orders=(2, 3), n_buckets=50, **params)


def tiny_towers(**params):
    chars = MaskedCharacterPretrainer(
        tiny_base(**params), tower=POOLED, max_epochs=1, random_state=0
    )
    return [("chars", chars), ("more", chars)]


class TypoNoiseAsCodes(ClassNamePrefixFeaturesOutMixin, TypoNoise, auto_wrap_output_keys=None):
    """Noise whose texts are seen as their code points: the checks compare numbers."""

    _n_features_out = 300

    def transform(self, X):
        points, lengths = code_points(super().transform(X))
        return pad(points, lengths, length=self._n_features_out)


class OfLabels:
    """Names of which the first character of each text is one: the checks have a label a text.

    Blanks are none.
    """

    def _read(self, task, X, y):
        texts = check_texts(X, missing=self.missing, column=self.column)
        given, classes = y if (to_go_on := isinstance(y, Named)) else (y, None)
        if given is None:
            return super()._read(task, texts, None)
        labels = check_array(given, ensure_2d=False, dtype=None, input_name="y").ravel()
        check_consistent_length(texts, labels)
        starts = [len(text) - len(text.lstrip()) for text in texts]
        rows = zip(texts, starts, labels, strict=True)
        spans = [[(s, s + 1, f"label {k}")] if s < len(text) else [] for text, s, k in rows]
        return super()._read(task, texts, Named(spans, classes) if to_go_on else spans)

    def predict(self, X):
        check_is_fitted(self)
        texts = check_texts(X, missing=self.missing, column=self.column)
        return np.array([len(spans) for spans in self._find(texts)], dtype=int)

    def predict_proba(self, X):
        check_is_fitted(self)
        texts = check_texts(X, missing=self.missing, column=self.column)
        return np.array([row.mean(axis=0) for row in super().predict_proba(texts)])

    def partial_fit(self, X, y=None):  # the checks would name classes that are no str
        return super().partial_fit(X, y)


class EntityOfLabels(OfLabels, EntityPretrainer):
    pass


class TaggerOfLabels(OfLabels, ComposedTagger):
    pass


class RoundedRegressor(ComposedRegressor):
    """Predictions without what differs from batch to batch, some 1e-7 as float32 is added up.

    With 3 places such a difference straddles an edge of rounding in one value of 10,000.
    """

    def predict(self, X):
        return np.round(super().predict(X), 3)


AS_NUMBERS = {
    "ComposedRegressor": RoundedRegressor,
    "ComposedTagger": TaggerOfLabels,
    "EntityPretrainer": EntityOfLabels,
    "TypoNoise": TypoNoiseAsCodes,
}


def tiny_tasks():
    gaps = MaskedCharacterPretrainer(tower=POOLED, span_length=0)
    return [("gaps", gaps), ("runs", MaskedCharacterPretrainer(tower=POOLED, mask_rate=0.0))]


def teacher(texts):
    """Count characters by their code points modulo 8."""
    return [np.bincount([ord(c) % 8 for c in text], minlength=8) for text in texts]


TINY = {
    "CCLMModelBase": lambda: {"width": 8, "n_buckets": 50},
    "CausalLanguagePretrainer": lambda: {
        "base": tiny_base(),
        "tower": ConvConfig(width=8, n_layers=2, direction="forward"),
        "max_epochs": 1,
    },
    "CharPreprocessor": lambda: {"max_example_len": 256},
    "ClassificationPretrainer": lambda: {"base": tiny_base(), "tower": POOLED, "max_epochs": 1},
    "ComposedClassifier": lambda: {"towers": tiny_towers(), "fit_towers": True, "max_epochs": 2},
    "ComposedRegressor": lambda: {"towers": tiny_towers(), "fit_towers": True, "max_epochs": 2},
    "ComposedTagger": lambda: {"towers": tiny_towers(), "fit_towers": True, "max_epochs": 2},
    "ComposedEmbedder": lambda: {"towers": tiny_towers(), "fit_towers": True},
    "ComposedModel": lambda: {"towers": tiny_towers(), "fit_towers": True},
    "ContrastivePretrainer": lambda: {"base": tiny_base(), "tower": POOLED, "max_epochs": 1},
    "DistillationPretrainer": lambda: {
        "base": tiny_base(),
        "teacher": teacher,
        "max_epochs": 1,
    },
    "EntityPretrainer": lambda: {"base": tiny_base(), "tower": POOLED, "max_epochs": 1},
    "MLMPreprocessor": lambda: {"max_example_len": 256, "vocab_size": 80},
    "MaskedCharacterPretrainer": lambda: {"base": tiny_base(), "tower": STRIDED, "max_epochs": 1},
    "MaskedLanguagePretrainer": lambda: {
        "base": tiny_base(preprocessor=MLMPreprocessor(vocab_size=80)),
        "tower": POOLED,
        "num_negatives": 5,
        "min_mask_len": 1,
        "max_epochs": 1,
    },
    "TaskPretrainer": lambda: {
        "task": MaskedCharacters(mask_rate=0.15, span_length=3),
        "base": tiny_base(),
        "tower": POOLED,
        "max_epochs": 1,
    },
    "TextColumnEncoder": lambda: {"n_components": 4, "missing": "error"},
    "TypoNoise": lambda: {"kinds": ("slip", "swap", "drop"), "rate": 0.3},
    "MultiTaskPretrainer": lambda: {"tasks": tiny_tasks(), "base": tiny_base(), "max_epochs": 1},
}


def tiny(name, cls):
    return AS_NUMBERS.get(name, cls)(**TINY[name]())
