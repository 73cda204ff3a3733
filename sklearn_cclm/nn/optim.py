"""AdamW for networks with large tables, of which a batch reads few rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

_CHUNK = 1024  # rows updated at once: they stay in the cache, and no memory is fetched anew


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


class LazyAdamW(torch.optim.AdamW):
    """AdamW that updates, of a parameter with a sparse gradient, only the rows it holds.

    Their moments and weight decay rest while a row is not read, as in `torch.optim.SparseAdam`;
    all other parameters are updated as by `torch.optim.AdamW`, fused.

    Parameters
    ----------
    params : iterable
        Parameters or parameter groups.
    lr : float, default=1e-3
        Learning rate.
    weight_decay : float, default=0.01
        Decoupled weight decay.

    References
    ----------
    I. Loshchilov, F. Hutter (2019). Decoupled Weight Decay Regularization. ICLR.
    """

    def __init__(self, params: Any, lr: float = 1e-3, weight_decay: float = 0.01) -> None:
        super().__init__(params, lr=lr, weight_decay=weight_decay, fused=True)

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
        if not state:
            state["step"] = torch.zeros(())
            state["exp_avg"] = torch.zeros_like(table)
            state["exp_avg_sq"] = torch.zeros_like(table)
        state["step"] += 1
        step, lr, (beta, beta_sq) = int(state["step"]), group["lr"], group["betas"]
        rate = lr / (1 - beta**step)
        for some, gradient in zip(rows.split(_CHUNK), values.split(_CHUNK), strict=True):
            mean = state["exp_avg"].index_select(0, some).lerp_(gradient, 1 - beta)
            square = state["exp_avg_sq"].index_select(0, some).mul_(beta_sq)
            square.addcmul_(gradient, gradient, value=1 - beta_sq)
            new = table.index_select(0, some).mul_(1 - lr * group["weight_decay"])
            state["exp_avg"].index_copy_(0, some, mean)
            state["exp_avg_sq"].index_copy_(0, some, square)
            scale = square.div_(1 - beta_sq**step).sqrt_().add_(group["eps"])
            table.index_copy_(0, some, new.addcdiv_(mean, scale, value=-rate))
