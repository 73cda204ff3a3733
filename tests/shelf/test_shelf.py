"""A shelf in a directory: publish, list, search, fetch, verify."""

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sklearn_cclm import MaskedCharacterPretrainer, Shelf, load
from sklearn_cclm.shelf import ShelfError


def weights(root, entry):
    return Path(root, entry.folder, "model.safetensors")


def flip(path):
    """Change one bit of a file's last byte."""
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def double(module):
    for weights in module.parameters(recurse=False):
        weights.mul_(2)


def test_packaged_shelf_is_whole(monkeypatch):
    monkeypatch.delenv("SKLEARN_CCLM_SHELF", raising=False)
    assert {entry.name for entry in Shelf().verify()} == set(Shelf().list())


def test_listing_the_packaged_shelf_loads_no_torch():
    code = (
        "import sys, sklearn_cclm; sklearn_cclm.Shelf().list(); print('torch' in sys.modules)\n"
        "import sklearn_cclm.shelf._components"  # is there no circle of imports?
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_fetch_gives_what_was_published(shelf, base, tower, newer):
    assert shelf.list() == ["tiny", "tiny-base"]
    assert shelf.fetch("tiny-base") == base
    assert shelf.fetch("tiny") == newer  # the newest
    old, new = [entry for entry in shelf.verify() if entry.name == "tiny"]
    for revision in (old.revision, old.sha256, old.sha256[:20]):
        assert shelf.fetch("tiny", revision) == shelf.fetch(f"tiny@{revision}") == tower
    assert shelf.fetch("tiny", new.revision) == newer


def test_entry_says_what_it_is_of(shelf, tower, newer, said, curve):
    entry = shelf.entry("tiny")
    assert (entry.kind, entry.task) == ("tower", "masked_character")
    assert (entry.digest, entry.base) == (newer.digest, tower.base.digest)
    assert (entry.width, entry.native_width) == (newer.width, newer.native_width)
    assert entry.metrics == (curve,)
    assert {name: getattr(entry, name) for name in said} == said
    folder = Path(shelf.index, entry.folder)
    assert entry.size == sum(path.stat().st_size for path in folder.iterdir())
    assert repr(entry).startswith(f"Entry(tiny@{entry.revision}: tower of masked_character, ")
    assert (shelf.entry("tiny-base").kind, shelf.entry("tiny-base").task) == ("base", None)


@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_rounded_weights_have_the_digest_they_are_loaded_with(shelf, tower, newer, said, dtype):
    entry = shelf.publish(tower, "small", dtype=dtype, **said)
    fetched = shelf.fetch("small")
    assert entry.size < shelf.entry("tiny").size
    assert (entry.digest, entry.base) == (fetched.digest, fetched.base.digest)
    assert fetched != tower
    assert shelf.publish(newer, "other", dtype=dtype, **said).base == entry.base  # still shared


def test_same_is_published_as_same_bytes(shelf, tmp_path, base, tower, newer, said, curve):
    other = Shelf(tmp_path / "other")
    other.publish(base, "tiny-base", **said)
    other.publish(tower, "tiny", **said)
    other.publish(newer, "tiny", metrics=[curve], **said)
    files = [
        {str(path.relative_to(one.index)): path.read_bytes() for path in one.index.rglob("*.*")
         if path.is_file()}
        for one in (shelf, other)
    ]  # fmt: skip
    assert len(files[0]) >= 10
    assert files[0] == files[1]


def test_published_revision_never_changes(shelf, tower, said):
    before = Path(shelf.index, "index.json").read_bytes()
    with pytest.raises(ShelfError, match="a published revision never changes"):
        shelf.publish(tower, "tiny", **{**said, "licence": "MIT"})
    assert Path(shelf.index, "index.json").read_bytes() == before
    shelf.verify()


def test_leftovers_of_a_killed_publisher_are_in_nobodys_way(shelf, tmp_path, tower, said):
    other = Shelf(tmp_path / "other")
    revision = shelf.verify()[1].revision
    for leftover in (".staging", f"tiny/{revision}"):
        Path(other.index, leftover).mkdir(parents=True)
        Path(other.index, leftover, "config.json").write_text("{")
    assert other.publish(tower, "tiny", **said).revision == revision
    assert other.fetch("tiny") == tower
    assert not Path(other.index, ".staging").exists()


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"name": "../tiny"}, ShelfError, "name='../tiny' must be lower-case"),
        ({"name": "Tiny"}, ShelfError, "must be lower-case"),
        ({"name": "drop"}, ShelfError, "name='drop'"),
        ({"name": "tiny@1"}, ShelfError, "name='tiny@1'"),
        ({"licence": ""}, ShelfError, "SPDX"),
        ({"corpora": {"web": None}}, ShelfError, "names of corpora to their licences"),
        ({"corpora": ["web"]}, ShelfError, "names of corpora to their licences"),
        ({"recipe": " "}, ShelfError, "how it was trained"),
        ({"date": "2026-1-31"}, ShelfError, "a date such as"),
        ({"metrics": [{"data": "reviews"}]}, ShelfError, "tuple of Curve"),
        ({"component": "weights"}, TypeError, "A Base or a Tower can be published, got str"),
        ({"dtype": "float8"}, ValueError, "float8"),
    ],
)
def test_publish_says_what_is_wrong(shelf, tower, said, change, error, match):
    before = sorted(path for path in shelf.index.rglob("*") if path.name != ".lock")
    arguments = {"component": tower, "name": "more", **said, **change}
    with pytest.raises(error, match=match):
        shelf.publish(arguments.pop("component"), arguments.pop("name"), **arguments)
    assert sorted(path for path in shelf.index.rglob("*") if path.name != ".lock") == before


def test_pretrainer_is_told_to_pass_its_tower(shelf, said):
    with pytest.raises(TypeError, match="pass its tower_ or base_"):
        shelf.publish(MaskedCharacterPretrainer(), "more", **said)


@pytest.mark.parametrize("index", ["https://shelf.invalid/index.json", None])
def test_only_directories_are_published_to(index, tower, said, monkeypatch):
    monkeypatch.delenv("SKLEARN_CCLM_SHELF", raising=False)
    with pytest.raises(ShelfError, match=r"publish to Shelf\(directory\)"):
        Shelf(index).publish(tower, "more", **said)


def test_unknown_name_and_revision_say_what_there_is(shelf):
    with pytest.raises(ShelfError, match=r"'tinny' is not on .* \['tiny', 'tiny-base'\]"):
        shelf.fetch("tinny")
    revisions = [entry.revision for entry in shelf.verify() if entry.name == "tiny"]
    for revision in ("0" * 12, revisions[0][:11], "x"):
        with pytest.raises(ShelfError, match=f"no revision '{revision}' .*{revisions[0]}"):
            shelf.fetch("tiny", revision)


def test_search_narrows(shelf, base, tower):
    def names(*args, **kwargs):
        return [entry.name for entry in shelf.search(*args, **kwargs)]

    assert names() == ["tiny", "tiny-base"]
    assert names("BASE") == ["tiny-base"]
    assert names("four short") == ["tiny", "tiny-base"]
    assert (
        names("open reviews") == names(task="masked_character") == names(kind="tower") == ["tiny"]
    )
    assert names(kind="tower", task="entity") == names("nothing") == names(base="0" * 64) == []
    assert names(base=base.digest) == ["tiny", "tiny-base"]
    assert names(max_bytes=shelf.entry("tiny-base").size) == ["tiny-base"]
    assert [entry.digest for entry in shelf.search("tiny")][0] != tower.digest  # the newest


def test_verify_names_all_that_is_damaged(shelf, root):
    first, second, third = shelf.verify()
    flip(weights(root, first))
    weights(root, third).unlink()
    with pytest.raises(ShelfError, match="2 of 3 are damaged") as caught:
        shelf.verify()
    assert first.revision in str(caught.value)
    assert third.revision in str(caught.value)
    assert second.revision not in str(caught.value)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_changed_file_is_not_loaded(shelf, root, name):
    flip(Path(root, shelf.entry("tiny").folder, name))
    with pytest.raises(ValueError, match="sha256"):
        shelf.fetch("tiny")


@pytest.mark.parametrize(
    "change", [{"kind": "base"}, {"digest": "0" * 64}, {"base": "0" * 64}, {"width": 5}]
)
def test_entry_that_lies_is_found_out(shelf, root, change):
    path = Path(root, "index.json")
    index = json.loads(path.read_text(encoding="utf-8"))
    index["entries"][-1].update(change)
    path.write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(ShelfError, match=re.escape(f"{list(change)} differ")):
        shelf.fetch("tiny")
    with pytest.raises(ShelfError, match="1 of 3 are damaged"):
        shelf.verify()


def test_directory_without_index_says_how_to_make_one(tmp_path):
    with pytest.raises(ShelfError, match=r"is no shelf: it has no index.json.*publish"):
        Shelf(tmp_path / "nowhere").list()


@pytest.mark.parametrize(
    ("index", "match"),
    [
        ("ftp://host/index.json", "must be a directory, or start with https://"),
        ("https://host/shelf", r"must be the URL of a shelf's index.json"),
        ("hf://owner/repository", "all 40 digits of the commit"),
        ("hf://owner/repository@main", "all 40 digits of the commit"),
    ],
)
def test_index_that_is_none_is_refused(index, match):
    with pytest.raises(ValueError, match=match):
        Shelf(index)


def test_environment_names_the_default_shelf(default):
    assert Shelf().list() == ["tiny", "tiny-base"]
    assert repr(Shelf()) == f"Shelf({os.fspath(default.index)!r})"


def test_shelf_is_picklable_and_can_be_moved(shelf, tmp_path, newer):
    assert pickle.loads(pickle.dumps(shelf)).fetch("tiny") == newer
    moved = shutil.copytree(shelf.index, tmp_path / "moved")
    assert len(Shelf(moved).verify()) == 3
    assert Shelf(moved).fetch("tiny") == newer


def test_a_base_is_stored_once(shelf, tower, newer, said):
    whole, shared = shelf.entry("tiny"), shelf.publish(newer, "lean", base_in="tiny", **said)
    assert (shared.base_in, shared.base) == (whole.pinned, whole.base)
    assert weights(shelf.index, shared).stat().st_size < shelf.entry("tiny-base").size / 5
    assert shelf.fetch("lean") == newer
    assert shelf.publish(tower, "leaner", base_in="lean", **said).base_in == whole.pinned
    assert len(shelf.verify()) == 5
    with pytest.raises(ValueError, match=f"stored elsewhere: pass the one with.*{whole.base}"):
        load(Path(shelf.index, shared.folder))


def test_a_base_that_another_entry_lacks_is_refused(shelf, base, tower, said):
    names = shelf.list()
    doubled = base.with_module(base.build().requires_grad_(False).apply(double))
    for other in (tower.with_module(tower.build(), doubled), base):
        with pytest.raises(ShelfError, match="has another base than this"):
            shelf.publish(other, "lean", base_in="tiny", **said)
    assert shelf.list() == names


@pytest.mark.parametrize("change", [{"base_in": "tiny-base@" + "0" * 12}, {"base": "0" * 64}])
def test_index_that_names_no_holder_of_a_base_is_refused(shelf, root, newer, said, change):
    shelf.publish(newer, "lean", base_in="tiny", **said)
    path = Path(root, "index.json")
    index = json.loads(path.read_text(encoding="utf-8"))
    index["entries"][-1].update(change)
    path.write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(ShelfError, match="has its base in .*, which lacks it"):
        shelf.list()


def test_entries_can_be_kept_in_sets(shelf):
    entries = shelf.verify()
    assert len({*entries, *shelf.verify()}) == len(entries) == 3


def test_an_index_too_large_is_not_read(shelf, root):
    with Path(root, "index.json").open("ab") as file:
        file.truncate(17 * 2**20)
    with pytest.raises(ShelfError, match="bytes, and at most"):
        shelf.list()
