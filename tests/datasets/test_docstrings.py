"""Sentences of docstrings: read without importing, cleaned, distinct, in one order."""

import ast
import gc
import subprocess
import sys

import numpy as np
import pytest

from sklearn_cclm.datasets import _docstrings, load_docstrings

SOURCE = '''
"""Read the first file that exists. It may
span several lines, e.g. Like this one.

>>> This is an example of code here.
This is the output of that code.

Parameters
----------
x : array of some numbers here.
    This text under a parameter is indented.

- The first item of a list ends here.
- The second item has ``code`` and *stress* in it.
"""

raise RuntimeError("This file is parsed, not imported.")


def function():
    """Return what :class:`~some.module.Thing` says about `x` today.

    .. note:: This directive is not prose at all.

    Nothing but symbols: {a: [b], c: (d[0], e[1])} + f(x)**2 == 3.
    """


class Thing:
    # This comment is not a docstring at all.
    def method(self):
        "A method has a docstring as well."
        text = """This string is no docstring at all."""
'''
SENTENCES = [
    "Read the first file that exists.",
    "It may span several lines, e.g. Like this one.",
    "The first item of a list ends here.",
    "The second item has code and stress in it.",
    "Return what Thing says about x today.",
    "A method has a docstring as well.",
]


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A folder that stands for each library."""
    monkeypatch.setattr(_docstrings, "_folder", lambda name: tmp_path)
    (tmp_path / "module.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def joblib_and_numpy():
    return load_docstrings(libraries=["numpy", "joblib"])


def test_prose_of_docstrings_is_kept(library):
    assert load_docstrings(libraries=["numpy"]).data == SENTENCES


def test_sentence_in_two_libraries_belongs_to_the_first(library):
    docstrings = load_docstrings(libraries=["scipy", "numpy"])
    assert docstrings.target_names == ["numpy", "scipy"]
    assert docstrings.data == SENTENCES
    assert not docstrings.target.any()


def test_files_are_read_in_order_and_tests_left_out(library):
    for path in ("a/b.py", "z.py", "tests/c.py"):
        (library / path).parent.mkdir(exist_ok=True)
        (library / path).write_text(f'"""This sentence stands in {path[0]} alone."""')
    data = load_docstrings(libraries=["numpy"], max_length=34).data
    places = [sentence for sentence in data if "alone" in sentence]
    assert places == ["This sentence stands in z alone.", "This sentence stands in a alone."]


def test_file_that_does_not_parse_is_left_out(library):
    (library / "broken.py").write_text('"""This sentence is never read."""\nprint "2"')
    (library / "binary.py").write_bytes(b"\x00\xff")
    assert load_docstrings(libraries=["numpy"]).data == SENTENCES


def test_lengths_bound_the_sentences(library):
    data = load_docstrings(libraries=["numpy"], min_length=34, max_length=37).data
    assert data == [sentence for sentence in SENTENCES if 34 <= len(sentence) <= 37]


def test_garbage_collection_is_left_as_it_was(library):
    load_docstrings(libraries=["numpy"])
    assert gc.isenabled()


def test_installed_libraries_give_distinct_sentences(joblib_and_numpy):
    docstrings = joblib_and_numpy
    assert docstrings.target_names == ["joblib", "numpy"]
    assert docstrings.target.dtype == np.int64
    assert (np.bincount(docstrings.target) > [200, 2000]).all()
    assert len(docstrings.data) == len(docstrings.target) == len(set(docstrings.data))
    assert all(20 <= len(sentence) <= 300 for sentence in docstrings.data)
    assert "Docstring sentences" in docstrings.DESCR


def test_order_is_the_same_in_another_process():
    code = (
        "from sklearn_cclm.datasets import load_docstrings; "
        "print(ascii(load_docstrings(libraries=['joblib']).data))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(found.stdout) == load_docstrings(libraries=["joblib"]).data


def test_return_X_y_gives_the_same_as_the_bunch(library):
    data, target = load_docstrings(libraries=["numpy"], return_X_y=True)
    assert data == SENTENCES
    assert np.array_equal(target, np.zeros(len(SENTENCES), dtype=np.int64))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"libraries": "numpy"}, r"libraries='numpy' is one string; pass a list"),
        ({"libraries": ["numpy", "pandas"]}, r"Unknown libraries \['pandas'\]; choose out of"),
        ({"min_length": 50, "max_length": 20}, "min_length=50 exceeds max_length=20"),
    ],
)
def test_bad_parameter_is_an_error_that_says_what_to_do(params, message):
    with pytest.raises(ValueError, match=message):
        load_docstrings(**params)


def test_library_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(_docstrings, "find_spec", lambda package: None)
    with pytest.raises(ModuleNotFoundError, match="scipy is not installed"):
        load_docstrings(libraries=["scipy"])


@pytest.mark.slow
@pytest.mark.ci
def test_all_libraries_give_tens_of_thousands_of_sentences():
    docstrings = load_docstrings()
    assert len(docstrings.data) > 20_000
    assert np.bincount(docstrings.target, minlength=6).min() > 200
