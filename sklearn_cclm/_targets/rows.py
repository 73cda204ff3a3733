"""`Rows`: what is predicted of texts, where that differs in length from text to text."""

from __future__ import annotations

from typing import Any

import numpy as np


class Rows(list):
    """A list with something for each text, which is an array of so many objects to numpy.

    scikit-learn's `cross_val_predict` joins what folds predict as arrays, and lists of unequal
    lengths make none.
    """

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.fromiter(self, dtype=object, count=len(self))
