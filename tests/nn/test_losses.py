"""Losses over large vocabularies against closed forms."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck

from sklearn_cclm.nn.losses import (
    log_uniform_probability,
    log_uniform_sample,
    negative_sampling_loss,
    sampled_softmax_loss,
    softmax_loss,
)

SAMPLED = [sampled_softmax_loss, negative_sampling_loss]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def problem(n_classes=12, n=7, width=4, dtype=torch.float64):
    """Return features, targets, weight and bias, with frequent classes among the targets."""
    generator = seeded(1)
    features = torch.randn(n, width, generator=generator, dtype=dtype)
    weight = torch.randn(n_classes, width, generator=generator, dtype=dtype)
    bias = torch.randn(n_classes, generator=generator, dtype=dtype)
    return features, torch.arange(n) % n_classes, weight, bias


def test_softmax_is_the_mean_negative_log_probability():
    features, targets, weight, bias = problem()
    probabilities = (features @ weight.T + bias).softmax(1)
    expected = -sum(math.log(probabilities[i, t]) for i, t in enumerate(targets)) / len(targets)
    assert softmax_loss(features, targets, weight, bias).item() == pytest.approx(expected)


@pytest.mark.parametrize("n_classes", [1, 10, 50_000])
def test_log_uniform_probabilities_sum_to_one(n_classes):
    total = log_uniform_probability(torch.arange(n_classes), n_classes).sum()
    assert total.item() == pytest.approx(1, abs=1e-12)


def test_log_uniform_probability_is_its_formula():
    expected = [(math.log(k + 2) - math.log(k + 1)) / math.log(10 + 1) for k in range(10)]
    assert log_uniform_probability(torch.arange(10), 10).tolist() == pytest.approx(expected)


def test_log_uniform_sample_has_its_probabilities():
    n = 200_000
    drawn = log_uniform_sample(20, n, generator=seeded())
    expected = log_uniform_probability(torch.arange(20), 20)
    deviation = (expected * (1 - expected) / n).sqrt()
    found = torch.bincount(drawn, minlength=20) / n
    assert len(found) == 20
    assert ((found - expected).abs() < 4 * deviation).all()


def sampled_softmax_by_hand(features, targets, weight, bias, draws):
    """Return the formula of the docstring, row by row."""

    def logit(row, k):
        probability = (math.log(k + 2) - math.log(k + 1)) / math.log(len(weight) + 1)
        score = float(features[row] @ weight[k] + bias[k])
        return score - math.log(1 - (1 - probability) ** len(draws))

    losses = []
    for row, target in enumerate(targets.tolist()):
        others = [logit(row, k) for k in set(draws.tolist()) - {target}]
        total = sum(math.exp(score) for score in [logit(row, target), *others])
        losses.append(math.log(total) - logit(row, target))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("n_negatives", [1, 5, 30])
def test_sampled_softmax_is_its_formula(n_negatives):
    draws = log_uniform_sample(12, n_negatives, generator=seeded())
    loss = sampled_softmax_loss(*problem(), n_negatives=n_negatives, generator=seeded())
    expected = sampled_softmax_by_hand(*problem(), draws)
    assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_sampled_softmax_converges_to_softmax():
    full = softmax_loss(*problem(n_classes=50, n=40))
    errors = [
        abs(sampled_softmax_loss(*problem(50, 40), n_negatives=n, generator=seeded()) - full)
        for n in (10, 100, 10_000)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-9


def test_gradient_converges_to_that_of_softmax():
    features, targets, weight, bias = problem()
    floats = [tensor.requires_grad_() for tensor in (features, weight, bias)]
    arguments = (features, targets, weight, bias)
    sampled = sampled_softmax_loss(*arguments, n_negatives=2000, generator=seeded())
    expected = torch.autograd.grad(softmax_loss(*arguments), floats)
    torch.testing.assert_close(torch.autograd.grad(sampled, floats), expected)


def test_negative_sampling_is_its_formula():
    features, targets, weight, bias = problem()
    draws = log_uniform_sample(12, 20, generator=seeded()).tolist()
    assert len(set(draws)) < len(draws)
    assert set(draws) & set(targets.tolist())
    expected = 0.0
    for row, target in enumerate(targets.tolist()):
        scores = (weight @ features[row] + bias).tolist()
        expected += math.log(1 + math.exp(-scores[target]))
        expected += sum(math.log(1 + math.exp(scores[k])) for k in draws if k != target)
    loss = negative_sampling_loss(*problem(), n_negatives=20, generator=seeded())
    assert loss.item() == pytest.approx(expected / len(targets), rel=1e-12)


@pytest.mark.parametrize("loss", SAMPLED)
def test_gradients_are_those_of_the_loss(loss):
    features, targets, weight, bias = problem()

    def of_floats(features, weight, bias):
        return loss(features, targets, weight, bias, n_negatives=20, generator=seeded())

    floats = [tensor.requires_grad_() for tensor in (features, weight, bias)]
    assert gradcheck(of_floats, floats)


@pytest.mark.parametrize("loss", SAMPLED)
def test_only_targets_and_sample_get_gradients(loss):
    features, _, weight, bias = problem(n_classes=40)
    targets = torch.tensor([30] * len(features))
    draws = log_uniform_sample(40, 6, generator=seeded())
    loss(
        features, targets, weight.requires_grad_(), bias.requires_grad_(),
        n_negatives=6, generator=seeded(),
    ).backward()  # fmt: skip
    touched = sorted({30, *draws.tolist()})
    assert weight.grad.abs().sum(1).nonzero()[:, 0].tolist() == touched
    assert bias.grad.nonzero()[:, 0].tolist() == touched


@pytest.mark.parametrize(
    ("loss", "expected"),
    [(sampled_softmax_loss, torch.zeros_like), (negative_sampling_loss, lambda x: F.softplus(-x))],
)
def test_sample_of_hits_alone_leaves_the_target(loss, expected):
    features, targets, weight, bias = problem(n_classes=1)
    floats = [tensor.requires_grad_() for tensor in (features, weight, bias)]
    value = loss(features, targets, weight, bias, n_negatives=5, generator=seeded())
    value.backward()
    logits = features @ weight[0] + bias[0]
    assert value.item() == pytest.approx(expected(logits).mean().item())
    assert all(tensor.grad.isfinite().all() for tensor in floats)


@pytest.mark.parametrize("loss", SAMPLED)
def test_the_generator_is_the_only_randomness(loss):
    before = torch.get_rng_state()
    values = [loss(*problem(), n_negatives=5, generator=seeded(seed)).item() for seed in (0, 0, 1)]
    assert values[0] == values[1] != values[2]
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("loss", SAMPLED)
def test_float32_stays_float32(loss):
    value = loss(*problem(dtype=torch.float32), n_negatives=5, generator=seeded())
    assert value.dtype == torch.float32
    exact = loss(*problem(), n_negatives=5, generator=seeded())
    assert value.isfinite()
    assert exact.dtype == torch.float64
