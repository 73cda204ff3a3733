"""Batches: every row once an epoch, like lengths together, all from (seed, epoch, batch)."""

import numpy as np
import pytest
import torch

from sklearn_cclm._batches import Batch, Batches
from sklearn_cclm._windows import windows

LENGTHS = np.random.default_rng(0).integers(1, 60, 1000)


def make(rows, rng):
    """Return a batch that knows its rows and a draw of its generator."""
    extra = {"draw": rng.random(1)}
    return Batch.from_numpy(rows[:, None], rows.copy(), extra, rng=rng)


def batches(**params):
    return Batches(np.arange(1000), LENGTHS, make, **{"batch_size": 32, "seed": 0, **params})


def epoch(found):
    return [(b.targets.tolist(), b.extra["draw"].item(), b.seed) for b in found]


def test_each_epoch_has_each_row_once():
    found = batches()
    for _ in range(2):
        rows = torch.cat([batch.targets for batch in found])
        assert sorted(rows.tolist()) == list(range(1000))
    assert len(found) == len(list(found)) == 32


def test_epochs_differ_and_a_seed_repeats_them():
    one, two = batches(), batches()
    first, second = epoch(one), epoch(one)
    assert first != second
    assert [epoch(two), epoch(two)] == [first, second]
    assert epoch(batches(seed=1)) != first


def test_fixed_batches_repeat():
    found = batches(fixed=True)
    assert epoch(found) == epoch(found)


def test_each_batch_draws_its_own_numbers():
    found = epoch(batches())
    assert len({draw for _, draw, _ in found}) == len({seed for _, _, seed in found}) == 32


def test_like_lengths_share_a_batch():
    spread = [np.ptp(LENGTHS[batch.targets.numpy()]) for batch in batches()]
    assert np.median(spread) <= 3


def test_batches_without_targets_are_skipped():
    def some(rows, rng):
        kept = rows[rows < 5]
        return Batch.from_numpy(rows[:, None], kept, {}, rng=rng)

    found = list(Batches(np.arange(1000), LENGTHS, some, batch_size=10, seed=0))
    assert sum(map(len, found)) == 5
    assert all(map(len, found))


def test_nothing_to_predict_is_an_error():
    def none(rows, rng):
        return Batch.from_numpy(rows[:, None], rows[:0], {}, rng=rng)

    with pytest.raises(ValueError, match="Nothing to predict in 1000 texts"):
        list(Batches(np.arange(1000), LENGTHS, none, batch_size=10, seed=0))


def test_windows_cover_a_text_and_overlap():
    pieces, owners = windows(["abcdefghij", "", "abc"], 4, 1)
    assert pieces == ["abcd", "defg", "ghij", "", "abc"]
    assert owners.tolist() == [0, 0, 0, 1, 2]


@pytest.mark.parametrize("length", range(1, 30))
def test_no_window_is_part_of_another(length):
    text = "".join(map(chr, range(97, 97 + length)))
    pieces, _ = windows([text], 8, 3)
    rebuilt = pieces[0] + "".join(piece[3:] for piece in pieces[1:])
    assert rebuilt == text
    assert all(len(piece) > 3 for piece in pieces[1:])
