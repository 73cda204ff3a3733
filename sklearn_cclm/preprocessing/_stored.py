"""Preprocessors as saved components."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from sklearn.base import BaseEstimator

from sklearn_cclm._persistence import Persistent
from sklearn_cclm._persistence._config import check_keys


def joined(characters: Any) -> str:
    """Return listed characters as one string.

    They are listed because JSON cannot tell two lone surrogates from the character of a pair.
    """
    if not isinstance(characters, list) or not all(
        isinstance(character, str) and len(character) == 1 for character in characters
    ):
        raise ValueError("vocabulary must be a list of single characters.")
    return "".join(characters)


class StoredPreprocessor(Persistent, BaseEstimator):
    """A preprocessor saves its parameters, and once it is fitted what it has learned."""

    def _learned(self) -> dict[str, Any]:
        """Return what `fit` has learned."""
        return {"vocabulary": list(self.vocabulary_)}

    def _set_learned(self, learned: dict[str, Any]) -> None:
        """Check and set what was learned besides the vocabulary."""
        check_keys("learned", learned, ("vocabulary",))

    def _stored(self, add: Callable[[Any], int]) -> tuple[dict[str, Any], Mapping[str, Any]]:
        learned = self._learned() if hasattr(self, "vocabulary_") else None
        return {"params": self.get_params(deep=False), "learned": learned}, {}

    @classmethod
    def _from_stored(cls, state: Any, part: Callable, weights: Callable) -> Self:
        check_keys("state", state, ("params", "learned"))
        params, learned = state["params"], state["learned"]
        if learned is None:
            preprocessor = cls(**params)
            preprocessor._check_params()
            return preprocessor
        preprocessor = cls.from_vocabulary(joined(learned["vocabulary"]), **params)
        preprocessor._set_learned(learned)
        return preprocessor
