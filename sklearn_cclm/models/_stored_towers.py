"""`ComposedModel` and `ComposedEmbedder` as saved components."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator

from sklearn_cclm._persistence import Persistent
from sklearn_cclm._persistence._config import check_keys
from sklearn_cclm.models._blocks import is_transformer
from sklearn_cclm.values import Tower


class StoredTowers(Persistent, BaseEstimator):
    """A composition saves its parameters, and once it is fitted its towers."""

    def _stored(self, add: Callable[[Any], int]) -> tuple[dict[str, Any], Mapping[str, Any]]:
        used = _places(self._fitted_entries(), add)
        entries = _places(self.towers, add, self._trained_entries())
        return {"params": {**self.get_params(deep=False), "towers": entries}, "fitted": used}, {}

    def _fitted_entries(self) -> list[tuple[str, Any]] | None:
        """Return the towers in use, or None before `fit`."""
        return getattr(self, "towers_", None)

    def _trained_entries(self) -> dict[str, Any]:
        """Return the towers that pretrainers among the entries have become, by name."""
        return dict(getattr(self, "towers_", ()))

    @classmethod
    def _from_stored(cls, state: Any, part: Callable, weights: Callable) -> Self:
        check_keys("state", state, ("params", "fitted"))
        params, fitted = state["params"], state["fitted"]
        composition = cls(**{**params, "towers": _entries(params["towers"], part)})
        composition._check_params()
        if fitted is not None:
            towers = [(name, part(place, "Tower")) for name, place in fitted]
            cls(towers)._check_names()
            composition._check_towers(towers)
            composition._use(towers, [])
        return composition


def _places(
    entries: list[tuple[str, Any]] | None,
    add: Callable[[Any], int],
    trained: dict[str, Any] | None = None,
) -> list[list[Any]] | None:
    """Return names with the places of their towers, or with names on the shelf."""
    if entries is None:
        return None
    return [[name, _place(name, entry, add, (trained or {}).get(name))] for name, entry in entries]


def _place(name: str, entry: Any, add: Callable[[Any], int], trained: Any) -> int | str:
    if isinstance(entry, str):
        return entry
    tower = trained if not isinstance(entry, Tower) else entry
    if isinstance(entry, FrozenEstimator) and isinstance(getattr(entry, "tower_", None), Tower):
        tower = entry.tower_
    if isinstance(tower, Tower):
        return add(tower)
    advice = (
        "joblib.dump stores a model with text transformers."
        if is_transformer(entry)
        else "A fitted ComposedEmbedder or ComposedModel saves the tower that it trained; "
        "otherwise pass the tower_ of a fitted pretrainer."
    )
    raise TypeError(
        f"Tower {name!r} is a {type(entry).__name__}, which cannot be saved without code. {advice}"
    )


def _entries(stored: Any, part: Callable) -> list[tuple[str, Any]] | None:
    if stored is None:
        return None
    return [
        (name, entry if isinstance(entry, str) else part(entry, "Tower")) for name, entry in stored
    ]
