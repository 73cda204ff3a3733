"""Every check on every public estimator, and a count of what ran."""

from unittest import SkipTest

import pytest
import sklearn
from sklearn.base import is_regressor
from tiny import TINY, tiny

from sklearn_cclm.utils.discovery import all_estimators
from sklearn_cclm.utils.estimator_checks import (
    parametrize_with_text_checks,
    sklearn_checks,
    text_checks,
)

OF_NEWEST = pytest.mark.skipif(
    tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 9),
    reason="scikit-learn 1.8 has two checks of one name and one check less than 1.9",
)
# checks of the estimator on text, and those of scikit-learn 1.9 through the adapter
COUNTS = {
    "CCLMModelBase": (29, 41),
    "CausalLanguagePretrainer": (30, 41),
    "CharPreprocessor": (36, 46),
    "ClassificationPretrainer": (30, 67),
    "ComposedClassifier": (30, 67),
    "ComposedRegressor": (30, 60),
    "ComposedTagger": (30, 42),
    "ComposedEmbedder": (36, 46),
    "ComposedModel": (35, 46),  # one vector per character has no frame, hence no check_set_output
    "ContrastivePretrainer": (30, 41),
    "DistillationPretrainer": (30, 41),
    "EntityPretrainer": (30, 42),
    "MLMPreprocessor": (36, 46),
    "MaskedCharacterPretrainer": (30, 41),
    "MaskedLanguagePretrainer": (30, 41),
    "MultiTaskPretrainer": (30, 41),
    "TaskPretrainer": (30, 41),
    "TextColumnEncoder": (36, 46),
    "TypoNoise": (34, 43),  # no frame of texts, hence no check_set_output; nothing to fit
}


def failing(estimator):
    """Checks that must fail, with reasons."""
    if not hasattr(estimator, "predict_proba") and not is_regressor(estimator):
        return {}
    reason = "a text that is there twice makes other batches, as for scikit-learn's MLPClassifier"
    return {"numeric:check_sample_weight_equivalence_on_dense_data": reason}


@parametrize_with_text_checks(
    [tiny(name, cls) for name, cls in all_estimators()], expected_failed_checks=failing
)
def test_check(check):
    try:
        check()
    except SkipTest as skipped:  # of what is not deterministic, by scikit-learn 1.8
        pytest.skip(str(skipped))


def test_every_public_estimator_is_checked():
    assert {name for name, _ in all_estimators()} == COUNTS.keys() == TINY.keys()


@OF_NEWEST
@pytest.mark.parametrize(("name", "cls"), all_estimators())
def test_no_check_drops_out(name, cls):
    estimator = tiny(name, cls)
    found = len(list(text_checks(estimator))), len(list(sklearn_checks(estimator)))
    assert found == COUNTS[name]


@OF_NEWEST
@pytest.mark.parametrize(("name", "cls"), all_estimators())
def test_names_of_checks_differ(name, cls):
    estimator = tiny(name, cls)
    names = [check for check, _ in (*text_checks(estimator), *sklearn_checks(estimator))]
    assert len(set(names)) == len(names)
