"""Networks as they leave this package: codes in, and out what an estimator's method returns."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from torch import Tensor, nn

from sklearn_cclm.nn.composed_task import ComposedTask
from sklearn_cclm.nn.embedding import NgramBase
from sklearn_cclm.nn.rows import GatheredTable


class Prediction(nn.Module):
    """What a composed head says of texts, or of each character, zero at padding.

    Parameters
    ----------
    task : ComposedTask
        The trained network.
    last : nn.Module
        What is done with the output layer's numbers, such as ``nn.Softmax(-1)``.
    """

    def __init__(self, task: ComposedTask, last: nn.Module) -> None:
        super().__init__()
        self.task = task
        self.last = last

    def forward(self, *ids: Tensor) -> Tensor:
        """Return predictions of shape (B, outputs), or (B, L, outputs).

        Parameters
        ----------
        *ids : int64 Tensors of shape (B, L)
            Codes, as `ComposedModule` reads them.
        """
        output: Any = self.task.head.output
        found = self.last(output(self.task.trunk(self.task.read(ids), 0)))
        if found.ndim < 3:
            return found
        return found * (ids[0] != 0).unsqueeze(-1)


class Projected(nn.Module):
    """What a network says, multiplied by a matrix of shape (outputs, inputs)."""

    def __init__(self, module: nn.Module, matrix: Tensor) -> None:
        super().__init__()
        self.module = module
        self.matrix: Tensor
        self.register_buffer("matrix", matrix)

    def forward(self, *ids: Tensor) -> Tensor:
        return self.module(*ids) @ self.matrix.T


class Unscaled(nn.Module):
    """Standardised numbers as what they stand for: float64, as targets can be large."""

    def __init__(self, mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, x: Tensor) -> Tensor:
        return x.double() * self.scale + self.mean


def exportable(module: nn.Module) -> nn.Module:
    """Return a copy of a network, on the CPU, whose operations other runtimes have."""
    module = deepcopy(module).cpu().requires_grad_(False).eval()
    for part in module.modules():
        if isinstance(part, NgramBase):
            part.table = GatheredTable.of(part.table)
    return module
