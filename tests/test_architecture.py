"""The shape of the package: light to import, small files, names that exist."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import sklearn_cclm

PACKAGE = Path(sklearn_cclm.__file__).parent
HEAVY = ("torch", "skorch", "sklearn", "scipy", "tokenizers", "datasets")


def test_importing_the_package_imports_nothing_heavy():
    code = f"import sys, sklearn_cclm; print([m for m in {HEAVY!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_inference_imports_no_skorch():
    code = "import sys, sklearn_cclm.models; print('skorch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_listed_names_exist_in_order():
    names = ["sklearn_cclm"]
    names += [found.name for found in walk_packages(sklearn_cclm.__path__, "sklearn_cclm.")]
    listing = [module for module in map(import_module, names) if hasattr(module, "__all__")]
    assert len(listing) >= 9
    for module in listing:
        assert sorted(module.__all__) == module.__all__
        assert all(hasattr(module, name) for name in module.__all__)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Towers'"):
        _ = sklearn_cclm.Towers


def test_files_stay_small():
    lengths = {
        path.relative_to(PACKAGE).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    assert len(lengths) > 30
    assert {name: n for name, n in lengths.items() if n > 380} == {}


def test_package_is_typed():
    assert (PACKAGE / "py.typed").exists()
