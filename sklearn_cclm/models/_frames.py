"""`FramesMixin`: what to do where frames are asked for of features that are sparse."""

from __future__ import annotations

from typing import Any, Self


class FramesMixin:
    """Refuse frames of counted n-grams at once, where scikit-learn does in `transform`."""

    def set_output(self, *, transform: Any = None) -> Self:
        """Set what holds the features.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            A frame, or what `transform` says; None leaves it as it is.

        Returns
        -------
        self
            This embedder.

        Raises
        ------
        ValueError
            If a frame is asked for of n-grams, which are sparse: ``lexical=False`` leaves them
            out, and `n_components` makes all features together few dense ones.
        """
        sparse = self._counted() is not False and self.n_components is None  # type: ignore[attr-defined]
        if sparse and transform not in (None, "default"):
            raise ValueError(
                f"A {transform} frame cannot hold n-grams, which are sparse features: set "
                "lexical=False for the towers alone, or n_components=100 for all features together "
                f"as 100 dense ones, and then set_output(transform={transform!r})."
            )
        return super().set_output(transform=transform)  # type: ignore[misc]
