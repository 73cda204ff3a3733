"""The base network: characters and hashed n-grams."""

import pytest
import torch

from sklearn_cclm.nn import NgramBase, NgramConfig
from sklearn_cclm.nn.embedding import ngram_buckets
from sklearn_cclm.nn.pooling import masked_mean

FOLDED = (0, 1, 2, 3, 4, 5, 6, 4, 5, 6)  # a, b, c are 4, 5, 6; their capitals 7, 8, 9

CONFIGS = [
    NgramConfig(width=6, n_buckets=50),
    NgramConfig(width=6, n_buckets=50, n_blocks=2, kernel_size=3),
    NgramConfig(width=6, n_buckets=0),
    NgramConfig(width=6, ngram_orders=(), n_blocks=1),
    NgramConfig(width=6, n_buckets=50, ngram_orders=(1, 4)),
]
CLOSE = {"atol": 1e-10, "rtol": 1e-10}
BATCH = [[4], [], [7, 5, 6, 4, 2, 9, 9], [5, 5, 5]]


def padded(rows, length=None):
    """Return rows of codes as one int64 tensor, zeros on the right."""
    length = length or max(1, *map(len, rows))
    return torch.tensor([[*row, *[0] * (length - len(row))] for row in rows])


@torch.no_grad()
def network(config, folded=FOLDED):
    """Return a double-precision base, random in the normalisations too."""
    generator = torch.Generator().manual_seed(0)
    base = NgramBase(config, folded=folded).eval()
    for parameter in base.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=generator))
    base.table.weight[0] = 0
    return base.double()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@torch.no_grad()
def test_text_has_the_same_vectors_in_any_batch(config):
    base = network(config)
    together = base(padded(BATCH, length=11))
    for row, codes in enumerate(BATCH):
        alone = base(padded([codes]))
        length = len(codes)
        torch.testing.assert_close(
            together.characters[row, :length], alone.characters[0, :length], **CLOSE
        )
        torch.testing.assert_close(together.mean[row], alone.mean[0], **CLOSE)
    assert not together.characters[~together.mask].any()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@torch.no_grad()
def test_mean_is_the_mean_of_the_characters(config):
    base = network(config)
    ids = padded(BATCH)
    mean = base(ids).mean
    expected = masked_mean(base(ids).characters, ids != 0)
    torch.testing.assert_close(mean, expected, **CLOSE)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_padding_row_gets_no_gradient(config):
    base = network(config)
    encoding = base(padded(BATCH))
    (encoding.characters.sum() + base(padded(BATCH)).mean.sum()).backward()
    assert base.table.weight.grad[4].any()
    assert not base.table.weight.grad[0].any()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@torch.no_grad()
def test_text_read_ahead_has_the_same_vectors_in_any_batch(config):
    base = network(config)
    together = base(padded(BATCH, length=11))
    for row, codes in enumerate(BATCH):
        alone = base(padded([codes])).ahead[0, : len(codes)]
        torch.testing.assert_close(together.ahead[row, : len(codes)], alone, **CLOSE)
    assert not together.ahead[~together.mask].any()


@torch.no_grad()
def test_vector_ahead_is_the_sum_of_character_and_ngrams_that_begin_there():
    base = network(NgramConfig(width=2, n_buckets=7, ngram_orders=(2, 3)))
    ids = padded([[4, 8, 6]])
    pairs, triples = ngram_buckets(padded([[4, 5, 6]]), (2, 3), 7)[0].T.tolist()
    rows = base.table.weight
    first = rows[4] + rows[10 + pairs[1]] + rows[10 + triples[2]]
    expected = torch.stack([first, rows[8] + rows[10 + pairs[2]], rows[6]])
    torch.testing.assert_close(base(ids).ahead[0], expected)


def test_inference_mode_agrees():
    base = network(CONFIGS[1])
    with torch.inference_mode():
        quick = base(padded(BATCH)).characters
    torch.testing.assert_close(quick, base(padded(BATCH)).characters, **CLOSE)


@torch.no_grad()
def test_vector_is_the_sum_of_character_and_ngram_rows():
    base = network(NgramConfig(width=2, n_buckets=7, ngram_orders=(2,)))
    ids = padded([[4, 8]])
    first, second = ngram_buckets(padded([[4, 5]]), (2,), 7)[0, :, 0].tolist()
    rows = base.table.weight
    expected = torch.stack([rows[4] + rows[10 + first], rows[8] + rows[10 + second]])
    torch.testing.assert_close(base(ids).characters[0], expected)
    torch.testing.assert_close(base(ids).mean[0], expected.mean(0))


@torch.no_grad()
def test_mean_of_a_tiny_table_by_hand():
    base = NgramBase(NgramConfig(width=2, n_buckets=0), folded=(0, 1, 2, 3, 4, 5))
    base.table.weight.copy_(torch.tensor([[0.0, 0]] + [[9, 9]] * 3 + [[1, 2], [5, -2]]))
    mean = base(torch.tensor([[4, 5, 5, 4, 5, 0]])).mean
    torch.testing.assert_close(mean, torch.tensor([[17 / 5, -2 / 5]]))


def test_only_the_table_of_a_base_without_blocks_is_saved():
    base = NgramBase(NgramConfig(width=2, n_buckets=3), folded=(0, 1))
    assert list(base.state_dict()) == ["table.weight"]


def test_padding_row_counts_as_zeros_whatever_is_loaded():
    base = NgramBase(NgramConfig(width=2, n_buckets=3), folded=(0, 1))
    state = {"table.weight": torch.ones_like(base.table.weight)}
    base.load_state_dict(state, assign=True)
    assert not base.table.weight[0].any()
    assert base.table.weight[1:].eq(1).all()
    assert state["table.weight"].eq(1).all()


def test_padding_row_is_zero_at_first():
    assert not NgramBase(NgramConfig(width=2, n_buckets=3), folded=(0, 1)).table.weight[0].any()


@torch.no_grad()
def test_case_matters_to_the_character_but_not_to_its_ngrams():
    base = network(NgramConfig(width=3, n_buckets=1000))
    small, mixed = base(padded([[4, 5, 6, 5]])), base(padded([[7, 5, 9, 8]]))
    rows = base.table.weight
    difference = rows[[7, 5, 9, 8]] - rows[[4, 5, 6, 5]]
    torch.testing.assert_close(mixed.characters - small.characters, difference[None])
    assert difference[0].any()


def test_ngram_depends_on_the_characters_it_covers_alone():
    one, other = padded([[9, 8, 4, 5, 6, 7]]), padded([[5, 6, 4, 5, 6, 8]])
    orders = (1, 2, 3, 4)
    same = (ngram_buckets(one, orders, 2**40) == ngram_buckets(other, orders, 2**40))[0]
    equal_characters = (one == other)[0].tolist()
    for position in range(6):
        for column, order in enumerate(orders):
            covered = range(position - order + 1, position + 1)
            expected = all(i < 0 or equal_characters[i] for i in covered)
            assert same[position, column] == expected


def test_ngram_is_the_same_wherever_it_stands():
    buckets = ngram_buckets(padded([[4, 5, 6, 9, 4, 5, 6]]), (2, 3), 2**40)[0]
    assert buckets[2].tolist() == buckets[6].tolist()


def test_order_of_characters_and_beginning_of_text_count():
    ids = padded([[4, 5, 4], [6, 4, 5]])
    buckets = ngram_buckets(ids, (2,), 2**40)[:, :, 0]
    assert buckets[0, 1] != buckets[0, 2]
    assert buckets[0, 0] != buckets[1, 1]


def test_buckets_of_an_order_do_not_depend_on_the_other_orders():
    ids = padded(BATCH)
    alone = ngram_buckets(ids, (3,), 1000)[..., 0]
    assert torch.equal(alone, ngram_buckets(ids, (5, 3, 2), 1000)[..., 1])


@pytest.mark.parametrize("n_buckets", [1, 100, 256, 65536])
def test_buckets_are_in_range(n_buckets):
    ids = torch.randint(0, 200, (20, 50), generator=torch.Generator().manual_seed(0))
    buckets = ngram_buckets(ids, (1, 2, 5), n_buckets)
    assert buckets.shape == (20, 50, 3)
    assert buckets.min() >= 0
    assert buckets.max() < n_buckets


@pytest.mark.parametrize("n_buckets", [97, 128])
@pytest.mark.parametrize("order", [2, 3])
def test_buckets_spread_as_random_ones_do(n_buckets, order):
    letters = torch.arange(4, 30)
    grams = torch.cartesian_prod(*[letters] * order)
    buckets = ngram_buckets(grams, (order,), n_buckets)[:, -1, 0]
    counts = torch.bincount(buckets, minlength=n_buckets).double()
    expected = len(grams) / n_buckets
    chi_square = ((counts - expected) ** 2 / expected).sum().item()
    freedom = n_buckets - 1
    assert abs(chi_square - freedom) < 4 * (2 * freedom) ** 0.5


@pytest.mark.parametrize(
    "values",
    [{"width": 0}, {"n_buckets": -1}, {"n_blocks": -1}, {"ngram_orders": (2, 0)},
     {"kernel_size": 4}, {"kernel_size": -1}],
)  # fmt: skip
def test_config_refuses_bad_values_by_name(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        NgramConfig(**values)
