"""What the network is shown of a text: its codes, clean or noisy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_cclm._text.codes import PAD, code_points, pad
from sklearn_cclm.preprocessing import CharPreprocessor


@dataclass(frozen=True)
class View:
    """Codes of a batch of texts, as the network sees them and as they were.

    Attributes
    ----------
    ids : int64 array of shape (B, L)
        Codes after noise, padded with 0; may be overwritten.
    clean : int64 array of shape (B, L_clean)
        Codes before it.
    origin : int64 array of shape (B, L)
        The column of `clean` that each code comes from; -1 at padding.
    points : uint32 array or None
        Code points of the texts after noise, for another preprocessor to read.
    present : bool array or None
        Where there is one.
    is_noisy : bool
        Whether there was any noise.
    """

    ids: np.ndarray
    clean: np.ndarray
    origin: np.ndarray
    points: np.ndarray | None = None
    present: np.ndarray | None = None
    is_noisy: bool = True

    @classmethod
    def without_noise(
        cls,
        codes: np.ndarray,
        points: np.ndarray | None = None,
        present: np.ndarray | None = None,
    ) -> View:
        """Return the view of codes as they are."""
        origin = np.where(codes != PAD, np.arange(codes.shape[1]), -1)
        return cls(codes.copy(), codes, origin, points, present, is_noisy=False)

    def read_by(self, preprocessor: CharPreprocessor) -> np.ndarray:
        """Return the codes that another preprocessor gives what the network sees."""
        if self.points is None or self.present is None:
            raise ValueError("The view is one of codes alone.")
        return preprocessor.encode_points(self.points, self.present)

    @property
    def characters(self) -> np.ndarray:
        """The code points that the network sees, in a row."""
        if self.points is None or self.present is None:
            raise ValueError("The view is one of codes alone.")
        return self.points[self.present]

    def of_origin(self, values: np.ndarray) -> np.ndarray:
        """Return, at each place of `ids`, what `values` (B, L_clean) has at its origin."""
        found = np.take_along_axis(values, np.maximum(self.origin, 0), axis=1)
        return np.where(self.origin >= 0, found, PAD)


def view(
    texts: Sequence[str], preprocessor: CharPreprocessor, noise: Any, rng: np.random.Generator
) -> View:
    """Return normalised, short enough texts as the network sees them."""
    points, lengths = code_points(texts)
    padded = pad(points, lengths, dtype=np.uint32)
    present = np.arange(padded.shape[1]) < lengths[:, None]
    clean = preprocessor.encode_points(padded, present)
    if noise is None:
        return View.without_noise(clean, padded, present)
    noisy, origin = noise.corrupt(padded, rng)
    cls = int(preprocessor.add_cls)
    room = preprocessor.max_example_len - cls
    noisy, origin = noisy[:, :room], origin[:, :room]
    present = origin >= 0
    ids = preprocessor.encode_points(noisy, present)
    if cls:
        origin = np.where(origin >= 0, origin + 1, -1)
        origin = np.concatenate([np.zeros((len(origin), 1), dtype=np.int64), origin], axis=1)
    return View(ids, clean, origin, noisy, present)
