"""What networks run on in inference: torch, or numpy alone. One choice for each process."""

from __future__ import annotations

import os
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from sklearn_cclm._tools.extras import needs_train

_VARIABLE = "SKLEARN_CCLM_ENGINE"


@lru_cache(maxsize=1)
def engine() -> Any:
    """Return the engine of this process: a module with the functions of `by_numpy`.

    It is torch where that is installed, or what the environment variable says.
    """
    name = os.environ.get(_VARIABLE) or ("torch" if find_spec("torch") else "numpy")
    if name == "numpy":
        from sklearn_cclm._engines import by_numpy

        return by_numpy
    if name == "torch":
        with needs_train(f"{_VARIABLE}=torch"):
            from sklearn_cclm._engines import by_torch

        return by_torch
    raise ValueError(f"{_VARIABLE}={name!r} must be 'numpy' or 'torch'.")
