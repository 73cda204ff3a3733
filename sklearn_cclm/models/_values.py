"""`Base` and `Tower`: what training leaves, as immutable values compared by their digest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from torch import nn

from sklearn_cclm._codes import N_RESERVED
from sklearn_cclm._persistence._config import check_keys
from sklearn_cclm.models._value import HEAD, Value
from sklearn_cclm.preprocessing import CharPreprocessor
from sklearn_cclm.preprocessing._stored import joined

_READING = ("max_example_len", "normalization", "add_cls")


class Base(Value):
    """A trained base: characters, settings and weights of the common embedding.

    Bases are made by a pretrainer, or untrained by `CCLMModelBase`, and never change. Two are
    equal when they have the same digest.

    Parameters
    ----------
    architecture : str
        Name of a registered base network, such as "ngram".
    config : mapping
        Its settings, of values that JSON can hold.
    weights : mapping of str to ndarray
        Its state; copied and made read-only.
    vocabulary : str
        The known characters in the order of their codes, from code 4 on.
    reading : mapping
        How text becomes codes: `max_example_len`, `normalization` and `add_cls` of
        `CharPreprocessor`.

    Attributes
    ----------
    digest : str
        Sha256, in hexadecimal, over all that determines what the base computes.
    """

    _kind = "base"
    vocabulary: str
    reading: Mapping[str, Any]

    def __init__(
        self,
        *,
        architecture: str,
        config: Mapping[str, Any],
        weights: Mapping[str, np.ndarray],
        vocabulary: str,
        reading: Mapping[str, Any],
    ) -> None:
        super().__init__(
            architecture=architecture,
            config=config,
            weights=weights,
            vocabulary=vocabulary,
            reading=reading,
        )

    @property
    def width(self) -> int:
        """Length of each character's vector."""
        return self.config["width"]

    def preprocessor(self, **params: Any) -> CharPreprocessor:
        """Return the fitted preprocessor that this base reads text with.

        Parameters
        ----------
        **params
            Parameters of `CharPreprocessor` that do not change the codes, such as `truncation`.

        Returns
        -------
        CharPreprocessor
            Fitted, with this base's vocabulary.
        """
        return CharPreprocessor.from_vocabulary(self.vocabulary, **self.reading, **params)

    def with_module(self, module: nn.Module) -> Base:
        """Return a new base that has a network's weights, and so another digest.

        Parameters
        ----------
        module : torch.nn.Module
            What `build` returned, trained.

        Returns
        -------
        Base
            It reads text as this one does.
        """
        weights = {k: v.detach().cpu().numpy() for k, v in module.state_dict().items()}
        return self._with(weights=weights)

    @classmethod
    def _shape(cls, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {"folded": folded_codes(fields["vocabulary"])}

    def _stored_fields(self, add: Callable[[Any], int]) -> dict[str, Any]:
        return {"vocabulary": list(self.vocabulary), "reading": dict(self.reading)}

    @classmethod
    def _read_fields(cls, stored: Any, part: Callable) -> dict[str, Any]:
        check_keys("fields of a Base", stored, ("vocabulary", "reading"))
        vocabulary, reading = joined(stored["vocabulary"]), stored["reading"]
        check_keys("reading", reading, _READING)
        CharPreprocessor.from_vocabulary(vocabulary, **reading)
        return {"vocabulary": vocabulary, "reading": reading}

    def __repr__(self) -> str:
        return (
            f"Base({self.architecture!r}, width={self.width}, "
            f"n_chars={len(self.vocabulary) + N_RESERVED}, digest={self.digest[:12]!r})"
        )


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

    Attributes
    ----------
    digest : str
        Sha256, in hexadecimal, over all that determines what the tower computes.
    """

    _kind = "tower"
    base: Base
    task: str
    labels: tuple[str, ...]

    def __init__(
        self,
        *,
        base: Base,
        architecture: str,
        config: Mapping[str, Any],
        weights: Mapping[str, np.ndarray],
        task: str,
        labels: Sequence[str] = (),
    ) -> None:
        super().__init__(
            base=base,
            architecture=architecture,
            config=config,
            weights=weights,
            task=task,
            labels=tuple(labels),
        )

    @property
    def head(self) -> dict[str, np.ndarray]:
        """Weights of the output layer; empty where it has none."""
        names = [name for name in self.weights if name.startswith(HEAD)]
        return {name.removeprefix(HEAD): self.weights[name].copy() for name in names}

    def with_head(self, weights: Mapping[str, np.ndarray], labels: Sequence[str]) -> Tower:
        """Return this tower with an output layer, and so with another digest.

        Parameters
        ----------
        weights : mapping of str to ndarray
            Those of the layer.
        labels : sequence of str
            What it tells apart.

        Returns
        -------
        Tower
            Its vectors are those of this one.
        """
        own = {name: w for name, w in self.weights.items() if not name.startswith(HEAD)}
        head = {HEAD + name: array for name, array in weights.items()}
        return self._with(weights={**own, **head}, labels=labels)

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
        return self._with(base=base, weights=weights, labels=())

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
        return {"base": add(self.base), "task": self.task, **labels}

    @classmethod
    def _read_fields(cls, stored: Any, part: Callable) -> dict[str, Any]:
        stored = {"labels": [], **stored} if isinstance(stored, dict) else stored
        check_keys("fields of a Tower", stored, ("base", "labels", "task"))
        if not isinstance(stored["task"], str):
            raise ValueError(f"task={stored['task']!r} must be a string.")
        if not are_labels(stored["labels"]):
            raise ValueError(f"labels={stored['labels']!r} must be sorted, different strings.")
        return {**stored, "base": part(stored["base"], "Base")}

    @classmethod
    def _head_shapes(
        cls, fields: Mapping[str, Any], config: Mapping[str, Any]
    ) -> dict[str, tuple[int, ...]]:
        if not fields["labels"]:
            return {}
        n_outputs = 1 + 2 * len(fields["labels"])  # outside, and begin and go on of each label
        shapes = {"output.weight": (n_outputs, config["width"]), "output.bias": (n_outputs,)}
        return {HEAD + name: shape for name, shape in shapes.items()}

    def __repr__(self) -> str:
        return (
            f"Tower({self.task!r}, {self.architecture!r}, width={self.width}, "
            f"digest={self.digest[:12]!r})"
        )


def are_labels(given: Any) -> bool:
    """Whether these are sorted, different strings, as an output layer can tell apart."""
    return (
        isinstance(given, list)
        and all(isinstance(label, str) and label for label in given)
        and given == sorted(set(given))
    )


@lru_cache(maxsize=32)
def folded_codes(vocabulary: str) -> tuple[int, ...]:
    """For each code, the first code whose character is the same once case is folded."""
    codes: dict[str, int] = {}
    folded = list(range(N_RESERVED))
    for code, character in enumerate(vocabulary, start=N_RESERVED):
        folded.append(codes.setdefault(character.casefold(), code))
    return tuple(folded)
