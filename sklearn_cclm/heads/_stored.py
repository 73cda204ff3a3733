"""Heads as saved components: towers as they are in use, and what stands on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
import torch

from sklearn_cclm._persistence._config import check_keys
from sklearn_cclm.models._named_towers import NamedTowers
from sklearn_cclm.nn.composed_task import ComposedTask

_OF_TRAINING = ("noise", "callbacks", "checkpoint", "random_state")  # not stored


class StoredHead(NamedTowers):
    """A head saves what a composition does, what it learned of y, and its weights."""

    head_weights_: dict[str, np.ndarray]

    def _learned(self) -> dict[str, Any]:
        """Return what was learned of y, as JSON can hold it."""
        raise NotImplementedError

    def _take(self, learned: Any) -> None:
        """Set what `_learned` returned, which may be forged, or raise an error."""
        raise NotImplementedError

    def _on_meta(self) -> ComposedTask:
        """Return the network without memory for its weights."""
        raise NotImplementedError

    def _stored(self, add: Callable[[Any], int]) -> tuple[dict[str, Any], Mapping[str, Any]]:
        state, _ = super()._stored(add)
        state["params"] = {k: v for k, v in state["params"].items() if k not in _OF_TRAINING}
        fitted = hasattr(self, "towers_")
        learned = {**self._learned(), "n_iter": self.n_iter_} if fitted else None
        return {**state, "learned": learned}, self.head_weights_ if fitted else {}

    @classmethod
    def _from_stored(cls, state: Any, part: Callable, weights: Callable) -> Self:
        check_keys("state", state, ("params", "fitted", "learned"))
        learned = state.pop("learned")
        if (learned is None) != (state["fitted"] is None):
            raise ValueError("a head has learned if, and only if, it has towers.")
        head: Any = super()._from_stored(state, part, weights)
        if learned is not None:
            head.n_iter_, head.history_, head.seed_ = learned.pop("n_iter"), [], 0
            head._take(learned)
            with torch.device("meta"):
                module = head._on_meta()
            found = module.state_dict().items()
            head.head_weights_ = weights({name: tuple(tensor.shape) for name, tensor in found})
        return head
