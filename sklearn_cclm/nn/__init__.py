"""The networks, in plain torch: bases, towers, pooling, losses, and their registry."""

from sklearn_cclm._tools.extras import needs_train
from sklearn_cclm.architectures import ConvConfig, NgramConfig, PooledConfig, StridedConfig

with needs_train("A network to train"):
    from sklearn_cclm.nn.conv_tower import ConvTower
    from sklearn_cclm.nn.embedding import Encoding, NgramBase
    from sklearn_cclm.nn.towers import PooledTower, StridedTower

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
