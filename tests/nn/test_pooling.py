"""Masked pooling."""

import pytest
import torch

from sklearn_cclm.nn.pooling import POOLINGS, masked_max, mean_attention, pool

FEATURES = torch.tensor([[[1.0, -4.0], [3.0, -2.0], [99.0, 99.0]], [[7.0, 7.0]] * 3])
MASK = torch.tensor([[True, True, False], [False, False, False]])


@pytest.mark.parametrize(
    ("pooling", "expected"), [("mean", [2.0, -3.0]), ("max", [3.0, -2.0]), ("cls", [1.0, -4.0])]
)
def test_padding_does_not_count(pooling, expected):
    assert pool(FEATURES, MASK, pooling)[0].tolist() == expected


def test_attention_is_a_softmax_over_the_characters():
    one, other = FEATURES[0, 0], FEATURES[0, 1]
    mean = (one + other) / 2
    weights = (torch.stack([one @ mean, other @ mean]) / 2**0.5).softmax(0)
    expected = weights[0] * one + weights[1] * other
    torch.testing.assert_close(mean_attention(FEATURES, MASK)[0], expected)


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_empty_text_is_zero(pooling):
    assert pool(FEATURES, MASK, pooling)[1].tolist() == [0, 0]


def test_joined_poolings_are_concatenated():
    joined = pool(FEATURES, MASK, "max+mean")
    assert joined[0].tolist() == [3, -2, 2, -3]


def test_largest_value_may_be_negative():
    features, mask = torch.tensor([[[-5.0], [0.0]]]), torch.tensor([[True, False]])
    assert masked_max(features, mask).item() == -5


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_gradients_are_finite_and_none_reaches_padding(pooling):
    features = FEATURES.clone().requires_grad_()
    pool(features, MASK, pooling).sum().backward()
    assert features.grad.isfinite().all()
    assert not features.grad[~MASK].any()
