"""The tower "conv": dilated residual convolutions, which may look to one side alone."""

from __future__ import annotations

from torch import Tensor, nn

from sklearn_cclm.architectures.towers import ConvConfig
from sklearn_cclm.nn._registry import network
from sklearn_cclm.nn.blocks import ResidualConv
from sklearn_cclm.nn.embedding import Encoding
from sklearn_cclm.nn.towers import TowerModule


@network(ConvConfig)
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
        """Return one vector per character, (B, L, d)."""
        x = encoding.ahead if self.direction == "backward" else encoding.characters
        keep = encoding.mask.unsqueeze(-1).to(x.dtype)
        x = self.enter(self.norm_in(x)) * keep
        for block in self.blocks:
            x = block(x, encoding.mask)
        return self.norm_out(x) * keep
