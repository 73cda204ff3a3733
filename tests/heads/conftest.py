"""Small towers on two bases, and texts whose labels the characters decide."""

import numpy as np
import pytest

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    MaskedCharacterPretrainer,
    PooledConfig,
    StridedConfig,
)

WORDS = {
    "good": ["good", "great", "lovely", "fine"],
    "bad": ["bad", "awful", "poor", "dull"],
    "thing": ["film", "book", "play", "song", "meal", "day"],
}


def texts_and_labels(n, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.choice(["bad", "good"], n)
    texts = [f"a {rng.choice(WORDS[k])} {rng.choice(WORDS['thing'])}" for k in labels]
    return texts, labels


def pretrained(tower, width, texts, seed):
    recipe = CCLMModelBase(CharPreprocessor(max_example_len=64), width=width, n_buckets=400)
    chars = MaskedCharacterPretrainer(recipe, tower=tower, max_epochs=1, random_state=seed)
    return chars.fit(texts).tower_


@pytest.fixture(scope="session")
def data():
    return texts_and_labels(160)


@pytest.fixture(scope="session")
def held_out():
    return texts_and_labels(80, seed=1)


@pytest.fixture(scope="session")
def tower(data):
    return pretrained(PooledConfig(width=16, hidden=16), 16, data[0], 0)


@pytest.fixture(scope="session")
def other(data):
    """A tower on another base, which knows more characters."""
    strided = StridedConfig(width=8, downsample_factor=4, n_strided_convs=2, n_layers=1, n_heads=2)
    return pretrained(strided, 8, [*data[0], "0123456789"], 1)


@pytest.fixture(scope="session")
def towers(tower, other):
    return [("bag", tower), ("strided", other)]
