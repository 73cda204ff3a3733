"""What is composed: the base recipe, bases and towers as values, and the composed estimators."""

from sklearn_cclm.models._base import CCLMModelBase
from sklearn_cclm.models._composed import ComposedModel
from sklearn_cclm.models._embedder import ComposedEmbedder, make_composed
from sklearn_cclm.values import Base, Tower

__all__ = ["Base", "CCLMModelBase", "ComposedEmbedder", "ComposedModel", "Tower", "make_composed"]
