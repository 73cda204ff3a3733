"""Equal values are one object; their weights can be rounded in memory."""

import copy
import gc
import inspect
import pickle
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from tiny import apart

from sklearn_cclm import (
    Base,
    CCLMModelBase,
    ComposedEmbedder,
    MaskedCharacterPretrainer,
    PooledConfig,
    StridedConfig,
    Tower,
    load,
)
from sklearn_cclm._persistence._rows import ByteRows

TEXTS = ["good film", "bad film", "good book", "bad book"] * 3
CONFIGS = {
    "pooled": PooledConfig(width=8, hidden=8),
    "strided": StridedConfig(
        width=8, downsample_factor=4, n_strided_convs=2, n_layers=1, n_heads=2
    ),
}


def trained(config, base=None, seed=0):
    recipe = CCLMModelBase(width=16, n_buckets=500) if base is None else base
    pretrainer = MaskedCharacterPretrainer(recipe, tower=config, max_epochs=1, random_state=seed)
    return pretrainer.fit(TEXTS).tower_


@pytest.fixture(scope="module")
def towers():
    pooled = trained(CONFIGS["pooled"])
    return {"pooled": pooled, "strided": trained(CONFIGS["strided"], pooled.base)}


@pytest.fixture
def tower(towers):
    return towers["pooled"]


# one object


WAYS = {
    "unpickled": lambda tower, folder: pickle.loads(pickle.dumps(tower)),
    "joblib": lambda tower, folder: joblib.load(joblib.dump(tower, folder / "x")[0]),
    "loaded": lambda tower, folder: tower.save(folder / "x") or load(folder / "x"),
    "made again": lambda tower, folder: tower._with(),
    "copied": lambda tower, folder: copy.copy(tower),
    "deeply": lambda tower, folder: copy.deepcopy({"a": [tower]})["a"][0],
    "cloned": lambda tower, folder: clone(ComposedEmbedder([("a", tower)])).towers[0][1],
}


@pytest.mark.parametrize("way", WAYS)
def test_equal_values_are_one_object(tower, way, tmp_path):
    assert WAYS[way](tower, tmp_path) is tower
    assert WAYS[way](tower.base, tmp_path) is tower.base if way != "cloned" else True


def test_towers_that_were_pickled_apart_share_their_base(towers):
    pickles = list(map(pickle.dumps, towers.values()))
    together = apart(lambda: list(map(pickle.loads, pickles)))
    assert together[0].base is together[1].base
    table = together[0].base.weights["table.weight"]
    assert len(pickle.dumps(together)) < sum(map(len, pickles)) - table.nbytes


def test_values_go_when_nobody_uses_them():
    tower = trained(CONFIGS["pooled"], seed=7)
    gone = [weakref.ref(tower), weakref.ref(tower.base)]
    content, digest = pickle.dumps(tower), tower.digest
    del tower
    gc.collect()
    assert [ref() for ref in gone] == [None, None]
    assert pickle.loads(content).digest == digest


def test_threads_get_one_object(tower):
    content, start = pickle.dumps(tower), threading.Barrier(8)

    def work(_):
        start.wait()
        return [pickle.loads(content) for _ in range(20)]

    def all_found():
        with ThreadPoolExecutor(8) as pool:
            return [value for found in pool.map(work, range(8)) for value in found]

    found = apart(all_found)
    assert len(found) == 160
    assert len({id(value) for value in found}) == len({id(value.base) for value in found}) == 1
    assert found[0] is not tower


def test_other_values_are_other_objects(tower):
    changed = tower._with(weights={name: array + 1 for name, array in tower.weights.items()})
    assert changed is not tower
    assert changed.base is tower.base
    assert tower.base != tower


@pytest.mark.parametrize("kind", [Base, Tower])
def test_signatures_name_the_fields(kind):
    given = inspect.signature(kind)
    assert {"architecture", "config", "weights"} <= given.parameters.keys()
    assert "self" not in given.parameters


# rounded


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
@pytest.mark.parametrize("kind", CONFIGS)
def test_rounded_in_memory_is_what_is_saved_and_loaded(towers, kind, dtype, tmp_path):
    tower = towers[kind]
    tower.save(tmp_path / "saved", dtype=dtype)
    loaded = apart(lambda: load(tmp_path / "saved"))
    rounded = tower.astype(dtype)
    assert rounded.digest == loaded.digest
    assert rounded.base.digest == loaded.base.digest
    assert rounded.base is tower.base.astype(dtype)
    for one, other in ((rounded, loaded), (rounded.base, loaded.base)):
        for name in one.weights:
            assert type(one.weights.kept[name]) is type(other.weights.kept[name])
            assert_array_equal(one.weights[name], other.weights[name])


def test_float32_rounds_nothing(tower):
    assert tower.astype("float32") is tower
    small = tower.astype("int8")
    assert small.astype("float32") is small.astype("int8") is small


def test_rounded_is_kept_in_fewer_bytes(tower):
    table = tower.base.weights["table.weight"]
    small = tower.base.astype("int8").weights.kept["table.weight"]
    assert isinstance(small, ByteRows)
    assert small.packed.nbytes == table.size + 8 * len(table)
    assert tower.base.astype("float16").weights.kept["table.weight"].nbytes == table.nbytes / 2
    step = np.abs(table).max(axis=1, keepdims=True) / 253
    assert (np.abs(small.dense() - table) <= step).all()


def test_rounding_leaves_the_tower(tower):
    before = {name: array.copy() for name, array in tower.weights.items()}
    digest = tower.digest
    assert tower.astype("int8").digest != digest
    for name, array in before.items():
        assert_array_equal(tower.weights[name], array)


def test_what_cannot_be_rounded_says_so(tower):
    with pytest.raises(ValueError, match=r"dtype='int4' must be one of \('float32', 'float16'"):
        tower.astype("int4")
    large = tower._with(weights={name: array + 1e6 for name, array in tower.weights.items()})
    with pytest.raises(ValueError, match="too large for float16"):
        large.astype("float16")
