"""Heads as saved components: towers as they are in use, and what stands on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np

from sklearn_cclm._numpy.head import head_shapes
from sklearn_cclm._persistence._config import check_keys
from sklearn_cclm.models._named_towers import NamedTowers
from sklearn_cclm.values import Tower

_OF_TRAINING = ("noise", "callbacks", "checkpoint", "random_state", "class_weight")  # not stored


class StoredHead(NamedTowers):
    """A head saves what a composition does, what it learned of y, and its weights."""

    head_weights_: dict[str, np.ndarray]
    origins_: dict[str, str]
    mix_: list[Any]
    towers_: list[tuple[str, Tower]]
    pooling: str | None
    combine: str
    hidden: int
    _known: Any

    def _learned(self) -> dict[str, Any]:
        """Return what was learned of y, as JSON can hold it."""
        raise NotImplementedError

    def _take(self, learned: Any) -> None:
        """Set what `_learned` returned, which may be forged, or raise an error."""
        raise NotImplementedError

    def _stored(self, add: Callable[[Any], int]) -> tuple[dict[str, Any], Mapping[str, Any]]:
        state, _ = super()._stored(add)
        state["params"] = {k: v for k, v in state["params"].items() if k not in _OF_TRAINING}
        fitted = hasattr(self, "towers_")
        own = {"n_iter": self.n_iter_, "origins": list(self.origins_.items())} if fitted else {}
        learned = {**self._learned(), **own} if fitted else None
        return {**state, "learned": learned}, self.head_weights_ if fitted else {}

    @classmethod
    def _from_stored(cls, state: Any, part: Callable, weights: Callable) -> Self:
        check_keys("state", state, ("params", "fitted", "learned"))
        learned = state.pop("learned")
        if (learned is None) != (state["fitted"] is None):
            raise ValueError("a head has learned if, and only if, it has towers.")
        names = set(cls().get_params(deep=False)) - set(_OF_TRAINING)
        check_keys("params", state["params"], names)
        head: Any = super()._from_stored(state, part, weights)
        if learned is not None:
            head._begun(learned.pop("n_iter"), learned.pop("origins"))
            head._take(learned)
            head.head_weights_ = weights(head._shapes())
            if not (head.head_weights_["trunk.mix.scale"] > 0).all():
                raise ValueError("features must be divided by positive numbers.")
        return head

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the weights of what stands on the towers."""
        towers = [tower for _, tower in self.towers_]
        native, task = self.pooling == "native", self._known()
        return head_shapes(
            [tower.native_width if native else tower.width for tower in towers],
            pooling=self.pooling,
            combine=self.combine,
            hidden=self.hidden,
            n_outputs=task.n_outputs,
            of_words=task.of_words,
        )

    def _begun(self, n_iter: Any, origins: Any) -> None:
        """Set what is known of the training, or raise ValueError."""
        if type(n_iter) is not int or n_iter < 1:
            raise ValueError(f"n_iter={n_iter!r} must be a positive integer.")
        self.n_iter_, self.seed_ = n_iter, 0
        self.history_: list[dict[str, Any]] = []
        self.origins_ = {str(name): str(digest) for name, digest in origins}
        if list(self.origins_) != [name for name, _ in self.towers_]:
            raise ValueError("origins must name the towers.")
        self.mix_ = self._mix()

    def _mix(self) -> list[Any]:
        """Return the parameters that say what stands on the towers."""
        raise NotImplementedError

    def _trained_entries(self) -> dict[str, Any]:
        return {}  # what pretrainers had become is not there any more: it was trained further


def read_classes(learned: Any) -> tuple[np.ndarray, bool]:
    """Return the classes of a classifier, and whether a text may have several, or raise."""
    check_keys("learned", learned, ("classes", "multilabel"))
    classes, several = learned["classes"], learned["multilabel"]
    kinds = {type(label) for label in classes} if isinstance(classes, list) else set()
    if len(kinds) != 1 or not kinds <= {str, int, float, bool} or type(several) is not bool:
        raise ValueError("classes must be a list of labels of one type.")
    if len(set(classes)) < len(classes) or classes != sorted(classes):
        raise ValueError("classes must differ and be sorted.")
    if several and classes != list(range(len(classes))):
        raise ValueError("where a text may have several labels, classes must be numbered.")
    return np.array(classes), several
