"""Several processes that train together: each has its share of the batches.

They are those of torch's process group, which whoever starts them has initialised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

from sklearn_cclm._training.batches import AlternatingBatches, Batch, Batches
from sklearn_cclm.nn.optim import sparse_rows

_NOTHING = Batch(np.zeros((0, 0), dtype=np.int64), np.zeros(0, dtype=np.int64))
_NONE, _DENSE = -2, -1  # what is said of a gradient; else the number of its rows


def place() -> tuple[int, int]:
    """Return which of the processes this one is, from 0 on, and how many there are."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def gathered(value: Any) -> list[Any]:
    """Return what each process gives, in their order."""
    found = [value] * place()[1]
    if len(found) > 1:
        with _in_touch():
            dist.all_gather_object(found, value)
    return found


def check_alike(what: str, make: Callable[[], Any]) -> None:
    """Raise ValueError, in all processes, if what they make differs."""
    rank, n = place()
    if n == 1:
        return
    found = gathered(make())
    others = [other for other, value in enumerate(found) if value != found[0]]
    if others:
        raise ValueError(
            f"Of {n} processes that train together, {others} have other {what} than process 0 has "
            f"(this is process {rank}): give all of them the same, of which each takes its share."
        )


def share(batches: Any) -> Any:
    """Return those batches of each epoch that are this process's, as many as the others have."""
    rank, n = place()
    if n == 1:
        return batches
    if isinstance(batches, AlternatingBatches):
        return AlternatingBatches({k: share(v) for k, v in batches.of.items()}, seed=batches.seed)
    if all(gathered(batches.is_empty())):
        next(iter(batches))  # says what is wrong
    return Share(batches, 0, 1) if batches.n_chunks else Share(batches, rank, n)


class Share(Batches):
    """Every n-th batch of each epoch, and as many for all: in the end one may be empty.

    Parameters
    ----------
    whole : Batches
        The batches of all; or, of a stream that was parted, of one alone.
    rank, n : int
        Which share, of how many.
    """

    def __init__(self, whole: Batches, rank: int, n: int) -> None:
        vars(self).update(vars(whole))
        self.rank, self.n = rank, n
        self.n_batches = -(-whole.n_batches // n)

    def _filled(self, epoch: int, done: int) -> Iterator[tuple[int, Batch]]:
        """Yield number and batch, after the first `done`: the same numbers in all processes."""
        turns = self._turns(epoch)
        for number in range(1, len(self) + 1):
            own = list(islice(turns, self.n))[self.rank :]
            if number > done:
                yield number, own[0]() if own else _NOTHING


def average(
    loss: Tensor | None, n_predictions: int, parameters: Iterable[Tensor]
) -> tuple[Tensor, int]:
    """Give parameters the mean gradient of all processes that had something to predict.

    Parameters
    ----------
    loss : Tensor or None
        Of this process's batch, of which the parameters have the gradients; None where there was
        nothing to predict.
    n_predictions : int
        In this process's batch.
    parameters : iterable of Tensor
        All parameters.

    Returns
    -------
    loss : Tensor
        The mean of the losses.
    n_predictions : int
        Of all processes.
    """
    if loss is not None and place()[1] == 1:
        return loss, n_predictions
    learning = [parameter for parameter in parameters if parameter.requires_grad]
    device = learning[0].device
    own = [float(loss is not None), 0.0 if loss is None else loss.item(), n_predictions]
    with _in_touch():
        said = torch.stack(
            _all(torch.tensor([*own, *map(_kind, learning)], device=device, dtype=torch.float64))
        )
        n, total, n_predictions = said[:, :3].sum(0).tolist()
        dense = []
        for parameter, kinds in zip(learning, said[:, 3:].T.long().tolist(), strict=True):
            if max(kinds) >= 0:
                parameter.grad = _mean_rows(parameter, [max(0, kind) for kind in kinds], n)
            elif max(kinds) == _DENSE:
                dense.append(parameter)
        _average_dense(dense, n)
    return torch.tensor(total / max(1, n)), int(n_predictions)


def _kind(parameter: Tensor) -> int:
    """Return what sort of gradient a parameter has."""
    if parameter.grad is None:
        return _NONE
    return len(sparse_rows(parameter.grad)[0]) if parameter.grad.is_sparse else _DENSE


def _average_dense(parameters: list[Tensor], n: float) -> None:
    """Average the gradients of parameters, which this process need not have."""
    if not parameters:
        return
    own = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    joined = torch.cat([gradient.flatten() for gradient in own])
    dist.all_reduce(joined)
    parts = joined.div_(n).split([p.numel() for p in parameters])
    for parameter, part in zip(parameters, parts, strict=True):
        parameter.grad = part.view_as(parameter)


def _mean_rows(table: Tensor, sizes: list[int], n: float) -> Tensor:
    """Return the mean of the sparse gradients of a table; of the rows of each size."""
    if table.grad is None:
        rows, values = table.new_empty(0, dtype=torch.long), table.new_empty(0, table.shape[1])
    else:
        rows, values = sparse_rows(table.grad)
    more = max(sizes) - len(rows)
    found = zip(
        _all(F.pad(rows, (0, more))), _all(F.pad(values, (0, 0, 0, more))), sizes, strict=True
    )
    pairs = [(rows[:size], values[:size]) for rows, values, size in found]
    rows, values = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    summed = torch.sparse_coo_tensor(rows[None], values / n, table.shape, check_invariants=False)
    return summed.coalesce()


def _all(tensor: Tensor) -> list[Tensor]:
    """Return the tensors of all processes, of one shape."""
    found = [torch.empty_like(tensor) for _ in range(place()[1])]
    dist.all_gather(found, tensor.contiguous())
    return found


@contextmanager
def _in_touch() -> Iterator[None]:
    """Say what has happened where another process cannot be reached."""
    try:
        yield
    except RuntimeError as error:  # gloo's is no subclass
        rank, n = place()
        raise RuntimeError(
            f"Process {rank} of {n} that train together has lost another one, which ended or "
            "cannot be reached. Start all of them again: with checkpoint= they go on from what "
            "was written last."
        ) from error
