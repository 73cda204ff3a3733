"""The tower "conv": what each character's vector sees, and what its settings allow."""

import pytest
import torch

from sklearn_cclm.nn import ConvConfig, NgramBase, NgramConfig, PooledConfig, StridedConfig
from sklearn_cclm.nn.conv_tower import ConvTower

LENGTH, CHANGED = 60, 25
GENERATOR = torch.Generator().manual_seed(0)
TEXT = torch.randint(4, 30, (1, LENGTH), generator=GENERATOR)


@torch.no_grad()
def moved(config, **base):
    """Return the places whose vectors move when one character in the middle changes."""
    generator = torch.Generator().manual_seed(0)
    base = NgramBase(NgramConfig(width=6, **base), folded=tuple(range(30))).double()
    tower = ConvTower(config, base_width=6).double()
    for parameter in [*base.parameters(), *tower.parameters()]:
        parameter.copy_(torch.randn(parameter.shape, generator=generator))
    changed = TEXT.clone()
    changed[0, CHANGED] = TEXT[0, CHANGED] % 25 + 4
    difference = (tower(base(TEXT)) - tower(base(changed)))[0].abs().amax(1)
    return difference.gt(1e-10).nonzero().flatten().tolist()


@pytest.mark.parametrize(
    ("direction", "kernel_size", "first", "last"),
    [("forward", 3, 0, 14), ("backward", 3, -14, 0), ("both", 3, -7, 7),
     ("forward", 4, 0, 21), ("backward", 4, -21, 0), ("both", 5, -14, 14)],
)  # fmt: skip
def test_receptive_field(direction, kernel_size, first, last):
    config = ConvConfig(width=6, n_layers=3, kernel_size=kernel_size, direction=direction)
    assert moved(config, n_buckets=0) == [*range(CHANGED + first, CHANGED + last + 1)]


@pytest.mark.parametrize(("direction", "first", "last"), [("forward", 0, 18), ("backward", -18, 0)])
def test_ngrams_widen_the_field_on_the_same_side_alone(direction, first, last):
    config = ConvConfig(width=6, n_layers=3, direction=direction)
    assert moved(config, n_buckets=500) == [*range(CHANGED + first, CHANGED + last + 1)]


def test_default_sees_thirty_characters_before_and_four_more_in_ngrams():
    config = ConvConfig(width=6, direction="forward")
    assert moved(config, n_buckets=500) == [*range(CHANGED, CHANGED + 35)]


def test_configs_say_what_their_towers_see():
    assert PooledConfig().sees == "forward"
    assert StridedConfig().sees == ConvConfig().sees == "both"
    assert ConvConfig(direction="backward").sees == "backward"


@pytest.mark.parametrize(
    "values",
    [{"width": 0}, {"n_layers": 0}, {"kernel_size": 0}, {"kernel_size": 4},
     {"direction": "up"}, {"native_width": -1}],
)  # fmt: skip
def test_config_refuses_bad_values_by_name(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        ConvConfig(**values)
