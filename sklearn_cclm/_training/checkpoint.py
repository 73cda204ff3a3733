"""Where a training stands, on disk: written atomically, and found again by the same training."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch

from sklearn_cclm._text.streams import chunked

_NO_MATTER = ("callbacks", "checkpoint", "checkpoint_every", "verbose")  # to the weights


class Checkpoint:
    """The state of one training in a directory, in a file that its digest names.

    Parameters
    ----------
    directory : path-like
        Made if it is missing; several trainings may use it.
    every : int
        Steps from one writing to the next.
    training : str
        Digest of the arguments of the training.
    seed : int
        Its seed.

    Attributes
    ----------
    state : dict or None
        What was written last, or None where there is nothing.
    seed : int
        The seed of the training that wrote it.

    Raises
    ------
    ValueError
        If the file is no checkpoint.
    """

    def __init__(self, directory: str | os.PathLike, every: int, training: str, seed: int) -> None:
        self.path = Path(directory) / f"checkpoint-{training}.pt"
        self.every = every
        self.state = self._read()
        self.seed = self.state["seed"] if self.state else seed

    def _read(self) -> dict[str, Any] | None:
        if not self.path.exists():
            return None
        try:
            return torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception as error:
            raise ValueError(
                f"{self.path} is no readable checkpoint: delete it to begin anew."
            ) from error

    def write(self, state: dict[str, Any]) -> None:
        """Replace the state on disk, so that a crash leaves the old or the new one, whole.

        Raises
        ------
        TypeError
            If there is something in the state that could not be read back.
        """
        state = _readable({**state, "seed": self.seed})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(f".{os.getpid()}.part")
        with open(part, "wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, self.path)

    def remove(self) -> None:
        """Delete the state: the training is done."""
        for path in self.path.parent.glob(f"{self.path.stem}.*"):
            path.unlink(missing_ok=True)


def readable_part(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those values that a checkpoint can hold."""
    found = {}
    for name, value in values.items():
        with suppress(TypeError):
            found[name] = _readable(value)
    return found


def _readable(value: Any) -> Any:
    """Return what torch's weights-only loader takes, with numbers of numpy's as Python's own."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {name: _readable(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_readable, value))
    if not isinstance(value, torch.Tensor | str | int | float | None):
        raise TypeError(
            f"A checkpoint cannot hold {value!r}, which the optimizer keeps: pass optimizers and "
            "schedulers Python's own numbers, or set checkpoint=None."
        )
    return value


def training_digest(trainer: Any, texts: Any, y: Any, validation: Any, source: Any) -> str:
    """Return what tells a training from others: a digest of parameters, data and first towers.

    Data, those of `validation` as well, are what was read: iterators are used up by then.
    """
    params = {
        name: value
        for name, value in trainer.get_params(deep=True).items()
        if name not in _NO_MATTER and not hasattr(value, "get_params")
    }
    named = re.sub(r" at 0x[0-9a-fA-F]+", "", repr(sorted(params.items())))
    others = None if validation is None else (_digest(validation[0]), validation[1])
    first = [type(trainer).__name__, named, repr(source)]
    return joblib.hash([*first, _digest(texts), y, others])


def _digest(texts: Any) -> bytes:
    found = hashlib.sha256()
    for chunk in chunked(texts):
        found.update("\0".join([*chunk, ""]).encode("utf-8", "surrogatepass"))
    return found.digest()
