"""AdamW for networks with large tables, of which a batch reads few rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

_MOMENTS = ("exp_avg", "exp_avg_sq")
_CHUNK = 1024  # rows updated at once: they stay in the cache, and no memory is fetched anew
_AT_HAND = 8192  # rows for which there is memory, which costs more to fetch anew than to fill


def sparse_rows(gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows of a sparse gradient, each once, and their values."""
    rows = gradient._indices()[0]  # autograd forgets that the gradient is coalesced
    if bool((rows[1:] > rows[:-1]).all()):
        return rows, gradient._values()
    gradient = gradient.coalesce()
    return gradient.indices()[0], gradient.values()


def clip_gradients(parameters: Iterable[Tensor], max_norm: float) -> None:
    """Scale the gradients, dense and sparse, down to a norm that they must not exceed."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    values = [g._values() if g.is_sparse else g for g in gradients]
    norm = torch.nn.utils.get_total_norm(values)
    if norm > max_norm:
        torch._foreach_mul_(values, max_norm / norm)


class RowsBefore:
    """Rows of a table, and their moments, as they were before some steps changed them.

    Parameters
    ----------
    table : Tensor of shape (n_rows, d)
        The table.
    """

    def __init__(self, table: Tensor) -> None:
        self._table = table
        self._room = [table.new_empty(_AT_HAND, table.shape[1]) for _ in range(3)]
        self.forget()

    def forget(self) -> None:
        """Forget the rows: those as they are now are what is kept next."""
        self._changed = torch.zeros(len(self._table), dtype=torch.bool, device=self._table.device)
        self._kept: list[tuple[Tensor, list[Tensor], Tensor]] = []
        self._n_kept = 0

    def keep(self, rows: Tensor, state: dict[str, Any]) -> None:
        """Keep those rows that are not here yet, before a step changes them."""
        rows = rows[~self._changed[rows]]
        self._changed[rows] = True
        slots = state["slots"][rows]
        first, self._n_kept = self._n_kept, self._n_kept + len(rows)
        sources = [(self._table, rows), *((state[name], slots) for name in _MOMENTS)]
        kept = []
        for (values, at), room in zip(sources, self._room, strict=True):
            memory = room[first : self._n_kept]
            out = memory if len(memory) == len(at) else None
            kept.append(torch.index_select(values, 0, at, out=out))
        self._kept.append((rows, kept, state["step"].clone()))

    def sums(self) -> Tensor:
        """Return sums, (number of `keep`, d), over the rows as they are now."""
        table = self._table.detach()
        kept = (rows for rows, *_ in self._kept)
        found = [F.embedding_bag(rows, table, rows.new_zeros(1), mode="sum") for rows in kept]
        return torch.cat([table[:0], *found])

    @torch.no_grad()
    def restore(self, state: dict[str, Any]) -> None:
        """Put the rows and their moments back."""
        for rows, (values, *moments), step in reversed(self._kept):
            self._table[rows] = values
            slots = state["slots"][rows].long()
            for name, old in zip(_MOMENTS, moments, strict=True):
                state[name][slots] = old
            state["step"] = step


class LazyAdamW(torch.optim.AdamW):
    """AdamW that updates, of a parameter with a sparse gradient, only the rows it holds.

    Their moments and weight decay rest while a row is not read, as in `torch.optim.SparseAdam`,
    and there are moments of those rows alone that were read; all other parameters are updated as
    by `torch.optim.AdamW`, fused.

    Parameters
    ----------
    params : iterable
        Parameters or parameter groups.
    lr : float, default=1e-3
        Learning rate.
    weight_decay : float, default=0.01
        Decoupled weight decay.

    Attributes
    ----------
    before : dict of Tensor to RowsBefore
        Tables whose rows are kept before a step changes them.

    References
    ----------
    I. Loshchilov, F. Hutter (2019). Decoupled Weight Decay Regularization. ICLR.
    """

    def __init__(self, params: Any, lr: float = 1e-3, weight_decay: float = 0.01) -> None:
        super().__init__(params, lr=lr, weight_decay=weight_decay, fused=True)
        self.before: dict[Tensor, RowsBefore] = {}

    def state_dict(self) -> dict[str, Any]:
        """Return the state, with moments of the rows that were read alone."""
        found = super().state_dict()
        for place, state in found["state"].items():
            if "slots" in state:
                moments = {name: state[name][: state["n_read"]].clone() for name in _MOMENTS}
                found["state"][place] = {**state, **moments}
        return found

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take a state, of which torch makes floats."""
        super().load_state_dict(state_dict)
        for state in self.state.values():
            if "slots" in state:
                state["slots"] = state["slots"].int()

    @torch.no_grad()
    def step(self, closure: Callable | None = None) -> Any:
        """Make a step.

        Parameters
        ----------
        closure : callable, default=None
            Computes the loss and the gradients.

        Returns
        -------
        float or None
            The loss of the closure.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for table in group["params"]:
                if table.grad is not None and table.grad.is_sparse:
                    self._update_rows(table, *sparse_rows(table.grad), group)
                    table.grad = None
        super().step()
        return loss

    def _update_rows(
        self, table: Tensor, rows: Tensor, values: Tensor, group: dict[str, Any]
    ) -> None:
        state = self.state[table]
        slots = _slots(state, table, rows)
        if table in self.before:
            self.before[table].keep(rows, state)
        state["step"] += 1
        step, lr, (beta, beta_sq) = int(state["step"]), group["lr"], group["betas"]
        rate = lr / (1 - beta**step)
        parts = zip(*(found.split(_CHUNK) for found in (rows, slots, values)), strict=True)
        for some, slot, gradient in parts:
            mean = state["exp_avg"].index_select(0, slot).lerp_(gradient, 1 - beta)
            square = state["exp_avg_sq"].index_select(0, slot).mul_(beta_sq)
            square.addcmul_(gradient, gradient, value=1 - beta_sq)
            new = table.index_select(0, some).mul_(1 - lr * group["weight_decay"])
            state["exp_avg"].index_copy_(0, slot, mean)
            state["exp_avg_sq"].index_copy_(0, slot, square)
            scale = square.div_(1 - beta_sq**step).sqrt_().add_(group["eps"])
            table.index_copy_(0, some, new.addcdiv_(mean, scale, value=-rate))


def _slots(state: dict[str, Any], table: Tensor, rows: Tensor) -> Tensor:
    """Return where the moments of rows stand, making room for those of new ones."""
    if "slots" not in state:
        state["step"] = torch.zeros(())
        state["slots"] = torch.full((len(table),), -1, dtype=torch.int32, device=table.device)
        state["n_read"] = 0
        state.update((name, table.new_zeros(0, table.shape[1])) for name in _MOMENTS)
    new = rows[state["slots"][rows] < 0]
    first, last = state["n_read"], state["n_read"] + len(new)
    if last > len(state["exp_avg"]):
        state.update((name, _with_room(state[name], table)) for name in _MOMENTS)
    for name in _MOMENTS:
        state[name][first:last] = 0
    state["slots"][new] = torch.arange(first, last, dtype=torch.int32, device=new.device)
    state["n_read"] = last
    return state["slots"][rows].long()


def _with_room(moments: Tensor, table: Tensor) -> Tensor:
    """Return moments with room for all rows: a system gives memory once it is written."""
    room = torch.empty_like(table)
    room[: len(moments)] = moments
    return room
