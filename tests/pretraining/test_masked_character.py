"""Masked characters: what is hidden, what is predicted, and that it is learned."""

import numpy as np
import pytest

from sklearn_cclm import CCLMModelBase, CharPreprocessor, MaskedCharacterPretrainer
from sklearn_cclm._text.codes import MASK, PAD
from sklearn_cclm._training.views import View


def test_batch_hides_characters_and_asks_for_them():
    ids = np.array([[5, 6, 7, 8, 9, 10], [11, 12, 0, 0, 0, 0]])
    pretrainer = MaskedCharacterPretrainer(mask_rate=0.3, span_length=2)
    hidden, targets, extra = pretrainer._task().batch(
        View.without_noise(ids), None, np.random.default_rng(0)
    )
    rows, columns = np.divmod(extra["positions"], ids.shape[1])
    assert np.array_equal(targets, ids[rows, columns])
    assert (hidden[rows, columns] == MASK).all()
    hidden[rows, columns] = targets
    assert np.array_equal(hidden, ids)
    assert PAD not in targets


def test_span_alone_hides_one_run_in_each_text():
    ids = np.full((50, 20), 7)
    pretrainer = MaskedCharacterPretrainer(mask_rate=0, span_length=5)
    hidden, _, _ = pretrainer._task().batch(View.without_noise(ids), None, np.random.default_rng(0))
    masked = hidden == MASK
    assert (masked.sum(axis=1) == 5).all()
    assert (np.diff(masked, axis=1).sum(axis=1) <= 2).all()


def test_nothing_to_hide_is_an_error():
    with pytest.raises(ValueError, match="hide nothing"):
        MaskedCharacterPretrainer(mask_rate=0, span_length=0).fit(["text"])


@pytest.mark.parametrize("tower", ["pooled", "strided"])
def test_learns_spelling(tower):
    rng = np.random.default_rng(0)
    words = ["apple", "banana", "cherry", "damson", "elder"]
    texts = [" ".join(rng.choice(words, 4)) for _ in range(300)]
    base = CCLMModelBase(CharPreprocessor(max_example_len=32), width=32, n_buckets=500)
    pretrainer = MaskedCharacterPretrainer(
        base, tower=tower, span_length=1, max_epochs=8, batch_size=32, lr=5e-3, random_state=0
    ).fit(texts)
    joined = "".join(texts)
    most_common = max(map(joined.count, set(joined))) / len(joined)
    assert pretrainer.history_[-1]["valid_accuracy"] > most_common + 0.25
