"""Values are drawn towards the repeated ones that they are like, and only towards these."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_cclm.tables._repeated import Repeated
from sklearn_cclm.tables._values import Blocks

COMPONENTS = np.eye(4, dtype=np.float32)


def blocks(rows):
    values = np.array(rows, dtype=np.float32)
    return Blocks(values[:, :2], sparse.csr_matrix(values[:, 2:]))


KNOWN = blocks([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
NEW = blocks([[0.9, 0, 0, 0.4], [0, 0, 0, 1], [0, 0, 0, 0]])


def test_values_that_all_differ_draw_none():
    repeated = Repeated.of(KNOWN, np.ones(3, dtype=int))
    np.testing.assert_array_equal(repeated.project(NEW, COMPONENTS), NEW.project(COMPONENTS))


def test_a_value_is_drawn_to_the_repeated_one_it_is_like_and_others_stay():
    like, unlike, blank = Repeated.of(KNOWN, np.array([50, 1, 49])).project(NEW, COMPONENTS)
    np.testing.assert_allclose(like, [1, 0, 0, 0], atol=1e-3)
    np.testing.assert_array_equal(unlike, [0, 0, 0, 1])
    np.testing.assert_array_equal(blank, 0)


def test_frequent_values_draw_more_and_only_so_many_of_them_are_kept(monkeypatch):
    near = blocks([[0.35, 0, 0.35, 0]])
    x, _, z, _ = Repeated.of(KNOWN, np.array([3, 1, 30])).project(near, COMPONENTS)[0]
    assert z > x > 0
    monkeypatch.setattr("sklearn_cclm.tables._repeated._MOST", 1)
    one = Repeated.of(KNOWN, np.array([3, 1, 30]))
    assert one.shares.tolist() == pytest.approx([29 / 34])


def test_values_are_compared_block_by_block(monkeypatch):
    repeated = Repeated.of(KNOWN, np.array([5, 5, 5]))
    whole = repeated.project(NEW, COMPONENTS)
    monkeypatch.setattr("sklearn_cclm.tables._repeated.AT_ONCE", 1)
    np.testing.assert_allclose(repeated.project(NEW, COMPONENTS), whole, atol=1e-6)
