"""The network that is trained: a base, a tower, and the head that states the task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
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

    def logits(self, tower: nn.Module, encoding: Encoding, batch: Any) -> Tensor:
        """Return what the output layer says, where the task is one that predicts."""
        raise NotImplementedError

    def borrow(self, state: Mapping[str, Tensor], first: int = 0) -> None:
        """Begin with what the head of another tower has learned, as far as that is of use here.

        Where several towers are read side by side, its features begin at `first`.
        """
        return None


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

    def forward(self, batch: Any) -> Tensor:
        return self.head(self._tower, self._encoding(batch), batch)

    @torch.no_grad()
    def predict(self, batch: Any) -> np.ndarray:
        """Return what the output layer says of a batch, computed where the network is."""
        self.eval()
        on_device = batch.to(next(self.parameters()).device)
        logits = self.head.logits(self._tower, self._encoding(on_device), on_device)
        return logits.float().cpu().numpy()

    @property
    def n_outputs(self) -> int:
        """What the output layer tells apart."""
        output: Any = self.head.output
        return output.out_features

    @property
    def _tower(self) -> Any:
        """What the head reads."""
        return self.tower

    def _encoding(self, batch: Any) -> Any:
        """Return what the base says of a batch."""
        return self.base(batch.ids)

    @torch.no_grad()
    def evaluate(self, batches: Any, device: torch.device) -> dict[str, float]:
        """Return the mean loss and metric over all predictions of the batches, by their weights."""
        self.eval()
        found = []
        for batch in batches:
            on_device = batch.to(device)
            encoding = self._encoding(on_device)
            loss, metric = self.head.evaluate(self._tower, encoding, on_device)
            weighed = (loss, on_device.weights), (metric, on_device.text_weights)
            found.append([[float((v * w).sum()), float(w.sum())] for v, w in weighed])
        sums, totals = torch.tensor(found, dtype=torch.float64).sum(0).T
        loss, metric = (sums / totals).tolist()
        return {"loss": loss, self.head.metric: metric}


class MultiTaskModule(nn.Module):
    """Several tasks on one base, of which each batch names one.

    Parameters
    ----------
    base : nn.Module
        The base of all tasks.
    tasks : mapping of str to TaskModule
        The tasks; their base is replaced.
    weights : mapping of str to float
        What each task's loss is multiplied by.
    """

    def __init__(
        self, base: nn.Module, tasks: Mapping[str, TaskModule], weights: Mapping[str, float]
    ) -> None:
        super().__init__()
        self.base = base
        for task in tasks.values():
            task.base = base
        self.names = list(tasks)
        self.parts = nn.ModuleList(tasks.values())
        self.weights = dict(weights)

    def forward(self, batch: Any) -> Tensor:
        return self.weights[batch.task] * self.tasks[batch.task](batch)

    @property
    def tasks(self) -> dict[str, Any]:
        """The tasks by their names."""
        return dict(zip(self.names, self.parts, strict=True))

    def evaluate(self, batches: Any, device: torch.device) -> dict[str, float]:
        """Return the weighted sum of the tasks' mean losses, and what each task measures."""
        found = {name: self.tasks[name].evaluate(batches.of[name], device) for name in batches.of}
        loss = sum(self.weights[name] * values["loss"] for name, values in found.items())
        each = {f"{name}_{k}": v for name, values in found.items() for k, v in values.items()}
        return {"loss": loss, **each}
