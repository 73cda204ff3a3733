"""Text to train and try models on, with no download."""

from sklearn_cclm.datasets._docstrings import load_docstrings

__all__ = ["load_docstrings"]
