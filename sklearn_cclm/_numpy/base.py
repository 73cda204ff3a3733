"""The base "ngram": character embedding plus hashed character n-grams, then residual blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_cclm._numpy.layers import Shapes, conv_shapes, residual_conv
from sklearn_cclm._numpy.pooling import masked_mean
from sklearn_cclm._numpy.rows import ByteTable, FloatTable
from sklearn_cclm._tools.lazy import lazy
from sklearn_cclm.architectures.bases import MIX, PRIME, NgramConfig

_PAD = 0


class Encoding:
    """What a base says of one batch of codes, computed when first asked for.

    Attributes
    ----------
    mask : bool array of shape (B, L)
        True where there is a character.
    rows : int64 array of shape (B, L, 1 + orders)
        Rows of the base's table: of each character, and of the n-grams that end there; 0 at
        padding.
    characters : float array of shape (B, L, d)
        One vector per character, zero at padding.
    mean : float array of shape (B, d)
        Their average over each text.
    """

    def __init__(self, base: NgramBase, ids: np.ndarray) -> None:
        self._base = base
        self._ids = ids
        self.mask = ids != _PAD

    @lazy
    def rows(self) -> np.ndarray:
        return self._base.rows(self._ids, self.mask)

    @lazy
    def characters(self) -> np.ndarray:
        return self._base.characters(self.rows, self.mask)

    @lazy
    def mean(self) -> np.ndarray:
        if "characters" in vars(self) or self._base.config.n_blocks:
            return masked_mean(self.characters, self.mask)
        total = self._base.table.sum(self.rows.reshape(len(self.mask), -1))
        return total / np.maximum(self.mask.sum(axis=1, dtype=np.float32)[:, None], 1)


def ngram_buckets(folded: np.ndarray, orders: tuple[int, ...], n_buckets: int) -> np.ndarray:
    """Hash the n-grams that end at each position, as `sklearn_cclm.nn.embedding` does.

    Parameters
    ----------
    folded : int64 array of shape (B, L)
        Case-folded codes.
    orders : tuple of int
        Lengths of the n-grams.
    n_buckets : int
        Number of hash values.

    Returns
    -------
    int64 array of shape (B, L, len(orders))
        Bucket of each n-gram, in [0, n_buckets).
    """
    length, longest = folded.shape[1], max(orders)
    padded = np.ones((len(folded), longest - 1 + length), dtype=np.int64)
    padded[:, longest - 1 :] += folded
    hashed = np.zeros_like(folded)
    found = np.empty((*folded.shape, len(orders)), dtype=np.int64)
    for order in range(1, longest + 1):
        first = longest - order
        hashed = (hashed + padded[:, first : first + length]) * np.int64(PRIME)
        for place, wanted in enumerate(orders):
            if wanted == order:
                found[..., place] = hashed
    found ^= found >> 29
    found *= np.int64(MIX)
    found ^= found >> 32
    if n_buckets & (n_buckets - 1) == 0:  # a power of two, by which int64 is slow to divide
        found &= n_buckets - 1
    else:
        found %= n_buckets
    return found


class NgramBase:
    """The network of a base.

    Parameters
    ----------
    config : NgramConfig
        Settings.
    weights : mapping of str to ndarray
        By the names of torch's; those of the table may be `ByteTable`'s packed rows.
    folded : sequence of int of length n_chars
        For each code, the code that stands for it once case is folded.
    """

    def __init__(self, config: NgramConfig, weights: Any, *, folded: tuple[int, ...]) -> None:
        self.config = config
        self.weights = weights
        table = weights["table.weight"]
        self.table = (ByteTable if table.dtype == np.uint8 else FloatTable)(table)
        self.folded = np.array(folded)

    @staticmethod
    def shapes(config: NgramConfig, *, folded: tuple[int, ...]) -> Shapes:
        """Return the shapes of the weights."""
        n_rows = len(folded) + (config.n_buckets if config.ngram_orders else 0)
        found: Shapes = {"table.weight": (n_rows, config.width)}
        for block in range(config.n_blocks):
            found |= conv_shapes(f"blocks.{block}", config.width, config.kernel_size)
        return found

    def __call__(self, ids: np.ndarray) -> Encoding:
        return Encoding(self, ids)

    def rows(self, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Return the table rows of each position; see `Encoding`."""
        config = self.config
        if not (config.n_buckets and config.ngram_orders):
            return ids[..., None]
        found = np.empty((*ids.shape, 1 + len(config.ngram_orders)), dtype=np.int64)
        found[..., 0] = ids
        buckets = ngram_buckets(self.folded[ids], config.ngram_orders, config.n_buckets)
        np.multiply(buckets + len(self.folded), mask[..., None], out=found[..., 1:])
        return found

    def characters(self, rows: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Return one vector per character, (B, L, d); see `Encoding`."""
        x = self.table.sum(rows.reshape(mask.size, -1)).reshape(*mask.shape, -1)
        for block in range(self.config.n_blocks):
            x = residual_conv(x, mask, self.weights, f"blocks.{block}")
        return x
