"""A text estimator as one of numbers, so that scikit-learn's own checks have something to check."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import validate_data

_READERS = (
    "decision_function",
    "fit",
    "fit_transform",
    "partial_fit",
    "predict",
    "predict_log_proba",
    "predict_proba",
    "score",
    "transform",
)


@functools.cache
def numeric_adapter(cls: type) -> type:
    """Return a subclass that reads tables of numbers, each row written out as a text.

    scikit-learn's estimator checks feed numbers, and leave out estimators whose tags say that
    they read text: ``check_estimator(CountVectorizer())`` runs one check. The subclass says that
    it reads numbers, validates them as any numeric estimator does, and gives the real methods a
    text for each row. All numbers have the same width, so that per-character outputs of the rows
    have the same shape.

    Parameters
    ----------
    cls : type
        A text estimator class.

    Returns
    -------
    type
        The subclass, the same at each call; its instances can be pickled.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_cclm.preprocessing import CharPreprocessor
    >>> from sklearn_cclm.utils.estimator_checks import numeric_adapter
    >>> numbers = np.array([[0.5, 2], [1, 3]])
    >>> preprocessor = numeric_adapter(CharPreprocessor)().fit(numbers)
    >>> preprocessor.inverse_transform(preprocessor.transform(numbers[:1]))
    [' 5.000e-01  2.000e+00']
    """
    return types.new_class(
        f"Numeric{cls.__name__}", (cls,), _set_output_keywords(cls), lambda body: _fill(body, cls)
    )


def _fill(body: dict[str, Any], cls: Any) -> None:
    """Define the methods of the adapter of a class."""

    def tags(self: Any) -> Tags:
        honest = cls.__sklearn_tags__(self)
        honest.input_tags.string = False
        honest.input_tags.one_d_array = False
        honest.input_tags.two_d_array = True
        for kind in (honest.classifier_tags, honest.regressor_tags):
            if kind is not None:
                kind.poor_score = True  # digits say little of numbers to who reads characters
        return honest

    def reduce(self: Any, protocol: int) -> tuple:
        return _blank, (cls,), self.__getstate__()

    body.update(__module__=__name__, __sklearn_tags__=tags, __reduce_ex__=reduce)
    for name in _READERS:
        if hasattr(cls, name):
            body[name] = _reading_numbers(getattr(cls, name))


def _reading_numbers(method: Callable) -> Callable:
    """Wrap a method; texts pass as they are, as one wrapped method may call another."""
    parameters = signature(method).parameters

    @functools.wraps(method)
    def read(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        if not (isinstance(X, list) and all(isinstance(text, str) for text in X)):
            first = method.__name__ == "partial_fit" and not hasattr(self, "n_features_in_")
            reset = first or method.__name__.startswith("fit")
            if first and "classes" in parameters:  # the checks give them to classifiers alone
                kwargs.setdefault("classes", np.unique(args[0]))
            numbers = validate_data(self, X, reset=reset)
            X = [" ".join(f"{number: .3e}" for number in row) for row in numbers]
        return method(self, X, *args, **kwargs)

    return read


def _blank(cls: Any) -> Any:
    """Return an adapter without any attribute, for pickle to fill."""
    adapter = numeric_adapter(cls)
    return object.__new__(adapter)


def _set_output_keywords(cls: Any) -> dict[str, Any]:
    """Return the class keywords that keep a transformer without `set_output` without it."""
    without = issubclass(cls, TransformerMixin) and not hasattr(object.__new__(cls), "set_output")
    return {"auto_wrap_output_keys": None} if without else {}
