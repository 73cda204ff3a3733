"""The base network: character embedding plus hashed character n-grams, then residual blocks."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sklearn_cclm._tools.lazy import lazy
from sklearn_cclm.architectures.bases import MIX, PRIME, NgramConfig
from sklearn_cclm.nn._registry import network
from sklearn_cclm.nn.blocks import ResidualConv
from sklearn_cclm.nn.pooling import masked_mean
from sklearn_cclm.nn.rows import ByteTable, GatheredTable, sum_rows
from sklearn_cclm.nn.words import Words

_PAD = 0


class Encoding:
    """What a base says of one batch of codes, computed when first asked for.

    Attributes
    ----------
    mask : bool Tensor of shape (B, L)
        True where there is a character.
    rows : int64 Tensor of shape (B, L, 1 + orders)
        Rows of the base's table: of each character, and of the n-grams that end there; 0 at
        padding.
    characters : float Tensor of shape (B, L, d)
        One vector per character, zero at padding.
    ahead : float Tensor of shape (B, L, d)
        The same of the n-grams that begin at each character, not of those that end there: the
        base runs a second time.
    mean : float Tensor of shape (B, d)
        Their average over each text.
    """

    def __init__(self, base: NgramBase, ids: Tensor) -> None:
        self._base = base
        self._ids = ids
        self.mask = ids != _PAD

    @lazy
    def rows(self) -> Tensor:
        return self._base.rows(self._ids, self.mask)

    @lazy
    def characters(self) -> Tensor:
        return self._base.characters(self.rows, self.mask)

    @lazy
    def ahead(self) -> Tensor:
        rows = self._base.rows(self._ids, self.mask, ahead=True)
        return self._base.characters(rows, self.mask)

    @lazy
    def mean(self) -> Tensor:
        if "characters" in vars(self) or self._base.blocks:
            return masked_mean(self.characters, self.mask)
        return self._base.bag(self.rows, self.mask)

    def of_words(self, words: Words) -> Tensor:
        """Return the average over each word, (n_words, d): of a table that rests at once."""
        if "characters" in vars(self) or not self._base.rests:
            return words.mean(self.characters)
        return self._base.bags(self.rows, words)


def ngram_buckets(folded: Tensor, orders: tuple[int, ...], n_buckets: int) -> Tensor:
    """Hash the n-grams that end at each position.

    Parameters
    ----------
    folded : int64 Tensor of shape (B, L)
        Case-folded codes. Before the first character stands padding, which so marks the
        beginning of a text.
    orders : tuple of int
        Lengths of the n-grams.
    n_buckets : int
        Number of hash values.

    Returns
    -------
    int64 Tensor of shape (B, L, len(orders))
        Bucket of each n-gram, in [0, n_buckets).
    """
    length, longest = folded.shape[1], max(orders)
    padded = F.pad(folded, (longest - 1, 0)) + 1
    hashed = torch.zeros_like(folded)
    by_order = {}
    for order in range(1, longest + 1):
        first = longest - order
        hashed = (hashed + padded[:, first : first + length]).mul_(PRIME)
        by_order[order] = hashed
    stacked = torch.stack([by_order[order] for order in orders], dim=-1)
    stacked.bitwise_xor_(stacked >> 29).mul_(MIX)
    stacked.bitwise_xor_(stacked >> 32)
    if n_buckets & (n_buckets - 1) == 0:  # a power of two, by which int64 is slow to divide
        return stacked.bitwise_and_(n_buckets - 1)
    return stacked.remainder_(n_buckets)


def to_first_character(rows: Tensor, orders: tuple[int, ...]) -> Tensor:
    """Move each n-gram, (B, L, len(orders)), from its last character to its first."""
    moved = [
        F.pad(column, (0, order - 1))[:, order - 1 :]
        for column, order in zip(rows.unbind(-1), orders, strict=True)
    ]
    return torch.stack(moved, dim=-1)


def _clear_padding(base: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Make the row of padding zeros, whatever is loaded: it is added to the others as it is."""
    name = f"{prefix}table.weight"
    if name in state and state[name][_PAD:1].any():
        state[name] = state[name].clone()
        state[name][_PAD] = 0


@network(NgramConfig)
class NgramBase(nn.Module):
    """Embed each character with the hashed n-grams that end there.

    Parameters
    ----------
    config : NgramConfig
        Settings.
    folded : sequence of int of length n_chars
        For each code, the code that stands for it once case is folded.
    """

    def __init__(self, config: NgramConfig, *, folded: tuple[int, ...]) -> None:
        super().__init__()
        self.config = config
        self.sparse_gradient = False  # set where the optimizer updates single rows
        self.n_chars = len(folded)
        n_buckets = config.n_buckets if config.ngram_orders else 0
        # one table: a row per character code, then a row per bucket; row 0 is padding
        table = nn.Embedding(self.n_chars + n_buckets, config.width, padding_idx=_PAD)
        nn.init.normal_(table.weight, std=0.05)
        with torch.no_grad():
            table.weight[_PAD].zero_()
        self.table: nn.Embedding | ByteTable | GatheredTable = table
        self.blocks = nn.ModuleList(
            ResidualConv(config.width, config.kernel_size) for _ in range(config.n_blocks)
        )
        self.register_load_state_dict_pre_hook(_clear_padding)
        self.folded: Tensor
        self.register_buffer("folded", torch.tensor(folded), persistent=False)

    def forward(self, ids: Tensor) -> Encoding:
        """Return what is known of padded codes, (B, L); each part is computed when it is read."""
        return Encoding(self, ids)

    def characters(self, rows: Tensor, mask: Tensor) -> Tensor:
        """Return one vector per character, (B, L, d); see `Encoding`."""
        x = self._sum(rows.flatten(0, 1)).view(*mask.shape, -1)
        for block in self.blocks:
            x = block(x, mask)
        return x

    def bag(self, rows: Tensor, mask: Tensor) -> Tensor:
        """Return the mean over each text's characters, without a vector per character."""
        total = self._sum(rows.flatten(1))
        return total / mask.sum(1, keepdim=True).clamp(min=1)

    @property
    def rests(self) -> bool:
        """Whether the base is a table alone, which is not trained."""
        trained = any(parameter.requires_grad for parameter in self.table.parameters())
        return not (trained or self.blocks or isinstance(self.table, GatheredTable))

    def bags(self, rows: Tensor, words: Words) -> Tensor:
        """Return the mean over the characters of each word, without a vector per character."""
        chosen, counts = rows.flatten(0, 1)[words.places], words.counts
        starts = (counts.cumsum(0) - counts) * chosen.shape[1]
        table: Any = self.table
        if isinstance(table, ByteTable):
            total = table.bags(chosen.flatten(), starts)
        else:
            total = F.embedding_bag(chosen.flatten(), table.weight, starts, mode="sum")
        return total / counts.unsqueeze(1)

    def _sum(self, rows: Tensor) -> Tensor:
        """Sum table rows: (n, k) becomes (n, d)."""
        if isinstance(self.table, nn.Embedding):
            return sum_rows(rows, self.table.weight, sparse=self.sparse_gradient)
        return self.table.sum(rows)

    def rows(self, ids: Tensor, mask: Tensor, *, ahead: bool = False) -> Tensor:
        """Return the table rows of each position; see `Encoding`."""
        config = self.config
        if self.table.num_embeddings == self.n_chars:
            return ids.unsqueeze(-1)
        buckets = ngram_buckets(self.folded[ids], config.ngram_orders, config.n_buckets)
        buckets.add_(self.n_chars).mul_(mask.unsqueeze(-1))
        if ahead:
            buckets = to_first_character(buckets, config.ngram_orders)
        return torch.cat([ids.unsqueeze(-1), buckets], dim=-1)
