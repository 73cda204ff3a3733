"""Find the public estimators of the package."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from sklearn.base import BaseEstimator

import sklearn_cclm


def all_estimators() -> list[tuple[str, type[BaseEstimator]]]:
    """Return the public estimators, as ``sklearn.utils.discovery.all_estimators`` does.

    Returns
    -------
    list of (str, class)
        Names and classes in alphabetical order: all that can be constructed and whose names, and
        a module that has them, do not begin with an underscore. So a new task or transformer
        needs no registration.

    Examples
    --------
    >>> from sklearn_cclm.utils import all_estimators
    >>> [name for name, _ in all_estimators()][:2]
    ['CCLMModelBase', 'CausalLanguagePretrainer']
    """
    found = {cls for module in _public_modules() for cls in vars(module).values() if _fits(cls)}
    return sorted((cls.__name__, cls) for cls in found)


def _public_modules() -> Iterator[ModuleType]:
    """Modules of the package whose dotted names have no part that begins with an underscore."""
    for module in pkgutil.walk_packages(sklearn_cclm.__path__, "sklearn_cclm."):
        if "._" not in module.name:
            yield import_module(module.name)


def _fits(value: object) -> bool:
    """Whether this is a concrete estimator class of ours with a public name."""
    return (
        inspect.isclass(value)
        and issubclass(value, BaseEstimator)
        and value.__module__.startswith("sklearn_cclm.")
        and not value.__name__.startswith("_")
        and not inspect.isabstract(value)
    )
