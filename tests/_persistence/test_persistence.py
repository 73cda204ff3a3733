"""Save and load: the same component again, in the same bytes, in any process."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from safetensors.numpy import load_file
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from sklearn_cclm import (
    Base,
    CCLMModelBase,
    CharPreprocessor,
    ComposedEmbedder,
    MaskedCharacterPretrainer,
    MLMPreprocessor,
    ModelFormatError,
    PooledConfig,
    Tower,
    load,
    save,
)
from sklearn_cclm._persistence import _artefact, artefact_sha256
from sklearn_cclm._persistence._weights import decode, encode

RECORDED = sorted(Path(__file__).parent.glob("v[0-9]*"))


def script():
    """The script that made recorded artefacts."""
    spec = spec_from_file_location("recorded", Path(__file__).with_name("recorded.py"))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE = script()
TEXTS = MAKE.TEXTS
KINDS = sorted(MAKE.components())


@pytest.fixture(scope="module")
def components():
    return MAKE.components()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "saved"


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def chars_recipe(base, **params):
    config = PooledConfig(width=4, hidden=4)
    return MaskedCharacterPretrainer(base, tower=config, max_epochs=1, random_state=0, **params)


# round trips


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_loaded_computes_the_same(components, kind, path):
    component = components[kind]
    save(component, path)
    loaded = load(path)
    assert type(loaded) is type(component)
    assert MAKE.given(loaded) == MAKE.given(component)


@pytest.mark.parametrize("kind", KINDS)
def test_methods_are_the_functions(components, kind, path):
    component = components[kind]
    component.save(path, dtype="float16")
    loaded = type(component).load(path, sha256=artefact_sha256(path))
    loaded.save(path.with_name("again"), dtype="float16")
    assert content(path) == content(path.with_name("again"))


def test_what_would_be_too_large_to_load_is_not_saved(components, path, monkeypatch):
    monkeypatch.setattr(_artefact, "_MAX_WEIGHTS", 10)
    with pytest.raises(ValueError, match="would have .* bytes, and at most 10 can be loaded"):
        components["tower"].save(path)
    assert not path.exists()


@pytest.mark.parametrize("kind", ["base", "tower"])
def test_a_value_is_equal_to_what_is_loaded(components, kind, path):
    components[kind].save(path)
    assert load(path) == components[kind]


@pytest.mark.parametrize("cls", [CharPreprocessor, MLMPreprocessor])
def test_unfitted_preprocessors_keep_their_parameters(cls, path):
    preprocessor = cls(max_example_len=7, normalization="NFC", add_cls=True, column="text")
    preprocessor.save(path)
    assert load(path).get_params() == preprocessor.get_params()
    assert not hasattr(load(path), "vocabulary_")


def test_a_vocabulary_without_tokens(path):
    MLMPreprocessor.from_vocabulary("ab").save(path)
    assert load(path).vocabulary_ == "ab"
    assert not hasattr(load(path), "tokenizer_")


@pytest.mark.parametrize("vocabulary", ["\ud800\udc00", "\U00010000\udc00\0\ufeff", ""])
def test_characters_that_json_does_not_tell_apart(vocabulary, path):
    CharPreprocessor.from_vocabulary(vocabulary).save(path)
    assert load(path).vocabulary_ == vocabulary


def test_numbers_of_numpy_are_stored_as_numbers(path):
    CharPreprocessor(np.int64(9), add_cls=np.bool_(True)).save(path)
    assert load(path).get_params() == CharPreprocessor(9, add_cls=True).get_params()


def test_unfitted_compositions_keep_their_parameters(components, path):
    towers = [("a", components["tower"]), ("b", "drop"), ("c", "some@0123456789ab")]
    embedder = ComposedEmbedder(
        towers, lexical=True, pooling="mean+max", tower_weights={"a": np.float64(0.1)}
    )
    embedder.save(path)
    assert load(path).get_params() == embedder.get_params()
    assert not hasattr(load(path), "towers_")


def test_fitted_compositions_go_on(components, path):
    embedder = components["embedder"]
    embedder.save(path)
    loaded = load(path)
    assert loaded.towers_ == embedder.towers_
    assert loaded.get_feature_names_out().tolist() == embedder.get_feature_names_out().tolist()
    assert_array_equal(clone(loaded).fit_transform(TEXTS), embedder.transform(TEXTS))
    loaded.set_params(pooled="drop", tower_weights=None).fit(TEXTS).save(path)
    assert [name for name, _ in load(path).towers_] == ["strided", "conv"]


def test_a_trained_tower_is_a_tower_when_it_is_loaded(components, path):
    pretrainer = chars_recipe(components["base"])
    entries = [("trained", pretrainer), ("frozen", FrozenEstimator(clone(pretrainer).fit(TEXTS)))]
    embedder = ComposedEmbedder(entries, fit_towers=True)
    message = "'trained' is a MaskedCharacterPretrainer.*saves the tower that it trained"
    with pytest.raises(TypeError, match=message):
        embedder.save(path)
    embedder.fit(TEXTS).save(path)
    loaded = load(path)
    assert dict(loaded.towers) == dict(embedder.towers_)
    assert_array_equal(loaded.transform(TEXTS), embedder.transform(TEXTS))


def test_each_base_is_stored_once(components, path):
    components["embedder"].save(path)
    tables = [name for name in load_file(path / "model.safetensors") if "table" in name]
    bases = [part for part in json.loads((path / "config.json").read_text())["parts"]
             if part["cls"] == "Base"]  # fmt: skip
    assert len(tables) == len(bases) == 1
    loaded = load(path)
    assert len({id(tower.base) for _, tower in loaded.towers_}) == 1


# what cannot be saved


def test_text_transformers_need_joblib(components, path):
    entries = [("a", components["tower"]), ("tfidf", TfidfVectorizer())]
    for model in (
        ComposedEmbedder(entries),
        ComposedEmbedder(entries).fit(TEXTS),
        ComposedEmbedder(entries[:1], lexical="tfidf").fit(TEXTS),
    ):
        with pytest.raises(TypeError, match=r"is a TfidfVectorizer.*joblib\.dump"):
            model.save(path)
    assert not path.exists()


class Changed(CharPreprocessor):
    """A class of the user's own."""


Namesake = type("CharPreprocessor", (CharPreprocessor,), {})


@pytest.mark.parametrize(
    "other",
    [LogisticRegression(), chars_recipe(None), CCLMModelBase(), Changed(), Namesake(), None, Tower],
)
def test_other_classes_are_refused(other, path):
    with pytest.raises(TypeError, match=r"cannot be saved; what can is \['Base'"):
        save(other, path)
    assert not path.exists()


def test_parameters_that_json_cannot_hold_are_refused(path):
    with pytest.raises(TypeError, match=r"cannot be saved.*joblib\.dump"):
        CharPreprocessor(column=object()).save(path)
    with pytest.raises(ValueError, match="max_example_len=16777217 must be at most"):
        CharPreprocessor(2**24 + 1).save(path)
    with pytest.raises(ValueError, match="truncation='maybe'"):
        CharPreprocessor(truncation="maybe").save(path)
    assert not path.exists()


def test_a_foreign_tokenizer_is_refused(path):
    preprocessor = MLMPreprocessor(vocab_size=40).fit(TEXTS)
    preprocessor.tokenizer_.enable_padding()
    with pytest.raises(TypeError, match="tokenizer_ is not one that fit makes"):
        preprocessor.save(path)


def changed(tower, value, dtype=np.float32):
    weights = {name: np.full(array.shape, value, dtype) for name, array in tower.weights.items()}
    return Tower(
        base=tower.base, architecture=tower.architecture, config=tower.config, weights=weights,
        task=tower.task,
    )  # fmt: skip


def test_weights_out_of_range_are_refused(components, path):
    tower = components["tower"]
    with pytest.raises(ValueError, match="too large for float16"):
        changed(tower, 1e6).save(path, dtype="float16")
    with pytest.raises(ValueError, match="finite float32"):
        changed(tower, np.nan).save(path)
    with pytest.raises(ValueError, match="finite float32"):
        changed(tower, 1, np.float64).save(path)
    with pytest.raises(ValueError, match=r"dtype='int4' must be one of \('float32'"):
        tower.save(path, dtype="int4")
    assert not path.exists()


def test_loading_another_class_says_so(components, path):
    components["tower"].save(path)
    for cls in (Base, ComposedEmbedder, CharPreprocessor):
        with pytest.raises(ModelFormatError, match=f"holds a Tower, not a {cls.__name__}"):
            cls.load(path)
    components["tokens"].save(path)
    assert isinstance(CharPreprocessor.load(path), MLMPreprocessor)


# storage


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
@pytest.mark.parametrize("kind", ["embedder", "model", "tower"])
def test_saving_what_was_loaded_gives_the_same_bytes(components, kind, dtype, path):
    components[kind].save(path, dtype=dtype)
    load(path).save(path.with_name("again"), dtype=dtype)
    assert content(path) == content(path.with_name("again"))


def test_smaller_weights_give_nearly_the_same(components, path):
    """The rows of int8 are off by half a step, a 254th of the row's largest, at most."""
    for dtype, steps in (("float16", 2**11), ("int8", 253)):
        components["tower"].save(path, dtype=dtype)
        loaded = load(path)
        assert loaded != components["tower"]
        for name, array in components["tower"].weights.items():
            bound = np.abs(array).max(axis=tuple(range(1, array.ndim)), keepdims=True) / steps
            assert loaded.weights[name].dtype == np.float32
            assert (np.abs(loaded.weights[name] - array) <= bound).all()


def test_smaller_weights_are_smaller():
    weights = {"w": np.ones((100, 64), np.float32), "b": np.ones(64, np.float32)}
    size = {
        dtype: sum(array.nbytes for array in encode(weights, dtype).values())
        for dtype in ("float32", "float16", "int8")
    }
    assert size == {"float32": 25856, "float16": 12928, "int8": 6400 + 800 + 256}


@pytest.mark.parametrize("seed", range(20))
def test_int8_of_any_rows_is_stable(seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(200, 2, 3)) * 10.0 ** rng.integers(-45, 38, size=(200, 1, 1))
    weights = {"w": rows.astype(np.float32)}
    once = encode(weights, "int8")
    loaded = decode(dict(once), {"w": rows.shape}, "int8")
    again = encode(loaded, "int8")
    assert_array_equal(once["w"], again["w"])
    peak = np.abs(weights["w"]).max(axis=(1, 2), keepdims=True)
    assert (np.abs(loaded["w"] - weights["w"]) <= np.maximum(peak / 253, 1e-30)).all()


def test_the_order_of_settings_does_not_change_the_bytes(components, path):
    base = components["base"]
    config = dict(reversed(base.config.items()))
    weights = {
        name: np.asfortranarray(array) for name, array in reversed(list(base.weights.items()))
    }
    other = Base(architecture=base.architecture, config=config, weights=weights,
                 vocabulary=base.vocabulary, reading=base.reading)  # fmt: skip
    base.save(path)
    other.save(path.with_name("other"))
    assert other == base
    assert content(path) == content(path.with_name("other"))


def test_nothing_random_is_drawn(components, path):
    state = torch.get_rng_state()
    components["embedder"].save(path)
    load(path)
    assert torch.equal(torch.get_rng_state(), state)


# writing


def test_an_artefact_is_replaced_and_nothing_else(components, path):
    path.mkdir()
    components["tower"].save(path)
    components["base"].save(path)
    assert load(path) == components["base"]
    (path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="choose another path"):
        components["tower"].save(path)
    assert load(path) == components["base"]


@pytest.mark.parametrize("found", ["file", "files", "forged"])
def test_foreign_things_are_kept(components, found, path):
    if found == "file":
        path.write_text("mine")
    else:
        path.mkdir()
        (path / "model.safetensors").write_text("mine")
    if found == "forged":
        (path / "config.json").write_text('{"format": "another"}')
    with pytest.raises(FileExistsError, match="is no artefact of sklearn_cclm alone"):
        components["tower"].save(path)
    assert os.listdir(path.parent) == ["saved"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_artefact(components, step, path, monkeypatch):
    components["base"].save(path)
    calls = []

    def fail(*args):
        calls.append(args)
        if step == "fsync" or len(calls) == 2:
            raise OSError("no space left")
        return replace(*args)

    replace = os.replace
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="no space left"):
        components["tower"].save(path)
    monkeypatch.undo()
    assert load(path) == components["base"]
    assert os.listdir(path.parent) == ["saved"]


def test_parents_are_made_and_links_followed(components, tmp_path):
    components["base"].save(tmp_path / "a" / "b")
    (tmp_path / "link").symlink_to(tmp_path / "a" / "b")
    components["tower"].save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert load(tmp_path / "a" / "b") == load(str(tmp_path / "link")) == components["tower"]


def test_files_may_be_links_as_in_the_cache_of_the_hub(components, path, tmp_path):
    components["base"].save(path)
    linked = tmp_path / "linked"
    linked.mkdir()
    for number, file in enumerate(sorted(path.iterdir())):
        shutil.move(file, tmp_path / f"blob{number}")
        (linked / file.name).symlink_to(tmp_path / f"blob{number}")
    assert load(linked) == components["base"]


# other processes

EMBED = """
import sys, joblib, numpy as np, torch
import sklearn_cclm
path, threads, how, out = sys.argv[1:]
torch.set_num_threads(int(threads))
read = {
    "load": sklearn_cclm.load,
    "joblib": joblib.load,
    "mmap": lambda path: joblib.load(path, mmap_mode="r"),
}
embedder = read[how](path)
weights = embedder.towers_[0][1].weights["linear.weight"]
assert isinstance(weights, np.memmap) == (how == "mmap")
np.save(out, embedder.transform(["good film", "", "naïve"]))
"""


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("how", ["load", "joblib", "mmap"])
def test_a_fresh_process_embeds_the_same(components, how, threads, path, tmp_path):
    embedder, out = components["embedder"], tmp_path / "out.npy"
    if how == "load":
        embedder.save(path)
    else:
        joblib.dump(embedder, path)
    arguments = [str(path), str(threads), how, str(out)]
    quiet = ("-W", "error", "-W", "ignore:Of 3 texts, blank")
    subprocess.run([sys.executable, *quiet, "-c", EMBED, *arguments], check=True)
    expected = embedder.transform(["good film", "", "naïve"])
    assert_allclose(np.load(out), expected, rtol=1e-5, atol=1e-6)


def test_bytes_are_the_same_in_a_fresh_process(components, path):
    components["embedder"].save(path, dtype="int8")
    code = (
        "import sys; from sklearn_cclm import load, save; "
        "save(load(sys.argv[1]), sys.argv[2], dtype='int8')"
    )
    again = path.with_name("again")
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code, path, again], check=True, env=environment)
    assert content(path) == content(again)


def test_preprocessors_are_loaded_without_torch(components, path):
    components["tokens"].save(path)
    code = (
        "import sys; from sklearn_cclm import load; "
        "load(sys.argv[1]); print('torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True)
    assert found.stdout.strip() == b"False"


# recorded artefacts


def test_an_artefact_is_recorded_for_each_version(path):
    CharPreprocessor().save(path)
    version = json.loads((path / "config.json").read_text())["format_version"]
    assert [folder.name for folder in RECORDED] == [
        f"v{number}" for number in range(1, version + 1)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_digests_do_not_depend_on_the_version(kind):
    found = [json.loads((folder / kind / "config.json").read_text()) for folder in RECORDED]
    assert len({json.dumps(config["digests"]) for config in found}) == 1


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
@pytest.mark.parametrize("kind", KINDS)
def test_recorded_artefacts_give_what_they_gave(folder, kind):
    expected = json.loads((folder / "expected.json").read_text())[kind]
    found = MAKE.given(load(folder / kind))
    if isinstance(found, str):
        assert found == expected
    else:
        for one, other in zip(found, expected, strict=True):
            assert_allclose(one, other, atol=1e-5)
