"""The chain of tags, beside a sum over all sequences that are allowed."""

from itertools import product

import pytest
import torch

from sklearn_cclm.nn.chain import log_marginals, log_partition

N_TAGS = 5  # "O", "B" and "I" of two labels


def allowed(sequence):
    return all(
        tag % 2 or not tag or before in (tag, tag - 1)
        for before, tag in zip((0, *sequence), sequence, strict=False)
    )


@pytest.mark.parametrize("length", [1, 2, 4])
def test_all_sequences_that_are_allowed_count(length):
    scores = torch.randn(1, 4, N_TAGS, generator=torch.Generator().manual_seed(0)) * 3
    mask = torch.arange(4)[None] < length
    found = [s for s in product(range(N_TAGS), repeat=length) if allowed(s)]
    said = torch.stack([sum(scores[0, i, tag] for i, tag in enumerate(s)) for s in found])
    torch.testing.assert_close(log_partition(scores, mask)[0], said.logsumexp(0))
    shares = said.softmax(0)
    marginals = log_marginals(scores, mask)[0].exp()
    for place in range(length):
        for tag in range(N_TAGS):
            share = sum(shares[i] for i, s in enumerate(found) if s[place] == tag)
            assert float(marginals[place, tag]) == pytest.approx(float(share), abs=1e-5)


def test_gradients_are_the_marginals():
    scores = torch.randn(2, 3, N_TAGS, generator=torch.Generator().manual_seed(1))
    scores.requires_grad_()
    mask = torch.tensor([[True] * 3, [True, False, False]])
    log_partition(scores, mask).sum().backward()
    marginals = log_marginals(scores.detach(), mask).exp() * mask.unsqueeze(2)
    torch.testing.assert_close(scores.grad, marginals, atol=1e-5, rtol=1e-4)
