"""Data packages: installed ones are on the default shelf, whose own names stay what they are."""

import shutil
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from sklearn_cclm import Shelf
from sklearn_cclm.shelf import ShelfError, _installed

SCRIPT = Path(__file__).parents[2] / "recipes" / "data_package.py"


@pytest.fixture
def installed(shelf, tmp_path, monkeypatch):
    """Make the small shelf a data package, beside an empty packaged shelf."""
    monkeypatch.delenv("SKLEARN_CCLM_SHELF", raising=False)
    shutil.copytree(shelf.index, tmp_path / "path" / "tiny_towers")
    Path(tmp_path, "path", "tiny_towers", "__init__.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(tmp_path / "path")
    declare(monkeypatch, tiny="tiny_towers")
    yield shelf
    _installed._data_packages.cache_clear()


def declare(monkeypatch, **packages):
    points = [EntryPoint(name, value, _installed.GROUP) for name, value in packages.items()]
    monkeypatch.setattr(_installed, "entry_points", lambda group: points)
    _installed._data_packages.cache_clear()


def test_installed_towers_are_on_the_default_shelf(installed, newer):
    assert {"en-semantic", "tiny", "tiny-base"} <= set(Shelf().list())
    assert Shelf().fetch("tiny") == newer
    assert len(Shelf().search("four short texts")) == 2
    assert len(Shelf().verify()) == len(Shelf(_installed.PACKAGED).verify()) + 3
    assert "tiny" not in Shelf(_installed.PACKAGED).list()


def test_indexes_are_joined_once_until_one_changes(installed, tmp_path, monkeypatch, said, newer):
    joined = []
    write_index = _installed.write_index
    monkeypatch.setattr(
        _installed, "write_index", lambda entries: joined.append(1) or write_index(entries)
    )
    Shelf().list()
    first = len(joined)
    assert Shelf().entry("tiny").name == "tiny"
    assert len(joined) == first
    Shelf(tmp_path / "path" / "tiny_towers").publish(newer, "another", **said)
    assert "another" in Shelf().list()
    assert len(joined) == first + 1


def test_names_of_the_package_stay_what_they_are(
    installed, tmp_path, monkeypatch, newer, base, said
):
    own, other = Shelf(tmp_path / "own"), Shelf(tmp_path / "path" / "tiny_towers")
    own.publish(newer, "en-own", **said)
    theirs = other.publish(base, "en-own", **said)
    monkeypatch.setattr(_installed, "PACKAGED", tmp_path / "own")
    assert Shelf().fetch("en-own") == newer
    assert Shelf().fetch(theirs.pinned) == base


def test_changed_files_are_not_loaded(installed, tmp_path):
    entry = Shelf().entry("tiny")
    path = tmp_path / "path" / "tiny_towers" / entry.folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match="sha256"):
        Shelf().fetch("tiny")


def test_an_entry_point_that_leads_nowhere_is_named(installed, monkeypatch):
    declare(monkeypatch, gone="no_such_package")
    with pytest.raises(ShelfError, match="'gone' of sklearn_cclm.towers .* uninstall"):
        Shelf().list()


@pytest.mark.slow
def test_a_wheel_is_built_installed_and_read(shelf, tmp_path):
    licence = tmp_path / "CC0-1.0.txt"
    licence.write_text("The text of the licence.")
    options = ["--name", "cclm-tiny", "--version", "1.0", "--out", tmp_path]
    command = [sys.executable, SCRIPT, shelf.index, *options, "--licence"]
    refused = subprocess.run([*command, SCRIPT], capture_output=True, text=True)
    assert "The text of ['CC0-1.0'] is missing" in refused.stderr
    built = subprocess.run([*command, licence], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert f"{wheel}: {wheel.stat().st_size:,} bytes" in built.stdout
    target = tmp_path / "target"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", target, wheel]
    subprocess.run(pip, check=True)
    said = (target / "cclm_tiny-1.0.dist-info" / "METADATA").read_text()
    assert "License-Expression: CC0-1.0" in said
    assert (target / "cclm_tiny-1.0.dist-info" / "licenses" / "LICENSES" / "CC0-1.0.txt").exists()
    code = (
        f"import sys; sys.path.insert(0, {str(target)!r})\n"
        "from sklearn_cclm import ComposedEmbedder, Shelf\n"
        "print(Shelf().entry('tiny').pinned)\n"
        "ComposedEmbedder([('own', 'tiny')]).fit_transform(['text'])"
    )
    read = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert read.stdout.strip() == shelf.entry("tiny").pinned, read.stderr
    assert read.returncode == 0, read.stderr
