"""The network of a composed head: bases, towers on them, how they are mixed, an output layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sklearn_cclm.nn.blocks import hide
from sklearn_cclm.nn.pooling import POOLINGS, attend
from sklearn_cclm.nn.task import Head, TaskModule
from sklearn_cclm.nn.words import Words


class Attention(nn.Module):
    """Average the characters of each text by weights that are learned; at first all are equal."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(width))

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        return attend(features, mask, features @ self.query)


class Pooling(nn.Module):
    """A text's vector from one tower: its native one, or poolings of its characters.

    Parameters
    ----------
    pooling : str
        "native", or names of poolings joined by "+", of which "attention" is learned.
    width : int
        Of the tower.
    """

    def __init__(self, pooling: str, width: int) -> None:
        super().__init__()
        self.names = pooling.split("+")
        self.attention = Attention(width) if "attention" in self.names else None

    def forward(self, tower: Any, encoding: Any) -> Tensor:
        if self.names == ["native"]:
            return tower.native(encoding)
        features, mask = tower(encoding), encoding.mask
        poolings: dict[str, Any] = {**POOLINGS, "attention": self.attention}
        return torch.cat([poolings[name](features, mask) for name in self.names], dim=1)


class Mix(nn.Module):
    """Vectors of several towers, standardised, become one.

    Parameters
    ----------
    widths : sequence of int
        Of the towers' vectors.
    combine : {"concat", "gated", "attention"}
        Side by side; or the sum of projections, each times a gate that all vectors decide; or
        their average by weights that each projection decides for itself.
    """

    def __init__(self, widths: Sequence[int], combine: str) -> None:
        super().__init__()
        self.combine = combine
        self.shift: Tensor
        self.scale: Tensor
        self.register_buffer("shift", torch.zeros(sum(widths)))
        self.register_buffer("scale", torch.ones(sum(widths)))
        self.widths = tuple(widths)
        self.width = sum(widths) if combine == "concat" else max(widths)
        if combine != "concat":
            self.projections = nn.ModuleList(nn.Linear(width, self.width) for width in widths)
            gated = combine == "gated"
            self.gates = nn.Linear(*((sum(widths), len(widths)) if gated else (self.width, 1)))

    def forward(self, parts: Sequence[Tensor]) -> Tensor:
        joined = (torch.cat(list(parts), dim=-1) - self.shift) / self.scale
        if self.combine == "concat":
            return joined
        split = joined.split(self.widths, dim=-1)
        projected = torch.stack([p(part) for p, part in zip(self.projections, split, strict=True)])
        if self.combine == "gated":
            weights = self.gates(joined).sigmoid().movedim(-1, 0).unsqueeze(-1)
        else:
            weights = self.gates(projected).softmax(0)
        return (weights * projected).sum(0)


class Trunk(nn.Module):
    """From the towers to what the output layer reads.

    Parameters
    ----------
    widths : sequence of int
        Of the towers' vectors of characters.
    native_widths : sequence of int
        Of those of texts.
    pooling : str or None
        How texts are read; None where each character or word is.
    combine : str
        As in `Mix`.
    hidden : int
        Units of a hidden layer; 0 for none.
    dropout : float
        Share of what it and the output layer read that is hidden in training.
    """

    def __init__(
        self,
        widths: Sequence[int],
        native_widths: Sequence[int],
        *,
        pooling: str | None,
        combine: str,
        hidden: int,
        dropout: float,
    ) -> None:
        super().__init__()
        if pooling == "native":
            widths = native_widths
        self.poolings = nn.ModuleList(Pooling(pooling, w) for w in widths) if pooling else None
        n_poolings = len(pooling.split("+")) if pooling else 1
        self.mix = Mix([width * n_poolings for width in widths], combine)
        self.dropout = dropout
        self.hidden = nn.Linear(self.mix.width, hidden) if hidden else None
        self.width = hidden or self.mix.width

    def parts(
        self, towers: Sequence[Any], encodings: Sequence[Any], words: Words | None
    ) -> list[Tensor]:
        """Return what each tower says: of texts, or of each word or character."""
        pairs = zip(towers, encodings, strict=True)
        if words is not None:  # of whose vectors each is normalised, as taggers of one tower do
            each = (tower.of_words(encoding, words) for tower, encoding in pairs)
            return [F.layer_norm(vectors, vectors.shape[1:]) for vectors in each]
        if self.poolings is None:
            return [tower(encoding) for tower, encoding in pairs]
        named = zip(self.poolings, towers, encodings, strict=True)
        return [pooling(tower, encoding) for pooling, tower, encoding in named]

    def forward(self, parts: Sequence[Tensor], seed: int) -> Tensor:
        """Return what the output layer reads; the seed says what is hidden in training."""
        generator, share = torch.Generator().manual_seed(seed), self.dropout * self.training
        mixed = hide(self.mix(parts), share, generator)
        if self.hidden is None:
            return mixed
        return hide(F.gelu(self.hidden(mixed)), share, generator)


class ComposedTask(TaskModule):
    """Bases, towers, a trunk and an output layer, which a schedule may thaw one by one.

    Parameters
    ----------
    bases, towers : sequence of nn.Module
        Networks.
    places : sequence of int
        Of each tower, the base it stands on.
    trunk : Trunk
        How they are read.
    head : Head
        Loss and output layer.
    freeze : str or int
        "none", "base" or "towers", which stay as they are, the bases too; or after how many
        epochs the towers thaw, and one later the bases.
    """

    def __init__(
        self,
        bases: Sequence[nn.Module],
        towers: Sequence[nn.Module],
        places: Sequence[int],
        *,
        trunk: Trunk,
        head: Head,
        freeze: str | int,
    ) -> None:
        nn.Module.__init__(self)
        self.base: Any = nn.ModuleList(bases)
        self.tower: Any = nn.ModuleList(towers)
        self.trunk = trunk
        self.head = head
        self.places = tuple(places)
        self.freeze = freeze
        self.learning: tuple[bool, bool] | None = None
        self.begin_epoch(1)

    def begin_epoch(self, epoch: int) -> None:
        """Freeze or thaw, where that changes, what is to learn in an epoch, counted from 1."""
        if isinstance(self.freeze, str):
            tower, base = self.freeze != "towers", self.freeze == "none"
        else:
            tower, base = epoch > self.freeze, epoch > self.freeze + 1
        if self.learning != (tower, base):
            self.learning = tower, base
            self.tower.requires_grad_(tower)
            self.base.requires_grad_(base)

    def parts(self, batch: Any) -> list[Tensor]:
        """Return what each tower says of a batch."""
        others = (batch.extra[f"ids_{i}"] for i in range(1, len(self.base)))
        words = Words.of(batch) if "words" in batch.extra else None
        return self.read([batch.ids, *others], words)

    def read(self, ids: Sequence[Tensor], words: Words | None = None) -> list[Tensor]:
        """Return what each tower says of the codes that each base reads, maybe of words in them."""
        said = [base(codes) for base, codes in zip(self.base, ids, strict=True)]
        return self.trunk.parts(list(self.tower), [said[place] for place in self.places], words)

    def features(self, batch: Any) -> Tensor:
        """Return what the output layer reads."""
        return self.trunk(self.parts(batch), batch.seed)

    @property
    def _tower(self) -> _Reading:
        return _Reading()

    def _encoding(self, batch: Any) -> Tensor:
        return self.features(batch)


class _Reading:
    """What output layers see in the place of a tower: it passes on what they are to read."""

    def native(self, features: Tensor) -> Tensor:
        """Return what stands for each text."""
        return features

    def of_words(self, features: Tensor, words: Words) -> Tensor:
        """Return what stands for each word."""
        return features

    def __call__(self, features: Tensor) -> Tensor:
        return features
