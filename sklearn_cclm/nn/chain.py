"""What tags of words in a row say together, where "I" follows "B" or "I" of its label alone.

A linear-chain conditional random field without weights of its own: all scores are those of words,
and a sequence that is not allowed has no share (J. Lafferty, A. McCallum, F. Pereira (2001),
Conditional Random Fields. ICML). Tags are coded as in `TagSet`: "O", then "B" and "I" of each
label.
"""

from __future__ import annotations

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
    return _forward(_started(scores), mask)[:, -1].logsumexp(1)


def log_marginals(scores: Tensor, mask: Tensor) -> Tensor:
    """Return the log-probability of each tag of each word, (B, n_words, n_tags)."""
    scores = _started(scores)
    after = scores.new_zeros(scores[:, 0].shape)
    found = [after]
    for place in range(scores.shape[1] - 1, 0, -1):
        seen = scores[:, place] + after
        anew = torch.cat([seen[:, :1], seen[:, 1::2]], dim=1).logsumexp(1, keepdim=True)
        on = torch.logaddexp(anew, seen[:, 2::2]).repeat_interleave(2, dim=1)
        after = torch.where(mask[:, place, None], torch.cat([anew, on], dim=1), after)
        found.append(after)
    return (_forward(scores, mask) + torch.stack(found[::-1], dim=1)).log_softmax(-1)


def _started(scores: Tensor) -> Tensor:
    """Return scores in which the first word goes on with nothing."""
    barred = torch.zeros_like(scores[:1, :1])
    barred[..., 2::2] = _NEVER
    return torch.cat([scores[:, :1] + barred, scores[:, 1:]], dim=1)


def _forward(scores: Tensor, mask: Tensor) -> Tensor:
    """Return what the words up to each one say, by the tag of that."""
    before = scores[:, 0]
    found = [before]
    for place in range(1, scores.shape[1]):
        anew = before.logsumexp(1, keepdim=True)
        on = torch.logaddexp(before[:, 1::2], before[:, 2::2])
        each = torch.stack([anew.expand_as(on), on], dim=2).flatten(1)
        said = scores[:, place] + torch.cat([anew, each], dim=1)
        before = torch.where(mask[:, place, None], said, before)
        found.append(before)
    return torch.stack(found, dim=1)
