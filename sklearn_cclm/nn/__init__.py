"""The networks, in plain torch: bases, towers, pooling, losses, and their registry."""

from sklearn_cclm.nn.conv_tower import ConvConfig, ConvTower
from sklearn_cclm.nn.embedding import Encoding, NgramBase, NgramConfig
from sklearn_cclm.nn.towers import PooledConfig, PooledTower, StridedConfig, StridedTower

__all__ = [
    "ConvConfig",
    "ConvTower",
    "Encoding",
    "NgramBase",
    "NgramConfig",
    "PooledConfig",
    "PooledTower",
    "StridedConfig",
    "StridedTower",
]
