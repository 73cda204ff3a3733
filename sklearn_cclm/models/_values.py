"""`Base` and `Tower`: what training leaves, as immutable values compared by their digest."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import nn

from sklearn_cclm._codes import N_RESERVED
from sklearn_cclm._persistence._config import check_keys
from sklearn_cclm._seeds import isolated_seed
from sklearn_cclm.models._stored import StoredValue
from sklearn_cclm.nn import _registry
from sklearn_cclm.preprocessing import CharPreprocessor
from sklearn_cclm.preprocessing._stored import joined

_HEAD = "head."  # begins the names of an output layer's weights
_READING = ("max_example_len", "normalization", "add_cls")


class _Value(StoredValue):
    """An immutable record whose equality and hash are those of its digest.

    scikit-learn's ``clone``, ``copy`` and ``deepcopy`` give the value itself, so that no
    meta-estimator can lose or duplicate its weights.
    """

    _fields: tuple[str, ...]
    digest: str

    def __init__(self, **fields: Any) -> None:
        weights = fields.pop("weights")
        frozen = {name: np.array(weights[name]) for name in sorted(weights)}
        self._set({**fields, "weights": frozen})

    def _set(self, fields: dict[str, Any], digest: str | None = None) -> None:
        for array in fields["weights"].values():
            array.setflags(write=False)
        fields = {name: _frozen(field) for name, field in fields.items()}
        vars(self).update(fields, _fields=tuple(fields))
        vars(self)["digest"] = digest or _digest(type(self).__name__, fields)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"A {type(self).__name__} never changes, so {name!r} cannot be set; "
            "train again to make a new one."
        )

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __sklearn_clone__(self) -> Any:
        return self

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict) -> Any:
        return self

    def __reduce__(self) -> tuple:
        fields = {name: getattr(self, name) for name in self._fields}
        plain = {k: dict(v) if isinstance(v, MappingProxyType) else v for k, v in fields.items()}
        return _restore, (type(self), plain, self.digest)

    def _build(self, tensors: Mapping[str, torch.Tensor]) -> nn.Module:
        """Build the network on the given tensors, leaving the global generator as it was."""
        with isolated_seed(0):
            shape = self._shape(vars(self))
            module = _registry.build(self._kind, self.architecture, self.config, **shape)
        own = {name: t for name, t in tensors.items() if not name.startswith(_HEAD)}
        module.load_state_dict(own, assign=True)
        return module.eval()

    def build(self) -> nn.Module:
        """Build a fresh network with these weights, in evaluation mode.

        Returns
        -------
        torch.nn.Module
            It owns copies of the weights: training it does not change this value.
        """
        return self._build({k: torch.from_numpy(np.array(a)) for k, a in self.weights.items()})

    @classmethod
    def from_module(cls, module: nn.Module, **fields: Any) -> Any:
        """Make a value from a network's present weights and the other fields."""
        state = module.state_dict()
        return cls(weights={k: v.detach().cpu().numpy() for k, v in state.items()}, **fields)


class Base(_Value):
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
        return Base.from_module(
            module,
            architecture=self.architecture,
            config=self.config,
            vocabulary=self.vocabulary,
            reading=self.reading,
        )

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


class Tower(_Value):
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
        names = [name for name in self.weights if name.startswith(_HEAD)]
        return {name.removeprefix(_HEAD): self.weights[name].copy() for name in names}

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
        fields = {name: getattr(self, name) for name in self._fields}
        own = {name: w for name, w in self.weights.items() if not name.startswith(_HEAD)}
        head = {_HEAD + name: array for name, array in weights.items()}
        return Tower(**{**fields, "weights": {**own, **head}, "labels": labels})

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
        if not _are_labels(stored["labels"]):
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
        return {_HEAD + name: shape for name, shape in shapes.items()}

    def __repr__(self) -> str:
        return (
            f"Tower({self.task!r}, {self.architecture!r}, width={self.width}, "
            f"digest={self.digest[:12]!r})"
        )


def built(value: Base | Tower, device: torch.device) -> nn.Module:
    """Return the network of a value, built once per process and shared: never train it."""
    with _lock:
        on_devices = _built.setdefault(value, {})
        if device not in on_devices:
            tensors = {name: torch.from_dlpack(array) for name, array in value.weights.items()}
            on_devices[device] = value._build(tensors).requires_grad_(False).to(device)
        return on_devices[device]


_built: WeakKeyDictionary[_Value, dict[torch.device, nn.Module]] = WeakKeyDictionary()
_lock = threading.Lock()


def _restore(cls: type[_Value], fields: dict[str, Any], digest: str) -> Any:
    """Make a value from its pickled fields, keeping memory-mapped arrays as they are."""
    value = cls.__new__(cls)
    value._set(fields, digest)
    return value


def _digest(kind: str, fields: Mapping[str, Any]) -> str:
    """Hash what determines a value's output; values inside it count by their own digest."""
    plain = {name: field for name, field in fields.items() if name != "weights"}
    if not plain.get("labels"):  # as of values that were made before there were any
        plain.pop("labels", None)
    text = json.dumps([kind, plain], sort_keys=True, default=_plain)
    digest = hashlib.sha256(text.encode())
    for name, array in fields["weights"].items():
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _frozen(field: Any) -> Any:
    """Return a field as nobody can change it."""
    if isinstance(field, Mapping):
        return MappingProxyType({key: _frozen(value) for key, value in field.items()})
    return tuple(field) if isinstance(field, list) else field


def _are_labels(given: Any) -> bool:
    return (
        isinstance(given, list)
        and all(isinstance(label, str) and label for label in given)
        and given == sorted(set(given))
    )


def _plain(field: Any) -> Any:
    return field.digest if isinstance(field, _Value) else dict(field)


@lru_cache(maxsize=32)
def folded_codes(vocabulary: str) -> tuple[int, ...]:
    """For each code, the first code whose character is the same once case is folded."""
    codes: dict[str, int] = {}
    folded = list(range(N_RESERVED))
    for code, character in enumerate(vocabulary, start=N_RESERVED):
        folded.append(codes.setdefault(character.casefold(), code))
    return tuple(folded)
