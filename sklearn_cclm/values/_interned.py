"""Equal values as one object, as long as one of them lives."""

from __future__ import annotations

from inspect import Signature, signature
from typing import Any
from weakref import WeakValueDictionary

from sklearn_cclm._tools.locks import Lock

_living: WeakValueDictionary[tuple[type, str], Any] = WeakValueDictionary()
_lock = Lock()


def interned(value: Any) -> Any:
    """Return the value of this digest that lives already, or this one."""
    with _lock:
        return _living.setdefault((type(value), value.digest), value)


class Interning(type):
    """Kinds of values of which each is made once."""

    def __call__(cls, *args: Any, **fields: Any) -> Any:
        return interned(super().__call__(*args, **fields))

    @property
    def __signature__(cls) -> Signature:
        """That of `__init__`, which inspect would not look for."""
        own = signature(cls.__init__)  # type: ignore[misc]
        return own.replace(parameters=list(own.parameters.values())[1:])
