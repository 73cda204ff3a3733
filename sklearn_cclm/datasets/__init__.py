"""Text to train and try models on, with no download."""

from sklearn_cclm._text.files import TextFiles
from sklearn_cclm.datasets._annotations import read_spans, write_spans
from sklearn_cclm.datasets._conll import read_conll
from sklearn_cclm.datasets._docstrings import load_docstrings
from sklearn_cclm.datasets._pictures import load_pictures
from sklearn_cclm.datasets._utf16 import spans_from_utf16
from sklearn_cclm.datasets._write_conll import write_conll

__all__ = [
    "TextFiles",
    "load_docstrings",
    "load_pictures",
    "read_conll",
    "read_spans",
    "spans_from_utf16",
    "write_conll",
    "write_spans",
]
