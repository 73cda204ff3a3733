"""Discovery finds every public estimator, and nothing else."""

import sys
from types import ModuleType

import pytest
from sklearn.base import BaseEstimator

import sklearn_cclm
from sklearn_cclm.utils import all_estimators, discovery


def test_every_public_estimator_is_found():
    assert [name for name, _ in all_estimators()] == [
        "CCLMModelBase",
        "CausalLanguagePretrainer",
        "CharPreprocessor",
        "ClassificationPretrainer",
        "ComposedClassifier",
        "ComposedEmbedder",
        "ComposedModel",
        "ComposedRegressor",
        "ComposedTagger",
        "ContrastivePretrainer",
        "DistillationPretrainer",
        "EntityPretrainer",
        "MLMPreprocessor",
        "MaskedCharacterPretrainer",
        "MaskedLanguagePretrainer",
        "MultiTaskPretrainer",
        "TaskPretrainer",
        "TextColumnEncoder",
        "TypoNoise",
    ]


@pytest.mark.parametrize(("name", "cls"), all_estimators())
def test_estimators_are_public_names_of_the_package(name, cls):
    assert getattr(sklearn_cclm, name) is cls


def test_new_file_needs_no_registration(monkeypatch):
    name = "sklearn_cclm.pretraining.new_task"
    module = ModuleType(name)
    module.NewTask = type("NewTask", (BaseEstimator,), {"__module__": name})
    module._Private = type("_Private", (BaseEstimator,), {"__module__": name})
    module.Foreign = type("Foreign", (BaseEstimator,), {"__module__": "elsewhere"})
    monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(discovery.pkgutil, "walk_packages", lambda *_: [module_info(name)])
    assert all_estimators() == [("NewTask", module.NewTask)]


def test_private_modules_are_not_searched(monkeypatch):
    hidden = [module_info("sklearn_cclm.models._composition")]
    monkeypatch.setattr(discovery.pkgutil, "walk_packages", lambda *_: hidden)
    assert all_estimators() == []


def module_info(name):
    return discovery.pkgutil.ModuleInfo(None, name, False)
