"""`Lexical`: TF-IDF of the hashed n-grams that a base reads anyway."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse

from sklearn_cclm._engines import engine
from sklearn_cclm._tools.hashing import unmapped
from sklearn_cclm.values import Base


class Lexical:
    """Sublinear TF-IDF of a base's hashed n-grams, a vectorizer without a walk through the text.

    The columns are the buckets that the texts of `fit` have, as a vectorizer's vocabulary is.

    Parameters
    ----------
    base : Base
        Whose n-grams are counted.
    idf : float32 array of shape (n_buckets,)
        What the counts of each bucket are multiplied by; 0 where no text of `fit` has it.

    Raises
    ------
    ValueError
        If the base hashes no n-grams.
    """

    def __init__(self, base: Base, idf: np.ndarray) -> None:
        self.base = base
        self.idf = unmapped(idf)
        (self.buckets,) = np.nonzero(idf)
        self._weights = self.idf[self.buckets]
        self.column = np.full(base.n_chars + len(idf), -1, dtype=np.int32)
        # the rows of n-grams stand behind those of characters
        self.column[base.n_chars + self.buckets] = np.arange(len(self.buckets))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.base, self.idf)

    def __repr__(self) -> str:
        return f"Lexical({len(self.buckets):,} n-grams)"

    @classmethod
    def counting(cls, base: Base) -> Self:
        """Return one with all buckets, to count what texts have."""
        config = base.config
        if not config["n_buckets"] or not config["ngram_orders"]:
            raise ValueError(
                "lexical=True counts the n-grams that the base of the first tower hashes, and that "
                "has none: pass lexical='tfidf', or pretrain on a base with n_buckets."
            )
        return cls(base, np.ones(config["n_buckets"], dtype=np.float32))

    @classmethod
    def of(cls, base: Base, counts: sparse.csr_matrix) -> Self:
        """Learn from the counts of all buckets in texts."""
        from sklearn.feature_extraction.text import TfidfTransformer  # slow to import

        idf = TfidfTransformer().fit(counts).idf_.astype(np.float32)
        return cls(base, np.where(counts.getnnz(axis=0) > 0, idf, np.float32(0)))

    def nothing(self) -> sparse.csr_matrix:
        """Return the counts of no texts."""
        return sparse.csr_matrix((0, len(self.buckets)), dtype=np.float32)

    def weigh(self, counts: sparse.csr_matrix | None, weight: float) -> sparse.csr_matrix:
        """Return the features of texts, rows of norm `weight`, from the counts of its columns."""
        if counts is None:
            raise ValueError("The n-grams of these texts were not counted.")
        data = (1 + np.log(counts.data, dtype=np.float32)) * self._weights[counts.indices]
        lengths = np.diff(counts.indptr)
        row = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        norms = np.sqrt(np.bincount(row, np.square(data), minlength=len(lengths)))
        data *= np.float32(weight) / norms.astype(np.float32)[row]
        return sparse.csr_matrix((data, counts.indices, counts.indptr), shape=counts.shape)

    def get_feature_names_out(self) -> list[str]:
        """Return the numbers of the buckets."""
        return list(map(str, self.buckets.tolist()))


class Tally:
    """Counts of n-grams in texts, batch by batch.

    Parameters
    ----------
    lexical : Lexical
        Says what is counted.
    owners : int64 array
        The text that each window is of.
    overlap : int
        How many columns of a window, but for a text's first, are in the one before it as well.
    """

    def __init__(self, lexical: Lexical, owners: np.ndarray, overlap: int) -> None:
        self._column = lexical.column
        self._n_columns = len(lexical.buckets)
        self._owners = owners
        self._known = np.where(np.diff(owners, prepend=-1) == 0, overlap, 0)
        self._windows: list[np.ndarray] = []
        self._lengths: list[np.ndarray] = []
        self._columns: list[np.ndarray] = []
        self._counts: list[np.ndarray] = []

    def add(self, rows: np.ndarray, encoding: Any) -> None:
        """Count what some windows have."""
        columns = self._column.take(engine().array(encoding.rows))
        for place in np.flatnonzero(self._known[rows]):
            columns[place, : self._known[rows[place]]] = -1
        columns = np.sort(columns.reshape(len(rows), -1), axis=1)  # those without a column first
        begins = np.ones(columns.shape, dtype=bool)
        np.not_equal(columns[:, 1:], columns[:, :-1], out=begins[:, 1:])
        places = np.flatnonzero(begins)
        counts = np.diff(places, append=columns.size)
        found = columns.ravel()[places]
        some = found >= 0
        self._windows.append(rows)
        self._lengths.append(np.bincount(places[some] // columns.shape[1], minlength=len(rows)))
        self._columns.append(found[some])
        self._counts.append(counts[some])

    def counts(self, n_texts: int) -> sparse.csr_matrix:
        """Return how often each text has each n-gram."""
        windows, lengths = _joined(self._windows), _joined(self._lengths)
        starts = np.concatenate([[0], np.cumsum(lengths)])
        data = _joined(self._counts).astype(np.float32), _joined(self._columns), starts
        counts = sparse.csr_matrix(data, shape=(len(windows), self._n_columns))
        if len(windows) == n_texts:
            order = windows.argsort()
            return counts if np.array_equal(order, np.arange(n_texts)) else counts[order]
        places = self._owners[windows], np.arange(len(windows))
        of_text = sparse.csr_matrix(
            (np.ones(len(windows), dtype=np.float32), places), shape=(n_texts, len(windows))
        )
        return of_text @ counts


def _joined(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0, dtype=np.int32), *arrays])
