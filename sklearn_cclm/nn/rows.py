"""Sums of table rows, whose gradient holds only the rows that were read."""

from __future__ import annotations

from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_PAD = 0
_SCALE_AND_OFFSET = 8  # bytes
_ZERO = 128  # the byte that stands for 0


class ByteTable(nn.Module):
    """A table of rows as bytes, which are summed as they are; it cannot be trained.

    Parameters
    ----------
    packed : uint8 Tensor of shape (n_rows, d + 8)
        For each row its values, then scale and offset as float32, as torch's quantized
        ``embedding_bag`` reads them. Row 0 counts as zeros.
    """

    def __init__(self, packed: Tensor) -> None:
        super().__init__()
        if packed[_PAD, -_SCALE_AND_OFFSET:].clone().view(torch.float32).any():
            packed = packed.clone()
            packed[_PAD, -_SCALE_AND_OFFSET:] = 0
        self.packed: Tensor
        self.register_buffer("packed", packed, persistent=False)
        self.num_embeddings = len(packed)

    def sum(self, rows: Tensor) -> Tensor:
        """Add up rows: (n, k) becomes (n, d)."""
        return self.bags(rows.flatten(), torch.arange(len(rows)) * rows.shape[1])

    def bags(self, rows: Tensor, starts: Tensor) -> Tensor:
        """Add up rows from each start to the next: (n,) becomes (len(starts), d)."""
        return torch.ops.quantized.embedding_bag_byte_rowwise_offsets(
            self.packed, rows, starts, include_last_offset=False
        )


class GatheredTable(nn.Module):
    """A table whose rows are gathered and then added up: operations that ONNX has.

    torch's ``embedding_bag`` becomes a loop there, of one turn for each text.

    Parameters
    ----------
    values : float or int8 Tensor of shape (n_rows, d)
        The rows.
    scales : float Tensor of shape (n_rows,), default=None
        What each row is multiplied by, if they are int8.
    """

    def __init__(self, values: Tensor, scales: Tensor | None = None) -> None:
        super().__init__()
        self.values: Tensor
        self.scales: Tensor | None
        self.register_buffer("values", values)
        self.register_buffer("scales", scales)
        self.num_embeddings = len(values)

    @classmethod
    def of(cls, table: Any) -> Self:
        """Return a table of the same rows as an ``nn.Embedding`` or a `ByteTable`."""
        if not isinstance(table, ByteTable):
            return cls(table.weight.detach())
        packed, width = table.packed, table.packed.shape[1] - _SCALE_AND_OFFSET
        scales = packed[:, width : width + 4].contiguous().view(torch.float32).squeeze(1)
        return cls((packed[:, :width] ^ _ZERO).view(torch.int8), scales)

    def sum(self, rows: Tensor) -> Tensor:
        """Add up rows: (n, k) becomes (n, d)."""
        found = self.values[rows].float()
        if self.scales is None:
            return found.sum(1)
        return (self.scales[rows].unsqueeze(1) @ found).squeeze(1)


def sum_rows(rows: Tensor, table: Tensor, *, sparse: bool) -> Tensor:
    """Add up rows of a table.

    Parameters
    ----------
    rows : int64 Tensor of shape (n, k)
        Row numbers; row 0, which is all zeros, gets no gradient.
    table : float Tensor of shape (n_rows, d)
        The table.
    sparse : bool
        Whether the table's gradient is sparse and coalesced, for an optimizer that can use it.

    Returns
    -------
    float Tensor of shape (n, d)
        The sums.
    """
    return _SumRows.apply(rows, table, sparse)


class _SumRows(torch.autograd.Function):
    """``F.embedding_bag``, with a backward pass that is several times faster on a CPU.

    The gradient of a table row is the sum of the gradients of the bags that hold it: again a sum
    of rows, of a matrix that fits the cache, once the row numbers are sorted.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, table: Tensor, sparse: bool) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.sparse, ctx.n_rows = sparse, len(table)
        return F.embedding_bag(rows, table, mode="sum")  # padding_idx makes it ten times slower

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        (rows,) = ctx.saved_tensors
        found, order = rows.flatten().sort(stable=True)
        start = torch.searchsorted(found, _PAD + 1)
        found, order = found[start:], order[start:]
        read, counts = torch.unique_consecutive(found, return_counts=True)
        bags = order // max(1, rows.shape[1])
        values = F.embedding_bag(bags, gradient, counts.cumsum(0) - counts, mode="sum")
        shape = (ctx.n_rows, gradient.shape[1])
        if not ctx.sparse:
            return None, gradient.new_zeros(shape).index_copy_(0, read, values), None
        summed = torch.sparse_coo_tensor(
            read[None], values, shape, is_coalesced=True, check_invariants=False
        )
        return None, summed, None
