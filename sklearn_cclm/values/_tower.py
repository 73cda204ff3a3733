"""`Tower`: what a pretrainer leaves on a base."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sklearn_cclm._numpy.layers import linear_shapes
from sklearn_cclm._numpy.words import context_shapes
from sklearn_cclm._persistence._config import check_keys
from sklearn_cclm.values._base import Base
from sklearn_cclm.values._value import HEAD, Value

if TYPE_CHECKING:
    from torch import nn

NO_FINDINGS = {"inside_words": 0.0, "of_words": False}  # of what was stored before there were any


class Tower(Value):
    """A trained component on one `Base`, ready to be composed.

    Towers are made by a pretrainer and never change. Two are equal when they have the same
    digest, which covers their base.

    Parameters
    ----------
    base : Base
        What the tower stands on.
    architecture : str
        Name of a registered tower network, such as "strided" or "pooled".
    config : mapping
        Its settings, of values that JSON can hold.
    weights : mapping of str to ndarray
        Its state; copied and made read-only.
    task : str
        What it was trained on, such as "masked_language".
    labels : sequence of str, default=()
        What its output layer tells apart, if it has one: `with_head` adds it to the weights.
    inside_words : float, default=0.0
        How often what that finds begins or ends inside a word, of 1.
    of_words : bool, default=False
        Whether it reads the vectors of words, and not those of characters.

    Attributes
    ----------
    digest : str
        Sha256, in hexadecimal, over all that determines what the tower computes.
    """

    _kind = "tower"
    base: Base
    task: str
    labels: tuple[str, ...]
    inside_words: float = 0.0  # of towers that were pickled before there was any
    of_words: bool = False

    def __init__(
        self,
        *,
        base: Base,
        architecture: str,
        config: Mapping[str, Any],
        weights: Mapping[str, np.ndarray],
        task: str,
        labels: Sequence[str] = (),
        inside_words: float = 0.0,
        of_words: bool = False,
    ) -> None:
        super().__init__(
            base=base,
            architecture=architecture,
            config=config,
            weights=weights,
            task=task,
            labels=tuple(labels),
            inside_words=inside_words,
            of_words=of_words,
        )

    @property
    def head(self) -> dict[str, np.ndarray]:
        """Weights of the output layer; empty where it has none."""
        names = [name for name in self.weights if name.startswith(HEAD)]
        return {name.removeprefix(HEAD): self.weights[name].copy() for name in names}

    def with_head(
        self,
        weights: Mapping[str, np.ndarray],
        labels: Sequence[str],
        *,
        inside_words: float = 0.0,
        of_words: bool = False,
    ) -> Tower:
        """Return this tower with an output layer, and so with another digest.

        Parameters
        ----------
        weights : mapping of str to ndarray
            Those of the layer.
        labels : sequence of str
            What it tells apart.
        inside_words : float, default=0.0
            How often what it finds begins or ends inside a word, of 1.
        of_words : bool, default=False
            Whether it reads the vectors of words, and not those of characters.

        Returns
        -------
        Tower
            Its vectors are those of this one.
        """
        own = {name: w for name, w in self.weights.items() if not name.startswith(HEAD)}
        head = {HEAD + name: array for name, array in weights.items()}
        return self._with(
            weights={**own, **head}, labels=labels, inside_words=inside_words, of_words=of_words
        )

    def with_module(self, module: nn.Module, base: Base) -> Tower:
        """Return a new tower that has a network's weights and stands on another base.

        Parameters
        ----------
        module : torch.nn.Module
            What `build` returned, trained.
        base : Base
            As wide as this one's.

        Returns
        -------
        Tower
            Without output layer: that was of the old weights.
        """
        weights = {k: v.detach().cpu().numpy() for k, v in module.state_dict().items()}
        return self._with(base=base, weights=weights, labels=(), inside_words=0.0, of_words=False)

    @property
    def width(self) -> int:
        """Length of the tower's vectors, one for each character."""
        return self.config["width"]

    @property
    def native_width(self) -> int:
        """Length of a text's native vector."""
        return self.config["native_width"] or self.width

    @classmethod
    def _shape(cls, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {"base_width": fields["base"].width}

    def _stored_fields(self, add: Callable[[Any], int]) -> dict[str, Any]:
        labels = {"labels": list(self.labels)} if self.labels else {}
        inside = {"inside_words": self.inside_words} if self.inside_words else {}
        words = {"of_words": True} if self.of_words else {}
        return {"base": add(self.base), "task": self.task, **labels, **inside, **words}

    @classmethod
    def _read_fields(cls, stored: Any, part: Callable) -> dict[str, Any]:
        if isinstance(stored, dict):
            stored = {"labels": [], **NO_FINDINGS, **stored}
        check_keys("fields of a Tower", stored, ("base", "labels", *NO_FINDINGS, "task"))
        if not isinstance(stored["task"], str):
            raise ValueError(f"task={stored['task']!r} must be a string.")
        check_findable(stored)
        return {**stored, "base": part(stored["base"], "Base")}

    @classmethod
    def _head_shapes(
        cls, fields: Mapping[str, Any], config: Mapping[str, Any]
    ) -> dict[str, tuple[int, ...]]:
        if not fields["labels"]:
            return {}
        n_tags = 1 + 2 * len(fields["labels"])  # outside, and begin and go on of each label
        shapes = linear_shapes(f"{HEAD}output", config["width"], n_tags)
        if fields["of_words"]:
            shapes |= context_shapes(f"{HEAD}context", config["width"], n_tags)
        return shapes

    @property
    def nbytes(self) -> int:
        """Bytes of the weights in memory, with those of the base."""
        return super().nbytes + self.base.nbytes

    def _title(self) -> str:
        return f"Tower of {self.task}"

    def _own_facts(self) -> dict[str, object]:
        return {
            "vectors": f"{self.native_width} numbers for a text, {self.width} for a character",
            "architecture": self.architecture,
            "base": f"{self.base.width} numbers for a character, {self.base.n_chars} characters",
            "labels": ", ".join(self.labels) or None,
        }

    def __repr__(self) -> str:
        return (
            f"Tower({self.task!r}, {self.architecture!r}, width={self.width}, "
            f"native_width={self.native_width}, base_width={self.base.width}, "
            f"digest={self.digest[:12]!r})"
        )


def check_findable(stored: Mapping[str, Any]) -> None:
    """Raise ValueError unless what an output layer learned can have been learned."""
    labels, inside = stored["labels"], stored["inside_words"]
    names = isinstance(labels, list) and all(isinstance(x, str) and x for x in labels)
    if not names or labels != sorted(set(labels)):
        raise ValueError(f"labels={labels!r} must be sorted, different strings.")
    if type(inside) is not float or not 0 <= inside <= 1:
        raise ValueError(f"inside_words={inside!r} must be a float from 0 to 1.")
    if type(stored["of_words"]) is not bool:
        raise ValueError(f"of_words={stored['of_words']!r} must be true or false.")
