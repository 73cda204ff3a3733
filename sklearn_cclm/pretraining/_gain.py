"""What a training gained: how many neighbours of a text remain when it is misspelt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.preprocessing import normalize

from sklearn_cclm._tools.progress import show_line
from sklearn_cclm.models._inference import distinct
from sklearn_cclm.noise import TypoNoise
from sklearn_cclm.pretraining._teachers import native
from sklearn_cclm.values import Tower

RATES = (0.1, 0.2)  # of the letters
_TEXTS, _NEAREST = 500, 10


def neighbours_kept(tower: Tower, texts: Sequence[str]) -> dict[float, float]:
    """Return, for each rate of slips, the share of a text's ten nearest that remain so."""
    texts = distinct(texts)[0][:_TEXTS]
    if len(texts) < 2:
        return {}
    clean = normalize(native(tower, texts))
    nearest = _nearest(clean, clean)
    shares = {}
    for rate in RATES:
        noisy = TypoNoise(rate=rate, random_state=0).transform(texts).tolist()
        found = _nearest(normalize(native(tower, noisy)), clean)
        shares[rate] = float((found & nearest).sum() / nearest.sum())
    return shares


def _nearest(vectors: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return which of the others are nearest to each vector but its own: (n, n)."""
    cosines = vectors @ others.T
    np.fill_diagonal(cosines, -np.inf)
    n = min(_NEAREST, len(others) - 1)
    places = np.argpartition(-cosines, n - 1, axis=1)[:, :n]
    found = np.zeros(cosines.shape, dtype=bool)
    np.put_along_axis(found, places, True, axis=1)
    return found


def show_gain(gain: Mapping[float, tuple[float, float]]) -> None:
    """Write what was gained where the bars are."""
    for rate, (before, after) in gain.items():
        show_line(
            f"with {rate:.0%} of its letters misspelt, a held-out text keeps {before:.0%} of its "
            f"nearest texts before, {after:.0%} after"
        )
