"""`Value`: an immutable record of a trained network, compared by its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import nn

from sklearn_cclm._persistence._rows import ByteRows
from sklearn_cclm._tools.hashing import Hashed
from sklearn_cclm._tools.locks import Lock
from sklearn_cclm._tools.seeds import isolated_seed
from sklearn_cclm.nn import _registry
from sklearn_cclm.nn._blank import Blank
from sklearn_cclm.nn.rows import ByteTable
from sklearn_cclm.values._stored import StoredValue
from sklearn_cclm.values._weights import Weights

HEAD = "head."  # begins the names of an output layer's weights
TABLE = "table.weight"  # the rows of a base that are summed


class Value(StoredValue):
    """An immutable record whose equality and hash are those of its digest.

    scikit-learn's ``clone``, ``copy`` and ``deepcopy`` give the value itself, so that no
    meta-estimator can lose or duplicate its weights.
    """

    _fields: tuple[str, ...]
    digest: str

    def __init__(self, **fields: Any) -> None:
        given = fields.pop("weights")
        if not isinstance(given, Weights):
            given = {k: w if isinstance(w, ByteRows) else np.array(w) for k, w in given.items()}
        self._set({**fields, "weights": given})

    def _set(self, fields: dict[str, Any], digest: str | None = None) -> None:
        weights = fields["weights"]
        weights = weights if isinstance(weights, Weights) else Weights(weights)
        fields = {name: _frozen(field) for name, field in {**fields, "weights": weights}.items()}
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
        state = self.__getstate__()
        digest = state.pop("digest")
        return _restore, (type(self), Hashed(state, digest), digest)

    def __getstate__(self) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in (*self._fields, "digest")}
        return {name: _thawed(field) for name, field in fields.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what skops has stored, which knows no `__reduce__`, if it is what was stored."""
        digest = state.pop("digest")
        self._set(state)
        if self.digest != digest:
            raise ValueError(
                f"What is read is no {type(self).__name__} with digest {digest!r}: the file is "
                "damaged or forged. Fetch it again."
            )

    def _build(
        self, tensors: Mapping[str, torch.Tensor], tables: Mapping[str, ByteTable] | None = None
    ) -> nn.Module:
        """Build the network on the given tensors, leaving the global generator as it was.

        Tables are put in the place of the modules of their names.
        """
        with isolated_seed(0), Blank():
            shape = self._shape(vars(self))
            module = _registry.build(self._kind, self.architecture, self.config, **shape)
        own = {name: t for name, t in tensors.items() if not name.startswith(HEAD)}
        for name, table in (tables or {}).items():
            module.set_submodule(name, table)
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

    def _with(self, **changes: Any) -> Any:
        """Return a value that differs in these fields."""
        return type(self)(**{**{name: getattr(self, name) for name in self._fields}, **changes})

    @classmethod
    def from_module(cls, module: nn.Module, **fields: Any) -> Any:
        """Make a value from a network's present weights and the other fields."""
        state = module.state_dict()
        return cls(weights={k: v.detach().cpu().numpy() for k, v in state.items()}, **fields)


def built(value: Value, device: torch.device) -> nn.Module:
    """Return the network of a value, built once per process and shared: never train it."""
    with _lock:
        on_devices = _built.setdefault(value, {})
        if device not in on_devices:
            module = value._build(*_tensors(value.weights, device))
            on_devices[device] = module.requires_grad_(False).to(device)
        return on_devices[device]


_built: WeakKeyDictionary[Value, dict[torch.device, nn.Module]] = WeakKeyDictionary()
_lock = Lock()


def _tensors(
    weights: Any, device: torch.device
) -> tuple[dict[str, torch.Tensor], dict[str, ByteTable]]:
    """Return weights as tensors, but tables of bytes as they are, where a CPU sums them."""
    tables, others = {}, {}
    for name, array in weights.kept.items():
        if name == TABLE and isinstance(array, ByteRows) and device.type == "cpu":
            tables[name.rpartition(".")[0]] = ByteTable(torch.from_dlpack(array.packed))
        else:
            others[name] = torch.from_dlpack(weights[name])
    return others, tables


def _restore(cls: type[Value], fields: dict[str, Any], digest: str) -> Any:
    """Make a value from its pickled fields, keeping memory-mapped arrays as they are."""
    value = cls.__new__(cls)
    value._set(fields, digest)
    return value


def _digest(kind: str, fields: Mapping[str, Any]) -> str:
    """Hash what determines a value's output; values inside it count by their own digest."""
    plain = {name: field for name, field in fields.items() if name != "weights"}
    for name in (
        "labels",
        "inside_words",
        "of_words",
    ):  # as of values that were made before there were any
        if not plain.get(name):
            plain.pop(name, None)
    text = json.dumps([kind, plain], sort_keys=True, default=_plain)
    digest = hashlib.sha256(text.encode())
    weights = fields["weights"]
    for name, array in weights.kept.items():
        dtype = np.dtype(np.float32) if weights.is_narrow(name) else array.dtype
        digest.update(f"{name} {dtype.str} {array.shape}".encode())
        for chunk in weights.chunks(name):
            digest.update(chunk.data)
    return digest.hexdigest()


def _frozen(field: Any) -> Any:
    """Return a field as nobody can change it."""
    if isinstance(field, Weights):
        return field
    if isinstance(field, Mapping):
        return MappingProxyType({key: _frozen(value) for key, value in field.items()})
    return tuple(field) if isinstance(field, list) else field


def _thawed(field: Any) -> Any:
    """Return a field as pickle and skops can store it."""
    if isinstance(field, Weights):
        return dict(field.kept)
    return dict(field) if isinstance(field, MappingProxyType) else field


def _plain(field: Any) -> Any:
    return field.digest if isinstance(field, Value) else dict(field)
