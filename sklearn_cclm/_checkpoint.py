"""Where a training stands, on disk: written atomically, read back only by the same training."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

_NAME = "checkpoint.pt"


class Checkpoint:
    """The state of one training in a directory.

    Parameters
    ----------
    directory : path-like
        Made if it is missing; holds one training.
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
        If the file is of another training, or no checkpoint.
    """

    def __init__(self, directory: str | os.PathLike, every: int, training: str, seed: int) -> None:
        self.path = Path(directory) / _NAME
        self.every = every
        self.training = training
        self.state = self._read()
        self.seed = self.state["seed"] if self.state else seed

    def _read(self) -> dict[str, Any] | None:
        if not self.path.exists():
            return None
        try:
            state = torch.load(self.path, weights_only=True)
            training = state["training"]
        except Exception as error:
            raise ValueError(
                f"{self.path} is no readable checkpoint: delete it, or choose another directory."
            ) from error
        if training != self.training:
            raise ValueError(
                f"{self.path} belongs to a training with other parameters, texts or targets: "
                "delete it to begin anew, or choose another directory."
            )
        return state

    def write(self, state: dict[str, Any]) -> None:
        """Replace the state on disk, so that a crash leaves the old or the new one, whole."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        with open(part, "wb") as file:
            torch.save({**state, "training": self.training, "seed": self.seed}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, self.path)

    def remove(self) -> None:
        """Delete the state: the training is done."""
        self.path.unlink(missing_ok=True)
