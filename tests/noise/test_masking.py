"""Masks: their rates, and that they keep off padding."""

import numpy as np
import pytest

from sklearn_cclm._codes import CLS
from sklearn_cclm.noise import mask_characters, mask_span, span_mask


def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def ids():
    lengths = np.arange(400) % 41
    return np.where(np.arange(40) < lengths[:, None], 7, 0)


@pytest.mark.parametrize("rate", [0, 0.15, 0.6, 1])
def test_rate_of_characters(ids, rate):
    mask = mask_characters(ids, rate, rng())
    assert mask[ids > 0].mean() == pytest.approx(rate, abs=0.02)
    assert not mask[ids == 0].any()


def test_cls_code_is_never_masked(ids):
    with_cls = np.hstack([np.full((len(ids), 1), CLS), ids])
    assert not mask_characters(with_cls, 1, rng())[:, 0].any()
    assert not mask_span(with_cls, 40, rng())[:, 0].any()


@pytest.mark.parametrize("length", [0, 1, 6, 100])
def test_span_is_one_run_within_the_text(ids, length):
    mask = mask_span(ids, length, rng())
    sizes = (ids > 0).sum(axis=1)
    assert np.array_equal(mask.sum(axis=1), np.minimum(sizes, length))
    assert not mask[ids == 0].any()
    starts = np.diff(np.pad(mask, ((0, 0), (1, 0))).astype(int), axis=1) == 1
    assert (starts.sum(axis=1) == (mask.sum(axis=1) > 0)).all()


def test_span_starts_uniformly():
    starts = mask_span(np.full((6000, 8), 5), 3, rng()).argmax(axis=1)
    counts = np.bincount(starts, minlength=6)
    assert len(counts) == 6
    assert ((counts - 1000) ** 2 / 1000).sum() < 20.52  # chi-square, 0.999 quantile at 5


def test_span_mask_is_the_naive_loop():
    generator = rng()
    rows = generator.integers(0, 5, 12)
    starts = generator.integers(0, 10, 12)
    ends = starts + generator.integers(0, 4, 12)
    expected = np.zeros((5, 13), dtype=bool)
    for row, start, end in zip(rows, starts, ends, strict=True):
        expected[row, start:end] = True
    assert np.array_equal(span_mask((5, 13), rows, starts, ends), expected)


def test_no_texts():
    nothing = np.zeros((0, 4), dtype=np.int64)
    assert mask_characters(nothing, 0.5, rng()).shape == (0, 4)
    assert mask_span(nothing, 2, rng()).shape == (0, 4)
