"""`Analysis`: what one's own texts teach, a latent semantic analysis of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Self

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from sklearn_cclm._tools.progress import is_shown, show_line
from sklearn_cclm.models._reduction import Reduction

_COMPONENTS = 256
_NGRAMS = 30_000  # the most frequent ones, which bounds what is kept
_TEXTS = 20_000  # evenly drawn: more take time and change little


class Analysis:
    """Latent semantic analysis of texts, by the n-grams of their characters.

    Parameters
    ----------
    vectorizer : TfidfVectorizer
        Fitted.
    reduction : Reduction
        Of its features.
    """

    def __init__(self, vectorizer: TfidfVectorizer, reduction: Reduction) -> None:
        self.vectorizer = vectorizer
        self.reduction = reduction

    @classmethod
    def of(cls, texts: Iterable[str], *, verbose: int = 0) -> Self | None:
        """Analyse texts, or some of very many; None where no text has an n-gram."""
        if isinstance(texts, Sequence):
            some = texts[:: -(-len(texts) // _TEXTS)]
        else:
            some = list(islice(texts, _TEXTS))
        if is_shown(verbose):
            show_line(f"analysis  {len(some)} texts")
        vectorizer = TfidfVectorizer(
            analyzer="char", ngram_range=(2, 5), sublinear_tf=True, max_features=_NGRAMS,
            dtype=np.float32,
        )  # fmt: skip
        try:
            found = vectorizer.fit_transform(some)
        except ValueError:  # of an empty vocabulary
            return None
        return cls(vectorizer, Reduction.of(found, _COMPONENTS))

    def transform(self, texts: Sequence[str]) -> np.ndarray:
        """Return vectors of texts, of unit length, or zero."""
        return normalize(self.reduction.transform(self.vectorizer.transform(texts)))
