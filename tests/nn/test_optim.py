"""AdamW that updates the rows that were read, and clipping of sparse gradients."""

import pytest
import torch

from sklearn_cclm.nn.optim import LazyAdamW, clip_gradients, sparse_rows
from sklearn_cclm.nn.rows import sum_rows

N_ROWS, WIDTH = 2101, 3  # more rows than are updated at once
SETTINGS = {"lr": 0.05, "weight_decay": 0.1}


def network(dtype=torch.float64):
    """Return a table and a dense matrix, always the same."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(N_ROWS, WIDTH), (WIDTH, 2)]
    return [torch.randn(s, generator=generator, dtype=dtype).requires_grad_() for s in shapes]


def step(optimizer, parameters, rows, *, sparse):
    """Make a step on a loss of some rows of the table."""
    table, dense = parameters
    optimizer.zero_grad()
    loss = (sum_rows(rows.view(-1, 3), table, sparse=sparse) @ dense).square().mean()
    loss.backward()
    optimizer.step()


def rows_of(number, n=300):
    generator = torch.Generator().manual_seed(number)
    return torch.randint(1, N_ROWS // 2, (n,), generator=generator)


def test_equals_adamw_where_every_row_is_read_in_every_step():
    ours, theirs = network(), network()
    lazy, adamw = LazyAdamW(ours, **SETTINGS), torch.optim.AdamW(theirs, **SETTINGS)
    for number in range(20):
        generator = torch.Generator().manual_seed(number)
        rows = 1 + torch.randperm(N_ROWS - 1, generator=generator)
        step(lazy, ours, rows, sparse=True)
        step(adamw, theirs, rows, sparse=False)
    torch.testing.assert_close(ours[0][1:], theirs[0][1:], rtol=0, atol=1e-6)
    torch.testing.assert_close(ours[1], theirs[1], rtol=0, atol=1e-6)


def test_rows_that_are_not_read_stay_bitwise_the_same():
    parameters = network(torch.float32)
    before = parameters[0].detach().clone()
    optimizer = LazyAdamW(parameters, **SETTINGS)
    read = torch.zeros(N_ROWS, dtype=bool)
    for number in range(5):
        rows = rows_of(number)
        step(optimizer, parameters, rows, sparse=True)
        read[rows] = True
    changed = (parameters[0] != before).any(1)
    assert torch.equal(changed, read)
    assert 300 < read.sum() < N_ROWS // 2


def test_dense_parameters_are_updated_as_by_adamw():
    ours, theirs = network(), network()
    lazy, adamw = LazyAdamW(ours, **SETTINGS), torch.optim.AdamW(theirs, fused=True, **SETTINGS)
    for number in range(5):
        step(lazy, ours, rows_of(number), sparse=False)
        step(adamw, theirs, rows_of(number), sparse=False)
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_state_goes_through_state_dict():
    straight, stopped = network(), network()
    whole, first = LazyAdamW(straight, **SETTINGS), LazyAdamW(stopped, **SETTINGS)
    for number in range(6):
        step(whole, straight, rows_of(number), sparse=True)
    for number in range(3):
        step(first, stopped, rows_of(number), sparse=True)
    second = LazyAdamW(stopped, lr=1.0)
    second.load_state_dict(first.state_dict())
    for number in range(3, 6):
        step(second, stopped, rows_of(number), sparse=True)
    assert all(torch.equal(one, other) for one, other in zip(straight, stopped, strict=True))


def test_its_state_has_moments_of_the_rows_that_were_read():
    parameters = network()
    optimizer = LazyAdamW(parameters, **SETTINGS)
    read = set()
    for number in range(3):
        step(optimizer, parameters, rows_of(number), sparse=True)
        read |= set(rows_of(number).tolist())
        state = optimizer.state_dict()["state"][0]
        for name in ("exp_avg", "exp_avg_sq"):
            assert state[name].shape == (len(read), WIDTH)
            assert state[name].untyped_storage().nbytes() == state[name].nbytes
            assert (state[name] != 0).any(1).all()


def test_values_of_a_row_that_is_held_twice_are_added():
    once, twice = network(), network()
    values = torch.ones(3, WIDTH, dtype=torch.float64)
    held = torch.sparse_coo_tensor([[7, 2, 7]], values, (N_ROWS, WIDTH), check_invariants=True)
    twice[0].grad, once[0].grad = held, held.coalesce()
    for parameters in (once, twice):
        LazyAdamW(parameters, **SETTINGS).step()
    assert torch.equal(once[0], twice[0])
    rows, summed = sparse_rows(held)
    assert rows.tolist() == [2, 7]
    assert summed.tolist() == [[1.0] * WIDTH, [2.0] * WIDTH]


def test_step_returns_the_loss_of_its_closure():
    parameters = network()
    optimizer = LazyAdamW(parameters)

    def closure():
        optimizer.zero_grad()
        loss = sum_rows(torch.tensor([[3, 4]]), parameters[0], sparse=True).square().sum()
        loss.backward()
        return loss

    first, second = optimizer.step(closure).item(), optimizer.step(closure).item()
    assert second < first


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("max_norm", [0.1, 1e6])
def test_clips_as_torch_does(max_norm, sparse):
    ours, theirs = network(), network()
    for parameters, is_sparse in ((ours, sparse), (theirs, False)):
        table, dense = parameters
        bags = rows_of(0).view(-1, 3)
        (sum_rows(bags, table, sparse=is_sparse) @ dense).square().sum().backward()
    clip_gradients(ours, max_norm)
    norm = torch.nn.utils.clip_grad_norm_(theirs, max_norm)
    assert 0.1 < norm < 1e6
    assert ours[0].grad.is_sparse == sparse
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.grad.to_dense(), other.grad, rtol=1e-5, atol=1e-9)


def test_parameters_without_a_gradient_are_left_out_of_the_norm():
    parameters = network()
    parameters[1].grad = torch.full_like(parameters[1], 3.0)
    clip_gradients(parameters, 1.0)
    assert parameters[0].grad is None
    torch.testing.assert_close(parameters[1].grad.norm(), torch.tensor(1.0, dtype=torch.float64))
