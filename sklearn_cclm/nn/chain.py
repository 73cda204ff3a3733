"""What tags of words in a row say together, where "I" follows "B" or "I" of its label alone.

A linear-chain conditional random field without weights of its own: all scores are those of words,
and a sequence that is not allowed has no share (J. Lafferty, A. McCallum, F. Pereira (2001),
Conditional Random Fields. ICML). Tags are coded as in `TagSet`: "O", then "B" and "I" of each
label. Within this file all "B" stand before all "I".
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_NEVER = -1e4  # finite, lest its gradient be none


def log_partition(scores: Tensor, mask: Tensor) -> Tensor:
    """Return the logarithm of the sum over all sequences of tags, (B,).

    Parameters
    ----------
    scores : float Tensor of shape (B, n_words, n_tags)
        Of each tag of each word.
    mask : bool Tensor of shape (B, n_words)
        Where there is a word; the others of a text follow its words.
    """
    return _LogPartition.apply(_apart(scores), mask)


def log_marginals(scores: Tensor, mask: Tensor) -> Tensor:
    """Return the log-probability of each tag of each word, (B, n_words, n_tags)."""
    scores = _apart(scores)
    found = (_before(scores, mask) + _after(scores, mask)).log_softmax(-1)
    n = scores.shape[2] // 2
    pairs = torch.stack([found[..., 1 : n + 1], found[..., n + 1 :]], dim=-1)
    return torch.cat([found[..., :1], pairs.flatten(-2)], dim=-1)


class _LogPartition(torch.autograd.Function):
    """The sum over all sequences, whose gradient are the marginals: no step is kept for it."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, mask: Tensor) -> Tensor:
        before = _before(scores, mask)
        ctx.save_for_backward(scores, mask, before)
        return before[:, -1].logsumexp(1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        scores, mask, before = ctx.saved_tensors
        marginals = (before + _after(scores, mask)).softmax(-1)
        return marginals * (mask * gradient[:, None]).unsqueeze(2), None


def _apart(scores: Tensor) -> Tensor:
    """Return scores with all "B" before all "I", in which the first word goes on with nothing."""
    inside = scores[..., 2::2]
    inside = torch.cat([inside[:, :1] + _NEVER, inside[:, 1:]], dim=1)
    return torch.cat([scores[..., :1], scores[..., 1::2], inside], dim=-1).float()


def _before(scores: Tensor, mask: Tensor) -> Tensor:
    """Return what the words up to each one say, by the tag of that."""
    n = scores.shape[2] // 2
    first, *others = scores.unbind(1)
    found = [first]
    for said, here in zip(others, mask[:, 1:, None].unbind(1), strict=True):
        last = found[-1]
        anew = last.logsumexp(1, keepdim=True).expand(-1, n + 1)
        on = torch.logaddexp(last[:, 1 : n + 1], last[:, n + 1 :])
        found.append(torch.where(here, said + torch.cat([anew, on], dim=1), last))
    return torch.stack(found, dim=1)


def _after(scores: Tensor, mask: Tensor) -> Tensor:
    """Return what the words after each one say, by the tag of that."""
    n = scores.shape[2] // 2
    found = [torch.zeros_like(scores[:, 0])]
    steps = zip(scores[:, 1:].unbind(1), mask[:, 1:, None].unbind(1), strict=True)
    for said, here in reversed([*steps]):
        last = found[-1]
        seen = said + last
        anew = seen[:, : n + 1].logsumexp(1, keepdim=True)
        on = torch.logaddexp(anew, seen[:, n + 1 :])
        found.append(torch.where(here, torch.cat([anew, on, on], dim=1), last))
    return torch.stack(found[::-1], dim=1)
