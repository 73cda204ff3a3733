"""Forged and damaged artefacts: each ends in a ModelFormatError, soon, and runs nothing."""

import hashlib
import json
import os
import pickle
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from safetensors.numpy import save as pack

from sklearn_cclm import (
    CCLMModelBase,
    ComposedEmbedder,
    MLMPreprocessor,
    ModelFormatError,
    StridedConfig,
    Tower,
    load,
)
from sklearn_cclm._engines.shapes import state_shapes
from sklearn_cclm._persistence import artefact_sha256
from sklearn_cclm.architectures._registry import name_of, to_dict
from sklearn_cclm.nn import ConvConfig, ConvTower, NgramConfig, StridedTower

TEXTS = ["good film", "bad film", "to be or not to be"]
BASE, TOWER, EMBEDDER = 0, 1, 2
HUGE = 10**18
pytestmark = pytest.mark.timeout(60)  # a refusal comes soon


def make_tower(base):
    config = StridedConfig(
        width=8, downsample_factor=4, n_strided_convs=2, n_layers=1, n_heads=2, native_width=3
    )
    state = StridedTower(config, base_width=base.width).state_dict()
    return Tower(
        base=base, architecture="strided", config=to_dict(config), task="none",
        weights={name: tensor.numpy() for name, tensor in state.items()},
    )  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Sound artefacts by name."""
    folder = tmp_path_factory.mktemp("sound")
    recipe = CCLMModelBase(width=8, ngram_orders=(2,), n_buckets=20, n_blocks=1, random_state=0)
    embedder = ComposedEmbedder([("a", make_tower(recipe.fit(TEXTS).base_))]).fit(TEXTS)
    embedder.save(folder / "embedder")
    embedder.save(folder / "int8", dtype="int8")
    MLMPreprocessor(vocab_size=30).fit(TEXTS).save(folder / "tokens")
    return folder


@pytest.fixture
def folder(sound, tmp_path):
    return shutil.copytree(sound / "embedder", tmp_path / "forged")


def check_refused(folder, *, by_digest=False, megabytes=200, **params):
    """Check that loading fails soon, in little memory, with the one exception.

    Only where `by_digest` says so is it the digest that tells: a forger can sign anything.
    """
    tracemalloc.start()
    try:
        with pytest.raises(ModelFormatError) as caught:
            load(folder, **params)
        assert tracemalloc.get_traced_memory()[1] < megabytes * 2**20
    finally:
        tracemalloc.stop()
    assert repr(str(folder)) in str(caught.value)
    assert ("other digests" in str(caught.value)) == by_digest
    return str(caught.value)


def read_config(folder):
    return json.loads((folder / "config.json").read_text())


def forge(folder, change):
    """Change config.json, as a forger would."""
    config = read_config(folder)
    config = change(config) or config
    (folder / "config.json").write_text(json.dumps(config))


def sign(folder, content):
    """Replace the weights and say so in config.json."""
    (folder / "model.safetensors").write_bytes(content)
    said = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    forge(folder, lambda config: config.update(weights=said))


def put(*keys_and_value):
    """Return a change that sets the value at a path of keys."""
    *keys, last, value = keys_and_value

    def change(config):
        for key in keys:
            config = config[key]
        config[last] = value

    return change


def drop(*keys):
    def change(config):
        for key in keys[:-1]:
            config = config[key]
        del config[keys[-1]]

    return change


def setting(place, name, value):
    return put("parts", place, "state", "config", name, value)


def field(place, name, value):
    return put("parts", place, "state", "fields", name, value)


def param(name, value):
    return put("parts", EMBEDDER, "state", "params", name, value)


def test_sound_artefacts_load(sound):
    for path in sound.iterdir():
        load(path, sha256=artefact_sha256(path))


def test_a_change_of_nothing_loads(folder):
    forge(folder, lambda config: None)
    sign(folder, (folder / "model.safetensors").read_bytes())
    load(folder)


# what config.json says

CONFIGS = {
    "other format": put("format", "pickle"),
    "no format": drop("format"),
    "newer version": put("format_version", 3),
    "version 0": put("format_version", 0),
    "version str": put("format_version", "1"),
    "version bool": put("format_version", True),
    "version float": put("format_version", 1.0),
    "version None": put("format_version", None),
    "no version": drop("format_version"),
    "list": lambda config: [config],
    "string": lambda config: "sklearn_cclm",
    "one key more": put("code", "import os"),
    "one key less": drop("dtype"),
    "other dtype": put("dtype", "float64"),
    "dtype of the wrong kind": put("dtype", ["float32"]),
    "dtype of other weights": put("dtype", "float16"),
    "weights list": put("weights", []),
    "weights None": put("weights", None),
    "no size": drop("weights", "size"),
    "size str": put("weights", "size", "9"),
    "size float": put("weights", "size", 1e300),
    "size negative": put("weights", "size", -1),
    "size bool": put("weights", "size", True),
    "size huge": put("weights", "size", HUGE),
    "size in range": put("weights", "size", 2**31),
    "sha256 of the wrong kind": put("weights", "sha256", 0),
    "traversal": put("weights", "file", "../../other.safetensors"),
    "absolute name": put("weights", "file", "/dev/zero"),
    "no parts": put("parts", []),
    "parts of the wrong kind": put("parts", {"0": {}}),
    "part of the wrong kind": put("parts", 0, "Base"),
    "many parts": lambda config: put("parts", config["parts"] * 100)(config),
    "a part twice": lambda config: config["parts"].insert(1, config["parts"][0]),
    "no class": drop("parts", TOWER, "cls"),
    "os.system": put("parts", EMBEDDER, "cls", "os.system"),
    "dotted class": put("parts", TOWER, "cls", "sklearn_cclm.models.Tower"),
    "unlisted class": put("parts", EMBEDDER, "cls", "Shelf"),
    "private class": put("parts", EMBEDDER, "cls", "Composition"),
    "class list": put("parts", TOWER, "cls", ["Tower"]),
    "class of another": put("parts", TOWER, "cls", "Base"),
    "state list": put("parts", TOWER, "state", []),
    "digest changed": put("digests", BASE, "0" * 64),
    "digest None": put("digests", TOWER, None),
    "no digests": put("digests", []),
    "digests of the wrong kind": put("digests", 1),
}

NETWORKS = {
    "unknown architecture": put("parts", TOWER, "state", "architecture", "resnet"),
    "architecture of a base": put("parts", TOWER, "state", "architecture", "ngram"),
    "dotted architecture": put("parts", TOWER, "state", "architecture", "torch.hub.load"),
    "architecture list": put("parts", TOWER, "state", "architecture", ["strided"]),
    "config list": put("parts", TOWER, "state", "config", [1]),
    "no width": drop("parts", TOWER, "state", "config", "width"),
    "unknown setting": setting(TOWER, "__class__", "os"),
    "width 1e18": setting(BASE, "width", HUGE),
    "width 2**31": setting(BASE, "width", 2**31),
    "width 2**31 of a tower": setting(TOWER, "width", 2**31),
    "width float": setting(BASE, "width", 8.0),
    "width bool": setting(BASE, "width", True),
    "width str": setting(BASE, "width", "8"),
    "width 0": setting(BASE, "width", 0),
    "width negative": setting(BASE, "width", -8),
    "native width 2**31": setting(TOWER, "native_width", 2**31),
    "buckets 2**31": setting(BASE, "n_buckets", 2**31),
    "blocks 1e8": setting(BASE, "n_blocks", 10**8),
    "blocks 64": setting(BASE, "n_blocks", 64),
    "layers 1e8": setting(TOWER, "n_layers", 10**8),
    "layers 64": setting(TOWER, "n_layers", 64),
    "strides 1e8": setting(TOWER, "n_strided_convs", 10**8),
    "strides huge": lambda config: [
        setting(TOWER, "n_strided_convs", 24)(config), setting(TOWER, "stride", 2**31)(config)
    ] and config,
    "kernel huge": setting(BASE, "kernel_size", 2**30 + 1),
    "order huge": setting(BASE, "ngram_orders", [2**30]),
    "orders many": setting(BASE, "ngram_orders", [2] * 10**5),
    "orders nested": setting(BASE, "ngram_orders", [[2]]),
    "reading has another key": field(BASE, "reading", {"max_example_len": 5}),
    "length 0": put("parts", BASE, "state", "fields", "reading", "max_example_len", 0),
    "length huge": put("parts", BASE, "state", "fields", "reading", "max_example_len", 2**30),
    "normal form": put("parts", BASE, "state", "fields", "reading", "normalization", "NFD"),
    "cls number": put("parts", BASE, "state", "fields", "reading", "add_cls", 0),
    "vocabulary str": field(BASE, "vocabulary", "abc"),
    "vocabulary of words": field(BASE, "vocabulary", ["ab", "c"]),
    "vocabulary of numbers": field(BASE, "vocabulary", [1, 2]),
    "vocabulary repeats": field(BASE, "vocabulary", ["a", "a"]),
    "vocabulary longer": field(BASE, "vocabulary", [chr(i) for i in range(50_000)]),
    "vocabulary of other characters": lambda config: field(
        BASE, "vocabulary", config["parts"][BASE]["state"]["fields"]["vocabulary"][::-1]
    )(config),
    "task number": field(TOWER, "task", 1),
    "task changed": field(TOWER, "task", "another"),
    "tower on itself": field(TOWER, "base", TOWER),
    "tower on what follows": field(TOWER, "base", EMBEDDER),
    "tower on nothing": field(TOWER, "base", 7),
    "tower on -1": field(TOWER, "base", -1),
    "tower on a bool": field(TOWER, "base", False),
    "tower on a str": field(TOWER, "base", "0"),
    "tower in a tower": field(TOWER, "base", {"cls": "Tower"}),
}  # fmt: skip

MODELS = {
    "unknown parameter": param("code", "print(1)"),
    "no towers": drop("parts", EMBEDDER, "state", "params", "towers"),
    "batch 1e18": param("batch_chars", HUGE),
    "batch 0": param("batch_chars", 0),
    "batch str": param("batch_chars", "9"),
    "pooling": param("pooling", "median"),
    "pooling number": param("pooling", 1),
    "pooling cls": param("pooling", "cls"),
    "device": param("device", "nowhere"),
    "weight of no tower": param("tower_weights", {"b": 1.0}),
    "weights list": param("tower_weights", ["a"]),
    "weight str": param("tower_weights", {"a": "1"}),
    "base as tower": param("towers", [["a", BASE]]),
    "itself as tower": param("towers", [["a", EMBEDDER]]),
    "no entries": param("towers", []),
    "name number": param("towers", [[1, TOWER]]),
    "name of a parameter": param("towers", [["pooling", TOWER]]),
    "names repeat": param("towers", [["a", TOWER], ["a", TOWER]]),
    "entry of three": param("towers", [["a", TOWER, 1]]),
    "entry None": param("towers", [["a", None]]),
    "fitted names repeat": put("parts", EMBEDDER, "state", "fitted", [["a", 1], ["a", 1]]),
    "fitted name": put("parts", EMBEDDER, "state", "fitted", [["a__b", 1]]),
    "fitted list": put("parts", EMBEDDER, "state", "fitted", []),
    "fitted base": put("parts", EMBEDDER, "state", "fitted", [["a", BASE]]),
    "fitted str": put("parts", EMBEDDER, "state", "fitted", [["a", "drop"]]),
    "unused tower": lambda config: config["parts"][EMBEDDER]["state"].update(
        fitted=None, params={"towers": [["a", "drop"]]}
    ),
}


BY_DIGEST = {
    "digest changed", "digest None", "no digests", "digests of the wrong kind",
    "vocabulary of other characters", "task changed",
}  # fmt: skip


REASONS = {
    "many parts": "parts must be a list of 1 to 256 records",
    "os.system": "cls='os.system' must be one of ['Base'",
    "no width": "config must hold all settings of StridedConfig",
    "reading has another key": "reading must be an object with the keys",
    "cls number": "add_cls=0 must be True or False",
    "vocabulary of words": "vocabulary must be a list of single characters",
    "vocabulary repeats": "vocabulary holds a character more than once",
    "task number": "task=1 must be a string",
    "tower on -1": "-1 is not the place of an earlier part",
    "base as tower": "part 0 must be a Tower, not Base",
    "batch 0": "batch_chars=0 must be an integer",
    "pooling cls": "reads the cls code",
    "fitted names repeat": "Tower names must differ",
}


@pytest.mark.parametrize("name", CONFIGS | NETWORKS | MODELS)
def test_forged_config(folder, name):
    forge(folder, (CONFIGS | NETWORKS | MODELS)[name])
    message = check_refused(folder, by_digest=name in BY_DIGEST)
    assert REASONS.get(name, "") in message


TOKENS = {
    "params list": put("parts", 0, "state", "params", []),
    "unknown parameter": put("parts", 0, "state", "params", "vocabulary", "abc"),
    "vocab_size": put("parts", 0, "state", "params", "vocab_size", -1),
    "not fitted, not allowed": lambda config: config["parts"][0]["state"].update(
        learned=None, params={"truncation": "window"}
    ),
    "learned list": put("parts", 0, "state", "learned", []),
    "no tokens": drop("parts", 0, "state", "learned", "tokens"),
    "tokenizer of another kind": put("parts", 0, "state", "learned", "tokens", '{"version": 1}'),
    "one key more": put("parts", 0, "state", "learned", "tokens", "padding", {"length": HUGE}),
    "names None": put("parts", 0, "state", "learned", "tokens", "names", None),
    "names numbers": put("parts", 0, "state", "learned", "tokens", "names", ["[UNK]", 1]),
    "names repeat": put("parts", 0, "state", "learned", "tokens", "names", ["[UNK]", "a", "a"]),
    "unknown token elsewhere": put(
        "parts", 0, "state", "learned", "tokens", {"names": ["a", "[UNK]"], "merges": []}
    ),
    "merge of unknown tokens": put("parts", 0, "state", "learned", "tokens", "merges", ["xy"]),
    "merge of one": put("parts", 0, "state", "learned", "tokens", "merges", [["t"]]),
    "merge of numbers": put("parts", 0, "state", "learned", "tokens", "merges", [[1, 2]]),
    "merges number": put("parts", 0, "state", "learned", "tokens", "merges", 7),
}  # fmt: skip


TOKEN_REASONS = {
    "names repeat": "the names of tokens must be different strings",
    "unknown token elsewhere": "the first of them '[UNK]'",
    "merge of unknown tokens": "each merge must be two tokens that make a third one",
}


@pytest.mark.parametrize("name", TOKENS)
def test_forged_preprocessor(sound, tmp_path, name):
    folder = shutil.copytree(sound / "tokens", tmp_path / "forged")
    forge(folder, TOKENS[name])
    assert TOKEN_REASONS.get(name, "") in check_refused(folder)


def test_forged_class_of_a_preprocessor(sound, tmp_path):
    folder = shutil.copytree(sound / "tokens", tmp_path / "forged")
    forge(folder, put("parts", 0, "cls", "CharPreprocessor"))
    check_refused(folder)


# what is no strict JSON

JSON = {
    "empty": lambda text: b"",
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text,
    "UTF-16": lambda text: text.decode().encode("utf-16"),
    "not UTF-8": lambda text: text.replace(b'"drop"', b'"\xff"') + b"\xff",
    "cut": lambda text: text[:-20],
    "two values": lambda text: text + text,
    "deep list": lambda text: b"[" * 100_000,
    "deep object": lambda text: b'{"a":' * 100_000,
    "deeper than allowed": lambda text: text.replace(b'umn": null', b'umn": [[[[[[[[[]]]]]]]]]'),
    "repeated key": lambda text: b'{"format": "sklearn_cclm", ' + text[1:],
    "NaN": lambda text: text.replace(b'"column": null', b'"column": NaN'),
    "infinity": lambda text: text.replace(b'"column": null', b'"column": -Infinity'),
    "beyond float": lambda text: text.replace(b'"column": null', b'"column": 1e999'),
    "5,000 digits": lambda text: text.replace(b'"column": null', b'"column": ' + b"9" * 5_000),
    "19 digits": lambda text: text.replace(b'"column": null', b'"column": ' + b"9" * 19),
    "2 MB more": lambda text: text[:-1] + b', "more": "' + b"a" * 2**21 + b'"}',
    "17 MB": lambda text: text + b" " * (17 * 2**20),
    "many lists": lambda text: b"[" + b"[]," * 2**18 + b"[]]",
    "pickle": lambda text: pickle.dumps({"format": "sklearn_cclm"}),
}  # fmt: skip


@pytest.mark.parametrize("name", JSON)
def test_no_strict_json(folder, name):
    path = folder / "config.json"
    before = path.read_bytes()
    path.write_bytes(JSON[name](before))
    assert path.read_bytes() != before
    check_refused(folder)


# the weights


def tensors(folder):
    return load_file(folder / "model.safetensors")


def first(found, dtype=np.float32):
    """The name of a matrix."""
    return next(
        name for name in sorted(found) if found[name].ndim > 1 and found[name].dtype == dtype
    )


def replaced(change):
    """A change of one array."""

    def forged(found):
        name = first(found)
        return {**found, name: change(found[name].copy())}

    return forged


def at_0(value):
    def change(array):
        array[0, 0] = value
        return array

    return change


WEIGHTS = {
    "NaN": replaced(at_0(np.nan)),
    "infinite": replaced(at_0(np.inf)),
    "other values": replaced(at_0(1.5)),
    "other shape": replaced(lambda array: array[:-1]),
    "transposed": replaced(lambda array: array.T.copy()),
    "flat": replaced(lambda array: array.ravel()),
    "empty": replaced(lambda array: array[:0]),
    "float64": replaced(lambda array: array.astype(np.float64)),
    "float16": replaced(lambda array: array.astype(np.float16)),
    "integers": replaced(lambda array: array.astype(np.int32)),
    "bool": replaced(lambda array: array.astype(bool)),
    "missing": lambda found: {k: v for k, v in found.items() if k != first(found)},
    "extra": lambda found: {**found, "0.more": np.zeros(3, np.float32)},
    "extra of no part": lambda found: {**found, "9.more": np.zeros(3, np.float32)},
    "renamed": lambda found: {k.replace("table", "tables"): v for k, v in found.items()},
    "no prefix": lambda found: {k.partition(".")[2]: v for k, v in found.items()},
    "many": lambda found: {**found, **{f"1.x{i}": np.zeros(0) for i in range(10_000)}},
    "none": lambda found: {},
}  # fmt: skip


@pytest.mark.parametrize("name", WEIGHTS)
def test_forged_weights(folder, name):
    sign(folder, pack(WEIGHTS[name](tensors(folder))))
    check_refused(folder, by_digest=name == "other values")


SCALES = {
    "NaN": lambda scale: scale * np.float32(np.nan),
    "infinite": lambda scale: scale + np.float32(np.inf),
    "too large": lambda scale: scale + np.finfo(np.float32).max,
    "other": lambda scale: scale * 2,
    "one for all": lambda scale: scale[:1],
    "float64": lambda scale: scale.astype(np.float64),
}


@pytest.mark.parametrize("kind", SCALES)
def test_forged_scales_of_version_1(tmp_path, kind):
    folder = shutil.copytree(Path(__file__).parent / "v1" / "embedder", tmp_path / "forged")
    found = tensors(folder)
    name = first(found, np.int8) + "/scale"
    sign(folder, pack({**found, name: SCALES[kind](found[name])}))
    check_refused(folder, by_digest=kind == "other")


@pytest.mark.parametrize(
    "change",
    [
        lambda found, name: found.pop(name + "/scale"),
        lambda found, name: found.pop(name),
        lambda found, name: found.update({name: found[name].ravel()}),
        lambda found, name: found.update({name: found[name].astype(np.float32)}),
    ],
)
def test_scales_of_version_1_go_with_rows(tmp_path, change):
    folder = shutil.copytree(Path(__file__).parent / "v1" / "embedder", tmp_path / "forged")
    found = tensors(folder)
    change(found, first(found, np.int8))
    sign(folder, pack(found))
    check_refused(folder)


TAILS = {
    "NaN": ([np.nan, np.nan], "not all finite"),
    "infinite": ([np.inf, -np.inf], "not all finite"),
    "too large": ([np.finfo(np.float32).max, -np.inf], "not all finite"),
    "other": ([2, -256], "other digests"),
    "offset alone": ([1, -127], "offsets that are not -128 scales"),
    "offset of none": ([1, 0], "offsets that are not -128 scales"),
}


@pytest.mark.parametrize("kind", TAILS)
def test_forged_scales(sound, tmp_path, kind):
    """The kernel adds offsets, and a digest knows scales alone."""
    folder = shutil.copytree(sound / "int8", tmp_path / "forged")
    found = tensors(folder)
    rows = found["0.table.weight"]
    tail, message = TAILS[kind]
    rows[-1, -8:] = np.array(tail, np.float32).view(np.uint8)
    sign(folder, pack(found))
    assert message in check_refused(folder, by_digest=kind == "other")


@pytest.mark.parametrize("change", [lambda rows: rows[:, :-1], lambda rows: rows.view(np.int8)])
def test_forged_rows(sound, tmp_path, change):
    folder = shutil.copytree(sound / "int8", tmp_path / "forged")
    found = tensors(folder)
    found["0.table.weight"] = change(found["0.table.weight"]).copy()
    sign(folder, pack(found))
    assert "the weights 'table.weight' are" in check_refused(folder)


def header_of(size, rest=b""):
    return size.to_bytes(8, "little") + rest


def with_header(header, data=b""):
    text = json.dumps(header).encode()
    return header_of(len(text), text + data)


def tensor(shape, start, stop, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


FILES = {
    "empty": b"",
    "short": b"\x01\x02",
    "header of 2**63": header_of(2**63, b"{}"),
    "header of 50 MB": header_of(50 * 2**20, b"{" + b" " * (50 * 2**20 - 2) + b"}"),
    "header longer than the file": header_of(1000, b"{}"),
    "header no JSON": header_of(4, b"abcd"),
    "deep header": header_of(100_000, b"[" * 100_000),
    "beyond the end": with_header({"0.a": tensor([4], 0, 16)}, b"\0" * 8),
    "overlap": with_header({"0.a": tensor([2], 0, 8), "0.b": tensor([2], 4, 12)}, b"\0" * 12),
    "hole": with_header({"0.a": tensor([2], 8, 16)}, b"\0" * 16),
    "shape overflows": with_header({"0.a": tensor([2**40, 2**40], 0, 8)}, b"\0" * 8),
    "empty and huge": with_header({"0.a": tensor([0, 2**40], 0, 0)}),
    "unknown dtype": with_header({"0.a": tensor([2], 0, 8, "C64")}, b"\0" * 8),
    "shape of another size": with_header({"0.a": tensor([3], 0, 8)}, b"\0" * 8),
    "shape str": with_header({"0.a": tensor("2", 0, 8)}, b"\0" * 8),
    "backwards": with_header({"0.a": tensor([2], 0, 8), "0.b": tensor([-2], 8, 0)}, b"\0" * 8),
    "offsets of the wrong kind": with_header({"0.a": tensor([2], "0", "8")}, b"\0" * 8),
    "offsets bool": with_header({"0.a": tensor([1], False, True, "U8")}, b"\0"),
    "one key more": with_header({"0.a": {**tensor([2], 0, 8), "file": "/dev/zero"}}, b"\0" * 8),
    "header a list": header_of(2, b"[]"),
    "more than it says": with_header({"0.a": tensor([2], 0, 8)}, b"\0" * 9),
    "negative shape": with_header({"0.a": tensor([-1], 0, 8)}, b"\0" * 8),
    "repeated name": (lambda text: header_of(len(text), text))(
        b'{"0.a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},'
        b'"0.a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_forged_file_of_weights(folder, name):
    sign(folder, FILES[name])
    check_refused(folder)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("damage", ["cut", "longer", "bit", "bit of the header"])
def test_damaged_weights(folder, damage, signed):
    content = (folder / "model.safetensors").read_bytes()
    flipped = {"bit": len(content) - 3, "bit of the header": 20}.get(damage)
    if flipped:
        content = content[:flipped] + bytes([content[flipped] ^ 1]) + content[flipped + 1 :]
    else:
        content = content[:-7] if damage == "cut" else content + b"\0"
    if signed:
        sign(folder, content)
        check_refused(folder, by_digest=damage == "bit")
    else:
        (folder / "model.safetensors").write_bytes(content)
        assert "is damaged" in check_refused(folder) or damage == "longer"


class Payload:
    """Makes a directory when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_pickle_is_not_run(folder, tmp_path, name):
    content = pickle.dumps(Payload(tmp_path / "ran"))
    if name == "config.json":
        (folder / name).write_bytes(content)
    else:
        sign(folder, content)
    check_refused(folder)
    assert not (tmp_path / "ran").exists()
    pickle.loads(content)
    assert (tmp_path / "ran").exists()


# the files


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize(
    "found", ["nothing", "directory", "pipe", "link", "loose", "loop", "device"]
)
def test_no_regular_file(folder, tmp_path, name, found):
    path = folder / name
    path.unlink()
    if found == "directory":
        path.mkdir()
    elif found == "pipe":
        os.mkfifo(path)
    elif found == "device":
        path.symlink_to("/dev/zero")
    elif found == "loop":
        path.symlink_to(path)
    elif found != "nothing":
        path.symlink_to(tmp_path / "other")
        if found == "link":
            (tmp_path / "other").write_bytes(b"secret")
    message = check_refused(folder)
    assert "secret" not in message
    assert found == "link" or f"no regular file {name}" in message


@pytest.mark.parametrize("name", ["nowhere", "a file", "nul\0", "long" * 1000])
def test_no_directory(tmp_path, name):
    if name == "a file":
        (tmp_path / name).write_text("{}")
    check_refused(tmp_path / name)


def test_huge_files_are_not_read(folder):
    with open(folder / "model.safetensors", "r+b") as file:
        file.truncate(2**40)
    assert f"has {2**40} bytes" in check_refused(folder, megabytes=1)
    with open(folder / "config.json", "r+b") as file:
        file.truncate(2**40)
    assert f"has {2**40} bytes" in check_refused(folder, megabytes=1)


# what is expected


def test_another_sha256_is_refused(folder):
    said = artefact_sha256(folder)
    load(folder, sha256=said)
    forge(folder, field(TOWER, "task", "masked_language"))
    for sha256 in (said, said[:12], "", said.upper(), 7):
        assert "has not the sha256" in check_refused(folder, sha256=sha256)


def test_the_sha256_is_that_of_config_json(folder):
    content = (folder / "config.json").read_bytes()
    assert artefact_sha256(folder) == hashlib.sha256(content).hexdigest()
    (folder / "config.json").unlink()
    with pytest.raises(ValueError, match="no regular file"):
        artefact_sha256(folder)


def test_the_digest_is_checked_even_when_all_is_signed(folder):
    """A forger who changes weights must change digests as well, and these say what it is."""
    found = tensors(folder)
    name = first(found)
    sign(folder, pack({**found, name: found[name] * 2}))
    check_refused(folder, by_digest=True)


def test_the_reason_is_said(folder):
    forge(folder, setting(TOWER, "n_layers", 10**8))
    assert "n_layers=100000000 must be at most 12" in check_refused(folder)
    forge(folder, setting(TOWER, "n_layers", 2))
    assert "the weights 'attend.layers.1" in check_refused(folder)
    forge(folder, put("format_version", 99))
    assert "upgrade" in check_refused(folder)


def test_a_long_header_is_not_parsed(folder):
    sign(folder, FILES["header of 50 MB"])
    assert f"a header of {50 * 2**20} bytes" in check_refused(folder)


def test_depth_has_a_limit(folder):
    forge(folder, param("column", [[[[[[[[[]]]]]]]]]))
    assert "nested deeper than 12" in check_refused(folder)


def test_shapes_are_found_without_memory():
    config = to_dict(NgramConfig(width=2**16, n_buckets=2**28))  # 64 TiB
    shapes = state_shapes("base", "ngram", config, folded=(0, 1, 2, 3))
    assert shapes["table.weight"] == (2**28 + 4, 2**16)


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (ConvConfig(width=1, n_layers=13), "n_layers=13"),
        (
            StridedConfig(width=8, downsample_factor=2**13, n_strided_convs=1, stride=2**13),
            "downsample_factor=8192",
        ),
    ],
)
def test_what_makes_one_character_long_is_neither_saved_nor_loaded(sound, tmp_path, config, name):
    """All weights are there, so that nothing but its range tells."""
    base = load(sound / "embedder").towers_[0][1].base
    cls = {ConvConfig: ConvTower, StridedConfig: StridedTower}[type(config)]
    state = cls(config, base_width=base.width).state_dict()
    tower = Tower(
        base=base, architecture=name_of("tower", config),
        config=to_dict(config), task="none",
        weights={key: tensor.numpy() for key, tensor in state.items()},
    )  # fmt: skip
    with pytest.raises(ValueError, match=name):
        tower.save(tmp_path / "forged")
    assert not (tmp_path / "forged").exists()
