"""Losses over large vocabularies, which torch has in no release."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def softmax_loss(features: Tensor, targets: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return the mean cross-entropy over all classes.

    Parameters
    ----------
    features : float Tensor of shape (n, d)
        What is classified.
    targets : int64 Tensor of shape (n,)
        Classes.
    weight, bias : float Tensors of shapes (n_classes, d) and (n_classes,)
        Output layer.

    Returns
    -------
    float Tensor of shape ()
        The loss.
    """
    return F.cross_entropy(F.linear(features, weight, bias), targets)


def log_uniform_probability(classes: Tensor, n_classes: int) -> Tensor:
    """Return the probability of classes under the log-uniform, or Zipfian, distribution.

    P(k) = (log(k + 2) - log(k + 1)) / log(n_classes + 1), which suits classes that are sorted by
    descending frequency.

    Parameters
    ----------
    classes : int64 Tensor
        Classes.
    n_classes : int
        How many there are.

    Returns
    -------
    float64 Tensor of the shape of `classes`
        Probabilities; they sum to 1 over all classes.
    """
    return torch.log1p(1 / (classes.to(torch.float64) + 1)) / math.log(n_classes + 1)


def log_uniform_sample(n_classes: int, n_samples: int, *, generator: torch.Generator) -> Tensor:
    """Draw classes from the log-uniform distribution, with replacement.

    Parameters
    ----------
    n_classes : int
        How many classes there are.
    n_samples : int
        How many to draw.
    generator : torch.Generator
        The only source of randomness.

    Returns
    -------
    int64 Tensor of shape (n_samples,)
        Classes.
    """
    uniform = torch.rand(n_samples, generator=generator, dtype=torch.float64)
    classes = torch.exp(uniform * math.log(n_classes + 1)).long() - 1
    return classes.clamp(0, n_classes - 1)


def sampled_softmax_loss(
    features: Tensor,
    targets: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    n_negatives: int,
    generator: torch.Generator,
) -> Tensor:
    """Return the mean cross-entropy over each target and a common sample of other classes.

    The sample is of the distinct classes among `n_negatives` draws. From each logit, the target's
    too, the logarithm of the probability that the sample holds its class is subtracted: so the
    loss approaches the full softmax as the sample grows. Sampled classes that happen to be a
    row's target are left out of that row.

    Parameters
    ----------
    features : float Tensor of shape (n, d)
        What is classified.
    targets : int64 Tensor of shape (n,)
        Classes, in descending order of frequency.
    weight, bias : float Tensors of shapes (n_classes, d) and (n_classes,)
        Output layer.
    n_negatives : int
        How many classes to draw; one that is drawn twice counts once.
    generator : torch.Generator
        The only source of randomness.

    Returns
    -------
    float Tensor of shape ()
        The loss.

    References
    ----------
    S. Jean, K. Cho, R. Memisevic, Y. Bengio (2015). On Using Very Large Target Vocabulary for
    Neural Machine Translation. ACL.
    """
    sampled = log_uniform_sample(len(weight), n_negatives, generator=generator).unique()
    sampled = sampled.to(features.device)
    true, negative = _logits(features, targets, weight, bias, sampled)
    true = true - _log_inclusion(targets, len(weight), n_negatives).to(true)
    negative = negative - _log_inclusion(sampled, len(weight), n_negatives).to(negative)
    logits = torch.cat([true.unsqueeze(1), negative], dim=1)
    return F.cross_entropy(logits, torch.zeros_like(targets))


def negative_sampling_loss(
    features: Tensor,
    targets: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    n_negatives: int,
    generator: torch.Generator,
) -> Tensor:
    """Return the mean logistic loss that tells each target from a common sample of classes.

    Parameters
    ----------
    features : float Tensor of shape (n, d)
        What is classified.
    targets : int64 Tensor of shape (n,)
        Classes, in descending order of frequency.
    weight, bias : float Tensors of shapes (n_classes, d) and (n_classes,)
        Output layer.
    n_negatives : int
        How many classes to draw; one that is drawn twice counts twice, and one that happens to
        be a row's target is left out of that row.
    generator : torch.Generator
        The only source of randomness.

    Returns
    -------
    float Tensor of shape ()
        The loss: of the target, plus the sum over the sample.

    References
    ----------
    T. Mikolov, I. Sutskever, K. Chen, G. Corrado, J. Dean (2013). Distributed Representations of
    Words and Phrases and their Compositionality. NeurIPS.
    """
    sampled = log_uniform_sample(len(weight), n_negatives, generator=generator)
    sampled = sampled.to(features.device)
    true, negative = _logits(features, targets, weight, bias, sampled)
    return (F.softplus(-true) + F.softplus(negative).sum(1)).mean()


def _logits(
    features: Tensor, targets: Tensor, weight: Tensor, bias: Tensor, sampled: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the logits of the targets, (n,), and of the sample, (n, k), hits at -inf."""
    classes = torch.cat([targets, sampled])  # one look-up: its gradient is dense
    rows, shifts, n = F.embedding(classes, weight), bias[classes], len(targets)
    true = (features * rows[:n]).sum(1) + shifts[:n]
    negative = F.linear(features, rows[n:], shifts[n:])
    return true, negative.masked_fill(targets.unsqueeze(1) == sampled, -torch.inf)


def _log_inclusion(classes: Tensor, n_classes: int, n_draws: int) -> Tensor:
    """Return the log of the probability that each class is among the draws: 1 - (1 - P)^n."""
    missed = n_draws * torch.log1p(-log_uniform_probability(classes, n_classes))
    return torch.log(-torch.expm1(missed))
