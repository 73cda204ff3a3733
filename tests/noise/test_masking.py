"""Masks over padded codes."""

import numpy as np
import pytest

from sklearn_cclm._text.codes import CLS, PAD, UNKNOWN
from sklearn_cclm.noise import mask_characters, mask_span, span_mask

N = 4000


def global_state():
    """Return the state of numpy's global generator."""
    _, key, position, *_ = np.random.get_state()  # noqa: NPY002
    return key.tobytes(), position


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def repeated(*codes):
    """Return N rows of the same codes."""
    return np.tile(codes, (N, 1))


def runs(mask):
    """Return where the chosen run of each row starts and how long it is; none is (0, 0)."""
    sizes = mask.sum(axis=1)
    starts = mask.argmax(axis=1)
    places = np.arange(mask.shape[1])
    expected = (places >= starts[:, None]) & (places < (starts + sizes)[:, None])
    assert np.array_equal(mask, expected), "more than one run"
    return starts, sizes


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
def test_characters_are_chosen_at_the_rate(rate, rng):
    chosen = mask_characters(repeated(*range(5, 25)), rate, rng)
    deviation = np.sqrt(rate * (1 - rate) / chosen.size)
    assert abs(chosen.mean() - rate) < 4 * deviation
    in_columns = np.sqrt(rate * (1 - rate) / N)
    assert np.all(np.abs(chosen.mean(axis=0) - rate) < 4 * in_columns)


def test_characters_are_chosen_independently(rng):
    chosen = mask_characters(repeated(5, 6), 0.5, rng)
    both = chosen.all(axis=1).mean()
    assert abs(both - 0.25) < 4 * np.sqrt(0.25 * 0.75 / N)


def test_padding_and_cls_are_never_chosen(rng):
    ids = np.array([[CLS, 5, UNKNOWN, PAD], [CLS, PAD, PAD, PAD]])
    expected = [[False, True, True, False], [False] * 4]
    assert mask_characters(ids, 1.0, rng).tolist() == expected
    assert mask_span(ids, 9, rng).tolist() == expected


def test_rate_zero_chooses_nothing(rng):
    assert not mask_characters(repeated(5, 6), 0.0, rng).any()


def test_span_has_its_length_and_starts_anywhere_alike(rng):
    starts, sizes = runs(mask_span(repeated(CLS, 5, 6, 7, 8, 9, PAD, PAD), 3, rng))
    assert set(sizes) == {3}
    counts = np.bincount(starts, minlength=8)
    assert counts[[0, 4, 5, 6, 7]].sum() == 0
    deviation = np.sqrt(N * (1 / 3) * (2 / 3))
    assert np.all(np.abs(counts[1:4] - N / 3) < 4 * deviation)


@pytest.mark.parametrize("length", [0, 1, 6, 100])
@pytest.mark.parametrize("first", [CLS, 7])
def test_span_is_one_run_within_its_text(first, length, rng):
    sizes = np.arange(400) % 41
    ids = np.where(np.arange(41) <= sizes[:, None], 7, PAD)
    ids[:, 0] = first
    mask = mask_span(ids, length, rng)
    assert np.array_equal(runs(mask)[1], np.minimum(sizes + (first != CLS), length))
    assert not mask[(ids == PAD) | (ids == CLS)].any()


def test_empty_text_has_no_span(rng):
    assert not mask_span(np.array([[PAD, PAD], [CLS, PAD]]), 2, rng).any()


def test_span_mask_is_a_loop_over_spans(rng):
    shape, n = (7, 11), 60
    rows = rng.integers(0, shape[0], n)
    starts = rng.integers(0, shape[1] + 1, n)
    ends = np.minimum(starts + rng.integers(0, 4, n), shape[1])
    keep = rows != 3
    expected = np.zeros(shape, dtype=bool)
    for row, start, end in zip(rows[keep], starts[keep], ends[keep], strict=True):
        expected[row, start:end] = True
    found = span_mask(shape, rows[keep], starts[keep], ends[keep])
    assert found.dtype == bool
    assert np.array_equal(found, expected)
    assert not found[3].any()


def test_no_spans_mark_nothing():
    none = np.array([], dtype=int)
    assert not span_mask((2, 3), none, none, none).any()


@pytest.mark.parametrize(("mask", "extent"), [(mask_characters, 0.5), (mask_span, 2)])
def test_no_texts_have_no_mask(mask, extent, rng):
    assert mask(np.zeros((0, 5), dtype=np.int64), extent, rng).shape == (0, 5)


@pytest.mark.parametrize(("mask", "extent"), [(mask_characters, 0.5), (mask_span, 2)])
def test_the_generator_is_the_only_randomness(mask, extent):
    before = global_state()
    ids = np.arange(5, 65).reshape(3, 20)
    masks = [mask(ids, extent, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert np.array_equal(masks[0], masks[1])
    assert not np.array_equal(masks[0], masks[2])
    assert global_state() == before
