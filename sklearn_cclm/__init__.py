"""Composable, character-level language models as scikit-learn estimators."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0.dev0"

_HOMES = {
    "Base": "values",
    "BasePretrainer": "pretraining",
    "CCLMModelBase": "models",
    "CausalLanguagePretrainer": "pretraining",
    "CharPreprocessor": "preprocessing",
    "ClassificationPretrainer": "pretraining",
    "ComposedClassifier": "heads",
    "ComposedEmbedder": "models",
    "ComposedModel": "models",
    "ComposedRegressor": "heads",
    "ComposedTagger": "heads",
    "ContrastivePretrainer": "pretraining",
    "ConvConfig": "architectures",
    "DistillationPretrainer": "pretraining",
    "EntityPretrainer": "pretraining",
    "MLMPreprocessor": "preprocessing",
    "MaskedCharacterPretrainer": "pretraining",
    "MaskedLanguagePretrainer": "pretraining",
    "ModelFormatError": "_persistence",
    "MultiTaskPretrainer": "pretraining",
    "PooledConfig": "architectures",
    "Shelf": "shelf",
    "StridedConfig": "architectures",
    "Tower": "values",
    "TaskPretrainer": "pretraining",
    "TextColumnEncoder": "tables",
    "TypoNoise": "noise",
    "export_onnx": "export",
    "load": "_persistence",
    "make_composed": "models",
    "save": "_persistence",
}

__all__ = sorted(_HOMES)

if TYPE_CHECKING:
    from sklearn_cclm._persistence import ModelFormatError, load, save
    from sklearn_cclm.architectures import ConvConfig, PooledConfig, StridedConfig
    from sklearn_cclm.export import export_onnx
    from sklearn_cclm.heads import ComposedClassifier, ComposedRegressor, ComposedTagger
    from sklearn_cclm.models import (
        CCLMModelBase,
        ComposedEmbedder,
        ComposedModel,
        make_composed,
    )
    from sklearn_cclm.noise import TypoNoise
    from sklearn_cclm.preprocessing import CharPreprocessor, MLMPreprocessor
    from sklearn_cclm.pretraining import (
        BasePretrainer,
        CausalLanguagePretrainer,
        ClassificationPretrainer,
        ContrastivePretrainer,
        DistillationPretrainer,
        EntityPretrainer,
        MaskedCharacterPretrainer,
        MaskedLanguagePretrainer,
        MultiTaskPretrainer,
        TaskPretrainer,
    )
    from sklearn_cclm.shelf import Shelf
    from sklearn_cclm.tables import TextColumnEncoder
    from sklearn_cclm.values import Base, Tower


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562): torch loads only when needed."""
    if name in _HOMES:
        return getattr(import_module(f"sklearn_cclm.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'sklearn_cclm' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
