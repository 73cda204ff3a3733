"""The towers: what stands on a base and learns a task. One class for each config."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from sklearn_cclm.architectures.towers import PooledConfig, StridedConfig
from sklearn_cclm.nn._registry import network
from sklearn_cclm.nn.blocks import StridedConv, sinusoids
from sklearn_cclm.nn.embedding import Encoding
from sklearn_cclm.nn.pooling import masked_mean
from sklearn_cclm.nn.words import Words


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


@network(PooledConfig)
class PooledTower(TowerModule):
    """A small perceptron on the base beside a linear map: per character, or once per text.

    The linear map lets through what a task does not ask for: with the perceptron alone, masked
    language modelling lost more of a text's words than an untrained tower does.
    """

    def __init__(self, config: PooledConfig, *, base_width: int) -> None:
        super().__init__(config)
        self.norm = nn.LayerNorm(base_width)
        self.linear: nn.Module = nn.Identity()
        self.layers: nn.Sequential | None = None
        if config.hidden or config.width != base_width:
            self.linear = nn.Linear(base_width, config.width, bias=False)
        if config.hidden:
            self.layers = nn.Sequential(
                nn.Linear(base_width, config.hidden),
                nn.GELU(),
                nn.Linear(config.hidden, config.width),
            )

    def forward(self, encoding: Encoding) -> Tensor:
        """Return one vector per character, (B, L, d)."""
        return self._map(encoding.characters) * encoding.mask.unsqueeze(-1)

    def pool(self, encoding: Encoding, features: Tensor | None = None) -> Tensor:
        """Apply the two maps to the mean of the base: once per text."""
        return self._map(encoding.mean)

    def of_words(self, encoding: Encoding, words: Words) -> Tensor:
        """Apply the two maps to the mean of the base: once per word."""
        return self._map(encoding.of_words(words))

    def _map(self, x: Tensor) -> Tensor:
        x = self.norm(x)
        mapped: Tensor = self.linear(x)
        return mapped if self.layers is None else mapped + self.layers(x)


@network(StridedConfig)
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
        """Return one vector per character, (B, L, d)."""
        mask, length = encoding.mask, encoding.mask.shape[1]
        extra = (self.factor - length % self.factor) % self.factor
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
