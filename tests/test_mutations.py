"""The conformance suite can fail: each planted bug is caught by the check that is made for it."""

import copy
import random
from numbers import Integral

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._text.read import check_texts
from sklearn_cclm._tools.tags import TextTagsMixin
from sklearn_cclm.utils import _text_checks
from sklearn_cclm.utils.estimator_checks import check_text_estimator, sklearn_checks, text_checks


class Sound(ClassNamePrefixFeaturesOutMixin, TextTagsMixin, TransformerMixin, BaseEstimator):
    """A random vector per character, summed over each text."""

    def __init__(self, width=4, *, random_state=None):
        self.width = width
        self.random_state = random_state

    def fit(self, X, y=None):
        if not isinstance(self.width, Integral):
            raise TypeError(f"width={self.width!r} must be an integer.")
        texts = check_texts(X, min_texts=1)
        characters = sorted(set("".join(texts)))
        weights = self._rng().normal(size=(len(characters) + 1, self.width))
        self.codes_ = {character: code for code, character in enumerate(characters, start=1)}
        self.weights_ = weights.astype(np.float32)
        return self

    def transform(self, X):
        check_is_fitted(self)
        return self._vectors(check_texts(X))

    def _rng(self):
        return np.random.default_rng(self.random_state)

    def _vectors(self, texts):
        out = np.zeros((len(texts), self.width), dtype=np.float32)
        for row, text in enumerate(texts):
            out[row] = self.weights_[[self.codes_.get(c, 0) for c in text]].sum(axis=0)
        return out

    @property
    def _n_features_out(self):
        return self.width


CAUGHT_BY = {}
ALSO_ON_NUMBERS = []  # each worker of pytest-xdist wants the same order


def planted(*checks, on_numbers=False):
    """Say which checks must catch the bug of a class, and whether scikit-learn's must as well."""

    def add(cls):
        CAUGHT_BY[cls] = set(checks)
        if on_numbers:
            ALSO_ON_NUMBERS.append(cls)
        return cls

    return add


@planted("check_fit_returns_self", on_numbers=True)
class FitReturnsNone(Sound):
    def fit(self, X, y=None):
        super().fit(X, y)


@planted("check_fit_changes_no_parameter", on_numbers=True)
class FitChangesAParameter(Sound):
    def fit(self, X, y=None):
        super().fit(X, y)
        self.random_state = 1
        return self


@planted("check_fit_changes_no_parameter")
class FitChangesAParameterInPlace(Sound):
    def __init__(self, width=4, *, random_state=None, words=None):
        super().__init__(width, random_state=random_state)
        self.words = words

    def fit(self, X, y=None):
        if self.words is not None:
            self.words.append("new")
        return super().fit(X, y)


@planted("check_reading_changes_no_state", on_numbers=True)
class TransformStoresState(Sound):
    def transform(self, X):
        self.n_read_ = len(X)
        return super().transform(X)


@planted("check_fit_is_deterministic", on_numbers=True)
class IgnoresRandomState(Sound):
    def _rng(self):
        return np.random.default_rng()


@planted("check_random_state_matters")
class HasItsOwnSeed(Sound):
    def _rng(self):
        return np.random.default_rng(0)


@planted("check_fit_is_deterministic")
class SecondFitContinues(Sound):
    def fit(self, X, y=None):
        before = getattr(self, "weights_", None)
        super().fit(X, y)
        if before is not None:
            self.weights_ = self.weights_ + before.mean()
        return self


@planted("check_pickle", on_numbers=True)
class HasALambda(Sound):
    def fit(self, X, y=None):
        self.function_ = lambda text: text
        return super().fit(X, y)


@planted("check_fitted_names", on_numbers=True)
class FitSetsAPublicAttribute(Sound):
    def fit(self, X, y=None):
        super().fit(X, y)
        self.codes = self.codes_
        return self


@planted("check_rows_independent", on_numbers=True)
class DependsOnTheBatch(Sound):
    def _vectors(self, texts):
        out = super()._vectors(texts)
        return out - out.mean(axis=0) if len(out) else out


@planted("check_rows_independent", on_numbers=True)
class SortsTheRows(Sound):
    def _vectors(self, texts):
        return super()._vectors(sorted(texts))


@planted("check_feature_names", "check_rows_independent", on_numbers=True)
class WidthFollowsTheRows(Sound):
    def _vectors(self, texts):
        return np.tile(super()._vectors(texts), (1, max(1, len(texts))))


@planted("check_global_rng_untouched")
class DrawsFromNumpy(Sound):
    def fit(self, X, y=None):
        np.random.random()  # noqa: NPY002
        return super().fit(X, y)


@planted("check_global_rng_untouched")
class DrawsFromTorch(Sound):
    def transform(self, X):
        torch.rand(1)
        return super().transform(X)


@planted("check_global_rng_untouched")
class DrawsFromPython(Sound):
    def fit(self, X, y=None):
        random.random()
        return super().fit(X, y)


@planted("check_refused_input")
class AcceptsABareString(Sound):
    def transform(self, X):
        return super().transform([X] if isinstance(X, str) else X)


@planted("check_refused_input")
class FitAcceptsNumbers(Sound):
    def fit(self, X, y=None):
        return super().fit([str(x) for x in X] if isinstance(X, list) else X, y)


@planted("check_failed_fit_changes_nothing")
class HalfFittedAfterFailure(Sound):
    def fit(self, X, y=None):
        self.codes_ = {}
        return super().fit(X, y)


@planted("check_failed_fit_changes_nothing")
class FailedFitForgets(Sound):
    def fit(self, X, y=None):
        vars(self).pop("weights_", None)
        return super().fit(X, y)


@planted("check_containers")
class ReadsListsOnly(Sound):
    def fit(self, X, y=None):
        if not isinstance(X, list):
            raise TypeError("X must be a list.")
        return super().fit(X, y)


@planted("check_output")
class GivesDoubles(Sound):
    def _vectors(self, texts):
        return super()._vectors(texts).astype(np.float64)


@planted("check_unusual_texts")
class NanForEmptyTexts(Sound):
    def _vectors(self, texts):
        lengths = np.array([[len(text) or np.nan] for text in texts], dtype=np.float32)
        return super()._vectors(texts) / lengths.reshape(-1, 1)


@planted("check_unusual_texts")
class CannotEncodeSurrogates(Sound):
    def _vectors(self, texts):
        return super()._vectors([text.encode().decode() for text in texts])


@planted("check_one_sample", "check_grid_search")
class NeedsManyTexts(Sound):
    def fit(self, X, y=None):
        if len(X) < 9:
            raise ValueError("Too few texts.")
        return super().fit(X, y)


@planted("check_no_samples")
class NoTextsGiveOneRow(Sound):
    def _vectors(self, texts):
        return super()._vectors(texts or [""])


@planted("check_copies")
class CloneKeepsWhatIsFitted(Sound):
    def __sklearn_clone__(self):
        return copy.copy(self)


@planted("check_not_fitted", on_numbers=True)
class TransformsBeforeFit(Sound):
    def transform(self, X):
        return super().transform(X) if hasattr(self, "codes_") else np.zeros((len(X), self.width))


@planted("check_invalid_parameters")
class NeverLooksAtAParameter(Sound):
    def __init__(self, width=4, *, random_state=None, mode="fast"):
        super().__init__(width, random_state=random_state)
        self.mode = mode


@planted("check_invalid_parameters")
class ChecksInInit(Sound):
    def __init__(self, width=4, *, random_state=None):
        if not isinstance(width, Integral):
            raise TypeError("width must be an integer.")
        super().__init__(width, random_state=random_state)


@planted("check_no_attributes_set_in_init", on_numbers=True)
class InitSetsMore(Sound):
    def __init__(self, width=4, *, random_state=None):
        super().__init__(width, random_state=random_state)
        self.cache = {}


@planted("check_text_tags")
class SaysNothingOfText(Sound):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = False
        return tags


@planted("check_fit_transform")
class FitTransformDiffers(Sound):
    def fit_transform(self, X, y=None):
        return self.fit(X, y).transform(X) * 2


@planted("check_pipeline", "check_grid_search", on_numbers=True)
class FitTakesNoLabels(Sound):
    def fit(self, X):
        return super().fit(X)


@planted("check_set_output")
class IgnoresSetOutput(Sound, auto_wrap_output_keys=None):
    def set_output(self, *, transform=None):
        return self


def make(cls):
    return cls(words=[]) if cls is FitChangesAParameterInPlace else cls()


def failing(checks):
    failed = set()
    for name, check in checks:
        try:
            check()
        except Exception:
            failed.add(name)
    return failed


def test_sound_estimator_passes():
    assert len(check_text_estimator(Sound())) >= 37 + 46


@pytest.mark.parametrize("cls", CAUGHT_BY, ids=lambda cls: cls.__name__)
def test_planted_bug_is_caught(cls):
    assert CAUGHT_BY[cls] <= failing(text_checks(make(cls)))


@pytest.mark.parametrize("cls", ALSO_ON_NUMBERS, ids=lambda cls: cls.__name__)
def test_planted_bug_is_caught_by_the_checks_of_scikit_learn(cls):
    assert failing(sklearn_checks(make(cls)))


def test_every_check_catches_some_bug():
    caught = set().union(*CAUGHT_BY.values())
    assert {check.__name__ for check in _text_checks.applicable(Sound())} <= caught
