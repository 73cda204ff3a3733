"""Names on the shelf are towers wherever a tower is expected."""

import gc
import pickle
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_cclm import (
    CCLMModelBase,
    ComposedEmbedder,
    ComposedModel,
    DistillationPretrainer,
    MaskedCharacterPretrainer,
    MultiTaskPretrainer,
    PooledConfig,
    Shelf,
)
from sklearn_cclm.shelf import ShelfError, _names
from sklearn_cclm.values._value import Value

POOLED = PooledConfig(width=4, hidden=4)


def pretrainer(base=None, **params):
    params = {"tower": POOLED, "max_epochs": 1, "batch_size": 8, "random_state": 0, **params}
    return MaskedCharacterPretrainer(base, **params)


@pytest.mark.parametrize("composed", [ComposedEmbedder, ComposedModel])
def test_name_is_a_tower(default, tower, newer, composed, texts):
    revision = default.verify()[1].revision
    model = composed([("sem", "tiny"), ("old", f"tiny@{revision}"), ("own", tower)]).fit(texts)
    assert model.towers[0] == ("sem", "tiny")
    assert model.towers_ == [("sem", newer), ("old", tower), ("own", tower)]
    expected = composed([("sem", newer), ("old", tower), ("own", tower)]).fit(texts)
    assert_array_equal(model.transform(texts), expected.transform(texts))


def test_copies_keep_the_name(default, newer, texts):
    model = ComposedEmbedder([("sem", "tiny")]).fit(texts)
    copy = clone(model)
    assert copy.towers == [("sem", "tiny")]
    assert not hasattr(copy, "towers_")
    assert copy.fit(texts).towers_ == [("sem", newer)]
    assert copy.get_params()["sem"] == "tiny"
    loaded = pickle.loads(pickle.dumps(model))
    assert_array_equal(loaded.transform(texts), model.transform(texts))


def test_fitted_model_needs_the_shelf_no_more(default, texts, monkeypatch):
    model = ComposedEmbedder([("sem", "tiny")]).fit(texts)
    monkeypatch.delenv("SKLEARN_CCLM_SHELF")
    assert model.transform(texts).shape == (len(texts), 4)


def test_names_can_be_searched(default, tower, texts):
    revision = default.verify()[1].revision
    embedder = ComposedEmbedder([("sem", "tiny"), ("own", tower)])
    grid = {
        "composedembedder__sem": ["tiny", f"tiny@{revision}", "drop", tower],
        "logisticregression__C": [1, 10],
    }
    pipeline = make_pipeline(embedder, LogisticRegression())
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise")
    search.fit(texts, [1, 0, 1, 0] * 3)
    assert len(search.cv_results_["params"]) == 8


@pytest.mark.parametrize("entry", ["dropped", "tinny", "tiny@" + "0" * 12])
def test_unknown_name_says_what_there_is(default, tower, texts, entry):
    with pytest.raises(ShelfError, match="on the shelf .*, which has"):
        ComposedEmbedder([("own", tower), ("odd", entry)]).fit(texts)


def test_wrong_name_is_told_before_anything_is_trained(default, texts, monkeypatch):
    trained = []
    monkeypatch.setattr(MaskedCharacterPretrainer, "fit", lambda self, *args: trained.append(self))
    with pytest.raises(ShelfError, match="'tinny' is not on the shelf"):
        ComposedEmbedder([("own", pretrainer()), ("sem", "tinny")], fit_towers=True).fit(texts)
    assert trained == []


def test_base_is_no_tower(default, texts):
    with pytest.raises(ShelfError, match=r"'tiny-base' on the shelf is a base.*one of \['tiny'\]"):
        ComposedEmbedder([("odd", "tiny-base")]).fit(texts)
    with pytest.raises(ShelfError, match="a tower is needed"):
        pretrainer(init_from="tiny-base").fit(texts)


@pytest.mark.parametrize("name", ["tiny-base", "tiny"])
def test_pretrainer_stands_on_a_named_base(default, base, texts, name):
    model = pretrainer(name).fit(texts)
    assert model.base == clone(model).base == name
    assert model.base_ == base  # it stays as it is
    more = model.set_params(warm_start=True).fit(texts)
    assert more.base_ == base
    assert more.n_iter_ == 2


def test_pretrainer_begins_with_a_named_tower(default, newer, texts):
    named = pretrainer(init_from="tiny").fit(texts)
    assert named.init_from == "tiny"
    assert named.tower_ == pretrainer(init_from=newer).fit(texts).tower_
    assert named.tower_ != newer
    with pytest.raises(ShelfError, match="is not on the shelf"):
        pretrainer(init_from="tinny").fit(texts)


def test_named_base_is_trained_within_a_composition(default, base, texts):
    embedder = ComposedEmbedder([("own", pretrainer("tiny-base"))], fit_towers=True).fit(texts)
    assert embedder.towers_[0][1].base == base


def test_named_tower_teaches(default, newer, texts):
    params = {"tower": "pooled", "max_epochs": 1, "random_state": 0}
    recipe = CCLMModelBase(width=8, ngram_orders=(2,), n_buckets=50)
    named = DistillationPretrainer(recipe, teacher="tiny", **params).fit(texts)
    given = DistillationPretrainer(recipe, teacher=newer, **params).fit(texts)
    assert named.teacher == "tiny"
    assert named.tower_ == given.tower_
    assert named.score(texts) == given.score(texts)
    both = [("a", DistillationPretrainer(teacher="tiny")), ("b", pretrainer())]
    joint = MultiTaskPretrainer(both, max_epochs=1, random_state=0).fit(texts)
    assert np.isfinite(joint.score(texts))
    with pytest.raises(ShelfError, match="'teacher' is not on the shelf"):
        DistillationPretrainer(recipe, teacher="teacher", **params).fit(texts)


def test_tasks_share_a_named_base(default, base, texts):
    tasks = [("one", pretrainer()), ("two", pretrainer(mask_rate=0.3))]
    model = MultiTaskPretrainer(tasks, base="tiny-base", max_epochs=1, random_state=0).fit(texts)
    assert model.base == "tiny-base"
    assert {tower.base for _, tower in model.towers_} == {base}


def test_tasks_begin_with_named_towers(default, newer, texts):
    def fitted(tower):
        tasks = [("one", pretrainer()), ("two", pretrainer(mask_rate=0.3))]
        model = MultiTaskPretrainer(
            tasks, init_from={"one": tower}, max_epochs=1, random_state=0
        ).fit(texts)
        assert model.init_from == {"one": tower}
        return model

    assert fitted("tiny").towers_ == fitted(newer).towers_
    with pytest.raises(ShelfError, match="is not on the shelf"):
        fitted("tinny")


@pytest.fixture
def loads(monkeypatch):
    """The names that are loaded from now on."""
    _names._fetched.cache_clear()
    found, fetch = [], Shelf.fetch
    monkeypatch.setattr(Shelf, "fetch", lambda *args: found.append(args[1]) or fetch(*args))
    return found


@pytest.fixture
def fresh(default, newer, said):
    """What the index says of a tower of which nothing is in memory."""
    weights = {name: array * np.float32(2) for name, array in newer.base.weights.items()}
    entry = default.publish(newer._with(base=newer.base._with(weights=weights)), "fresh", **said)
    gc.collect()
    return entry


@pytest.fixture
def builds(monkeypatch):
    """The digests of values whose networks are built from now on."""
    found, network = [], Value._network
    monkeypatch.setattr(Value, "_network", lambda self: found.append(self.digest) or network(self))
    return found


def test_a_name_is_loaded_once(default, texts, loads):
    first = ComposedEmbedder([("one", "tiny")]).fit(texts).towers_[0][1]
    second = ComposedEmbedder([("two", "tiny")]).fit(texts).towers_[0][1]
    assert second is first
    assert len(loads) == 1
    pinned = ComposedEmbedder([("old", f"tiny@{oldest(default)}")]).fit(texts).towers_[0][1]
    assert pinned != first
    assert len(loads) == 2


def test_a_search_loads_and_builds_once(fresh, texts, loads, builds):
    embedder = ComposedEmbedder([("sem", "fresh")])
    pipeline = make_pipeline(embedder, LogisticRegression())
    grid = {"composedembedder__pooling": ["native", "mean"], "logisticregression__C": [1, 10]}
    GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(texts, [1, 0, 1, 0] * 3)
    assert len(loads) == 1
    assert sorted(builds) == sorted([fresh.digest, fresh.base])


def test_threads_load_and_build_once(fresh, texts, loads, builds):
    start = threading.Barrier(8)

    def work(_):
        start.wait()
        return ComposedEmbedder([("sem", "fresh")]).transform(texts)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(8)))
    for vectors in found:
        assert_array_equal(vectors, found[0])
    assert len(loads) == 1
    assert sorted(builds) == sorted([fresh.digest, fresh.base])


def test_a_republished_name_is_noticed_before_any_fit(default, newer, texts, said, loads):
    embedder = ComposedEmbedder([("sem", "tiny")])
    before = embedder.transform(texts)
    assert_array_equal(before, ComposedEmbedder([("sem", newer)]).transform(texts))
    third = newer._with(weights={name: -array for name, array in newer.weights.items()})
    default.publish(third, "tiny", **said)
    after = embedder.transform(texts)
    assert_array_equal(after, ComposedEmbedder([("sem", third)]).transform(texts))
    assert (after != before).any()
    assert len(loads) == 2


def test_few_names_are_kept(default, base, said, loads):
    for seed in range(12):
        weights = {name: array + np.float32(seed + 1) for name, array in base.weights.items()}
        default.publish(base._with(weights=weights), f"base-{seed}", **said)
    found = [weakref.ref(_names.resolve(f"base-{seed}", "base")) for seed in range(12)]
    gc.collect()
    assert [ref() is not None for ref in found] == [False] * 4 + [True] * 8
    assert len(loads) == 12


def oldest(shelf):
    return next(entry for entry in shelf.verify() if entry.name == "tiny").revision
