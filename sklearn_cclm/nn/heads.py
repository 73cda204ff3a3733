"""Output layers that tasks put on what they read: labels, values, or a tag per character."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sklearn_cclm.nn.task import Head


class LabelHead(Head):
    """Softmax over classes, or a sigmoid for each, from the vectors of texts."""

    def __init__(self, width: int, n_classes: int, *, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        self.output = nn.Linear(width, n_classes)

    def logits(self, tower: Any, encoding: Any, batch: Any) -> Tensor:
        return self.output(tower.native(encoding))

    def forward(self, tower: Any, encoding: Any, batch: Any) -> Tensor:
        logits = self.logits(tower, encoding, batch)
        losses = label_losses(logits, batch.targets, self.label_smoothing)
        return (losses * batch.extra["weights"]).mean()

    def evaluate(self, tower: Any, encoding: Any, batch: Any) -> tuple[Tensor, Tensor]:
        logits, targets = self.logits(tower, encoding, batch), batch.targets
        losses = label_losses(logits, targets)
        if targets.ndim == 1:
            return losses, logits.argmax(1) == targets
        weighted = (losses * batch.extra["weights"]).mean(1) / batch.weights
        return weighted, ((logits > 0) == (targets > 0)).all(1)


def label_losses(logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the cross-entropy of each text, (n,), or of each of its labels, (n, n_classes)."""
    if targets.ndim == 1:
        return F.cross_entropy(logits, targets, reduction="none", label_smoothing=smoothing)
    targets = targets * (1 - smoothing) + smoothing / 2
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="none")


class ValueHead(Head):
    """Squared error of one or several numbers, from the vectors of texts."""

    metric = "absolute_error"

    def __init__(self, width: int, n_targets: int) -> None:
        super().__init__()
        self.output = nn.Linear(width, n_targets)

    def logits(self, tower: Any, encoding: Any, batch: Any) -> Tensor:
        return self.output(tower.native(encoding))

    def forward(self, tower: Any, encoding: Any, batch: Any) -> Tensor:
        errors = self.logits(tower, encoding, batch) - batch.targets
        return (errors.square().mean(1) * batch.extra["weights"]).mean()

    def evaluate(self, tower: Any, encoding: Any, batch: Any) -> tuple[Tensor, Tensor]:
        errors = self.logits(tower, encoding, batch) - batch.targets
        return errors.square().mean(1), errors.abs().mean(1)


class TagHead(Head):
    """Softmax over tags for each character."""

    def __init__(self, width: int, n_tags: int, *, entity_weight: float) -> None:
        super().__init__()
        self.output = nn.Linear(width, n_tags)
        self.entity_weight = float(entity_weight)

    @property
    def weights(self) -> Tensor:
        """What a character of each tag counts."""
        weights = torch.full_like(self.output.bias, self.entity_weight, requires_grad=False)
        weights[0] = 1.0
        return weights

    def logits(self, tower: Any, encoding: Any, batch: Any) -> Tensor:
        return self.output(tower(encoding).flatten(0, 1)[batch.extra["positions"]])

    def forward(self, tower: Any, encoding: Any, batch: Any) -> Tensor:
        return F.cross_entropy(self.logits(tower, encoding, batch), batch.targets, self.weights)

    def evaluate(self, tower: Any, encoding: Any, batch: Any) -> tuple[Tensor, Tensor]:
        logits = self.logits(tower, encoding, batch)
        loss = F.cross_entropy(logits, batch.targets, reduction="none")
        return loss, logits.argmax(1) == batch.targets


class VectorHead(Head):
    """Cosine distance to the teacher's vectors, and squared error of the similarities.

    Parameters
    ----------
    widths : tuple of int
        How many of the first dimensions must match; the loss is the mean over all widths.
    relational : float
        Weight of the squared error.
    """

    metric = "cosine"

    def __init__(self, widths: tuple[int, ...], *, relational: float) -> None:
        super().__init__()
        self.widths = widths
        self.relational = relational

    def forward(self, tower: Any, encoding: Any, batch: Any) -> Tensor:
        vectors, targets, weights = tower.native(encoding), batch.targets, batch.weights
        losses = []
        for width in self.widths:
            own = F.normalize(vectors[:, :width], dim=1)
            cosine = (own * F.normalize(targets[:, :width], dim=1)).sum(1)
            loss = ((1 - cosine) * weights).mean()
            if self.relational:
                errors = F.mse_loss(own @ own.T, targets @ targets.T, reduction="none")
                loss = loss + self.relational * (errors * weights.outer(weights)).mean()
            losses.append(loss)
        return torch.stack(losses).mean()

    def evaluate(self, tower: Any, encoding: Any, batch: Any) -> tuple[Tensor, Tensor]:
        cosine = F.cosine_similarity(tower.native(encoding), batch.targets)
        return 1 - cosine, cosine
