"""Training batches: order, corruption, epochs."""

import numpy as np
import pytest
import torch

from sklearn_cclm._training.batches import Batch, Batches, Chunk

LENGTHS = np.random.default_rng(0).integers(0, 100, 700)
ROWS = np.arange(100, 600)


def global_state():
    """Return the state of numpy's global generator."""
    _, key, position, *_ = np.random.get_state()  # noqa: NPY002
    return key.tobytes(), position


def make_batch(rows, rng):
    """Return a batch whose codes are its rows, and whose targets are random."""
    return Batch.seeded(rows[:, None], rng.random(len(rows)), {}, rng=rng)


def batches(**params):
    """Return batches of 16 of the rows 100 to 599."""
    defaults = {"batch_size": 16, "seed": 3}
    chunk = Chunk(params.pop("rows", ROWS), LENGTHS, params.pop("make_batch", make_batch))
    return Batches.of(chunk, **{**defaults, **params})


def rows_of(epoch):
    return [batch.ids[:, 0].tolist() for batch in epoch]


def content(epoch):
    """Return everything in the batches of one epoch."""
    return [(batch.ids.tolist(), batch.targets.tolist(), batch.seed) for batch in epoch]


def test_an_epoch_sees_each_row_once():
    many = batches()
    for _ in range(3):
        rows = rows_of(many)
        assert len(rows) == len(many) == 32
        assert sorted(sum(rows, [])) == ROWS.tolist()
        assert sorted(map(len, rows))[:2] == [4, 16]


def test_same_seed_and_epoch_give_the_same_batches():
    one, other = batches(), batches()
    assert [content(one) for _ in range(3)] == [content(other) for _ in range(3)]


def test_another_seed_gives_other_batches():
    assert rows_of(batches(seed=3)) != rows_of(batches(seed=4))


def test_epochs_differ_in_order_and_corruption():
    many = batches(rows=ROWS[:16])
    first, second = content(many), content(many)
    assert first[0][0] != second[0][0]
    assert first[0][1] != second[0][1]
    assert first[0][2] != second[0][2]


def test_an_epoch_cut_short_counts_as_one():
    one, other = batches(), batches()
    next(iter(one))
    list(other)
    assert content(one) == content(other)


def test_fixed_batches_repeat():
    many = batches(fixed=True)
    assert content(many) == content(many) == content(batches())


def test_texts_of_like_length_share_a_batch():
    lengths = [LENGTHS[rows] for rows in rows_of(batches())]
    assert max(np.ptp(some) for some in lengths) < 20


def test_short_and_long_batches_are_mixed():
    means = np.array([LENGTHS[rows].mean() for rows in rows_of(batches())])
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.5


def test_corruption_depends_on_seed_epoch_and_batch_alone():
    streams = []
    for texts in (ROWS, ROWS[::-1] + 50):
        drawn = []
        for params in ({}, {"seed": 4}):
            many = batches(rows=texts, **params)
            drawn += [[b.seed for b in many if len(b) == 16] for _ in range(2)]
        streams.append(drawn)
    flat = sum(streams[0], [])
    assert len(set(flat)) == len(flat)
    shared = [set(one) & set(other) for one, other in zip(*streams, strict=True)]
    assert all(len(seeds) >= 30 for seeds in shared)


def test_order_and_corruption_draw_from_different_streams():
    drawn = []

    def record(rows, rng):
        drawn.append(rng.random())
        return make_batch(rows, rng)

    list(batches(make_batch=record))
    assert np.random.default_rng([3, 0]).random() not in drawn


def test_batches_without_predictions_are_skipped():
    def of_even_rows(rows, rng):
        rows = rows[rows % 2 == 0]
        return make_batch(rows, rng)

    rows = rows_of(batches(rows=ROWS[:20], batch_size=1, make_batch=of_even_rows))
    assert sorted(sum(rows, [])) == ROWS[:20:2].tolist()
    assert all(rows)


@pytest.mark.parametrize("rows", [ROWS, ROWS[:0]])
def test_nothing_to_predict_is_an_error(rows):
    with pytest.raises(ValueError, match="Nothing to predict"):
        list(batches(rows=rows, make_batch=lambda rows, rng: make_batch(rows[:0], rng)))


def test_global_generators_are_untouched():
    torch_before = torch.get_rng_state()
    numpy_before = global_state()
    list(batches())
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert global_state() == numpy_before


def test_batch_moves_with_all_it_holds():
    batch = Batch.seeded(
        np.array([[4, 5]]), np.array([1]), {"spans": np.array([0, 2])},
        rng=np.random.default_rng(0),
    )  # fmt: skip
    moved = batch.to(torch.device("meta"))
    assert {moved.ids.device.type, moved.targets.device.type} == {"meta"}
    assert moved.extra["spans"].device.type == "meta"
    assert moved.seed == batch.seed
    assert len(moved) == 1
