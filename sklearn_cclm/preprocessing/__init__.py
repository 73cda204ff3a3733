"""Preprocessors: text becomes integer codes, one per character."""

from sklearn_cclm.preprocessing._characters import CharPreprocessor
from sklearn_cclm.preprocessing._tokens import MLMPreprocessor

__all__ = ["CharPreprocessor", "MLMPreprocessor"]
