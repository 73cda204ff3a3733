"""`ComposedEmbedder` as a saved component: what `fit` learned beside its towers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np

from sklearn_cclm._persistence._config import check_keys
from sklearn_cclm.models._composition import Composition
from sklearn_cclm.models._lexical import Lexical
from sklearn_cclm.models._reduction import Reduction

_IDF, _COMPONENTS = "lexical.idf", "reduction.components"


class StoredEmbedder(Composition):
    """An embedder saves its towers, and the weights of n-grams and of the reduction."""

    n_components: int | None
    scales_: dict[str, float]
    reduction_: Reduction | None

    def _fitted_entries(self) -> list[tuple[str, Any]] | None:
        entries = super()._fitted_entries()
        if entries is None:
            return None
        return [(name, part) for name, part in entries if not isinstance(part, Lexical)]

    def _stored(self, add: Callable[[Any], int]) -> tuple[dict[str, Any], Mapping[str, Any]]:
        state, _ = super()._stored(add)
        parts = dict(getattr(self, "towers_", ()))
        lexical, reduction = parts.get("lexical"), getattr(self, "reduction_", None)
        weights = {}
        if isinstance(lexical, Lexical):
            base, scales = add(lexical.base), list(self.scales_.items())
            state["lexical"] = {"base": base, "scales": scales}
            weights[_IDF] = lexical.idf
        if reduction is not None:
            state["n_features"] = reduction.components.shape[1]
            weights[_COMPONENTS] = reduction.components
        return state, weights

    @classmethod
    def _from_stored(cls, state: Any, part: Callable, weights: Callable) -> Self:
        said, n_features = (state.pop(name, None) for name in ("lexical", "n_features"))
        reduced = state["params"].pop("n_components", None)
        embedder = super()._from_stored(state, part, weights)
        embedder.set_params(n_components=reduced)._check_params()
        shapes: dict[str, tuple[int, ...]] = {}
        if said is not None:
            check_keys("lexical", said, ("base", "scales"))
            base = part(said["base"], "Base")
            shapes[_IDF] = (Lexical.counting(base).idf.size,)
        if n_features is not None:
            shapes[_COMPONENTS] = (embedder.n_components or 0, n_features)
        arrays = weights(shapes) if shapes else {}
        if said is not None:
            embedder._take_lexical(base, arrays[_IDF], said["scales"])
        if n_features is not None:
            embedder._take_reduction(arrays[_COMPONENTS])
        return embedder

    def _take_lexical(self, base: Any, idf: np.ndarray, scales: Any) -> None:
        """Set what weighs n-grams, which may be forged, or raise ValueError."""
        if (idf < 0).any():
            raise ValueError("n-grams must be multiplied by positive numbers.")
        self.towers_ = [*self.towers_, ("lexical", Lexical(base, idf))]
        found = {str(name): float(value) for name, value in scales}
        if list(found) != [name for name, _ in self.towers_] or min(found.values()) <= 0:
            raise ValueError("scales must be positive, one for each of the towers.")
        self.scales_ = found

    def _take_reduction(self, components: np.ndarray) -> None:
        """Set what features are projected on, or raise ValueError."""
        n_features = len(super().get_feature_names_out())
        if components.shape[1] != n_features:
            raise ValueError(
                f"{components.shape[1]} features are projected; there are {n_features}."
            )
        self.reduction_ = Reduction(components)
