"""Every public object has a complete numpydoc docstring."""

import inspect
from importlib import import_module

import pytest
from numpydoc.validate import validate

from sklearn_cclm.utils import all_estimators

HOMES = (
    "sklearn_cclm._persistence",
    "sklearn_cclm.datasets",
    "sklearn_cclm.models",
    "sklearn_cclm.nn.losses",
    "sklearn_cclm.noise",
    "sklearn_cclm.preprocessing",
    "sklearn_cclm.pretraining",
    "sklearn_cclm.shelf",
    "sklearn_cclm.tables",
    "sklearn_cclm.utils.discovery",
    "sklearn_cclm.utils.estimator_checks",
    "sklearn_cclm.values",
)
# numpydoc's codes: summaries on one line in the imperative, all parameters in order with their
# types and descriptions, returned values, a period at the end
CODES = {
    "GL08", "SS01", "SS02", "SS03", "SS04", "SS05", "SS06",
    "PR01", "PR02", "PR03", "PR04", "PR05", "PR06", "PR07", "PR08", "PR09", "RT01", "RT03",
}  # fmt: skip


def public_objects():
    """Yield the dotted name of each public object and method."""
    for home in HOMES:
        for name, value in vars(import_module(home)).items():
            if name.startswith("_") or not getattr(value, "__module__", "").startswith(home):
                continue
            if inspect.isclass(value) or inspect.isfunction(value):
                yield f"{value.__module__}.{name}"
            if inspect.isclass(value):
                for method, function in inspect.getmembers(value, inspect.isfunction):
                    ours = function.__module__.startswith("sklearn_cclm")
                    if ours and not method.startswith("_"):
                        yield f"{value.__module__}.{name}.{method}"


@pytest.mark.parametrize("name", sorted(set(public_objects())))
def test_docstring_is_complete(name):
    errors = [f"{code}: {text}" for code, text in validate(name)["errors"] if code in CODES]
    assert not errors


def test_public_objects_are_found():
    names = {name.rpartition(".")[2] for name in public_objects()}
    assert {"ComposedEmbedder", "make_composed", "fit", "sampled_softmax_loss"} <= names


def test_estimators_have_examples_that_run():
    without = [name for name, cls in all_estimators() if ">>> " not in cls.__doc__]
    assert not without
