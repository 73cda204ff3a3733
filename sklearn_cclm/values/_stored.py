"""`Base` and `Tower` as saved components."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from sklearn_cclm._engines.shapes import state_shapes
from sklearn_cclm._persistence import Persistent
from sklearn_cclm._persistence._config import check_keys
from sklearn_cclm.values._weights import Weights


class StoredValue(Persistent):
    """A value saves its network's settings and weights, and the fields that its class has."""

    _kind: str
    architecture: str
    config: Mapping[str, Any]
    weights: Weights

    @classmethod
    def _head_shapes(
        cls, fields: Mapping[str, Any], config: Mapping[str, Any]
    ) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the weights that are not the network's own."""
        return {}

    @classmethod
    def _shape(cls, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the network's constructor must know of what stands around it."""
        raise NotImplementedError

    def _stored_fields(self, add: Callable[[Any], int]) -> dict[str, Any]:
        """Return the fields of the class, as JSON can hold them."""
        raise NotImplementedError

    @classmethod
    def _read_fields(cls, stored: Any, part: Callable) -> dict[str, Any]:
        """Return the fields of the class, or raise an error."""
        raise NotImplementedError

    def _stored(self, add: Callable[[Any], int]) -> tuple[dict[str, Any], Mapping[str, Any]]:
        fields = self._stored_fields(add)
        network = {"architecture": self.architecture, "config": dict(self.config)}
        return {**network, "fields": fields}, self.weights.kept

    @classmethod
    def _from_stored(cls, state: Any, part: Callable, weights: Callable) -> Self:
        check_keys("state", state, ("architecture", "config", "fields"))
        name, config = state["architecture"], state["config"]
        fields: dict[str, Any] = cls._read_fields(state["fields"], part)
        shapes = state_shapes(cls._kind, name, config, **cls._shape(fields))
        shapes.update(cls._head_shapes(fields, config))
        kept = Weights(weights(shapes, as_stored=True))
        fields.update(architecture=name, config=config, weights=kept)
        return cls(**fields)
