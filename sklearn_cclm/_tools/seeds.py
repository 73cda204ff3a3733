"""Seeds, drawn without moving a global generator."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state


def draw_seed(random_state: Any) -> int:
    """Draw a seed; None, unlike in scikit-learn, stands for fresh entropy."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**31 - 1))
    return check_random_state(random_state).randint(2**31 - 1)
