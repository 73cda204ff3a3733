"""Parts of networks in numpy beside those of torch; `tests/test_engines.py` has the whole."""

from itertools import product

import numpy as np
import pytest
import torch

from sklearn_cclm._engines.by_numpy import NETWORKS
from sklearn_cclm._engines.shapes import state_shapes
from sklearn_cclm._numpy import base, pooling, rows
from sklearn_cclm._numpy.head import head_shapes
from sklearn_cclm._persistence._rows import ByteRows
from sklearn_cclm.architectures import ConvConfig, NgramConfig, PooledConfig
from sklearn_cclm.architectures._registry import name_of, to_dict
from sklearn_cclm.nn import _registry, embedding
from sklearn_cclm.nn import pooling as torch_pooling
from sklearn_cclm.nn import rows as torch_rows
from sklearn_cclm.nn.composed_task import Trunk
from sklearn_cclm.nn.heads import LabelHead
from sklearn_cclm.nn.word_tags import WordTagHead

RNG = np.random.default_rng(0)
BASES = [
    NgramConfig(12, n_buckets=50),
    NgramConfig(12, n_buckets=64, n_blocks=2),
    NgramConfig(12, n_buckets=0),
    NgramConfig(12, ngram_orders=()),
]
TOWERS = [PooledConfig(8, 10), PooledConfig(8, 0, native_width=5), PooledConfig(12, 0)]


@pytest.mark.parametrize("config", BASES + TOWERS)
def test_networks_have_the_weights_of_torchs(config):
    kind = "base" if isinstance(config, NgramConfig) else "tower"
    shape = {"folded": tuple(range(30))} if kind == "base" else {"base_width": 12}
    spec = kind, name_of(kind, config), to_dict(config)
    assert type(config) in NETWORKS
    assert state_shapes(*spec, **shape) == _registry.state_shapes(*spec, **shape)


def test_shapes_of_other_networks_are_those_of_torch():
    shapes = state_shapes("tower", "conv", to_dict(ConvConfig(4, n_layers=1)), base_width=12)
    assert shapes["enter.weight"] == (4, 12)


@pytest.mark.parametrize(
    ("text_pooling", "of_words"),
    [("native", False), ("mean", False), ("max+attention", False), (None, False), (None, True)],
)
@pytest.mark.parametrize(
    ("combine", "hidden"), list(product(["concat", "gated", "attention"], [0, 7]))
)
def test_heads_have_the_weights_of_torchs(text_pooling, of_words, combine, hidden):
    widths, native = [8, 6], [5, 6]
    how = {"pooling": text_pooling, "combine": combine, "hidden": hidden}
    with torch.device("meta"):
        trunk = Trunk(widths, native, dropout=0, **how)
        width = trunk.width
        head = WordTagHead(width, 3, entity_weight=1) if of_words else LabelHead(width, 3)
    state = torch.nn.ModuleDict({"trunk": trunk, "head": head}).state_dict()
    read = native if text_pooling == "native" else widths
    found = head_shapes(read, n_outputs=3, of_words=of_words, **how)
    assert found == {name: tuple(tensor.shape) for name, tensor in state.items()}


@pytest.mark.parametrize("n_buckets", [1, 50, 64, 2**17])
@pytest.mark.parametrize("orders", [(2, 3, 4, 5), (1,), (3, 1), (9,)])
def test_hashes_are_those_of_torch(orders, n_buckets):
    folded = RNG.integers(0, 2**20, (4, 7))
    found = base.ngram_buckets(folded, orders, n_buckets)
    expected = embedding.ngram_buckets(torch.from_numpy(folded), orders, n_buckets)
    np.testing.assert_array_equal(found, expected.numpy())


@pytest.mark.parametrize("shape", [(0, 5), (1, 1), (3, 4), (700, 3), (2, 5000)])
def test_sums_of_rows_are_those_of_torch(shape):
    multiples = RNG.integers(-127, 128, (40, 6), dtype=np.int8)
    table = ByteRows.of(multiples, RNG.random(40, dtype=np.float32) / 100)
    places = RNG.integers(0, 40, shape)
    expected = torch_rows.ByteTable(torch.from_numpy(table.packed)).sum(torch.from_numpy(places))
    floats = table.dense()
    tolerance = {"rtol": 1e-5, "atol": 2e-6 * shape[1]}
    for own in (rows.ByteTable(table.packed), rows.FloatTable(floats)):
        np.testing.assert_allclose(own.sum(places), expected.numpy(), **tolerance)
    exact = floats.astype(float)
    exact[0] = 0
    np.testing.assert_allclose(
        rows.ByteTable(table.packed).sum(places), exact[places].sum(axis=1), **tolerance
    )


@pytest.mark.parametrize("name", sorted(pooling.POOLINGS))
def test_poolings_are_those_of_torch(name):
    assert pooling.POOLINGS.keys() == torch_pooling.POOLINGS.keys()
    features = RNG.normal(size=(5, 9, 4)).astype(np.float32)
    mask = np.arange(9) < np.array([[9], [0], [1], [4], [8]])
    features *= mask[..., None]
    found = pooling.POOLINGS[name](features, mask)
    expected = torch_pooling.POOLINGS[name](torch.from_numpy(features), torch.from_numpy(mask))
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5, atol=1e-6)
