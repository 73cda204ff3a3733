"""What needs torch says which extra brings it."""

from importlib import import_module

import pytest
import serving
from sklearn.base import clone

import sklearn_cclm
from sklearn_cclm import (
    CCLMModelBase,
    ComposedClassifier,
    ComposedEmbedder,
    ComposedModel,
    MLMPreprocessor,
    Shelf,
    Tower,
    load,
)

EXTRA = r'pip install "sklearn-cclm\[train\]"'
TEXTS = ["some text", "more text"] * 5


@pytest.mark.parametrize("name", sklearn_cclm.__all__)
def test_public_names_are_there_or_say_what_brings_them(name):
    if name.endswith("Pretrainer") or name == "export_onnx":
        with pytest.raises(ImportError, match=EXTRA):
            getattr(sklearn_cclm, name)
    else:
        assert getattr(sklearn_cclm, name).__name__ == name


@pytest.mark.parametrize("module", ["nn", "nn.losses", "pretraining", "pretraining.distillation"])
def test_modules_that_train_say_what_brings_them(module):
    with pytest.raises(ImportError, match=EXTRA):
        import_module(f"sklearn_cclm.{module}")


@pytest.mark.parametrize(
    "call",
    [
        lambda: CCLMModelBase().fit(TEXTS),
        lambda: MLMPreprocessor().fit(TEXTS),
        lambda: ComposedClassifier().fit(TEXTS, [0, 1] * 5),
        lambda: clone(load(serving.RECORDED / "classifier")).partial_fit(TEXTS, [0, 1] * 5, [0, 1]),
        lambda: serving.towers()[0][1].build(),
        lambda: ComposedModel([serving.towers()[0]]).fit(TEXTS).module_,
        lambda: ComposedEmbedder(device="cuda").fit(TEXTS),
        lambda: Shelf().fetch("en-mlm"),
        lambda: ComposedEmbedder([("mlm", "en-mlm")]).fit(TEXTS),
    ],
)
def test_training_and_other_networks_say_what_they_need(call):
    with pytest.raises(ImportError, match=EXTRA):
        call()


def test_a_pickled_tower_of_another_kind_says_what_it_needs():
    tower = serving.towers()[0][1]
    other = Tower(
        base=tower.base, architecture="conv", weights={}, task="none",
        config={"width": 3, "native_width": 0},
    )  # fmt: skip
    with pytest.raises(ImportError, match=rf"'conv' needs torch.*{EXTRA}"):
        ComposedEmbedder([("conv", other)]).fit_transform(TEXTS)
