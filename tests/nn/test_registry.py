"""Architectures by name."""

from dataclasses import dataclass

import pytest
from torch import nn

from sklearn_cclm import CCLMModelBase, CharPreprocessor, MaskedCharacterPretrainer
from sklearn_cclm.architectures import (
    NgramConfig,
    PooledConfig,
    StridedConfig,
    TowerConfig,
    _registry,
)
from sklearn_cclm.nn import StridedTower
from sklearn_cclm.nn._registry import build, network
from sklearn_cclm.nn.towers import TowerModule


@dataclass(frozen=True)
class LinearConfig(TowerConfig):
    """Settings of a tower made for these tests."""

    width: int = 3


class LinearTower(TowerModule):
    """The simplest tower."""

    def __init__(self, config, *, base_width):
        super().__init__(config)
        self.linear = nn.Linear(base_width, config.width)

    def forward(self, encoding):
        return self.linear(encoding.characters) * encoding.mask.unsqueeze(-1)


@pytest.fixture
def linear(monkeypatch):
    """Register `LinearTower` for one test."""
    monkeypatch.setitem(_registry._CONFIGS, "tower", dict(_registry._CONFIGS["tower"]))
    _registry.register("tower", "linear")(LinearConfig)
    return network(LinearConfig)(LinearTower)


def test_names_are_listed():
    assert _registry.names("base") == ["ngram"]
    assert _registry.names("tower") == ["conv", "pooled", "strided"]


def test_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"tower='lstm'.*\['conv', 'pooled', 'strided'\]"):
        _registry.config_class("tower", "lstm")


def test_config_gives_its_name():
    assert _registry.name_of("base", NgramConfig()) == "ngram"
    assert _registry.name_of("tower", PooledConfig(width=3)) == "pooled"


def test_other_values_are_no_config():
    with pytest.raises(TypeError, match="3 is neither.*'strided'.*StridedConfig"):
        _registry.name_of("tower", 3)


def test_config_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="neither"):
        _registry.name_of("tower", NgramConfig())


def test_plain_config_builds_the_same_module():
    config = StridedConfig(width=16, n_heads=2, stride=4, n_strided_convs=2)
    tower = build("tower", "strided", _registry.to_dict(config), base_width=5)
    assert isinstance(tower, StridedTower)
    assert tower.factor == 16
    assert len(tower.shrink) == 2


def test_lists_become_tuples_again():
    plain = _registry.to_dict(NgramConfig(width=2, n_buckets=5, ngram_orders=(1, 2)))
    assert plain["ngram_orders"] == [1, 2]
    base = build("base", "ngram", plain, folded=(0, 1))
    assert base.config == NgramConfig(width=2, n_buckets=5, ngram_orders=(1, 2))


def test_registering_gives_the_class_back(linear):
    assert linear is LinearTower
    assert _registry.names("tower") == ["conv", "linear", "pooled", "strided"]


@pytest.mark.parametrize("tower", ["linear", LinearConfig(width=5)])
def test_registered_tower_is_pretrained_by_name_and_by_config(linear, tower):
    base = CCLMModelBase(CharPreprocessor(), width=4, n_buckets=10)
    pretrainer = MaskedCharacterPretrainer(base, tower=tower, max_epochs=1, random_state=0)
    fitted = pretrainer.fit(["some text", "more text"] * 5).tower_
    assert fitted.architecture == "linear"
    assert isinstance(fitted.build(), LinearTower)
