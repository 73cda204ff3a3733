"""The output layer that tags words: it sees those around, and decides on all of them together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sklearn_cclm._targets.word_layout import N_SHAPES
from sklearn_cclm.architectures.words import DILATIONS, KERNEL_SIZE, WIDTH
from sklearn_cclm.nn.blocks import ResidualConv, hide
from sklearn_cclm.nn.chain import log_marginals, log_partition
from sklearn_cclm.nn.heads import TagHead
from sklearn_cclm.nn.words import Words

_HIDDEN = 0.3  # share of what layers read that is hidden in training
_SURE = 20.0  # a blank is outside


class WordConv(ResidualConv):
    """A residual convolution over the words of texts, which follow each other without padding."""

    def __init__(self, width: int, kernel_size: int, *, dilation: int) -> None:
        super().__init__(width, kernel_size, dilation=dilation)
        reach = dilation * (kernel_size // 2)
        self.steps = range(-reach, reach + 1, dilation)

    def forward(self, x: Tensor, rows: Tensor) -> Tensor:  # (n_words, d), (n_words,)
        inner = self.norm(x)
        seen = torch.cat([_moved(inner, rows, step) for step in self.steps], dim=1)
        weight = self.conv.weight.transpose(1, 2).flatten(1)
        return x + self.project(F.gelu(F.linear(seen, weight, self.conv.bias)))


def _moved(x: Tensor, rows: Tensor, step: int) -> Tensor:
    """Return for each word what stands so many words after it in its text, or zeros."""
    if step == 0:
        return x
    place = torch.arange(step, len(x) + step, device=x.device)
    there = place.clamp(0, max(len(x) - 1, 0))
    inside = (there == place) & (rows[there] == rows)
    return x.index_select(0, there) * inside.unsqueeze(1)


class WordContext(nn.Module):
    """Scores of tags from the vectors and shapes of words, by convolutions over words."""

    def __init__(self, width: int, n_tags: int) -> None:
        super().__init__()
        self.norm_in = nn.LayerNorm(width)
        self.enter = nn.Linear(width + N_SHAPES, WIDTH)
        self.blocks = nn.ModuleList(
            WordConv(WIDTH, KERNEL_SIZE, dilation=dilation) for dilation in DILATIONS
        )
        self.norm_out = nn.LayerNorm(WIDTH)
        self.output = nn.Linear(WIDTH, n_tags)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, vectors: Tensor, words: Words, batch: Any, generator: Any) -> Tensor:
        share = _HIDDEN * self.training
        read = torch.cat([hide(self.norm_in(vectors), share, generator), batch.extra["shapes"]], 1)
        x = F.gelu(self.enter(read))
        for block in self.blocks:
            x = block(x, words.rows)
        return self.output(hide(self.norm_out(x), share, generator))


class WordTagHead(TagHead):
    """A linear map of each word's vector, beside what the words around say, decoded as a chain.

    What a word of an entity counts is a margin: the score of "O" there is greater in training, by
    the logarithm (K. Gimpel, N. Smith (2010), Softmax-Margin CRFs. NAACL).
    """

    def __init__(self, width: int, n_tags: int, *, entity_weight: float) -> None:
        super().__init__(width, n_tags, entity_weight=entity_weight)
        self.context = WordContext(width, n_tags)

    def borrow(self, state: Mapping[str, Tensor], first: int = 0) -> None:
        """Begin with what another head of words reads and takes for a name, whatever its labels.

        Of several vectors side by side that one begins at `first`; of the others nothing is read
        yet.
        """
        if "context.enter.weight" not in state:
            return
        own = self.state_dict()
        for name, theirs in state.items():
            if name.endswith(("output.weight", "output.bias")):
                theirs = _of_any_label(theirs, n_tags=len(own[name]))
            if name == "context.enter.weight":
                width = theirs.shape[1] - N_SHAPES
                own[name].zero_()
                own[name][:, first : first + width] = theirs[:, :width]
                own[name][:, -N_SHAPES:] = theirs[:, width:]
            elif name == "output.weight":
                own[name].zero_()
                own[name][:, first : first + theirs.shape[1]] = theirs
            elif name.startswith("context.norm_in"):
                own[name][first : first + len(theirs)] = theirs
            else:
                own[name].copy_(theirs)

    def logits(self, tower: Any, encoding: Any, batch: Any) -> Tensor:
        """Return the log-probability of each tag at each character."""
        found = self._log_marginals(*self._scores(tower, encoding, batch), batch)
        blank = F.pad(found.new_full((1, found.shape[1] - 1), -_SURE), (1, 0))
        return torch.cat([found, blank])[batch.extra["words"]]

    def forward(self, tower: Any, encoding: Any, batch: Any) -> Tensor:
        scores, words = self._scores(tower, encoding, batch)
        margin = math.log(self.entity_weight) * (batch.targets > 0)
        scores = scores + F.pad(margin.unsqueeze(1), (0, scores.shape[1] - 1))
        padded, mask = words.padded(scores, len(batch.ids))
        right = scores.gather(1, batch.targets.unsqueeze(1)).sum()
        return (log_partition(padded, mask)[mask.any(1)].sum() - right) / len(batch)

    def evaluate(self, tower: Any, encoding: Any, batch: Any) -> tuple[Tensor, Tensor]:
        found = self._log_marginals(*self._scores(tower, encoding, batch), batch)
        loss = F.nll_loss(found, batch.targets, reduction="none")
        return loss, found.argmax(1) == batch.targets

    def _scores(self, tower: Any, encoding: Any, batch: Any) -> tuple[Tensor, Words]:
        words = Words.of(batch)
        vectors = tower.of_words(encoding, words)
        generator = torch.Generator().manual_seed(batch.seed)
        return self.output(vectors) + self.context(vectors, words, batch, generator), words

    def _log_marginals(self, scores: Tensor, words: Words, batch: Any) -> Tensor:
        return words.flat(log_marginals(*words.padded(scores, len(batch.ids))))


def _of_any_label(weights: Tensor, *, n_tags: int) -> Tensor:
    """Return weights of "O", "B" and "I" for other labels: those of the given ones on average."""
    begin, inside = (weights[i::2].mean(0, keepdim=True) for i in (1, 2))
    return torch.cat([weights[:1], *(begin, inside) * (n_tags // 2)])
