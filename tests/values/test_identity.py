"""Equal values and equal fits are one thing to what caches by joblib's or `datasets`' hash."""

import pickle

import cloudpickle
import dill
import joblib
import numpy as np
import pytest
from datasets.fingerprint import Hasher
from datasets.utils._dill import dumps
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from tiny import apart, tiny

from sklearn_cclm import (
    CCLMModelBase,
    ComposedEmbedder,
    MaskedCharacterPretrainer,
    PooledConfig,
    load,
)
from sklearn_cclm.utils.discovery import all_estimators

TEXTS = ["good film", "bad film", "good book", "bad book"] * 5
LABELS = [0, 1, 0, 1] * 5
HASHES = [joblib.hash, Hasher.hash]


@pytest.fixture(scope="module")
def pretrainer():
    """One whose weights are large enough for loky to memory-map them."""
    tower = PooledConfig(width=16, hidden=16)
    recipe = CCLMModelBase(width=16, n_buckets=20_000)
    return MaskedCharacterPretrainer(recipe, tower=tower, max_epochs=1, random_state=0).fit(TEXTS)


@pytest.fixture(scope="module")
def tower(pretrainer):
    return pretrainer.tower_


def mapped(thing, folder):
    return joblib.load(joblib.dump(thing, folder / "thing")[0], mmap_mode="r")


def in_columns(tower, folder):
    return tower._with(weights={k: np.asfortranarray(w) for k, w in tower.weights.items()})


TWINS = {
    "unpickled": lambda tower, folder: pickle.loads(pickle.dumps(tower)),
    "mapped": mapped,
    "made again": lambda tower, folder: tower._with(base=tower.base._with()),
    "in columns": in_columns,
    "saved": lambda tower, folder: tower.save(folder / "saved") or load(folder / "saved"),
}


@pytest.mark.parametrize("hashed", HASHES)
@pytest.mark.parametrize("kind", TWINS)
def test_equal_values_hash_equal(tower, kind, hashed, tmp_path):
    twin = apart(lambda: TWINS[kind](tower, tmp_path))
    assert twin is not tower
    assert hashed(twin) == hashed(tower)
    assert hashed([twin.base]) == hashed([tower.base])
    assert hashed(ComposedEmbedder([("a", twin)])) == hashed(ComposedEmbedder([("a", tower)]))


@pytest.mark.parametrize("hashed", HASHES)
def test_other_values_hash_otherwise(tower, hashed):
    others = [
        tower.base,
        tower._with(task="another"),
        tower._with(weights={k: w + 1 for k, w in tower.weights.items()}),
    ]
    assert len({hashed(value) for value in [tower, *others]}) == 4


def test_hashing_reads_no_weights(tower):
    class Counting:
        n_bytes = 0

        def update(self, read):
            self.n_bytes += memoryview(read).nbytes

    hasher = joblib.hashing.NumpyHasher()
    hasher._hash = Counting()
    hasher.hash(tower, return_digest=False)
    assert hasher._hash.n_bytes < 1000
    assert len(dumps(tower)) < 1000


@pytest.mark.parametrize("library", [pickle, dill, cloudpickle])
def test_pickles_carry_the_weights(tower, library):
    assert joblib.hash(tower)  # hashing has no say in it
    assert Hasher.hash(tower)
    twin = apart(lambda: library.loads(library.dumps(tower)))
    for name, weights in tower.weights.items():
        np.testing.assert_array_equal(twin.weights[name], weights)
        assert not twin.weights[name].flags.writeable


@pytest.mark.parametrize(("name", "cls"), all_estimators())
def test_equal_fits_hash_equal(name, cls, tmp_path):
    def fit():
        estimator = tiny(name, cls)
        if "random_state" in estimator.get_params():
            estimator.set_params(random_state=0)
        return estimator.fit(TEXTS, LABELS)

    one = fit()
    for hashed in HASHES:
        assert hashed(fit()) == hashed(one)
        assert hashed(apart(lambda: mapped(one, tmp_path))) == hashed(one)
        assert hashed(apart(lambda: pickle.loads(pickle.dumps(one)))) == hashed(one)


@pytest.mark.parametrize("hashed", HASHES)
def test_partial_fits_hash_equal(hashed):
    def fit():
        return tiny("MaskedCharacterPretrainer", MaskedCharacterPretrainer).set_params(
            random_state=0
        )

    assert hashed(fit().partial_fit(TEXTS)) == hashed(fit().partial_fit(TEXTS))
    assert hashed(fit().partial_fit(TEXTS)) != hashed(fit().partial_fit(TEXTS[::-1]))


def test_seconds_are_kept_and_losses_count(pretrainer):
    twin = pickle.loads(pickle.dumps(pretrainer))
    assert twin.history_ == pretrainer.history_
    assert twin.history_[0]["dur"] > 0
    for hashed in HASHES:
        before = hashed(twin)
        twin.history_[0]["dur"] += 1
        assert hashed(twin) == before
        twin.history_[0]["train_loss"] += 1
        assert hashed(twin) != before
        twin.history_[0]["train_loss"] -= 1


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("frozen", [False, True])
def test_pipeline_memory_hits_whatever_n_jobs_is(pretrainer, frozen, tmp_path):
    entry = FrozenEstimator(pretrainer) if frozen else pretrainer.tower_
    pipeline = make_pipeline(
        ComposedEmbedder([("a", entry)]), LogisticRegression(), memory=str(tmp_path)
    )
    for n_jobs in (1, 2):
        cross_validate(pipeline, TEXTS, LABELS, cv=3, n_jobs=n_jobs, error_score="raise")
        assert len(list(tmp_path.rglob("output.pkl"))) == 3
