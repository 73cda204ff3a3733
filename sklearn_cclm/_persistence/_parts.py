"""Components as a list of records, parts before what they are part of, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from sklearn_cclm._persistence._config import check_keys
from sklearn_cclm._persistence._weights import decode, decode_as_stored, encode

# all that can be saved and loaded, and the subpackage of each
_HOMES = {
    "Base": "values",
    "CharPreprocessor": "preprocessing",
    "ComposedClassifier": "heads",
    "ComposedEmbedder": "models",
    "ComposedModel": "models",
    "ComposedRegressor": "heads",
    "ComposedTagger": "heads",
    "MLMPreprocessor": "preprocessing",
    "Tower": "values",
}
_MAX_PARTS = 256


class Writer:
    """Records and tensors of components; equal ones are stored once.

    Parameters
    ----------
    dtype : str
        How weights are stored.
    apart : iterable of values
        Components that are stored elsewhere, and here by their digest alone.
    """

    def __init__(self, dtype: str, apart: Iterable[Any] = ()) -> None:
        self._apart = set(apart)
        self.records: list[dict[str, Any]] = []
        self.tensors: dict[str, np.ndarray] = {}
        self._dtype = dtype
        self._places: dict[Any, int] = {}

    def add(self, component: Any) -> int:
        """Store a component after its parts, and return its place."""
        name = type(component).__name__
        if name not in _HOMES or type(component) is not _class(name):
            raise TypeError(
                f"A {name} cannot be saved; what can is {sorted(_HOMES)}. Of a fitted pretrainer "
                "save its tower_ or base_; joblib.dump stores any estimator, with code."
            )
        if component in self._apart:
            self._apart.remove(component)
            self._places[component] = len(self.records)
            self.records.append({"cls": name, "digest": component.digest})
        elif component not in self._places:
            state, weights = component._stored(self.add)
            place = self._places[component] = len(self.records)
            self.records.append({"cls": name, "state": state})
            stored = encode(weights, self._dtype)
            self.tensors.update({f"{place}.{key}": array for key, array in stored.items()})
        return self._places[component]


class Reader:
    """Components of records and tensors.

    A record names its parts by their places in the list, and can name those alone that stand
    before it: so there are no cycles.

    Parameters
    ----------
    tensors : dict of str to ndarray
        Those of all records.
    dtype : str
        How weights are stored.
    parts : iterable of values
        Components that a record may name by their digest.
    """

    def __init__(
        self, tensors: dict[str, np.ndarray], dtype: str, parts: Iterable[Any] = ()
    ) -> None:
        self._given = {part.digest: part for part in parts}
        self._tensors = tensors
        self._dtype = dtype
        self._components: list[Any] = []
        self._unused: set[int] = set()

    def read(self, records: Any) -> list[Any]:
        """Return the components of all records, or raise an error."""
        if not isinstance(records, list) or not 0 < len(records) <= _MAX_PARTS:
            raise ValueError(f"parts must be a list of 1 to {_MAX_PARTS} records.")
        for place, record in enumerate(records):
            self._components.append(self._component(f"parts[{place}]", record))
            self._unused.add(place)
        if self._tensors or self._unused != {len(records) - 1}:
            raise ValueError("it holds weights or parts that nothing uses.")
        return self._components

    def _component(self, name: str, record: Any) -> Any:
        """Return the component of a record."""
        if not isinstance(record, dict) or "digest" not in record:
            check_keys(name, record, ("cls", "state"))
            cls = _class(record["cls"])
            return cls._from_stored(record["state"], self._part, self._weights)
        check_keys(name, record, ("cls", "digest"))
        component = self._given.get(str(record["digest"]))
        if component is None or type(component) is not _class(record["cls"]):
            raise ValueError(
                f"its {record['cls']} is stored elsewhere: pass the one with the digest "
                f"{record['digest']!r} in parts."
            )
        return component

    def _part(self, place: Any, kind: str) -> Any:
        """Return an earlier component of a kind."""
        if type(place) is not int or not 0 <= place < len(self._components):
            raise ValueError(f"{place!r} is not the place of an earlier part.")
        component = self._components[place]
        if type(component).__name__ != kind:
            raise ValueError(f"part {place} must be a {kind}, not {type(component).__name__}.")
        self._unused.discard(place)
        return component

    def _weights(
        self, shapes: Mapping[str, tuple[int, ...]], *, as_stored: bool = False
    ) -> dict[str, Any]:
        """Return the weights of the component that is being read, which has these shapes.

        They are float32, or in the type in which they are stored.
        """
        prefix = f"{len(self._components)}."
        names = [name for name in self._tensors if name.startswith(prefix)]
        own = {name.removeprefix(prefix): self._tensors.pop(name) for name in names}
        weights = (decode_as_stored if as_stored else decode)(own, shapes, self._dtype)
        if own:
            raise ValueError(f"the network has no weights {sorted(own)[:3]}.")
        return weights


def _class(name: Any) -> Any:
    """Return the class of a name that is allowed."""
    if not isinstance(name, str) or name not in _HOMES:
        raise ValueError(f"cls={name!r} must be one of {sorted(_HOMES)}.")
    return getattr(import_module(f"sklearn_cclm.{_HOMES[name]}"), name)
