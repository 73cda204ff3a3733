"""Building blocks that keep padding at zero, so that a batch never changes a text's vector."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ResidualConv(nn.Module):
    """Residual convolution over characters: x + W gelu(conv(norm(x))).

    In direction "forward" it reads a character and those before it, "backward" those after it.
    """

    def __init__(
        self, width: int, kernel_size: int, *, dilation: int = 1, direction: str = "both"
    ) -> None:
        super().__init__()
        reach = dilation * (kernel_size - 1)
        sides = {"both": (reach // 2, reach // 2), "forward": (reach, 0), "backward": (0, reach)}
        self.sides = sides[direction]
        self.norm = nn.LayerNorm(width)
        self.conv = nn.Conv1d(width, width, kernel_size, dilation=dilation)
        self.project = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:  # (B, L, d), (B, L)
        keep = mask.unsqueeze(-1).to(x.dtype)
        inner = F.pad((self.norm(x) * keep).transpose(1, 2), self.sides)
        return (x + self.project(F.gelu(self.conv(inner).transpose(1, 2)))) * keep


class StridedConv(nn.Module):
    """Convolution that reads `stride` positions at a time: the length shrinks by `stride`."""

    def __init__(self, width: int, kernel_size: int, stride: int) -> None:
        super().__init__()
        self.left = (kernel_size - stride) // 2
        self.right = kernel_size - stride - self.left
        self.norm = nn.LayerNorm(width)
        self.conv = nn.Conv1d(width, width, kernel_size, stride=stride)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        stride = self.conv.stride[0]
        keep = mask.unsqueeze(-1).to(x.dtype)
        inner = F.pad((self.norm(x) * keep).transpose(1, 2), (self.left, self.right))
        mask = mask.unflatten(1, (-1, stride)).any(2)
        out = F.gelu(self.conv(inner)).transpose(1, 2)  # (B, L / stride, d)
        return out * mask.unsqueeze(-1).to(x.dtype), mask


def sinusoids(length: int, width: int, *, like: Tensor) -> Tensor:
    """Sinusoidal position information of shape (length, width), after Vaswani et al. (2017)."""
    position = torch.arange(length, device=like.device, dtype=like.dtype).unsqueeze(1)
    half = torch.arange(width // 2, device=like.device, dtype=like.dtype)
    angle = position * torch.exp(half * (-9.21 / max(1, width // 2)))  # wavelengths to 10,000
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def hide(features: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Apply dropout, whose torch version draws from the global generator alone."""
    if share == 0:
        return features
    kept = torch.rand(features.shape, generator=generator) >= share
    return features * kept.to(features) / (1 - share)
