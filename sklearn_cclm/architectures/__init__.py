"""The architectures of bases and towers by name: their settings, without the networks."""

from sklearn_cclm.architectures.bases import NgramConfig
from sklearn_cclm.architectures.towers import ConvConfig, PooledConfig, StridedConfig, TowerConfig

__all__ = ["ConvConfig", "NgramConfig", "PooledConfig", "StridedConfig", "TowerConfig"]
