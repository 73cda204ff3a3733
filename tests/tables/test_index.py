"""The guide's approximate index of a large column, with the real package."""

import numpy as np
import pages
import pytest

pytestmark = pytest.mark.engines


def test_mistyped_values_are_found():
    rng = np.random.default_rng(0)
    column = ["".join(rng.choice(list("aeioklmnrst"), 12)) for _ in range(500)]
    queries = [value[:5] + value[6] + value[5] + value[7:] for value in column[:50]]
    found = pages.run("tables", "Large columns", column=column, queries=queries)
    assert found["rows"].shape == (50, 10)
    assert (found["rows"] == np.arange(50)[:, None]).any(axis=1).mean() > 0.9
