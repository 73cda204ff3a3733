"""Losses over large vocabularies: full softmax, sampled softmax and negative sampling.

The three share one shape, ``loss(features, targets, weight, bias, ...)``: each row of `features`
predicts one class, and class `k` scores ``features @ weight[k] + bias[k]``. The sampled ones read
only the rows of `weight` that they need, so that their cost hardly depends on the vocabulary.
Their candidates come from a Zipf law over the class ids: frequent classes should have low ids.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "IGNORE",
    "log_uniform_inclusion",
    "log_uniform_sample",
    "logistic_over_candidates",
    "negative_sampling_loss",
    "sampled_softmax_loss",
    "softmax_loss",
    "softmax_over_candidates",
]

IGNORE = -100
"""Target of a row that predicts nothing."""


def log_uniform_sample(n_classes: int, n_samples: int, generator: torch.Generator) -> Tensor:
    """Draw classes with replacement from the log-uniform (Zipf) law.

    Class ``k`` has probability ``(log(k + 2) - log(k + 1)) / log(n_classes + 1)``, as in
    TensorFlow's ``log_uniform_candidate_sampler`` with ``unique=False``.

    Parameters
    ----------
    n_classes : int
        Number of classes, at least 1.
    n_samples : int
        Number of draws, at least 1.
    generator : torch.Generator
        The only source of randomness.

    Returns
    -------
    Tensor of shape (n_samples,), int64
        Class ids, on the device of the generator. A class may come several times.

    Raises
    ------
    ValueError
        If there is no class or no draw.

    Examples
    --------
    >>> import torch
    >>> log_uniform_sample(1, 3, torch.Generator().manual_seed(0))
    tensor([0, 0, 0])
    """
    if n_classes < 1 or n_samples < 1:
        raise ValueError(
            f"got n_classes={n_classes} and n_samples={n_samples}; both must be at least 1."
        )
    uniform = torch.rand(
        n_samples, generator=generator, device=generator.device, dtype=torch.float64
    )
    ids = torch.exp(uniform * math.log(n_classes + 1)).long() - 1
    return ids.clamp_(max=n_classes - 1)  # exp may round up to n_classes + 1


def log_uniform_inclusion(ids: Tensor, n_classes: int, n_samples: int) -> Tensor:
    """Probability that a class is drawn at least once by `log_uniform_sample`.

    It equals the class's expected count among the *distinct* draws.

    Parameters
    ----------
    ids : Tensor of any shape, int64
        Classes, from 0 to ``n_classes - 1``.
    n_classes : int
        Number of classes.
    n_samples : int
        Number of draws with replacement.

    Returns
    -------
    Tensor of the shape of `ids`, float64
        ``1 - (1 - p) ** n_samples``, where `p` is the probability of one draw.

    Examples
    --------
    >>> import torch
    >>> log_uniform_inclusion(torch.tensor([0, 1, 2]), 3, 1)
    tensor([0.5000, 0.2925, 0.2075], dtype=torch.float64)
    """
    probability = torch.log1p(1 / (ids.double() + 1)) / math.log(n_classes + 1)
    return -torch.expm1(n_samples * torch.log1p(-probability))


def softmax_over_candidates(
    features: Tensor,
    targets: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    candidates: Tensor,
    target_counts: Tensor,
    candidate_counts: Tensor,
) -> Tensor:
    """Cross-entropy of each target against one common set of candidates.

    The logarithm of its expected count is taken off every score, which makes up for the fact that
    frequent classes are drawn more often; a candidate that is the row's target is left out of that
    row [1]_. With every class a candidate of count 1, this is the full softmax.

    Parameters
    ----------
    features : Tensor of shape (n, d), float
    targets : Tensor of shape (n,), int64
        Classes, from 0 to ``V - 1``.
    weight : Tensor of shape (V, d), float
    bias : Tensor of shape (V,), float
    candidates : Tensor of shape (k,), int64
        Distinct classes.
    target_counts : Tensor of shape (n,), float
        Expected count of each target among the candidates.
    candidate_counts : Tensor of shape (k,), float
        Expected count of each candidate among the candidates.

    Returns
    -------
    Tensor of shape (n,)
        One loss per row, in nats.

    References
    ----------
    .. [1] S. Jean, K. Cho, R. Memisevic, Y. Bengio (2015). On using very large target vocabulary
       for neural machine translation. ACL. https://arxiv.org/abs/1412.2007

    Examples
    --------
    >>> import torch
    >>> one = torch.ones(3, dtype=torch.float64)
    >>> softmax_over_candidates(
    ...     torch.ones(1, 2), torch.tensor([1]), torch.zeros(3, 2), torch.zeros(3),
    ...     candidates=torch.arange(3), target_counts=one[:1], candidate_counts=one)
    tensor([1.0986])
    """
    positive, negative = _scores(features, targets, weight, bias, candidates)
    positive = positive - target_counts.log().to(positive)
    negative = negative - candidate_counts.log().to(negative)
    scores = torch.cat([positive[:, None], negative], dim=1)  # (n, 1 + k)
    return scores.logsumexp(dim=1) - positive


def logistic_over_candidates(
    features: Tensor, targets: Tensor, weight: Tensor, bias: Tensor, *, candidates: Tensor
) -> Tensor:
    """Logistic loss of each target (wanted) and of common candidates (unwanted).

    ``-log sigmoid(score[target]) - sum over candidates of log sigmoid(-score[candidate])``;
    a candidate that is the row's target is left out of that row [1]_.

    Parameters
    ----------
    features : Tensor of shape (n, d), float
    targets : Tensor of shape (n,), int64
        Classes, from 0 to ``V - 1``.
    weight : Tensor of shape (V, d), float
    bias : Tensor of shape (V,), float
    candidates : Tensor of shape (k,), int64
        Classes; one that comes twice counts twice.

    Returns
    -------
    Tensor of shape (n,)
        One loss per row, in nats.

    References
    ----------
    .. [1] T. Mikolov, I. Sutskever, K. Chen, G. Corrado, J. Dean (2013). Distributed
       representations of words and phrases and their compositionality. NeurIPS.
       https://arxiv.org/abs/1310.4546

    Examples
    --------
    >>> import torch
    >>> logistic_over_candidates(
    ...     torch.ones(1, 2), torch.tensor([1]), torch.zeros(3, 2), torch.zeros(3),
    ...     candidates=torch.tensor([0, 1, 2]))  # 3 log 2: class 1 is the target
    tensor([2.0794])
    """
    positive, negative = _scores(features, targets, weight, bias, candidates)
    return F.softplus(-positive) + F.softplus(negative).sum(dim=1)


def softmax_loss(features: Tensor, targets: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Mean cross-entropy over the whole vocabulary.

    Parameters
    ----------
    features : Tensor of shape (n, d), float
    targets : Tensor of shape (n,), int64
        Classes, from 0 to ``V - 1``; rows whose target is `IGNORE` are left out.
    weight : Tensor of shape (V, d), float
    bias : Tensor of shape (V,), float

    Returns
    -------
    Tensor of shape ()
        Mean over the remaining rows, in nats; 0 if none remains.

    Examples
    --------
    >>> import torch
    >>> softmax_loss(torch.ones(2, 2), torch.tensor([1, IGNORE]), torch.zeros(3, 2), torch.zeros(3))
    tensor(1.0986)
    """
    features, targets = _with_target(features, targets)
    return _mean(F.cross_entropy(F.linear(features, weight, bias), targets, reduction="none"))


def sampled_softmax_loss(
    features: Tensor,
    targets: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    n_negatives: int,
    generator: torch.Generator,
) -> Tensor:
    """Mean cross-entropy over a random part of the vocabulary, shared by the batch.

    An estimate of `softmax_loss` for training, which it approaches as `n_negatives` grows; compare
    models by `softmax_loss`. The candidates are the distinct ones among `n_negatives` log-uniform
    draws, so that their expected counts are exact (`log_uniform_inclusion`).

    Parameters
    ----------
    features : Tensor of shape (n, d), float
    targets : Tensor of shape (n,), int64
        Classes, from 0 to ``V - 1``; rows whose target is `IGNORE` are left out.
    weight : Tensor of shape (V, d), float
    bias : Tensor of shape (V,), float
    n_negatives : int
        Number of draws, at least 1; draws that repeat a class count once.
    generator : torch.Generator
        The only source of randomness.

    Returns
    -------
    Tensor of shape ()
        Mean over the remaining rows, in nats; 0 if none remains.

    See Also
    --------
    softmax_over_candidates : The loss for given candidates, and its source.

    Examples
    --------
    >>> import torch
    >>> rng = torch.Generator().manual_seed(0)
    >>> sampled_softmax_loss(
    ...     torch.ones(2, 2), torch.tensor([1, 2]), torch.zeros(3, 2), torch.zeros(3),
    ...     n_negatives=1000, generator=rng)
    tensor(1.0986)
    """
    features, targets = _with_target(features, targets)
    n_classes = len(weight)
    candidates = log_uniform_sample(n_classes, n_negatives, generator).unique().to(weight.device)
    losses = softmax_over_candidates(
        features,
        targets,
        weight,
        bias,
        candidates=candidates,
        target_counts=log_uniform_inclusion(targets, n_classes, n_negatives),
        candidate_counts=log_uniform_inclusion(candidates, n_classes, n_negatives),
    )
    return _mean(losses)


def negative_sampling_loss(
    features: Tensor,
    targets: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    n_negatives: int,
    generator: torch.Generator,
) -> Tensor:
    """Mean logistic loss of the targets against log-uniform draws, shared by the batch.

    Parameters
    ----------
    features : Tensor of shape (n, d), float
    targets : Tensor of shape (n,), int64
        Classes, from 0 to ``V - 1``; rows whose target is `IGNORE` are left out.
    weight : Tensor of shape (V, d), float
    bias : Tensor of shape (V,), float
    n_negatives : int
        Number of draws, at least 1; a class drawn twice counts twice.
    generator : torch.Generator
        The only source of randomness.

    Returns
    -------
    Tensor of shape ()
        Mean over the remaining rows, in nats; 0 if none remains.

    See Also
    --------
    logistic_over_candidates : The loss for given candidates, and its source.

    Examples
    --------
    >>> import torch
    >>> rng = torch.Generator().manual_seed(0)
    >>> negative_sampling_loss(
    ...     torch.ones(1, 2), torch.tensor([99_999]), torch.zeros(100_000, 2), torch.zeros(100_000),
    ...     n_negatives=9, generator=rng)  # 10 log 2
    tensor(6.9315)
    """
    features, targets = _with_target(features, targets)
    candidates = log_uniform_sample(len(weight), n_negatives, generator).to(weight.device)
    return _mean(logistic_over_candidates(features, targets, weight, bias, candidates=candidates))


def _scores(
    features: Tensor, targets: Tensor, weight: Tensor, bias: Tensor, candidates: Tensor
) -> tuple[Tensor, Tensor]:
    """Scores of the targets (n,) and of the candidates (n, k), -inf where they are the target."""
    ids = torch.cat([targets, candidates])  # one look-up: one dense gradient, not two
    sizes = [len(targets), len(candidates)]
    target_rows, candidate_rows = weight.index_select(0, ids).split(sizes)
    target_bias, candidate_bias = bias.index_select(0, ids).split(sizes)
    positive = (features * target_rows).sum(dim=1) + target_bias
    negative = F.linear(features, candidate_rows, candidate_bias)
    return positive, negative.masked_fill(targets[:, None] == candidates, -math.inf)


def _with_target(features: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Keep the rows that predict something."""
    kept = targets != IGNORE
    return features[kept], targets[kept]


def _mean(losses: Tensor) -> Tensor:
    """Mean that is 0, with a gradient of 0, over no rows."""
    return losses.sum() / max(len(losses), 1)
