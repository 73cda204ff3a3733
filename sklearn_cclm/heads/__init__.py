"""Heads: estimators that train composed towers end to end, or part of them."""

from sklearn_cclm.heads.classifier import ComposedClassifier
from sklearn_cclm.heads.regressor import ComposedRegressor
from sklearn_cclm.heads.tagger import ComposedTagger

__all__ = ["ComposedClassifier", "ComposedRegressor", "ComposedTagger"]
