"""Text to train and try models on, with no download."""

from sklearn_cclm._text.files import TextFiles
from sklearn_cclm.datasets._conll import read_conll
from sklearn_cclm.datasets._docstrings import load_docstrings

__all__ = ["TextFiles", "load_docstrings", "read_conll"]
