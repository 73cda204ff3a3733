"""`Value`: an immutable record of a trained network, compared by its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakKeyDictionary

import numpy as np

from sklearn_cclm._engines import engine
from sklearn_cclm._persistence._rows import Rows
from sklearn_cclm._persistence._weights import DTYPES, decode_as_stored, encode
from sklearn_cclm._tools.extras import needs_train
from sklearn_cclm._tools.facts import FactsMixin, as_size
from sklearn_cclm._tools.hashing import Hashed
from sklearn_cclm._tools.locks import Lock
from sklearn_cclm._tools.params import check_option
from sklearn_cclm.values._interned import Interning, interned
from sklearn_cclm.values._stored import StoredValue
from sklearn_cclm.values._weights import Weights

if TYPE_CHECKING:
    from torch import nn

HEAD = "head."  # begins the names of an output layer's weights

published: dict[str, Any] = {}  # what shelves have said of values, as they read them, by digest


class Value(FactsMixin, StoredValue, metaclass=Interning):
    """An immutable record whose equality and hash are those of its digest.

    Equal ones are one object in a process, however they are made, but for what skops reads.
    scikit-learn's ``clone``, ``copy`` and ``deepcopy`` give the value itself, so that no
    meta-estimator can lose or duplicate its weights.
    """

    _fields: tuple[str, ...]
    weights: Weights
    digest: str

    def __init__(self, **fields: Any) -> None:
        given = fields.pop("weights")
        if not isinstance(given, Weights):
            given = {k: w if isinstance(w, Rows) else np.array(w) for k, w in given.items()}
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

    @property
    def nbytes(self) -> int:
        """Bytes of the weights in memory."""
        return self.weights.nbytes

    def _facts(self) -> dict[str, object]:
        entry = published.get(self.digest)
        return {
            **self._own_facts(),
            "size": f"{as_size(self.nbytes)} in memory",
            "digest": self.digest,
            **(entry.about if entry else {}),
        }

    def _own_facts(self) -> dict[str, object]:
        """Return what is to be told beside size, digest, and what a shelf says."""
        raise NotImplementedError

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

    def astype(self, dtype: str) -> Self:
        """Return this value with its weights, and those of its base, rounded to a type.

        It is what `save` with this dtype and `load` would give, and kept in as few bytes.

        Parameters
        ----------
        dtype : {"float32", "float16", "int8"}
            The type; "float32" rounds nothing, so that the value itself is returned.

        Returns
        -------
        Base or Tower
            With a digest of its own where rounding changes a weight.

        Raises
        ------
        ValueError
            If the type is another, or a weight is too large for float16 or not finite.

        Examples
        --------
        >>> from sklearn_cclm import CCLMModelBase
        >>> base = CCLMModelBase(width=16, n_buckets=100).fit(["some text"]).base_
        >>> base.astype("int8") == base, base.astype("float32") is base
        (False, True)
        """
        check_option("dtype", dtype, DTYPES)
        kept = self.weights.kept
        shapes = {name: array.shape for name, array in kept.items()}
        rounded = Weights(decode_as_stored(encode(kept, dtype), shapes, dtype))
        fields = {name: getattr(self, name) for name in self._fields}
        parts = {name: f.astype(dtype) for name, f in fields.items() if isinstance(f, Value)}
        return self._with(weights=rounded, **parts)

    def build(self) -> nn.Module:
        """Build a fresh network with these weights, in evaluation mode.

        Returns
        -------
        torch.nn.Module
            It owns copies of the weights: training it does not change this value.

        Raises
        ------
        ImportError
            If torch is not installed.
        """
        with needs_train("build"):
            import torch

            from sklearn_cclm.nn._loaded import loaded
        kind, name, config, weights, shape = self._network()
        tensors = {k: torch.from_numpy(np.array(weights[k])) for k in weights}
        return loaded(kind, name, config, tensors, shape)

    def _network(self) -> tuple[str, str, Mapping[str, Any], Weights, dict[str, Any]]:
        """Return kind, architecture, settings, weights and surroundings of the network."""
        own = {k: w for k, w in self.weights.kept.items() if not k.startswith(HEAD)}
        shape = self._shape(vars(self))
        return self._kind, self.architecture, self.config, Weights(own), shape

    def _with(self, **changes: Any) -> Any:
        """Return a value that differs in these fields."""
        return type(self)(**{**{name: getattr(self, name) for name in self._fields}, **changes})

    @classmethod
    def from_module(cls, module: nn.Module, **fields: Any) -> Any:
        """Make a value from a network's present weights and the other fields."""
        state = module.state_dict()
        return cls(weights={k: v.detach().cpu().numpy() for k, v in state.items()}, **fields)


def built(value: Value, device: Any) -> Any:
    """Return the network of a value, built once per process and shared: never train it."""
    with _lock:
        on_devices = _built.setdefault(value, {})
        if device not in on_devices:
            on_devices[device] = engine().network(*value._network(), device)
        return on_devices[device]


_built: WeakKeyDictionary[Value, dict[Any, Any]] = WeakKeyDictionary()
_lock = Lock()


def _restore(cls: type[Value], fields: dict[str, Any], digest: str) -> Any:
    """Make a value from its pickled fields, keeping memory-mapped arrays as they are."""
    value = cls.__new__(cls)
    value._set(fields, digest)
    return interned(value)


def _digest(kind: str, fields: Mapping[str, Any]) -> str:
    """Hash what determines a value's output; values inside it count by their own digest."""
    plain = {name: field for name, field in fields.items() if name != "weights"}
    for name in ("labels", "inside_words", "of_words"):  # of older values, which had none
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
