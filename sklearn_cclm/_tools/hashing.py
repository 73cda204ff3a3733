"""Parts of objects that count by a key where joblib or `datasets` hashes them."""

from __future__ import annotations

import sys
from copy import copy
from typing import Any

import numpy as np

_HASHERS = {"joblib.hashing": "Hasher", "datasets.utils._dill": "Pickler"}


class Hashed:
    """What a reduction hands to picklers: content, and the key that stands for it in hashes.

    Both libraries hash what an object pickles to. So weights would be read whenever an estimator
    is hashed, would count as others where they are memory-mapped, and the seconds that a training
    took would make its result another one.

    Parameters
    ----------
    content : object
        What is unpickled.
    key : object
        What is hashed.
    """

    def __init__(self, content: Any, key: Any) -> None:
        self.content = content
        self.key = key
        for module, name in _HASHERS.items():  # `datasets` may have been imported since
            if hasher := getattr(sys.modules.get(module), name, None):
                hasher.dispatch[Hashed] = _save_key

    def __reduce__(self) -> tuple:
        return _content, (self.content,)


def unmapped(state: Any) -> Any:
    """Return arrays in a state as such where they are memory-mapped, which counts in hashes."""
    if type(state) is dict:
        found = {key: unmapped(value) for key, value in state.items()}
        return found if any(found[key] is not state[key] for key in state) else state
    if hasattr(state, "_asdict"):  # a named tuple
        known = state._asdict()
        return state if (found := unmapped(known)) is known else type(state)(**found)
    if hasattr(state, "indptr") and unmapped(vars(state)) is not vars(state):  # a sparse matrix
        state = copy(state)
        vars(state).update(unmapped(vars(state)))
    return state.view(np.ndarray) if isinstance(state, np.memmap) else state


def _save_key(hasher: Any, part: Hashed) -> None:
    hasher.save(part.key)


def _content(content: Any) -> Any:
    return content
