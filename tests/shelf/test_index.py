"""The index is read strictly: whoever wrote it."""

import copy
import json

import pytest

from sklearn_cclm.shelf import Curve, ShelfError
from sklearn_cclm.shelf._index import MAX_INDEX, read_index, write_index


@pytest.fixture
def index(root):
    return json.loads((root / "index.json").read_text(encoding="utf-8"))


def read(index):
    raw = index if isinstance(index, bytes) else json.dumps(index).encode()
    return read_index(raw, "here")


def test_what_is_written_is_read(shelf, root):
    raw = (root / "index.json").read_bytes()
    assert write_index(read(raw)) == raw
    assert len(read(raw)) == 3


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b"\xff{}",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"entries": [], "entries": [], "format": "sklearn_cclm.shelf", "format_version": 1}',
        b'{"entries": [], "format": "sklearn_cclm.shelf", "format_version": NaN}',
        b'{"entries": [], "format": "sklearn_cclm.shelf", "format_version": 2}',
        b'{"entries": [], "format": "sklearn_cclm.shelf", "format_version": true}',
        b'{"entries": [], "format": "sklearn_cclm.shelf", "format_version": 1' + b"0" * 5000 + b"}",
        b'{"entries": {}, "format": "sklearn_cclm.shelf", "format_version": 1}',
        b'{"entries": [], "format": "another", "format_version": 1}',
        b'{"entries": [], "format": "sklearn_cclm.shelf", "format_version": 1, "more": 1}',
        b" " * MAX_INDEX + b'{"entries": [], "format": "sklearn_cclm.shelf", "format_version": 1}',
    ],
    ids=range(15),
)
def test_other_json_is_refused(raw):
    with pytest.raises(ShelfError, match="The index of here"):
        read(raw)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "../up"),
        ("name", "/root"),
        ("name", "a/b"),
        ("name", "a\\b"),
        ("name", ".."),
        ("name", "c:x"),
        ("name", "con\n"),
        ("name", "drop"),
        ("name", "index.json"),
        ("name", "a" * 81),
        ("name", ["a"]),
        ("kind", "pickle"),
        ("task", 3),
        ("digest", "0" * 63),
        ("base", "A" * 64),
        ("width", "8"),
        ("width", True),
        ("width", 0),
        ("width", 1e3),
        ("native_width", -1),
        ("licence", None),
        ("corpora", ["web"]),
        ("corpora", {"web": 1}),
        ("recipe", "\ud800"),
        ("date", "tomorrow"),
        ("metrics", {}),
        ("metrics", [{}]),
        ("metrics", [1]),
        ("files", []),
        ("files", {}),
    ],
)
def test_wrong_field_is_refused(index, field, value):
    index["entries"][0][field] = value
    with pytest.raises(ShelfError):
        read(index)


@pytest.mark.parametrize("other", ["../model.safetensors", "/model.safetensors", "model.pickle"])
def test_other_file_names_are_refused(index, other):
    files = index["entries"][0]["files"]
    files[other] = files.pop("model.safetensors")
    with pytest.raises(ShelfError, match=r"config.json and model.safetensors"):
        read(index)


@pytest.mark.parametrize(
    "file", [{}, None, {"size": 1, "sha256": "x"}, {"size": -1, "sha256": "0" * 64}]
)
def test_wrong_files_are_refused(index, file):
    index["entries"][0]["files"]["config.json"] = file
    with pytest.raises(ShelfError):
        read(index)


def test_more_or_fewer_keys_are_refused(index):
    more, fewer = copy.deepcopy(index), copy.deepcopy(index)
    more["entries"][0]["url"] = "https://elsewhere.invalid/"
    del fewer["entries"][0]["licence"]
    for wrong in (more, fewer):
        with pytest.raises(ShelfError, match="an object with the keys"):
            read(wrong)


def test_revision_listed_twice_is_refused(index):
    index["entries"].append(index["entries"][0])
    with pytest.raises(ShelfError, match="listed twice"):
        read(index)


@pytest.mark.parametrize(
    ("levels", "scores"),
    [
        ((0.1, 0.2), (0.9, 0.8)),
        ((0, 0.2, 0.1), (0.9, 0.8, 0.7)),
        ((0, 2), (0.9, 0.8)),
        ((0,), (float("nan"),)),
        ((0,), (10**400,)),
        ((0, float("nan")), (1, 1)),
        ((0, 0.1), (0.9,)),
        ((), ()),
        ([0], [0.9]),
    ],
)
def test_curve_begins_clean_and_rises(levels, scores):
    with pytest.raises(ShelfError):
        Curve(data="some", metric="accuracy", noise="typos", levels=levels, scores=scores)
