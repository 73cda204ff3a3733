"""Checks of parameters, with one way to say what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np


def check_integer(name: str, value: Any, low: int) -> None:
    """Raise ValueError unless a parameter is an integer of at least `low`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < low:
        raise ValueError(f"{name}={value!r} must be an integer of at least {low}.")


def check_real(name: str, value: Any, low: float, high: float, *, ends: str = "left") -> None:
    """Raise ValueError unless a parameter is a number from `low`, which counts, below `high`.

    `ends` says which ends count: "left", "both" or "neither". Numbers are those that torch can
    compute with: Python's and numpy's, not fractions.
    """
    number = isinstance(value, float | np.floating | Integral) and not isinstance(value, bool)
    above = number and (value > low or (value == low and ends != "neither"))
    below = number and (value < high or (value == high and ends == "both"))
    if not (above and below):
        left, right = ("(" if ends == "neither" else "["), ("]" if ends == "both" else ")")
        kind = "" if number else f", not a {type(value).__name__}"
        raise ValueError(f"{name}={value!r} must be a number in {left}{low}, {high}{right}{kind}.")


def check_option(name: str, value: Any, options: Iterable[Any]) -> None:
    """Raise ValueError unless a parameter is one of the options, in value and type."""
    options = tuple(options)
    if not any(type(value) is type(option) and value == option for option in options):
        raise ValueError(f"{name}={value!r} must be one of {options}.")


def check_bool(name: str, value: Any) -> None:
    """Raise ValueError unless a parameter is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name}={value!r} must be True or False.")


def plain_number(value: Any) -> Any:
    """Return a number of numpy's as Python's own; anything else as it is."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, np.floating) else value
