"""The towers: what stands on a base and learns a task. One class with a config each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from sklearn_cclm._tools.params import check_integer
from sklearn_cclm.nn._registry import register
from sklearn_cclm.nn.blocks import StridedConv, sinusoids
from sklearn_cclm.nn.embedding import Encoding
from sklearn_cclm.nn.pooling import masked_mean
from sklearn_cclm.nn.words import Words


@dataclass(frozen=True)
class TowerConfig:
    """Settings that every tower has.

    Parameters
    ----------
    native_width : int, default=0
        Length of the native vector of a text, by a projection that belongs to the tower; 0 stands
        for no projection.
    """

    native_width: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        check_integer("native_width", self.native_width, 0)

    @property
    def sees(self) -> str:
        """What a character's vector may know besides the character: "both" sides, or one.

        "forward" is what stands before it, read in that direction; "backward" what follows.
        """
        return "both"


class TowerModule(nn.Module):
    """A tower network: maps what the base says to one vector per character.

    Subclasses define ``forward(encoding)``, of shape (B, L, width) and zero at padding.
    """

    def __init__(self, config: Any) -> None:
        super().__init__()
        project = nn.Linear(config.width, config.native_width) if config.native_width else None
        self.project = project or nn.Identity()

    def native(self, encoding: Encoding, features: Tensor | None = None) -> Tensor:
        """Pool a text the way this tower was made for: (B, native width).

        `features` are the vectors per character, where they are known already.
        """
        return self.project(self.pool(encoding, features))

    def pool(self, encoding: Encoding, features: Tensor | None = None) -> Tensor:
        """Pool a text before the projection: (B, width)."""
        return masked_mean(self(encoding) if features is None else features, encoding.mask)

    def of_words(self, encoding: Encoding, words: Words) -> Tensor:
        """Return a vector for each word: (n_words, width)."""
        return words.mean(self(encoding))


@dataclass(frozen=True)
class PooledConfig(TowerConfig):
    """Settings of the tower "pooled".

    Parameters
    ----------
    width : int, default=128
        Length of the tower's vectors.
    hidden : int, default=256
        Units of the hidden layer.
    native_width : int, default=0
        As in `TowerConfig`.
    """

    width: int = 128
    hidden: int = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        check_integer("width", self.width, 1)
        check_integer("hidden", self.hidden, 1)

    @property
    def sees(self) -> str:
        return "forward"  # the n-grams of the base end at each character


@register("tower", "pooled", PooledConfig)
class PooledTower(TowerModule):
    """A small perceptron on the base beside a linear map: per character, or once per text.

    The linear map lets through what a task does not ask for: with the perceptron alone, masked
    language modelling lost more of a text's words than an untrained tower does.
    """

    def __init__(self, config: PooledConfig, *, base_width: int) -> None:
        super().__init__(config)
        self.norm = nn.LayerNorm(base_width)
        self.linear = nn.Linear(base_width, config.width, bias=False)
        self.layers = nn.Sequential(
            nn.Linear(base_width, config.hidden),
            nn.GELU(),
            nn.Linear(config.hidden, config.width),
        )

    def forward(self, encoding: Encoding) -> Tensor:
        return self._map(encoding.characters) * encoding.mask.unsqueeze(-1)

    def pool(self, encoding: Encoding, features: Tensor | None = None) -> Tensor:
        """Apply the two maps to the mean of the base: once per text."""
        return self._map(encoding.mean)

    def of_words(self, encoding: Encoding, words: Words) -> Tensor:
        """Apply the two maps to the mean of the base: once per word."""
        return self._map(words.mean(encoding.characters))

    def _map(self, x: Tensor) -> Tensor:
        x = self.norm(x)
        return self.linear(x) + self.layers(x)


@dataclass(frozen=True)
class StridedConfig(TowerConfig):
    """Settings of the tower "strided".

    Parameters
    ----------
    width : int, default=128
        Length of the tower's vectors, within and at its end.
    downsample_factor : int, default=16
        Characters per position of the transformer; must be ``stride ** n_strided_convs``.
    n_strided_convs : int, default=4
        Number of strided convolutions.
    stride : int, default=2
        Stride of each.
    n_layers : int, default=2
        Transformer layers at the reduced length.
    n_heads : int, default=4
        Attention heads; a divisor of `width`.
    kernel_size : int, default=3
        Characters seen by the first and the last convolution; odd.
    native_width : int, default=0
        As in `TowerConfig`.
    """

    width: int = 128
    downsample_factor: int = 16
    n_strided_convs: int = 4
    stride: int = 2
    n_layers: int = 2
    n_heads: int = 4
    kernel_size: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_integer("stride", self.stride, 2)
        for name in ("width", "n_strided_convs", "n_layers", "n_heads", "kernel_size"):
            check_integer(name, getattr(self, name), 1)
        fits = self.stride**self.n_strided_convs
        if fits != self.downsample_factor:
            raise ValueError(
                f"downsample_factor={self.downsample_factor} does not fit "
                f"n_strided_convs={self.n_strided_convs} convolutions of stride={self.stride}: "
                f"stride ** n_strided_convs is {fits}. Set downsample_factor={fits}, or choose "
                "the convolutions so that they multiply to it."
            )
        if self.width % (2 * self.n_heads):
            raise ValueError(
                f"width={self.width} must be a multiple of 2 * n_heads, here {2 * self.n_heads}."
            )
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size={self.kernel_size} must be odd and positive.")


@register("tower", "strided", StridedConfig)
class StridedTower(TowerModule):
    """Shrink the text by strided convolutions, attend over the short sequence, grow it again.

    The shape of CANINE (Clark et al., 2022), small: a transformer at a reduced length with a
    skip from the characters, so that every character has a vector that knows the whole text.
    """

    def __init__(self, config: StridedConfig, *, base_width: int) -> None:
        super().__init__(config)
        self.factor = config.downsample_factor
        width, kernel = config.width, config.kernel_size
        self.norm_in = nn.LayerNorm(base_width)
        self.enter = nn.Conv1d(base_width, width, kernel, padding=kernel // 2)
        self.shrink = nn.ModuleList(
            StridedConv(width, 2 * config.stride, config.stride)
            for _ in range(config.n_strided_convs)
        )
        layer = nn.TransformerEncoderLayer(
            width, config.n_heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.attend = nn.TransformerEncoder(
            layer, config.n_layers, norm=nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.leave = nn.Conv1d(width, width, kernel, padding=kernel // 2)
        self.norm_out = nn.LayerNorm(width)

    def forward(self, encoding: Encoding) -> Tensor:
        mask, length = encoding.mask, encoding.mask.shape[1]
        extra = -length % self.factor
        x = F.pad(encoding.characters, (0, 0, 0, extra))
        mask = F.pad(mask, (0, extra))
        keep = mask.unsqueeze(-1).to(x.dtype)
        x = (self.norm_in(x) * keep).transpose(1, 2)
        skip = F.gelu(self.enter(x).transpose(1, 2)) * keep
        short = self._attend(skip, mask).repeat_interleave(self.factor, dim=1) * keep
        both = skip + short
        out = self.norm_out(both + F.gelu(self.leave(both.transpose(1, 2))).transpose(1, 2)) * keep
        return out[:, :length]

    def _attend(self, x: Tensor, mask: Tensor) -> Tensor:
        """Shrink and attend: (B, L, d) becomes (B, L / factor, d)."""
        for conv in self.shrink:
            x, mask = conv(x, mask)
        visible = mask.clone()
        visible[:, 0] = True  # an empty text attends to one zero vector, and so stays finite
        x = x + sinusoids(x.shape[1], x.shape[2], like=x)
        return self.attend(x, src_key_padding_mask=~visible)
