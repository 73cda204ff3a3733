"""What a head begins with: standardised features, and maybe a linear model of them.

A linear probe first and fine-tuning after it (LP-FT) is due to A. Kumar et al. (2022), Fine-Tuning
can Distort Pretrained Features and Underperform Out-of-Distribution, ICLR.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from torch import Tensor

from sklearn_cclm._text.codes import PAD
from sklearn_cclm.nn.composed_task import ComposedTask
from sklearn_cclm.nn.heads import LabelHead, TagHead

_LEAST_SPREAD = 0.1  # of the mean: no feature is blown up by more than ten times that
_ROUNDING = 1e-5  # of vectors: where they differ less, the texts are all alike
_MOST = 20_000  # rows that a linear model learns from
_STRENGTH = 30.0  # C of the logistic regression on rows of norm 1


@torch.no_grad()
def standardize(module: ComposedTask, batches: Iterable[Any], device: torch.device) -> None:
    """Set the shift and scale of the towers' vectors to those of some batches."""
    module.eval()
    rows: list[Tensor] = []
    counts: list[Tensor] = []
    for batch in batches:
        on_device = batch.to(device)
        parts = torch.cat(module.parts(on_device), dim=-1)
        if parts.ndim == 3:
            rows.append(parts[on_device.ids != PAD])
            counts.append(rows[-1].new_ones(len(rows[-1])))
        else:
            rows.append(parts)
            counts.append(on_device.text_weights)
        if sum(map(len, rows)) >= _MOST:
            break
    found, weights = torch.cat(rows), torch.cat(counts).unsqueeze(1)
    total = weights.sum()
    shift = (found * weights).sum(0) / total
    spread = ((found - shift).square() * weights).sum(0).div(total).sqrt()
    least = _LEAST_SPREAD * spread.mean()
    module.trunk.mix.shift.copy_(shift)
    differ = spread.mean() > _ROUNDING * found.abs().mean()
    module.trunk.mix.scale.copy_(spread.clamp(min=least) if differ else torch.ones_like(spread))


@torch.no_grad()
def probe(module: ComposedTask, batches: Iterable[Any], device: torch.device) -> None:
    """Set the output layer to a logistic or ridge regression on what it reads."""
    module.eval()
    X, y, weights = _rows(module, batches, device)
    output: Any = module.head.output
    if isinstance(module.head, TagHead):
        weights = module.head.weights.cpu().numpy()[y]
    if isinstance(module.head, LabelHead | TagHead):
        several = y.ndim == 2
        columns = range(y.shape[1]) if several else [None]
        solved = [
            _logistic(X, y if k is None else y[:, k], weights if k is None else weights[:, k])
            for k in columns
        ]
        coef, intercept = _as_logits(solved, tuple(output.weight.shape), several=several)
    else:
        ridge = Ridge(alpha=X.shape[1] / _STRENGTH).fit(X, y, sample_weight=weights)
        coef, intercept = ridge.coef_, ridge.intercept_
    output.weight.copy_(torch.as_tensor(coef, dtype=torch.float32))
    output.bias.copy_(torch.as_tensor(intercept, dtype=torch.float32))


def _rows(module: ComposedTask, batches: Iterable[Any], device: torch.device) -> tuple:
    """Return what the output layer reads, what it is to say, and what each row counts."""
    X, y, weights, n = [], [], [], 0
    for batch in batches:
        features = module.features(batch.to(device)).cpu()
        if "positions" in batch.extra and features.ndim == 3:
            features = features.flatten(0, 1)[batch.extra["positions"]]
        X.append(features.numpy())
        y.append(batch.targets)
        weights.append(batch.extra.get("weights", np.ones(len(features), dtype=np.float32)))
        n += len(features)
        if n >= _MOST:
            break
    return np.concatenate(X), np.concatenate(y), np.concatenate(weights)


def _logistic(X: np.ndarray, y: np.ndarray, weights: np.ndarray) -> LogisticRegression | int:
    """Return a fitted logistic regression, or the one class that there is."""
    if len(np.unique(y)) == 1:
        return int(y[0])
    model = LogisticRegression(C=_STRENGTH / X.shape[1], max_iter=200)
    return model.fit(X, y, sample_weight=weights)


def _as_logits(
    solved: list[Any], shape: tuple[int, ...], *, several: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return logistic regressions as weights and biases of an output layer."""
    coef, intercept = np.zeros(shape), np.zeros(shape[0])
    if several:
        for row, model in enumerate(solved):
            if isinstance(model, int):
                intercept[row] = 5.0 if model else -5.0  # a probability of .993, or .007
            else:
                coef[row], intercept[row] = model.coef_[0], model.intercept_[0]
        return coef, intercept
    model = solved[0]
    intercept[:] = -5.0  # of classes that no text has
    if isinstance(model, int):
        intercept[model] = 0.0
        return coef, intercept
    rows = model.classes_.astype(int)
    if len(rows) == 2:
        coef[rows] = model.coef_ * [[-0.5], [0.5]]
        intercept[rows] = model.intercept_ * [-0.5, 0.5]
    else:
        coef[rows], intercept[rows] = model.coef_, model.intercept_
    return coef, intercept
