"""Pretrainers: estimators that train a tower, one task a file."""

from sklearn_cclm.pretraining._pretrainer import BasePretrainer
from sklearn_cclm.pretraining.masked_character import MaskedCharacterPretrainer
from sklearn_cclm.pretraining.masked_language import MaskedLanguagePretrainer

__all__ = ["BasePretrainer", "MaskedCharacterPretrainer", "MaskedLanguagePretrainer"]
