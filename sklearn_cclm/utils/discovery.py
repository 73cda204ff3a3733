"""Find the public estimators of the package."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module

from sklearn.base import BaseEstimator

import sklearn_cclm


def all_estimators() -> list[tuple[str, type[BaseEstimator]]]:
    """Return the public estimators, as ``sklearn.utils.discovery.all_estimators`` does.

    Returns
    -------
    list of (str, class)
        Names and classes in alphabetical order: all that can be constructed and whose names do
        not begin with an underscore. A new task or transformer needs no registration.

    Examples
    --------
    >>> from sklearn_cclm.utils import all_estimators
    >>> [name for name, _ in all_estimators()][:2]
    ['CCLMModelBase', 'CharPreprocessor']
    """
    found = set()
    for module in pkgutil.walk_packages(sklearn_cclm.__path__, "sklearn_cclm."):
        for name, value in vars(import_module(module.name)).items():
            if _is_estimator(value) and not name.startswith("_"):
                found.add(value)
    return sorted((cls.__name__, cls) for cls in found)


def _is_estimator(value: object) -> bool:
    return (
        inspect.isclass(value)
        and issubclass(value, BaseEstimator)
        and value.__module__.startswith("sklearn_cclm.")
        and value.__module__.rpartition(".")[2] != "_composition"
        and not inspect.isabstract(value)
        and not value.__name__.startswith("_")
    )
