"""Weights are mapped from their file, as they are, and stay what they were."""

import gc
import mmap
import shutil

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from sklearn_cclm import CCLMModelBase, ComposedEmbedder, MaskedCharacterPretrainer, load
from sklearn_cclm._persistence import _files
from sklearn_cclm._persistence._rows import ByteRows
from sklearn_cclm.values._value import built

TEXTS = ["good film", "bad film", "good book", "bad book"] * 3
DTYPES = ["float32", "float16", "int8"]
ROWS = "table.weight"


def save_tower(path, *, seed=0, dtype="float32"):
    """Save a tower of which nothing stays in memory: equal values are one object."""
    recipe = CCLMModelBase(width=16, n_buckets=500)
    pretrainer = MaskedCharacterPretrainer(recipe, tower="pooled", max_epochs=1, random_state=seed)
    pretrainer.fit(TEXTS).tower_.save(path, dtype=dtype)
    del pretrainer
    gc.collect()


def arrays(value):
    """The arrays of a value, as they are kept."""
    kept = value.weights.kept.values()
    return [array.packed if isinstance(array, ByteRows) else array for array in kept]


def held(array):
    """What holds the memory of an array."""
    while isinstance(array, np.ndarray) and array.base is not None:
        array = array.base
    return array.obj if isinstance(array, memoryview) else array


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tower"


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_lie_in_the_file(dtype, path):
    save_tower(path, dtype=dtype)
    tower = load(path)
    for array in [*arrays(tower.base), *arrays(tower)]:
        assert isinstance(held(array), mmap.mmap)
        assert not array.flags.writeable
    kinds = {"float32": np.float32, "float16": np.float16, "int8": np.uint8}
    assert arrays(tower.base)[-1].dtype == kinds[dtype]


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_the_network_sums_the_rows_in_the_file(dtype, path):
    save_tower(path, dtype=dtype)
    base = load(path).base
    table = built(base, torch.device("cpu")).table
    tensor = table.packed if dtype == "int8" else table.weight
    (rows,) = [array for array in arrays(base) if array.ndim == 2]
    assert tensor.data_ptr() == rows.ctypes.data


def test_rows_whose_first_is_not_zero_are_copied_for_the_network(path):
    """Which counts as zeros: but nothing can be written into what is mapped."""
    save_tower(path)
    base = load(path).base
    table = base.weights[ROWS].copy()
    table[0] = 1
    base._with(weights={**base.weights, ROWS: table}).save(path, dtype="int8")
    network = built(load(path), torch.device("cpu"))
    assert not network.table.sum(torch.zeros((1, 3), dtype=torch.int64)).any()
    assert load(path).weights[ROWS][0].all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fate", ["replaced", "gone"])
def test_a_tower_in_use_outlives_its_file(dtype, fate, path):
    save_tower(path, dtype=dtype)
    tower = load(path)
    embedder = ComposedEmbedder([("a", tower)])
    weights, vectors = [array.copy() for array in arrays(tower.base)], embedder.transform(TEXTS)
    if fate == "replaced":
        save_tower(path, seed=1, dtype=dtype)
        assert load(path) != tower
    else:
        shutil.rmtree(path)
    for array, before in zip(arrays(tower.base), weights, strict=True):
        assert_array_equal(array, before)
    assert_array_equal(embedder.transform(TEXTS), vectors)
    tower.save(path, dtype=dtype)
    assert load(path) == tower


def test_where_a_mapped_file_could_not_be_replaced_it_is_read(path, monkeypatch):
    save_tower(path, dtype="int8")
    monkeypatch.setattr(_files, "_MAPS", False)
    tower = load(path)
    assert all(isinstance(held(array), bytes) for array in arrays(tower.base))
    assert ComposedEmbedder([("a", tower)]).transform(TEXTS).shape == (len(TEXTS), 128)


def test_an_empty_file_is_damaged(path):
    save_tower(path)
    (path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ValueError, match="is damaged"):
        load(path)
