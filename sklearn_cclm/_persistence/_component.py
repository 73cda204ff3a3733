"""`Persistent`: what a class needs so that its objects can be saved."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Self

from sklearn_cclm._persistence._artefact import load, save
from sklearn_cclm._persistence._errors import ModelFormatError


class Persistent:
    """Save and load as methods, and the two hooks that a class fills.

    The class is one more entry in the list of `_parts`.
    """

    def save(self, path: str | os.PathLike, *, dtype: str = "float32") -> None:
        """Save as a directory that holds no code.

        Parameters
        ----------
        path : str or path-like
            The directory to make. An artefact that is there already is replaced; nothing else is.
        dtype : {"float32", "float16", "int8"}, default="float32"
            How weights are stored; they are float32 again once loaded.

        Raises
        ------
        TypeError, ValueError, FileExistsError
            As for `sklearn_cclm.save`.
        """
        save(self, path, dtype=dtype)

    @classmethod
    def load(cls, path: str | os.PathLike, *, sha256: str | None = None) -> Self:
        """Load what `save` stored, running no code from it.

        Parameters
        ----------
        path : str or path-like
            The directory.
        sha256 : str, default=None
            Expected sha256 of its config.json, in hexadecimal, which pins all the rest.

        Returns
        -------
        Persistent
            An object of this class.

        Raises
        ------
        ModelFormatError
            As for `sklearn_cclm.load`, or if it is an object of another class.
        """
        component = load(path, sha256=sha256)
        if not isinstance(component, cls):
            raise ModelFormatError(
                f"{os.fspath(path)!r} holds a {type(component).__name__}, not a {cls.__name__}: "
                "load it with sklearn_cclm.load."
            )
        return component

    def _stored(self, add: Callable[[Any], int]) -> tuple[dict[str, Any], Mapping[str, Any]]:
        """Return what JSON can hold of this object, and its weights.

        `add` stores another component and returns its place.
        """
        raise NotImplementedError

    @classmethod
    def _from_stored(cls, state: Any, part: Callable, weights: Callable) -> Self:
        """Return the object of a state that may be forged, or raise an error.

        ``part(place, class name)`` gives another component, and ``weights(shapes)`` the weights
        if they have the shapes, which are to be found without them.
        """
        raise NotImplementedError
