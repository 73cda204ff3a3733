"""The tower "conv": dilated residual convolutions, which may look to one side alone."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from sklearn_cclm._tools.params import check_integer, check_option
from sklearn_cclm.nn._registry import register
from sklearn_cclm.nn.blocks import ResidualConv
from sklearn_cclm.nn.embedding import Encoding
from sklearn_cclm.nn.towers import TowerConfig, TowerModule


@dataclass(frozen=True)
class ConvConfig(TowerConfig):
    """Settings of the tower "conv".

    Parameters
    ----------
    width : int, default=128
        Length of the tower's vectors, within and at its end.
    n_layers : int, default=4
        Residual convolutions; each looks twice as far as the one before.
    kernel_size : int, default=3
        Characters that each reads; odd if `direction` is "both".
    direction : {"both", "forward", "backward"}, default="both"
        "forward": a character's vector knows what stands before it and nothing that follows;
        "backward": what follows it and nothing before.
    native_width : int, default=0
        As in `TowerConfig`.
    """

    width: int = 128
    n_layers: int = 4
    kernel_size: int = 3
    direction: str = "both"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("width", "n_layers", "kernel_size"):
            check_integer(name, getattr(self, name), 1)
        check_option("direction", self.direction, ("both", "forward", "backward"))
        if self.direction == "both" and self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size={self.kernel_size} must be odd to look both ways.")

    @property
    def sees(self) -> str:
        return self.direction


@register("tower", "conv", ConvConfig)
class ConvTower(TowerModule):
    """Residual convolutions of dilation 1, 2, 4, ...

    The shape of ByteNet (Kalchbrenner et al., 2016): with each layer the receptive field doubles,
    to 1 + (kernel_size - 1) * (2 ** n_layers - 1) characters, besides the base's n-grams.
    """

    def __init__(self, config: ConvConfig, *, base_width: int) -> None:
        super().__init__(config)
        width, kernel = config.width, config.kernel_size
        self.direction = config.direction
        self.norm_in = nn.LayerNorm(base_width)
        self.enter = nn.Linear(base_width, width)
        self.blocks = nn.ModuleList(
            ResidualConv(width, kernel, dilation=2**layer, direction=config.direction)
            for layer in range(config.n_layers)
        )
        self.norm_out = nn.LayerNorm(width)

    def forward(self, encoding: Encoding) -> Tensor:
        x = encoding.ahead if self.direction == "backward" else encoding.characters
        keep = encoding.mask.unsqueeze(-1).to(x.dtype)
        x = self.enter(self.norm_in(x)) * keep
        for block in self.blocks:
            x = block(x, encoding.mask)
        return self.norm_out(x) * keep
