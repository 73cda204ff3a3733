"""The network that is trained: a base, a tower, and the head that states the task."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sklearn_cclm.nn.embedding import Encoding


class Head(nn.Module):
    """What a task puts on a tower while it is trained; it is not part of the `Tower`.

    Attributes
    ----------
    metric : str
        What the second result of `evaluate` is called in `history_`.
    """

    metric = "accuracy"

    def forward(self, tower: nn.Module, encoding: Encoding, batch: Any) -> Tensor:
        """Return the mean training loss of a batch."""
        raise NotImplementedError

    def evaluate(self, tower: nn.Module, encoding: Encoding, batch: Any) -> tuple[Tensor, Tensor]:
        """Return the exact loss and the metric of each prediction: two of (n,)."""
        raise NotImplementedError


class TaskModule(nn.Module):
    """A base, a tower on it and a task's head.

    Parameters
    ----------
    base, tower : nn.Module
        Networks.
    head : Head
        The task.
    train_base : bool
        Whether the base learns too; otherwise it stays as it is.
    """

    def __init__(self, base: nn.Module, tower: nn.Module, head: Head, *, train_base: bool) -> None:
        super().__init__()
        self.base = base.requires_grad_(train_base)
        self.tower = tower
        self.head = head

    @property
    def metric(self) -> str:
        """Name of the head's metric."""
        return self.head.metric

    def forward(self, batch: Any) -> Tensor:
        return self.head(self.tower, self.base(batch.ids), batch)

    @torch.no_grad()
    def evaluate(self, batches: Any, device: torch.device) -> dict[str, float]:
        """Return the mean loss and metric over all predictions of the batches."""
        self.eval()
        losses, metrics, n = 0.0, 0.0, 0
        for batch in batches:
            on_device = batch.to(device)
            encoding = self.base(on_device.ids)
            loss, metric = self.head.evaluate(self.tower, encoding, on_device)
            losses += float(loss.sum())
            metrics += float(metric.sum())
            n += len(batch)
        return {"loss": losses / n, self.metric: metrics / n}
