"""Losses over large vocabularies against their closed forms."""

import math

import pytest
import torch
import torch.nn.functional as F

from sklearn_cclm.nn.losses import (
    log_uniform_probability,
    log_uniform_sample,
    negative_sampling_loss,
    sampled_softmax_loss,
    softmax_loss,
)


def problem(n=6, n_classes=40, d=5, seed=0):
    """Return features, targets, weight and bias in double precision."""
    g = torch.Generator().manual_seed(seed)
    shapes = [(n, d), (n_classes, d), (n_classes,)]
    features, weight, bias = (torch.randn(*s, generator=g, dtype=torch.float64) for s in shapes)
    return features, torch.randint(n_classes, (n,), generator=g), weight, bias


def seeded():
    return torch.Generator().manual_seed(7)


def test_softmax_is_minus_the_log_probability_of_the_target():
    features, targets, weight, bias = problem()
    logits = features @ weight.T + bias
    expected = -(logits[range(6), targets] - logits.exp().sum(1).log()).mean()
    assert torch.isclose(softmax_loss(features, targets, weight, bias), expected)


def test_probabilities_are_log_uniform():
    p = log_uniform_probability(torch.arange(1000), 1000)
    assert p.sum().item() == pytest.approx(1, abs=1e-5)
    assert p[0].item() == pytest.approx(math.log(2) / math.log(1001), rel=1e-5)
    assert p[9].item() == pytest.approx((math.log(11) - math.log(10)) / math.log(1001), rel=1e-5)
    assert (p.diff() < 0).all()


def test_sample_follows_the_probabilities():
    n = 200_000
    counts = torch.bincount(log_uniform_sample(50, n, generator=seeded()), minlength=50)
    expected = log_uniform_probability(torch.arange(50), 50) * n
    chi_square = ((counts - expected) ** 2 / expected).sum().item()
    assert len(counts) == 50
    assert chi_square < 85.35  # the 0.999 quantile at 49 degrees of freedom


def test_sampled_softmax_is_the_corrected_softmax_over_target_and_sample():
    features, targets, weight, bias = problem()
    sample = set(log_uniform_sample(40, 8, generator=seeded()).tolist())
    assert len(sample) < 8  # a class that was drawn twice counts once
    expected = []
    for x, target in zip(features, targets.tolist(), strict=True):
        drawn = [1 - (1 - math.log((c + 2) / (c + 1)) / math.log(41)) ** 8 for c in range(40)]
        kept = [target, *(sample - {target})]
        corrected = [x @ weight[c] + bias[c] - math.log(drawn[c]) for c in kept]
        expected.append(-(corrected[0] - torch.stack(corrected).exp().sum().log()))
    found = sampled_softmax_loss(
        features, targets, weight, bias, n_negatives=8, generator=seeded()
    )
    assert torch.isclose(found, torch.stack(expected).mean(), rtol=1e-6)


def test_sampled_softmax_approaches_the_softmax_as_the_sample_grows():
    features, targets, weight, bias = problem(n_classes=20)
    exact = softmax_loss(features, targets, weight, bias).item()
    errors = []
    for n_negatives in (10, 5_000):
        found = sampled_softmax_loss(
            features, targets, weight, bias, n_negatives=n_negatives, generator=seeded()
        )
        errors.append(abs(found.item() - exact))
    assert errors[1] < 1e-6 < 0.02 < errors[0]


def test_gradient_approaches_that_of_the_softmax():
    features, targets, weight, bias = problem(n_classes=20)
    weight.requires_grad_(True)
    (exact,) = torch.autograd.grad(softmax_loss(features, targets, weight, bias), weight)
    loss = sampled_softmax_loss(
        features, targets, weight, bias, n_negatives=5_000, generator=seeded()
    )
    (found,) = torch.autograd.grad(loss, weight)
    assert torch.allclose(found, exact, atol=1e-6)


def test_negative_sampling_is_the_logistic_loss_of_target_and_sample():
    features, targets, weight, bias = problem()
    sample = log_uniform_sample(40, 8, generator=seeded())
    expected = 0.0
    for x, target in zip(features, targets, strict=True):
        expected -= F.logsigmoid(x @ weight[target] + bias[target])
        for c in sample:
            if c != target:
                expected -= F.logsigmoid(-(x @ weight[c] + bias[c]))
    found = negative_sampling_loss(
        features, targets, weight, bias, n_negatives=8, generator=seeded()
    )
    assert torch.isclose(found, expected / 6)


@pytest.mark.parametrize("loss", [sampled_softmax_loss, negative_sampling_loss])
def test_sample_of_nothing_but_the_target_has_finite_gradients(loss):
    features, _, weight, bias = problem(n_classes=1)
    features.requires_grad_(True)
    targets = torch.zeros(6, dtype=torch.int64)
    found = loss(features, targets, weight, bias, n_negatives=3, generator=seeded())
    found.backward()
    assert torch.isfinite(found)
    assert torch.isfinite(features.grad).all()


@pytest.mark.parametrize("loss", [sampled_softmax_loss, negative_sampling_loss])
def test_randomness_comes_from_the_generator_alone(loss):
    before = torch.get_rng_state()
    found = [loss(*problem(), n_negatives=5, generator=seeded()) for _ in range(2)]
    assert found[0] == found[1]
    assert torch.equal(before, torch.get_rng_state())
