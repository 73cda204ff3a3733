"""`Reduction`: many features, sparse ones too, as few dense ones."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from sklearn_cclm._tools.hashing import unmapped


class Reduction:
    """A truncated singular value decomposition of features, always of the same width.

    Parameters
    ----------
    components : float32 array of shape (n_components, n_features)
        What features are projected on; zeros where the texts of `fit` had no more directions.
    """

    def __init__(self, components: np.ndarray) -> None:
        self.components = components

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(unmapped(state))

    @classmethod
    def of(cls, features: Any, n_components: int) -> Self:
        """Learn from the features of texts."""
        from sklearn.decomposition import TruncatedSVD  # slow to import

        n = min(n_components, *features.shape)
        with np.errstate(
            divide="ignore", invalid="ignore"
        ):  # shares of no variance, in equal texts
            found = TruncatedSVD(n, random_state=0).fit(features).components_
        components = np.zeros((n_components, features.shape[1]), dtype=np.float32)
        components[: len(found)] = found
        return cls(components)

    def transform(self, features: Any) -> np.ndarray:
        """Return the features, projected."""
        return np.asarray(features @ self.components.T)
