"""Several towers as one network."""

import pytest
import torch

from sklearn_cclm.nn import NgramBase, NgramConfig, PooledConfig, PooledTower
from sklearn_cclm.nn.composed import ComposedModule

IDS = torch.tensor([[4, 5, 6, 0], [0, 0, 0, 0]])
OTHER_IDS = torch.tensor([[7, 5, 4, 0], [0, 0, 0, 0]])


def parts():
    """Return two bases and three towers."""
    torch.manual_seed(0)
    bases = [NgramBase(NgramConfig(width=w, n_buckets=9), folded=tuple(range(8))) for w in (4, 6)]
    towers = [
        PooledTower(PooledConfig(width=width, hidden=5), base_width=base_width)
        for width, base_width in ((2, 4), (3, 6), (1, 4))
    ]
    return bases, towers


@pytest.fixture(autouse=True)
def _own_seed():
    with torch.random.fork_rng(devices=[]):
        yield


def test_vectors_of_the_towers_are_side_by_side():
    (one, other), towers = parts()
    module = ComposedModule([one, other], towers, places=(0, 1, 0), weights=(1.0, 0.5, 2.0))
    expected = [
        towers[0](one(IDS)), 0.5 * towers[1](other(OTHER_IDS)), 2 * towers[2](one(IDS)),
    ]  # fmt: skip
    torch.testing.assert_close(module(IDS, OTHER_IDS), torch.cat(expected, dim=-1))


def test_padding_is_zero():
    bases, towers = parts()
    module = ComposedModule(bases, towers, places=(0, 1, 0), weights=(1.0, 1.0, 1.0))
    vectors = module(IDS, OTHER_IDS)
    assert vectors.shape == (2, 4, 6)
    assert vectors[IDS != 0].all()
    assert not vectors[IDS == 0].any()


def test_each_base_runs_once(monkeypatch):
    bases, towers = parts()
    calls = []
    original = NgramBase.characters
    monkeypatch.setattr(
        NgramBase, "characters", lambda self, *args: (calls.append(self), original(self, *args))[1]
    )
    module = ComposedModule(bases, towers, places=(0, 1, 0), weights=(1.0, 1.0, 1.0))
    module(IDS, OTHER_IDS)
    assert calls == bases


def test_codes_are_needed_for_every_base():
    bases, towers = parts()
    module = ComposedModule(bases, towers, places=(0, 1, 0), weights=(1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="zip"):
        module(IDS)


def test_gradients_reach_every_part():
    bases, towers = parts()
    module = ComposedModule(bases, towers, places=(0, 1, 0), weights=(1.0, 1.0, 1.0))
    module(IDS, OTHER_IDS).square().sum().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())
