"""Tables over code points; ``table.take(points, mode="clip")`` reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple
from unicodedata import category

import numpy as np

from sklearn_cclm._text.codes import code_points
from sklearn_cclm.noise._flat import ranges


class Choices(NamedTuple):
    """For each of several things, the strings that may replace it."""

    bounds: np.ndarray  # strings bounds[i]..bounds[i + 1] are those of thing i
    points: np.ndarray  # all strings in a row
    starts: np.ndarray
    sizes: np.ndarray

    @classmethod
    def of(cls, choices: Iterable[Sequence[str]]) -> Choices:
        """Make a table of the strings for each thing."""
        choices = list(choices)
        points, sizes = code_points([string for strings in choices for string in strings])
        bounds = np.cumsum([0, *map(len, choices)])
        return cls(bounds, points, np.cumsum(sizes) - sizes, sizes)

    def draw(self, things: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Choose a string for each thing; return their flat points, and the size of each."""
        first = self.bounds[things]
        chosen = first + rng.integers(0, self.bounds[things + 1] - first)
        sizes = self.sizes[chosen]
        return self.points[ranges(self.starts[chosen], sizes)], sizes


@lru_cache(maxsize=1)
def other_case() -> np.ndarray:
    """Return the letter of the other case, where one code point swaps with one, else 0."""
    table = np.zeros(0x20001, dtype=np.uint32)  # planes 0 and 1 hold all letters with case
    for point in range(0x20000):
        other = chr(point).swapcase()
        if len(other) == 1 and other != chr(point) == other.swapcase():
            table[point] = ord(other)
    table.setflags(write=False)
    return table


@lru_cache(maxsize=1)
def word_characters() -> np.ndarray:
    """Return whether a code point is a letter, a combining mark or a digit."""
    kinds = (category(chr(point))[0] in "LMN" for point in range(0x40000))  # planes 0 to 3
    table = np.append(np.fromiter(kinds, dtype=bool, count=0x40000), False)
    table.setflags(write=False)
    return table
