"""Recipe and result are different things: all of it in one file (design, section 2)."""

import copy
import pickle
import random
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback
from tiny import apart

from sklearn_cclm import (
    CCLMModelBase,
    ComposedEmbedder,
    ComposedModel,
    MaskedCharacterPretrainer,
    MaskedLanguagePretrainer,
    MLMPreprocessor,
    PooledConfig,
    StridedConfig,
    Tower,
)
from sklearn_cclm.nn import NgramBase
from sklearn_cclm.nn.task import TaskModule

TEXTS = [f"{a} {b}" for a in ("good", "bad", "red", "old") for b in ("film", "dogs", "a long day")]
LABELS = [0, 1, 2] * 4
POOLED = PooledConfig(width=4, hidden=4)
STRIDED = StridedConfig(width=8, downsample_factor=4, n_strided_convs=2, n_layers=1, n_heads=2)


def recipe(**params):
    return CCLMModelBase(width=8, ngram_orders=(2, 3), n_buckets=50, **params)


def chars_recipe(base=None, **params):
    params = {"tower": POOLED, "max_epochs": 1, "batch_size": 8, "random_state": 0, **params}
    return MaskedCharacterPretrainer(recipe() if base is None else base, **params)


def mlm_recipe(base=None, **params):
    return MaskedLanguagePretrainer(
        recipe() if base is None else base,
        tower=STRIDED, preprocessor=MLMPreprocessor(vocab_size=60),
        min_mask_len=1, num_negatives=5, max_epochs=1, batch_size=8, random_state=0, **params,
    )  # fmt: skip


@pytest.fixture(scope="module")
def chars():
    return chars_recipe().fit(TEXTS)


@pytest.fixture(scope="module")
def mlm(chars):
    return mlm_recipe(chars.base_).fit(TEXTS)


@pytest.fixture(scope="module")
def elsewhere():
    return chars_recipe(random_state=1).fit(TEXTS)


@pytest.fixture(scope="module")
def embedder(chars, mlm):
    return ComposedEmbedder([("chars", chars.tower_), ("mlm", mlm.tower_)]).fit(TEXTS)


@pytest.fixture
def base_calls(monkeypatch):
    """The sizes of the batches that bases were run on."""
    calls, forward = [], NgramBase.forward

    def counted(self, ids):
        calls.append(len(ids))
        return forward(self, ids)

    monkeypatch.setattr(NgramBase, "forward", counted)
    return calls


def embed(*towers, **params):
    names = [f"t{i}" for i in range(len(towers))]
    embedder = ComposedEmbedder(list(zip(names, towers, strict=True)), **params)
    return embedder.fit_transform(TEXTS)


# values


@pytest.mark.parametrize("duplicate", [clone, copy.copy, copy.deepcopy])
def test_copying_gives_the_value_itself(chars, duplicate):
    assert duplicate(chars.tower_) is chars.tower_
    assert duplicate(chars.base_) is chars.base_


@pytest.mark.parametrize("name", ["base_", "tower_"])
def test_attributes_cannot_be_set_or_deleted(chars, name):
    value = getattr(chars, name)
    for attribute in ("config", "digest", "anything"):
        with pytest.raises(AttributeError, match="never changes"):
            setattr(value, attribute, None)
    with pytest.raises(AttributeError, match="never changes"):
        del value.weights


@pytest.mark.parametrize("name", ["base_", "tower_"])
def test_weights_and_config_are_read_only(chars, name):
    value = getattr(chars, name)
    for array in value.weights.values():
        assert not array.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    for mapping in (value.weights, value.config):
        with pytest.raises(TypeError):
            mapping["width"] = 1


def test_no_setting_of_a_base_can_be_changed(chars):
    base = chars.base_
    with pytest.raises(TypeError):
        base.reading["max_example_len"] = 4
    assert isinstance(base.config["ngram_orders"], tuple)


def test_training_a_built_network_leaves_the_value(chars):
    before = {name: array.copy() for name, array in chars.tower_.weights.items()}
    module = chars.tower_.build()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(1)
    for name, array in chars.tower_.weights.items():
        assert_array_equal(array, before[name])


def test_values_are_equal_by_digest(chars, elsewhere):
    twin = apart(lambda: pickle.loads(pickle.dumps(chars.tower_)))
    assert twin is not chars.tower_
    assert twin == chars.tower_
    assert hash(twin) == hash(chars.tower_)
    assert chars.tower_ != elsewhere.tower_
    assert chars.base_ != chars.tower_
    assert len({twin, chars.tower_, elsewhere.tower_}) == 2


def test_equal_training_gives_equal_values(chars):
    assert chars_recipe().fit(TEXTS).tower_ == chars.tower_


def test_digest_covers_the_base(chars, elsewhere):
    fields = {name: getattr(chars.tower_, name) for name in ("architecture", "config", "weights")}
    moved = Tower(base=elsewhere.base_, task=chars.tower_.task, **fields)
    assert moved != chars.tower_
    assert Tower(base=chars.base_, task=chars.tower_.task, **fields) == chars.tower_


# pickles


def test_pickled_together_towers_share_their_base(embedder):
    loaded = pickle.loads(pickle.dumps(embedder))
    (_, first), (_, second) = loaded.towers_
    assert first.base is second.base
    assert_array_equal(loaded.transform(TEXTS), embedder.transform(TEXTS))


def test_pickled_apart_towers_still_run_their_base_once(embedder, base_calls):
    towers = [
        (name, apart(lambda tower=tower: pickle.loads(pickle.dumps(tower))))
        for name, tower in embedder.towers_
    ]
    assert towers[0][1].base is not towers[1][1].base
    out = ComposedEmbedder(towers).fit(TEXTS).transform(TEXTS)
    assert base_calls == [len(TEXTS)]
    assert_array_equal(out, embedder.transform(TEXTS))


def test_joblib_maps_the_weights(embedder, tmp_path):
    joblib.dump(embedder, tmp_path / "model.joblib")
    loaded = apart(lambda: joblib.load(tmp_path / "model.joblib", mmap_mode="r"))
    assert all(isinstance(a, np.memmap) for a in loaded.towers_[0][1].weights.values())
    assert_array_equal(loaded.transform(TEXTS), embedder.transform(TEXTS))


def test_fresh_process_gives_the_same(embedder, tmp_path):
    joblib.dump((embedder, TEXTS), tmp_path / "model.joblib")
    script = (
        "import sys, joblib, numpy; "
        f"model, texts = joblib.load({str(tmp_path / 'model.joblib')!r}); "
        f"numpy.save({str(tmp_path / 'out.npy')!r}, model.transform(texts)); "
        "assert 'skorch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert_array_equal(np.load(tmp_path / "out.npy"), embedder.transform(TEXTS))


def test_joblib_hash_is_stable(embedder):
    twin = pickle.loads(pickle.dumps(embedder))
    assert joblib.hash(twin) == joblib.hash(embedder)
    assert joblib.hash(clone(twin)) == joblib.hash(clone(embedder))


# scikit-learn's meta-estimators


def test_clone_of_a_composed_model_keeps_its_towers(embedder):
    cloned = clone(embedder)
    assert not hasattr(cloned, "towers_")
    assert [tower for _, tower in cloned.towers] == [tower for _, tower in embedder.towers]
    assert cloned.towers[0][1] is embedder.towers[0][1]
    assert_array_equal(cloned.fit(TEXTS).transform(TEXTS), embedder.transform(TEXTS))


def test_member_of_a_feature_union(embedder):
    union = FeatureUnion([("tfidf", TfidfVectorizer()), ("cclm", clone(embedder))])
    out = union.fit(TEXTS).transform(TEXTS).toarray()
    assert_allclose(out[:, -12:], embedder.transform(TEXTS), atol=1e-6)
    assert union.get_feature_names_out()[-1] == "cclm__mlm__7"


def test_member_of_a_column_transformer(embedder):
    table = pd.DataFrame({"n": range(len(TEXTS)), "text": TEXTS})
    columns = ColumnTransformer(
        [("cclm", clone(embedder), "text")], remainder="passthrough"
    ).set_output(transform="pandas")
    out = columns.fit_transform(table)
    assert list(out.columns[[0, 12]]) == ["cclm__text__chars__0", "remainder__n"]
    assert_array_equal(out.iloc[:, :12].to_numpy(), embedder.transform(TEXTS))


def test_grid_search_over_all_that_is_composed(chars, mlm, elsewhere):
    pipeline = Pipeline(
        [("cclm", ComposedEmbedder([("chars", chars.tower_), ("mlm", mlm.tower_)])),
         ("clf", LogisticRegression())]
    )  # fmt: skip
    grid = [
        {"cclm__pooling": ["native", "mean+max"], "clf__C": [0.1, 1.0]},
        {"cclm__mlm": ["drop", elsewhere.tower_]},
    ]
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2, error_score="raise")
    search.fit(TEXTS, LABELS)
    widths = [
        clone(pipeline).set_params(**params)[:-1].fit(TEXTS).transform(TEXTS).shape[1]
        for params in search.cv_results_["params"]
    ]
    assert widths == [12, 12, 24, 24, 4, 8]
    assert [name for name, _ in pipeline["cclm"].towers] == ["chars", "mlm"]
    assert pipeline["cclm"].towers[1][1] is mlm.tower_


def test_pipeline_memory_embeds_once_per_fold(embedder, tmp_path):
    pipeline = Pipeline(
        [("cclm", clone(embedder)), ("clf", LogisticRegression())], memory=str(tmp_path)
    )
    grid = {"clf__C": np.logspace(-2, 2, 8)}
    GridSearchCV(pipeline, grid, cv=3, n_jobs=2, refit=False).fit(TEXTS, LABELS)
    assert len(list(tmp_path.rglob("output.pkl"))) == 3


def test_pipeline_memory_hits_after_unpickling(embedder, tmp_path, base_calls):
    pipeline = make_pipeline(clone(embedder), LogisticRegression(), memory=str(tmp_path))
    pipeline.fit(TEXTS, LABELS)
    pickle.loads(pickle.dumps(pipeline)).fit(TEXTS, LABELS)
    assert base_calls == [len(TEXTS)]


# bases


def test_second_task_leaves_the_base_and_the_first_tower(chars):
    digest, before = chars.base_.digest, embed(chars.tower_)
    second = mlm_recipe(chars.base_).fit(TEXTS)
    assert second.base_ is chars.base_
    assert second.tower_.base is chars.base_
    assert chars.base_.digest == digest
    assert_array_equal(embed(chars.tower_), before)


def test_training_a_recipe_makes_a_new_base(chars):
    start = recipe(random_state=0).fit(TEXTS).base_
    assert chars_recipe(recipe(random_state=0)).fit(TEXTS).base_ != start


def test_composing_changes_no_part(chars, mlm):
    parts = [chars.tower_, mlm.tower_]
    digests, states = [part.digest for part in parts], [joblib.hash(part) for part in parts]
    embed(*parts, pooling="max", tower_weights={"t0": 2.0})
    ComposedModel([("a", parts[0]), ("b", parts[1])]).fit(TEXTS).transform(TEXTS)
    assert [part.digest for part in parts] == digests
    assert [joblib.hash(part) for part in parts] == states


def test_towers_on_different_bases_mix(chars, elsewhere):
    both = embed(chars.tower_, elsewhere.tower_)
    assert_array_equal(both, np.hstack([embed(chars.tower_), embed(elsewhere.tower_)]))


def test_towers_on_one_base_run_it_once_a_batch(chars, mlm, elsewhere, base_calls):
    embed(chars.tower_, mlm.tower_, batch_chars=40)
    one_base, one_tower = len(base_calls), []
    base_calls.clear()
    embed(chars.tower_, batch_chars=40)
    one_tower = len(base_calls)
    base_calls.clear()
    embed(chars.tower_, mlm.tower_, elsewhere.tower_, batch_chars=40)
    assert one_base == one_tower > 1
    assert len(base_calls) == 2 * one_base


# what may be composed


def test_pretrainers_are_trained_and_searched_within_fit():
    pipeline = Pipeline(
        [("cclm", ComposedEmbedder([("mlm", mlm_recipe())], fit_towers=True)),
         ("clf", LogisticRegression())]
    )  # fmt: skip
    grid = {"cclm__mlm__max_epochs": [1, 2]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2, error_score="raise")
    search.fit(TEXTS, LABELS)
    assert [p["cclm__mlm__max_epochs"] for p in search.cv_results_["params"]] == [1, 2]
    assert isinstance(search.best_estimator_["cclm"].towers_[0][1], Tower)
    assert not hasattr(pipeline["cclm"].towers[0][1], "tower_")


def test_inner_epochs_reach_the_training():
    def digest(epochs):
        model = ComposedEmbedder([("mlm", mlm_recipe())], fit_towers=True)
        return model.set_params(mlm__max_epochs=epochs).fit(TEXTS).towers_[0][1].digest

    assert digest(1) == digest(1) != digest(2)


def test_equal_recipes_share_a_base():
    towers = [("a", chars_recipe()), ("b", mlm_recipe()), ("c", chars_recipe(recipe(n_blocks=1)))]
    model = ComposedEmbedder(towers, fit_towers=True).fit(TEXTS)
    first, second, third = (tower.base for _, tower in model.towers_)
    assert first is second
    assert first != third
    assert first == chars_recipe().fit(TEXTS).base_


def test_pretrainers_that_fit_trains_stay_unfitted():
    towers = [("a", chars_recipe()), ("b", chars_recipe(random_state=3))]
    ComposedEmbedder(towers, fit_towers=True).fit(TEXTS)
    assert all(not hasattr(entry, "tower_") for _, entry in towers)
    assert all(isinstance(entry.base, CCLMModelBase) for _, entry in towers)


def test_unfitted_pretrainer_without_the_flag_is_refused():
    with pytest.raises(ValueError, match=r"'mlm' is a MaskedLanguage.*tower_.*fit_towers=True"):
        ComposedEmbedder([("mlm", mlm_recipe())]).fit(TEXTS)


def test_fitted_pretrainer_is_refused(chars):
    with pytest.raises(ValueError, match=r"clone would strip.*Pass its tower_"):
        ComposedEmbedder([("chars", chars)]).fit(TEXTS)


def test_frozen_pretrainer_stands_for_its_tower(chars):
    model = ComposedEmbedder([("chars", FrozenEstimator(chars))])
    assert clone(model).fit(TEXTS).towers_ == [("chars", chars.tower_)]


def test_frozen_unfitted_pretrainer_is_refused():
    with pytest.raises(ValueError, match="fit it before freezing it"):
        ComposedEmbedder([("chars", FrozenEstimator(chars_recipe()))]).fit(TEXTS)


@pytest.mark.parametrize("entry", [None, 3, b"drop", Tower, PooledConfig()])
def test_other_entries_are_refused(entry, chars):
    with pytest.raises(TypeError, match="Tower 'odd' must be a Tower"):
        ComposedEmbedder([("chars", chars.tower_), ("odd", entry)]).fit(TEXTS)


# parameters


def test_dropped_tower_leaves_the_rest(chars, mlm, embedder):
    model = clone(embedder).set_params(mlm="drop").fit(TEXTS)
    assert model.towers_ == [("chars", chars.tower_)]
    assert model.towers == [("chars", chars.tower_), ("mlm", "drop")]
    assert_array_equal(model.transform(TEXTS), embed(chars.tower_))
    assert embedder.towers[1][1] is mlm.tower_


def test_dropping_every_tower_is_refused(embedder):
    with pytest.raises(ValueError, match="keep at least one"):
        clone(embedder).set_params(mlm="drop", chars="drop").fit(TEXTS)


def test_inner_parameters_can_be_set_and_read():
    model = ComposedEmbedder([("mlm", mlm_recipe())], fit_towers=True)
    model.set_params(mlm__max_epochs=3, mlm__base__width=16, pooling="max")
    params = model.get_params()
    assert params["mlm__max_epochs"] == params["mlm"].max_epochs == 3
    assert params["mlm__base__width"] == 16
    assert params["pooling"] == "max"


def test_parameters_make_the_round_trip(embedder):
    params = embedder.get_params(deep=False)
    twin = ComposedEmbedder(**params)
    assert twin.get_params() == embedder.get_params()
    assert twin.set_params(**embedder.get_params()).get_params() == embedder.get_params()


def test_towers_and_name_can_be_set_at_once(embedder, chars, elsewhere):
    model = clone(embedder).set_params(towers=[("new", chars.tower_)], new=elsewhere.tower_)
    assert model.towers == [("new", elsewhere.tower_)]


def test_unknown_parameter_is_refused(embedder):
    with pytest.raises(ValueError, match="Invalid parameter 'ner'"):
        clone(embedder).set_params(ner="drop")


def test_parameter_and_result_are_never_the_same_list(chars):
    towers = [("chars", chars.tower_)]
    model = ComposedEmbedder(towers).fit(TEXTS)
    assert model.towers is towers
    assert model.towers_ == towers
    assert model.towers_ is not towers
    towers.append(("late", "drop"))
    assert len(model.towers_) == 1


def test_tower_weights_multiply(chars, mlm):
    plain = embed(chars.tower_, mlm.tower_)
    weighted = embed(chars.tower_, mlm.tower_, tower_weights={"t1": 3})
    assert_array_equal(weighted[:, :4], plain[:, :4])
    assert_allclose(weighted[:, 4:], 3 * plain[:, 4:], rtol=1e-6)


@pytest.mark.parametrize(
    ("weights", "message"),
    [({"t9": 1.0}, "names \\['t9'\\]"), ({"t0": "2"}, "a number"), ({"t0": np.inf}, "a number")],
)
def test_wrong_tower_weights_are_refused(chars, weights, message):
    with pytest.raises(ValueError, match=message):
        embed(chars.tower_, tower_weights=weights)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "a"], "must differ"),
        (["a__b"], "without '__'"),
        (["pooling"], "no parameter of"),
        ([3], "must be a string"),
    ],
)
def test_wrong_names_are_refused(chars, names, message):
    with pytest.raises(ValueError, match=message):
        ComposedEmbedder([(name, chars.tower_) for name in names]).fit(TEXTS)


@pytest.mark.parametrize("towers", [[], "mlm", [1, 2], {"a": 1}])
def test_towers_that_are_no_pairs_are_refused(towers):
    with pytest.raises(ValueError, match="list of \\(name, tower\\) pairs"):
        ComposedEmbedder(towers).fit(TEXTS)


# training that fails


class Interrupt(Callback):
    def on_batch_end(self, net, **params):
        raise KeyboardInterrupt


class Spoil(Callback):
    def on_batch_begin(self, net, **params):
        with torch.no_grad():
            next(net.module_.tower.parameters()).fill_(torch.nan)


@pytest.mark.parametrize(
    ("callback", "error"), [(Interrupt, KeyboardInterrupt), (Spoil, FloatingPointError)]
)
def test_failed_training_leaves_nothing_half_done(callback, error, chars):
    unfitted = chars_recipe(callbacks=[callback()])
    with pytest.raises(error):
        unfitted.fit(TEXTS)
    with pytest.raises(NotFittedError):
        check_is_fitted(unfitted)
    fitted, before = clone(chars).fit(TEXTS), chars.tower_
    with pytest.raises(error):
        fitted.set_params(callbacks=[callback()], random_state=7).fit(TEXTS)
    assert fitted.tower_ == before


def test_interrupt_while_held_out_texts_are_read_is_no_early_stop(monkeypatch):
    def evaluate(self, batches, device):
        raise KeyboardInterrupt

    monkeypatch.setattr(TaskModule, "evaluate", evaluate)
    with pytest.raises(KeyboardInterrupt):
        chars_recipe(max_epochs=2).fit(TEXTS)


def test_failed_tower_leaves_the_composed_model_unfitted(chars):
    broken = chars_recipe(callbacks=[Spoil()])
    model = ComposedEmbedder([("a", chars.tower_), ("b", broken)], fit_towers=True)
    with pytest.raises(FloatingPointError):
        model.fit(TEXTS)
    with pytest.raises(NotFittedError):
        check_is_fitted(model)


# randomness


def test_global_generators_are_untouched():
    def states():
        numpy_state = repr(np.random.get_state(legacy=False))  # noqa: NPY002
        return random.getstate(), numpy_state, torch.get_rng_state().tolist()

    before = states()
    towers = [("a", chars_recipe(random_state=None)), ("b", mlm_recipe())]
    model = ComposedEmbedder(towers, fit_towers=True).fit(TEXTS)
    pickle.loads(pickle.dumps(model)).transform(TEXTS)
    chars_recipe().fit(TEXTS).score(TEXTS)
    assert states() == before
