"""Matrices in fewer bytes: what is kept of one that was trained from rows of bytes."""

import pickle

import numpy as np
import pytest
import torch

from sklearn_cclm import CCLMModelBase, load
from sklearn_cclm._persistence._rows import ByteRows, ChangedRows
from sklearn_cclm.values import Base

ROWS = "table.weight"


@pytest.fixture
def old():
    rng = np.random.default_rng(0)
    multiples = rng.integers(-127, 128, (9000, 3), dtype=np.int8)  # of more rows than a piece has
    return ByteRows.of(multiples, rng.random(9000, dtype=np.float32))


def changed(old, *rows):
    new = old.dense()
    new[list(rows)] += 0.1
    return new, ChangedRows.of(old, new)


def test_rows_that_changed_are_kept_beside_the_others(old):
    new, kept = changed(old, 0, 4095, 4096, 8999)
    assert kept.others is old
    assert kept.numbers.tolist() == [0, 4095, 4096, 8999]
    assert kept.shape == new.shape
    np.testing.assert_array_equal(kept.dense(), new)
    np.testing.assert_array_equal(np.concatenate([rows for _, rows in kept.chunks()]), new)


def test_what_changes_again_differs_from_the_same_bytes(old):
    _, kept = changed(old, 5)
    new = kept.dense()
    new[7] = 1
    again = ChangedRows.of(kept, new)
    assert again.others is old
    assert again.numbers.tolist() == [5, 7]
    np.testing.assert_array_equal(again.dense(), new)


def test_a_zero_with_another_sign_is_a_change():
    old = ByteRows.of(np.zeros((3, 2), dtype=np.int8), np.ones(3, dtype=np.float32))
    new = old.dense()
    new[1] = -0.0
    assert ChangedRows.of(old, new).dense().tobytes() == new.tobytes()


def test_it_is_whole_where_most_has_changed(old):
    new, kept = changed(old, *range(4501))
    assert kept is new
    assert isinstance(changed(old, *range(4500))[1], ChangedRows)


@pytest.fixture
def base():
    recipe = CCLMModelBase(width=16, n_buckets=500)
    return recipe.fit(["good film", "bad book"]).base_.astype("int8")


def trained(base, *rows):
    module = base.build()
    with torch.no_grad():
        module.table.weight[list(rows)] += 0.1
    return module


def test_a_base_with_changes_is_the_one_that_holds_all(base):
    module = trained(base, 3, 200)
    small = base.with_changes(module)
    kept, digest = small.weights.kept[ROWS], small.digest
    assert kept.numbers.tolist() == [3, 200]
    assert small.nbytes == base.nbytes + kept.numbers.nbytes + kept.values.nbytes
    assert not kept.values.flags.writeable
    assert torch.equal(small.build().table.weight, module.table.weight)
    del small
    assert isinstance(base.with_module(module).weights.kept[ROWS], np.ndarray)
    assert base.with_module(module).digest == digest


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
def test_it_is_saved_and_rounded_as_the_one_that_holds_all(base, dtype, tmp_path):
    small = base.with_changes(trained(base, 3, 200))
    whole = Base(**{name: getattr(small, name) for name in small._fields} | {
        "weights": dict(small.weights)
    })  # fmt: skip
    small.save(tmp_path / "base", dtype=dtype)
    assert load(tmp_path / "base") == small.astype(dtype) == whole.astype(dtype)


def test_its_pickle_holds_the_changes_alone(base):
    small = base.with_changes(trained(base, 3))
    stored = pickle.dumps(small)
    assert len(stored) < len(pickle.dumps(base)) + 8 * base.width + 1000
    del small
    assert pickle.loads(stored).weights.kept[ROWS].numbers.tolist() == [3]
