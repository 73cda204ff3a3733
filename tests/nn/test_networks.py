"""Bases and towers: padding and batch change nothing, and configs say what fits."""

import pytest
import torch
from torch import nn

from sklearn_cclm.nn import (
    NgramBase,
    NgramConfig,
    PooledConfig,
    PooledTower,
    StridedConfig,
    StridedTower,
    _registry,
)
from sklearn_cclm.nn.composed import ComposedModule
from sklearn_cclm.nn.embedding import ngram_buckets
from sklearn_cclm.nn.pooling import POOLINGS, pool

N_CHARS = 24
BASES = {
    "n-grams": NgramConfig(width=16, n_buckets=300),
    "blocks": NgramConfig(width=16, n_buckets=300, n_blocks=2),
    "characters": NgramConfig(width=16, n_buckets=0),
    "no orders": NgramConfig(width=16, ngram_orders=(), n_blocks=1),
}
TOWERS = {
    "pooled": (PooledTower, PooledConfig(width=8, hidden=16)),
    "strided": (StridedTower, StridedConfig(8, 4, 2, 2, n_layers=2, n_heads=2)),
    "strided by three": (StridedTower, StridedConfig(8, 9, 2, 3, n_layers=1, n_heads=2)),
}


def make_base(config):
    torch.manual_seed(0)
    return NgramBase(config, folded=tuple(range(N_CHARS))).eval()


@pytest.fixture(params=BASES.values(), ids=BASES.keys())
def base(request):
    return make_base(request.param)


@pytest.fixture(params=TOWERS.values(), ids=TOWERS.keys())
def tower(request):
    module, config = request.param
    torch.manual_seed(1)
    return module(config, base_width=16).eval()


@pytest.fixture(scope="module")
def rows():
    generator = torch.Generator().manual_seed(2)
    return [torch.randint(4, N_CHARS, (n,), generator=generator) for n in (1, 5, 17, 40, 0)]


def padded(rows, length=None):
    """Return rows as one batch."""
    length = length or max(1, *map(len, rows))
    return torch.stack([nn.functional.pad(row, (0, length - len(row))) for row in rows])


@torch.no_grad()
def test_batch_and_padding_change_no_character(base, tower, rows):
    together = tower(base(padded(rows, 50)))
    for row, vectors in zip(rows, together, strict=True):
        alone = tower(base(padded([row])))[0, : len(row)]
        assert torch.allclose(vectors[: len(row)], alone, atol=1e-5)
        assert (vectors[len(row) :] == 0).all()
        assert torch.isfinite(vectors).all()


@torch.no_grad()
def test_batch_and_padding_change_no_native_vector(base, tower, rows):
    together = tower.native(base(padded(rows, 50)))
    backwards = tower.native(base(padded(rows[::-1]))).flip(0)
    alone = torch.cat([tower.native(base(padded([row]))) for row in rows])
    assert torch.isfinite(together).all()
    assert torch.allclose(together, alone, atol=1e-5)
    assert torch.allclose(backwards, alone, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("pooling", [*POOLINGS, "mean+max"])
def test_batch_and_padding_change_no_pooled_vector(base, rows, pooling):
    def pooled(batch):
        encoding = base(batch)
        return pool(encoding.characters, encoding.mask, pooling)

    alone = torch.cat([pooled(padded([row])) for row in rows])
    assert torch.isfinite(alone).all()
    assert torch.allclose(pooled(padded(rows, 50)), alone, atol=1e-5)


def test_poolings_are_what_they_say():
    features = torch.tensor([[[1.0, -1.0], [3.0, -5.0], [9.0, 9.0]]])
    mask = torch.tensor([[True, True, False]])
    assert pool(features, mask, "mean+max+cls").tolist() == [[2, -3, 3, -1, 1, -1]]
    weights = torch.tensor([2.0 + 3.0, 6.0 + 15.0]).div(2**0.5).softmax(0)
    expected = weights @ features[0, :2]
    assert torch.allclose(pool(features, mask, "attention")[0], expected)


@torch.no_grad()
def test_mean_of_the_base_is_that_of_its_characters(base, rows):
    batch = padded(rows)
    mask = (batch != 0).unsqueeze(-1)
    mean = (base(batch).characters * mask).sum(1) / mask.sum(1).clamp(min=1)
    assert torch.allclose(base(batch).mean, mean, atol=1e-6)


@torch.no_grad()
def test_native_vector_is_the_same_from_known_features(base, tower, rows):
    encoding = base(padded(rows))
    known = tower.native(encoding, tower(encoding))
    assert torch.allclose(known, tower.native(encoding), atol=1e-6)


def test_vector_of_a_character_is_the_sum_of_its_rows():
    base = make_base(NgramConfig(width=4, n_buckets=50, ngram_orders=(1, 2)))
    ids = torch.tensor([[5, 9]])
    buckets = ngram_buckets(ids, (1, 2), 50)[0, 1] + N_CHARS
    expected = base.table.weight[[9, *buckets.tolist()]].sum(0)
    assert torch.allclose(base(ids).characters[0, 1], expected)


def test_ngram_depends_on_its_characters_alone():
    one = ngram_buckets(torch.tensor([[5, 6, 7, 8]]), (2, 3), 10_000)
    two = ngram_buckets(torch.tensor([[9, 6, 7, 8, 4]]), (2, 3), 10_000)
    assert torch.equal(one[0, 2:, 0], two[0, 2:4, 0])  # pairs 67 and 78
    assert one[0, 3, 1] == two[0, 3, 1]  # the triple 678
    assert one[0, 2, 1] != two[0, 2, 1]  # 567 and 967


def test_buckets_are_spread():
    pairs = torch.cartesian_prod(torch.arange(4, 104), torch.arange(4, 104))
    buckets = ngram_buckets(pairs, (2,), 100)[:, 1, 0]
    counts = torch.bincount(buckets, minlength=100)
    assert len(counts) == 100
    assert ((counts - 100) ** 2 / 100).sum() < 148.2  # chi-square, 0.999 quantile at 99


def test_case_is_folded_for_the_ngrams_alone():
    folded = [*range(N_CHARS)]
    folded[11] = 10
    base = NgramBase(NgramConfig(width=8, n_buckets=99), folded=tuple(folded))
    lower, upper = base(torch.tensor([[10, 7]])), base(torch.tensor([[11, 7]]))
    assert torch.equal(lower.characters[0, 1], upper.characters[0, 1])
    own = base.table.weight[10] - base.table.weight[11]
    assert torch.allclose(lower.characters[0, 0] - upper.characters[0, 0], own, atol=1e-6)


def test_composed_module_runs_each_base_once(rows, monkeypatch):
    one, two = make_base(BASES["n-grams"]), make_base(BASES["blocks"])
    towers = [TOWERS["pooled"][0](TOWERS["pooled"][1], base_width=16).eval() for _ in range(3)]
    calls = []
    original = NgramBase.characters
    monkeypatch.setattr(
        NgramBase, "characters", lambda self, *a: calls.append(self) or original(self, *a)
    )
    module = ComposedModule([one, two], towers, [0, 1, 0], [1.0, 2.0, 0.0])
    batch = padded(rows)
    out = module(batch, batch)
    assert out.shape == (*batch.shape, 24)
    assert [call is one for call in calls] == [True, False]
    assert torch.allclose(out[..., 8:16], 2 * towers[1](two(batch)))
    assert (out[..., 16:] == 0).all()


@pytest.mark.parametrize(
    ("config", "params", "message"),
    [
        (StridedConfig, {"n_strided_convs": 3}, "is 8. Set downsample_factor=8"),
        (StridedConfig, {"stride": 1}, "stride=1"),
        (StridedConfig, {"width": 100, "n_heads": 8}, "multiple of 2 \\* n_heads, here 16"),
        (StridedConfig, {"kernel_size": 4}, "kernel_size=4"),
        (PooledConfig, {"hidden": 0}, "hidden=0"),
        (NgramConfig, {"width": 0}, "width=0"),
        (NgramConfig, {"n_buckets": -1}, "n_buckets=-1"),
        (NgramConfig, {"ngram_orders": (0,)}, "ngram_orders"),
        (NgramConfig, {"kernel_size": 2}, "kernel_size=2"),
    ],
)
def test_config_that_does_not_fit_says_what_does(config, params, message):
    with pytest.raises(ValueError, match=message):
        config(**params)


def test_registry_knows_the_architectures():
    assert _registry.names("base") == ["ngram"]
    assert _registry.names("tower") == ["pooled", "strided"]
    with pytest.raises(ValueError, match=r"tower='round' .* \['pooled', 'strided'\]"):
        _registry.config_class("tower", "round")
    with pytest.raises(TypeError, match="PooledConfig"):
        _registry.name_of("tower", NgramConfig())


def test_config_survives_json():
    config = NgramConfig(ngram_orders=(2, 4))
    plain = _registry.to_dict(config)
    assert plain["ngram_orders"] == [2, 4]
    built = _registry.build("base", "ngram", plain, folded=(0, 1, 2, 3))
    assert built.config == config


def test_registered_tower_can_be_used_by_name(monkeypatch):
    monkeypatch.setitem(_registry._ARCHITECTURES, "tower", dict(_registry._ARCHITECTURES["tower"]))

    class OwnConfig(PooledConfig):
        pass

    @_registry.register("tower", "own", OwnConfig)
    class OwnTower(PooledTower):
        pass

    assert _registry.name_of("tower", OwnConfig()) == "own"
    plain = _registry.to_dict(OwnConfig(width=4))
    assert type(_registry.build("tower", "own", plain, base_width=3)) is OwnTower
