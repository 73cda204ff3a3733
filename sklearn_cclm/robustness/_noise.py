"""What users give as noise, as one `TypoNoise` of a rate and a seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import clone

from sklearn_cclm.noise import TypoNoise


def noise_of(noise: Any, rate: float, seed: int) -> TypoNoise:
    """Return noise of this rate and seed.

    Parameters
    ----------
    noise : TypoNoise, kinds of it, or typos
        Pairs of a typo and the correct word, or a mapping of words to typos, stand for
        ``TypoNoise("typos", typos=noise)``.
    rate : float
        Share of the places that are changed.
    seed : int
        Seed of where and how.
    """
    if isinstance(noise, TypoNoise):
        given = clone(noise)
    elif _are_typos(noise):
        given = TypoNoise("typos", typos=noise)
    else:
        given = TypoNoise(noise)
    return given.set_params(rate=rate, random_state=seed)


def _are_typos(noise: Any) -> bool:
    if isinstance(noise, Mapping):
        return not all(isinstance(value, int | float) for value in noise.values())
    return isinstance(noise, list | tuple) and not all(isinstance(kind, str) for kind in noise)
