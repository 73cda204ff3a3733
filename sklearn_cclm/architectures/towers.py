"""Settings of the towers."""

from __future__ import annotations

from dataclasses import dataclass, field

from sklearn_cclm._tools.params import check_integer, check_option
from sklearn_cclm.architectures._registry import register


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


@register("tower", "pooled")
@dataclass(frozen=True)
class PooledConfig(TowerConfig):
    """Settings of the tower "pooled".

    Parameters
    ----------
    width : int, default=128
        Length of the tower's vectors.
    hidden : int, default=256
        Units of the hidden layer; 0 stands for none, which leaves the linear map alone, and not
        even that where the base is as wide as the tower: its table then holds the vectors.
    native_width : int, default=0
        As in `TowerConfig`.
    """

    width: int = 128
    hidden: int = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        check_integer("width", self.width, 1)
        check_integer("hidden", self.hidden, 0)

    @property
    def sees(self) -> str:
        return "forward"  # the n-grams of the base end at each character


@register("tower", "strided")
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


@register("tower", "conv")
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
