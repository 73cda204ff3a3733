"""The worked example of the page "Add a task" is a whole task."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from sklearn_cclm import CCLMModelBase, ComposedEmbedder, PooledConfig, TaskPretrainer
from sklearn_cclm.utils.estimator_checks import check_text_estimator

FILE = Path(__file__).parents[1] / "docs" / "user_guide" / "swap_neighbours.py"
TEXTS = ["the quick brown fox", "jumps over the lazy dog", "and sleeps again"] * 20


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("swap_neighbours", FILE)
    sys.modules["swap_neighbours"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["swap_neighbours"]


def test_swaps_keep_the_characters_and_the_padding(example):
    ids = np.array([[4, 5, 6, 7, 0, 0], [8, 8, 9, 0, 0, 0]])
    swapped, moved = example.swap_neighbours(ids, 1.0, np.random.default_rng(0))
    assert np.array_equal(np.sort(swapped), np.sort(ids))
    assert np.array_equal(swapped != ids, moved)
    assert not moved[ids == 0].any()
    assert moved.any()


def test_task_passes_the_conformance_suite(example):
    tower = PooledConfig(width=8, hidden=8)
    base = CCLMModelBase(width=8, n_buckets=50)
    task = example.SwappedNeighbours(swap_rate=0.5)
    check_text_estimator(TaskPretrainer(task, base, tower=tower, max_epochs=1))


def test_task_learns_and_composes(example):
    swaps = TaskPretrainer(
        example.SwappedNeighbours(swap_rate=0.3),
        CCLMModelBase(width=16, n_buckets=2000, ngram_orders=(2, 3)),
        tower=PooledConfig(width=16, hidden=32),
        max_epochs=15,
        batch_size=16,
        lr=0.02,
        random_state=0,
    ).fit(TEXTS)
    ids = swaps.base_.preprocessor().encode(TEXTS)
    moved = example.swap_neighbours(ids, 0.3, np.random.default_rng(0))[1]
    unmoved_share = 1 - moved[ids > 0].mean()
    assert swaps.history_[-1]["valid_accuracy"] > unmoved_share + 0.1
    assert ComposedEmbedder([("swaps", swaps.tower_)]).fit_transform(TEXTS).shape == (60, 16)
