"""The towers: the same vectors in any batch, finite ones for any text."""

import itertools
import math

import pytest
import torch

from sklearn_cclm.architectures import _registry
from sklearn_cclm.nn import ConvConfig, NgramBase, NgramConfig, PooledConfig, StridedConfig
from sklearn_cclm.nn._registry import build
from sklearn_cclm.nn.blocks import sinusoids
from sklearn_cclm.nn.pooling import POOLINGS, masked_mean, pool

BASES = [
    NgramConfig(width=12, n_buckets=50),
    NgramConfig(width=12, n_buckets=50, n_blocks=2),
    NgramConfig(width=12, n_buckets=0),
    NgramConfig(width=12, ngram_orders=()),
]
POOLED = PooledConfig(width=8, hidden=10)
STRIDED = StridedConfig(width=8, n_heads=2)
TOWERS = [
    POOLED,
    PooledConfig(width=8, hidden=0),
    PooledConfig(width=12, hidden=0),
    STRIDED,
    StridedConfig(width=8, n_heads=2, downsample_factor=3, stride=3, n_strided_convs=1),
    ConvConfig(width=8, n_layers=3),
    ConvConfig(width=8, n_layers=2, kernel_size=2, direction="forward"),
    ConvConfig(width=8, n_layers=2, direction="backward"),
]
PAIRS = list(itertools.product(BASES, TOWERS))
GENERATOR = torch.Generator().manual_seed(0)
TEXTS = [torch.randint(4, 30, (n,), generator=GENERATOR) for n in (1, 0, 5, 16, 17, 40, 3, 33)]
CLOSE = {"atol": 1e-10, "rtol": 1e-10}


def padded(texts, length=None):
    """Return texts as one int64 tensor, zeros on the right."""
    ids = torch.zeros(len(texts), length or max(1, *map(len, texts)), dtype=torch.int64)
    for row, text in zip(ids, texts, strict=True):
        row[: len(text)] = text
    return ids


def networks(base_config, tower_config):
    """Return a new base and a new tower."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        base = NgramBase(base_config, folded=tuple(range(30))).eval()
        name = _registry.name_of("tower", tower_config)
        config = _registry.to_dict(tower_config)
        tower = build("tower", name, config, base_width=base_config.width).eval()
    return base, tower


@torch.no_grad()
def noisy_networks(base_config, tower_config):
    """Return them in double precision, no weight 0 but of padding, so that no leak can hide."""
    generator = torch.Generator().manual_seed(1)
    base, tower = networks(base_config, tower_config)
    for parameter in [*base.double().parameters(), *tower.double().parameters()]:
        parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    base.table.weight[0] = 0
    return base, tower


def test_every_registered_architecture_is_tested_here():
    tested = {_registry.name_of("base", base) for base in BASES}
    assert tested == set(_registry.names("base"))
    tested = {_registry.name_of("tower", tower) for tower in TOWERS}
    assert tested == set(_registry.names("tower"))


@pytest.mark.parametrize(("base_config", "tower_config"), PAIRS, ids=str)
@torch.no_grad()
def test_text_has_the_same_vectors_in_any_batch(base_config, tower_config):
    base, tower = noisy_networks(base_config, tower_config)
    together = tower(base(padded(TEXTS)))
    order = torch.randperm(len(TEXTS), generator=torch.Generator().manual_seed(2))
    shuffled = tower(base(padded([TEXTS[i] for i in order], length=70)))
    torch.testing.assert_close(shuffled[:, : together.shape[1]], together[order], **CLOSE)
    for row, text in enumerate(TEXTS):
        alone = tower(base(padded([text])))
        torch.testing.assert_close(together[row, : len(text)], alone[0, : len(text)], **CLOSE)


@pytest.mark.parametrize(("base_config", "tower_config"), PAIRS, ids=str)
@torch.no_grad()
def test_text_has_the_same_native_vector_in_any_batch(base_config, tower_config):
    base, tower = noisy_networks(base_config, tower_config)
    together = tower.native(base(padded(TEXTS, length=70)))
    for row, text in enumerate(TEXTS):
        alone = tower.native(base(padded([text])))
        torch.testing.assert_close(together[row], alone[0], **CLOSE)


@pytest.mark.parametrize("pooling", [*POOLINGS, "mean+max"])
@pytest.mark.parametrize("tower_config", TOWERS, ids=str)
@torch.no_grad()
def test_text_has_the_same_pooled_vector_in_any_batch(tower_config, pooling):
    base, tower = noisy_networks(BASES[1], tower_config)

    def pooled(ids):
        encoding = base(ids)
        return pool(tower(encoding), encoding.mask, pooling)

    together = pooled(padded(TEXTS, length=70))
    for row, text in enumerate(TEXTS):
        torch.testing.assert_close(together[row], pooled(padded([text]))[0], **CLOSE)


@pytest.mark.parametrize("tower_config", [PooledConfig(), StridedConfig(), ConvConfig()], ids=str)
@torch.no_grad()
def test_single_precision_is_enough_for_new_networks(tower_config):
    base, tower = networks(NgramConfig(n_buckets=1000, n_blocks=1), tower_config)
    together = tower(base(padded(TEXTS, length=70)))
    for row, text in enumerate(TEXTS):
        alone = tower(base(padded([text])))[0, : len(text)]
        torch.testing.assert_close(together[row, : len(text)], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("base_config", "tower_config"), PAIRS, ids=str)
@torch.no_grad()
def test_padding_is_zero_and_everything_finite(base_config, tower_config):
    base, tower = noisy_networks(base_config, tower_config)
    for texts in (TEXTS, [TEXTS[1]]):
        encoding = base(padded(texts))
        features = tower(encoding)
        assert features.shape == (*encoding.mask.shape, tower_config.width)
        assert features.isfinite().all()
        assert not features[~encoding.mask].any()
        assert tower.native(encoding).isfinite().all()


@pytest.mark.parametrize("tower_config", TOWERS, ids=str)
def test_gradients_are_finite_beside_an_empty_text(tower_config):
    base, tower = noisy_networks(BASES[1], tower_config)
    encoding = base(padded(TEXTS[:3]))
    (tower(encoding).square().sum() + tower.native(encoding).square().sum()).backward()
    for parameter in [*base.parameters(), *tower.parameters()]:
        assert parameter.grad.isfinite().all()


@pytest.mark.parametrize("tower_config", TOWERS, ids=str)
def test_inference_mode_agrees(tower_config):
    base, tower = networks(BASES[0], tower_config)
    with torch.inference_mode():
        quick = tower(base(padded(TEXTS)))
    torch.testing.assert_close(quick, tower(base(padded(TEXTS))).detach(), atol=1e-5, rtol=0)


@pytest.mark.parametrize("tower_config", TOWERS, ids=str)
@torch.no_grad()
def test_known_features_give_the_same_native_vector(tower_config):
    base, tower = noisy_networks(BASES[0], tower_config)
    encoding = base(padded(TEXTS))
    known = tower.native(encoding, tower(encoding))
    torch.testing.assert_close(known, tower.native(base(padded(TEXTS))), **CLOSE)


@torch.no_grad()
def test_strided_native_vector_is_the_mean_of_its_characters():
    base, tower = noisy_networks(BASES[0], STRIDED)
    encoding = base(padded(TEXTS))
    expected = masked_mean(tower(encoding), encoding.mask)
    torch.testing.assert_close(tower.native(encoding), expected)


@torch.no_grad()
def test_pooled_native_vector_is_computed_from_the_mean_of_the_base():
    base, tower = noisy_networks(BASES[0], POOLED)
    encoding = base(padded(TEXTS))
    mean = tower.norm(encoding.mean)
    expected = mean @ tower.linear.weight.T + tower.layers(mean)
    torch.testing.assert_close(tower.native(encoding), expected)


@pytest.mark.parametrize("text", [TEXTS[2], TEXTS[5]], ids=len)
@torch.no_grad()
def test_strided_tower_sees_the_whole_text(text):
    base, tower = noisy_networks(BASES[2], STRIDED)
    ids = padded([text])
    changed = ids.clone()
    changed[0, -1] = ids[0, -1] % 25 + 4
    assert not torch.allclose(tower(base(ids))[0, 0], tower(base(changed))[0, 0], atol=1e-4)


@torch.no_grad()
def test_strided_tower_tells_the_characters_of_one_step_apart():
    base, tower = noisy_networks(BASES[2], STRIDED)
    step = tower(base(padded([TEXTS[5]])))[0, 17:31]  # inside, 16 characters share a vector
    codes = TEXTS[5][17:31]
    assert torch.cdist(step, step)[codes[:, None] != codes].min() > 1e-4


@torch.no_grad()
def test_strided_tower_knows_where_in_the_text_it_is():
    base, tower = noisy_networks(BASES[2], STRIDED)
    features = tower(base(torch.full((1, 64), 5)))[0]
    assert not torch.allclose(features[24], features[40], atol=1e-4)  # no convolution sees an edge


def test_positions_are_sines_and_cosines():
    found = sinusoids(3, 4, like=torch.zeros(0, dtype=torch.float64))
    frequencies = [1, math.exp(-9.21 / 2)]
    for position, row in enumerate(found.tolist()):
        angles = [position * frequency for frequency in frequencies]
        assert row == pytest.approx([*map(math.sin, angles), *map(math.cos, angles)])


def test_downsample_factor_that_does_not_fit_is_told_what_does():
    message = r"downsample_factor=16 does not fit n_strided_convs=3.*stride=2.*is 8\. Set .*=8"
    with pytest.raises(ValueError, match=message):
        StridedConfig(downsample_factor=16, n_strided_convs=3, stride=2)


@pytest.mark.parametrize(
    "values",
    [{"width": 0}, {"width": 12, "n_heads": 4}, {"stride": 1}, {"n_strided_convs": 0},
     {"kernel_size": 2}, {"kernel_size": -1}, {"n_heads": 0}, {"n_layers": 0}],
)  # fmt: skip
def test_strided_config_refuses_bad_values_by_name(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        StridedConfig(**values)


@pytest.mark.parametrize("values", [{"width": 0}, {"hidden": -1}])
def test_pooled_config_refuses_bad_values_by_name(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        PooledConfig(**values)


def test_pooled_without_hidden_units_is_a_linear_map_where_one_is_needed():
    narrow, wide = (networks(BASES[0], PooledConfig(width=w, hidden=0))[1] for w in (8, 12))
    assert sorted(narrow.state_dict()) == ["linear.weight", "norm.bias", "norm.weight"]
    assert sorted(wide.state_dict()) == ["norm.bias", "norm.weight"]
    encoding = networks(BASES[0], PooledConfig())[0](padded(TEXTS))
    torch.testing.assert_close(wide.native(encoding), wide.norm(encoding.mean))
