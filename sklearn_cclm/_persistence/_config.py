"""Strict JSON: no repeated key, no infinity, little depth, and no number beyond its range."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

_MAX_DEPTH = 12
_MAX_INTEGER = 2**31
# by name, what a forger could make a loop, or the memory of one short text, grow with
_MOST = {
    "downsample_factor": 2**12,
    "kernel_size": 64,
    "max_example_len": 2**24,
    "n_blocks": 64,
    "n_layers": 12,  # of the tower "conv", whose dilation doubles with each
    "n_strided_convs": 24,
    "ngram_orders": 64,
}


def dump(value: Any) -> bytes:
    """Return a value as JSON whose bytes do not depend on the order of keys."""
    return json.dumps(value, sort_keys=True, allow_nan=False, default=_plain).encode()


def parse(content: bytes) -> Any:
    """Return the value of strict JSON, or raise ValueError."""
    value = json.loads(
        content.decode("utf-8"),
        object_pairs_hook=_without_repeats,
        parse_constant=_refuse,
        parse_float=_finite,
    )
    check_ranges(value)
    return value


def check_keys(name: str, value: Any, keys: Iterable[str]) -> None:
    """Raise ValueError unless a value is an object with exactly these keys."""
    keys = sorted(keys)
    if not isinstance(value, dict) or sorted(value) != keys:
        found = sorted(value) if isinstance(value, dict) else type(value).__name__
        raise ValueError(f"{name} must be an object with the keys {keys}, not {found}.")


def check_ranges(value: Any, name: str = "", depth: int = 0) -> None:
    """Raise ValueError for an integer or list beyond what its name allows, or for deep nesting."""
    if depth > _MAX_DEPTH:
        raise ValueError(f"config.json is nested deeper than {_MAX_DEPTH}.")
    if isinstance(value, dict):
        for key, inner in value.items():
            check_ranges(inner, key, depth + 1)
    elif isinstance(value, list):
        if len(value) > _MOST.get(name, _MAX_INTEGER):
            raise ValueError(
                f"{name} has {len(value)} items, and at most {_MOST[name]} are allowed."
            )
        for inner in value:
            check_ranges(inner, name, depth + 1)
    elif isinstance(value, int) and abs(value) > _MOST.get(name, _MAX_INTEGER):
        raise ValueError(f"{name}={value} must be at most {_MOST.get(name, _MAX_INTEGER)}.")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object in config.json has a key more than once.")
    return found


def _refuse(literal: str) -> Any:
    raise ValueError(f"config.json holds {literal}, which is no JSON.")


def _finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise ValueError("config.json holds a number that is too large.")
    return number


def _plain(value: Any) -> Any:
    """Return a number of numpy's as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(
        f"{value!r} cannot be saved, as it is neither text nor a number: use joblib.dump, which "
        "stores code as well."
    )
