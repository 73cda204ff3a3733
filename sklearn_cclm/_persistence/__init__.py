"""Components on disk: a directory of config.json and model.safetensors, without code."""

from sklearn_cclm._persistence._artefact import artefact_sha256, load, save
from sklearn_cclm._persistence._component import Persistent
from sklearn_cclm._persistence._errors import ModelFormatError

__all__ = ["ModelFormatError", "Persistent", "artefact_sha256", "load", "save"]
