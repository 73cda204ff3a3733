"""Sums of table rows, and their sparse and dense gradients."""

import pytest
import torch
import torch.nn.functional as F

from sklearn_cclm.nn.rows import sum_rows

SHAPES = [(7, 3), (1, 40), (40, 1), (0, 3)]  # (bags, rows in each)
N_ROWS, WIDTH = 12, 4


def inputs(shape):
    """Return row numbers, many of them repeated and some 0, and a table."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(N_ROWS - 3, shape, generator=generator)
    table = torch.randn(N_ROWS, WIDTH, generator=generator, dtype=torch.float64)
    table[0] = 0
    return rows, table.requires_grad_()


def weighed(sums):
    """Return a scalar whose gradient differs from bag to bag."""
    weights = torch.arange(1.0, sums.numel() + 1, dtype=sums.dtype)
    return (sums * weights.view_as(sums)).sum()


def gradient(rows, table, *, sparse):
    return torch.autograd.grad(weighed(sum_rows(rows, table, sparse=sparse)), table)[0]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sums_and_gradient_are_those_of_embedding_bag(shape, sparse):
    rows, table = inputs(shape)
    expected = F.embedding_bag(rows, table, mode="sum", padding_idx=0)
    sums = sum_rows(rows, table, sparse=sparse)
    torch.testing.assert_close(sums, expected)
    (expected_gradient,) = torch.autograd.grad(weighed(expected), table)
    found = gradient(rows, table, sparse=sparse)
    assert found.is_sparse == sparse
    torch.testing.assert_close(found.to_dense(), expected_gradient)


@pytest.mark.parametrize("shape", SHAPES[:3], ids=str)
def test_gradient_is_that_of_finite_differences(shape):
    rows, table = inputs(shape)
    zeros, others = table.detach().split([1, N_ROWS - 1])

    def sums(others):
        return sum_rows(rows, torch.cat([zeros, others]), sparse=False)

    assert torch.autograd.gradcheck(sums, others.clone().requires_grad_())


def test_row_0_gets_no_gradient():
    _, table = inputs((1, 1))
    rows = torch.tensor([[0, 0, 0], [0, 5, 0]])
    sums = sum_rows(rows, table, sparse=True)
    assert not sums[0].any()
    assert torch.equal(sums[1], table[5])
    found = gradient(rows, table, sparse=True)
    assert found._indices().tolist() == [[5]]
    assert not gradient(rows[:1], table, sparse=True)._nnz()


def test_sparse_gradient_has_each_row_that_was_read_once_and_sorted():
    rows, table = inputs((7, 3))
    found = gradient(rows, table, sparse=True)
    read = sorted(set(rows.flatten().tolist()) - {0})
    assert found._indices()[0].tolist() == read
    assert found.shape == table.shape


@pytest.mark.parametrize("sparse", [False, True])
def test_gradients_of_several_uses_add_up(sparse):
    (rows, table), (others, _) = inputs((7, 3)), inputs((2, 5))
    uses = [sum_rows(some, table, sparse=sparse) for some in (rows, others, rows)]
    (found,) = torch.autograd.grad(sum(map(weighed, uses)), table)
    first, second = (gradient(some, table, sparse=False) for some in (rows, others))
    torch.testing.assert_close(found.to_dense(), 2 * first + second)
