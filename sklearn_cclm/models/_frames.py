"""What to do where a frame is asked for of features that are sparse."""

from __future__ import annotations

from typing import Any, Self

from sklearn import get_config


class FramesMixin:
    """A transformer that says which parameters make features dense, if a frame is to hold them.

    scikit-learn refuses sparse ones as well, but cannot know.
    """

    _asked_for: str | None = None

    def set_output(self, *, transform: str | None = None) -> Self:
        """Set what `transform` returns: arrays, or frames of dense features.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            As for all of scikit-learn's transformers; None changes nothing.

        Returns
        -------
        ComposedEmbedder
            This embedder.
        """
        parent: Any = super()
        parent.set_output(transform=transform)
        self._asked_for = transform or self._asked_for
        return self

    def __sklearn_clone__(self) -> Self:
        parent: Any = super()
        cloned = parent.__sklearn_clone__()
        cloned._asked_for = self._asked_for
        return cloned

    def _check_no_frame(self) -> None:
        """Raise ValueError where `set_output` or the configuration asks for a frame."""
        kind = self._asked_for or get_config()["transform_output"]
        if kind != "default":
            raise ValueError(
                f"A {kind} frame cannot hold n-grams or other sparse features: set lexical=False "
                "for the towers alone, or n_components=100 for all features together as 100 dense "
                "ones; set_output(transform='default') gives the sparse matrix."
            )
