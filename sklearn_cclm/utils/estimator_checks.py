"""A conformance suite for estimators that read text, as scikit-learn has one for numbers."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any
from unittest.mock import patch

from sklearn.base import clone
from sklearn.utils.estimator_checks import (
    check_do_not_raise_errors_in_init_or_set_params,
    check_estimator_cloneable,
    check_estimator_repr,
    check_estimator_tags_renamed,
    check_estimators_unfitted,
    check_get_params_invariance,
    check_mixin_order,
    check_no_attributes_set_in_init,
    check_parameters_default_constructible,
    check_set_params,
    check_transformers_unfitted,
    check_valid_tag_types,
    estimator_checks_generator,
)

from sklearn_cclm.preprocessing._unread import UNREAD
from sklearn_cclm.utils._numeric_adapter import numeric_adapter
from sklearn_cclm.utils._text_checks import applicable

__all__ = [
    "check_text_estimator",
    "numeric_adapter",
    "parametrize_with_text_checks",
    "sklearn_checks",
    "text_checks",
]

_WITHOUT_DATA = (
    check_estimator_cloneable, check_estimator_tags_renamed, check_estimator_repr,
    check_valid_tag_types, check_no_attributes_set_in_init,
    check_do_not_raise_errors_in_init_or_set_params, check_mixin_order,
    check_parameters_default_constructible, check_get_params_invariance, check_set_params,
    check_estimators_unfitted,
)  # fmt: skip
Checks = Iterator[tuple[str, Callable[[], None]]]


def text_checks(estimator: Any) -> Checks:
    """Yield the checks of an estimator as it is, on text.

    They are those of scikit-learn's that need no data, and ours.

    Parameters
    ----------
    estimator : estimator
        An unfitted text estimator, best so small that a fit takes a fraction of a second.

    Yields
    ------
    name : str
        Name of the check.
    check : callable
        Takes no argument and raises if the estimator misbehaves.

    Examples
    --------
    >>> from sklearn_cclm.preprocessing import CharPreprocessor
    >>> from sklearn_cclm.utils.estimator_checks import text_checks
    >>> checks = dict(text_checks(CharPreprocessor()))
    >>> checks["check_fit_returns_self"]()
    """
    without_data = list(_WITHOUT_DATA)
    if hasattr(estimator, "transform"):
        without_data.append(check_transformers_unfitted)
    for check in without_data:
        yield check.__name__, partial(check, type(estimator).__name__, clone(estimator))
    for check in applicable(estimator):
        yield check.__name__, partial(_unwarned, check, clone(estimator))


def sklearn_checks(estimator: Any) -> Checks:
    """Yield all checks of scikit-learn, run on the estimator's `numeric_adapter`.

    Parameters
    ----------
    estimator : estimator
        An unfitted text estimator.

    Yields
    ------
    name : str
        Such as "numeric:check_dict_unchanged", with keyword arguments if there are any.
    check : callable
        Takes no argument and raises if the estimator misbehaves.

    Examples
    --------
    >>> from sklearn_cclm.preprocessing import CharPreprocessor
    >>> from sklearn_cclm.utils.estimator_checks import sklearn_checks
    >>> len(list(sklearn_checks(CharPreprocessor()))) > 40
    True
    """
    cls: type = type(estimator)
    numeric = numeric_adapter(cls)(**clone(estimator).get_params(deep=False))
    for adapted, check in estimator_checks_generator(numeric):
        yield f"numeric:{_name(check)}", partial(_with_array_api, check, adapted)


def check_text_estimator(estimator: Any) -> list[str]:
    """Run all checks, and raise what the first failing one raises.

    Parameters
    ----------
    estimator : estimator
        An unfitted text estimator.

    Returns
    -------
    list of str
        Names of the checks that ran.

    Examples
    --------
    >>> from sklearn_cclm.preprocessing import CharPreprocessor
    >>> from sklearn_cclm.utils.estimator_checks import check_text_estimator
    >>> len(check_text_estimator(CharPreprocessor(max_example_len=250))) > 70
    True
    """
    ran = []
    for name, check in (*text_checks(estimator), *sklearn_checks(estimator)):
        check()
        ran.append(name)
    return ran


def parametrize_with_text_checks(
    estimators: Sequence[Any], *, expected_failed_checks: Callable | None = None
) -> Any:
    """Decorate a pytest function of one argument, `check`, to be run for each check.

    Parameters
    ----------
    estimators : sequence of estimators
        Unfitted text estimators.
    expected_failed_checks : callable, default=None
        Given an estimator, returns a dict of the names of checks that must fail to the reasons.

    Returns
    -------
    pytest.MarkDecorator
        The decorator.

    Examples
    --------
    >>> from sklearn_cclm.preprocessing import CharPreprocessor
    >>> from sklearn_cclm.utils.estimator_checks import parametrize_with_text_checks
    >>> @parametrize_with_text_checks([CharPreprocessor()])
    ... def test_conformance(check):
    ...     check()
    """
    import pytest

    params = []
    for estimator in estimators:
        failing = expected_failed_checks(estimator) if expected_failed_checks else {}
        for name, check in (*text_checks(estimator), *sklearn_checks(estimator)):
            fails = name in failing
            marks = pytest.mark.xfail(reason=failing[name], strict=True) if fails else ()
            name = f"{type(estimator).__name__}-{name}"
            params.append(pytest.param(check, id=name, marks=marks))
    return pytest.mark.parametrize("check", params)


def _name(check: Any) -> str:
    """Return the name of a check that `functools.partial` may have wrapped."""
    if not isinstance(check, partial):
        return check.__name__
    arguments = ", ".join(f"{key}={value!r}" for key, value in check.keywords.items())
    return f"{_name(check.func)}({arguments})" if arguments else _name(check.func)


def _with_array_api(check: Callable[[Any], None], estimator: Any) -> None:
    """Run a check with the variable set without which one of them is skipped."""
    with patch.dict(os.environ, SCIPY_ARRAY_API="1"):
        _unwarned(check, estimator)


def _unwarned(check: Callable[[Any], None], estimator: Any) -> None:
    """Run a check without the warning of blank and unseen texts, which checks are full of."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=UNREAD)
        check(estimator)
