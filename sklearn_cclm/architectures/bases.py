"""Settings of the bases."""

from __future__ import annotations

from dataclasses import dataclass

from sklearn_cclm._tools.params import check_integer
from sklearn_cclm.architectures._registry import register

# What n-grams are hashed by, as int64, whose products wrap around.
PRIME = 0x100000001B3  # the 64-bit FNV prime
MIX = -0x61C8864680B583EB  # 2**64 / golden ratio, odd


@register("base", "ngram")
@dataclass(frozen=True)
class NgramConfig:
    """Settings of the base architecture "ngram".

    Parameters
    ----------
    width : int, default=128
        Length of each character's vector.
    ngram_orders : tuple of int, default=(2, 3, 4, 5)
        Lengths, in characters, of the hashed n-grams that end at each position.
    n_buckets : int, default=65536
        Rows of the hashed n-gram table; 0 switches the n-grams off.
    n_blocks : int, default=0
        Residual convolution blocks on top of the sum of embeddings.
    kernel_size : int, default=5
        Characters that a block's convolution sees; odd.
    """

    width: int = 128
    ngram_orders: tuple[int, ...] = (2, 3, 4, 5)
    n_buckets: int = 65536
    n_blocks: int = 0
    kernel_size: int = 5

    def __post_init__(self) -> None:
        check_integer("width", self.width, 1)
        check_integer("n_buckets", self.n_buckets, 0)
        check_integer("n_blocks", self.n_blocks, 0)
        check_integer("kernel_size", self.kernel_size, 1)
        if not isinstance(self.ngram_orders, list | tuple):
            raise TypeError(f"ngram_orders={self.ngram_orders!r} must be a tuple of integers.")
        for order in self.ngram_orders:
            check_integer("each of ngram_orders", order, 1)
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size={self.kernel_size} must be odd and positive.")
