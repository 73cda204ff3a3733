"""What needs torch says which extra brings it."""

from importlib import import_module

import numpy as np
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
from sklearn_cclm._numpy.layers import linear_shapes
from sklearn_cclm._numpy.words import context_shapes

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


def test_a_tagger_that_reads_words_is_read_and_says_what_it_needs(tmp_path):
    tagger = load(serving.RECORDED / "tagger")
    tagger.of_words_ = True
    shapes = tagger._shapes()
    assert "head.context.enter.weight" in shapes
    tagger.head_weights_ = {n: np.ones(s, dtype=np.float32) for n, s in shapes.items()}
    tagger.save(tmp_path / "words")
    again = load(tmp_path / "words")
    assert again.of_words_
    with pytest.raises(ImportError, match=rf"tagger that reads words needs torch.*{EXTRA}"):
        again.predict(TEXTS)
    assert again.embedder_.transform(TEXTS).shape[0] == len(TEXTS)


def test_a_tower_that_finds_words_is_read(tmp_path):
    tower = serving.towers()[0][1]
    head = context_shapes("context", tower.width, 3) | linear_shapes("output", tower.width, 3)
    weights = {name: np.ones(shape, dtype=np.float32) for name, shape in head.items()}
    tower = tower.with_head(weights, ["A"], of_words=True)
    tower.save(tmp_path / "names")
    assert Tower.load(tmp_path / "names") == tower


def test_a_pickled_tower_of_another_kind_says_what_it_needs():
    tower = serving.towers()[0][1]
    other = Tower(
        base=tower.base, architecture="conv", weights={}, task="none",
        config={"width": 3, "native_width": 0},
    )  # fmt: skip
    with pytest.raises(ImportError, match=rf"'conv' needs torch.*{EXTRA}"):
        ComposedEmbedder([("conv", other)]).fit_transform(TEXTS)
