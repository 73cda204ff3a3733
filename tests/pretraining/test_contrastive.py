"""Contrast: which views are told apart, the loss, and that it is learned."""

from unittest.mock import patch

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ComposedEmbedder,
    ContrastivePretrainer,
    PooledConfig,
)
from sklearn_cclm._training.cut import Cut
from sklearn_cclm._training.views import View
from sklearn_cclm.datasets import load_docstrings
from sklearn_cclm.pretraining.contrastive import Contrast, ContrastHead, never_wrong, weigh_hard

TEXTS = ["the big cat", "a wet dog", "an old hen", "some red fox", "that pig"]
TOWER = PooledConfig(width=32, hidden=32)


def tiny(**params):
    base = CCLMModelBase(CharPreprocessor(max_example_len=32), width=32, n_buckets=2000)
    return ContrastivePretrainer(base, **{"tower": TOWER, "random_state": 0, **params})


class FixedVectors(torch.nn.Module):
    """A tower whose native vectors are the encoding itself."""

    def native(self, encoding):
        return encoding


def loss_of(vectors, clean, *, temperature=1.0, hardness=0.0):
    """Return the training loss, and loss and hit of each view."""
    view = View.without_noise(np.array(clean)[:, None])
    _, targets, extra = ContrastivePretrainer()._task().batch(view, None, np.random.default_rng(0))
    head = ContrastHead(temperature=temperature, hardness=hardness)

    class Batch:
        pass

    batch = Batch()
    batch.targets = torch.from_numpy(targets)
    batch.extra = {name: torch.from_numpy(array) for name, array in extra.items()}
    vectors = torch.tensor(vectors, dtype=torch.float64)
    tower = FixedVectors()
    return head(tower, vectors, batch).item(), *head.evaluate(tower, vectors, batch)


ANGLES = np.array([0.0, 1.5, 0.4, 2.5])  # of the views of texts 0, 1, 0, 1
VECTORS = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1) * [[1], [2], [3], [4]]
COSINES = np.cos(ANGLES[:, None] - ANGLES)


def test_loss_is_the_softmax_over_the_other_views():
    mean, losses, hits = loss_of(VECTORS, [4, 5, 4, 5], temperature=0.5)
    own = COSINES[[0, 1, 2, 3], [2, 3, 0, 1]] / 0.5
    wrong = [[COSINES[row, other] / 0.5 for other in others]
             for row, others in enumerate([(1, 3), (0, 2), (1, 3), (0, 2)])]  # fmt: skip
    expected = np.log(np.exp(own) + np.exp(wrong).sum(axis=1)) - own
    assert_allclose(losses, expected)
    assert mean == pytest.approx(expected.mean())
    assert hits.tolist() == (own > np.max(wrong, axis=1)).tolist() == [True, True, True, True]


def test_nearer_wrong_view_is_no_hit():
    _, _, hits = loss_of(VECTORS[[0, 1, 3, 2]], [4, 5, 4, 5])
    assert hits.tolist() == [False, False, False, False]


def test_hardness_weighs_the_wrong_views_by_their_likeness():
    logits = torch.tensor([[0.2, 0.9, -0.5]], dtype=torch.float64) / 0.5  # the first one is right
    weights = np.exp(0.7 * logits[0, 1:].numpy())
    weights *= 2 / weights.sum()  # Robinson et al. (2021), equation 4 without debiasing
    weighted = weigh_hard(logits, torch.tensor([0]), 0.7)[0].numpy()
    assert_allclose(np.exp(weighted[1:]), weights * np.exp(logits[0, 1:].numpy()))
    assert weighted[0] == logits[0, 0]


def test_hardness_counts_in_training_alone_and_leaves_views_out_that_are_not_wrong():
    clean = [4, 5, 4, 4, 5, 4]  # the first and the third text are the same
    vectors = np.random.default_rng(0).normal(size=(6, 3))
    plain, hard = (loss_of(vectors, clean, hardness=h) for h in (0.0, 1.0))
    assert hard[0] > plain[0]
    assert torch.equal(plain[1], hard[1])


def test_texts_that_are_the_same_are_not_held_against_each_other():
    out = never_wrong(np.array([[4, 5], [6, 0], [4, 5], [4, 5], [6, 0], [4, 5]]))
    expected = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], dtype=bool)
    assert np.array_equal(out, np.tile(expected, (2, 2)))


def test_pairs_that_share_a_text_are_not_held_against_each_other():
    out = never_wrong(np.array([[4], [5], [6], [7], [7], [8]]))  # pairs 4-7, 5-7, 6-8
    expected = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=bool)
    assert np.array_equal(out, np.tile(expected, (2, 2)))


def test_views_without_a_wrong_one_are_not_predicted():
    for clean, n in (([4, 4, 4, 4], 0), ([4, 4], 0), ([4, 5, 4, 5], 4)):
        view = View.without_noise(np.array(clean)[:, None])
        _, targets, _ = ContrastivePretrainer()._task().batch(view, None, np.random.default_rng(0))
        assert len(targets) == n


def batch_of(pretrainer, y=None):
    """Return the texts of one batch, clean, and as the network sees them."""
    seen = []
    batch = Contrast.batch

    def keep(task, view, example, rng):
        seen.append(view)
        return batch(task, view, example, rng)

    with patch.object(Contrast, "batch", keep):
        pretrainer.fit(TEXTS, y)
    preprocessor = pretrainer.preprocessor_
    clean, noisy = (preprocessor.inverse_transform(x) for x in (seen[0].clean, seen[0].ids))
    return clean, noisy


def test_both_views_are_noisy_each_in_its_own_way():
    clean, noisy = batch_of(tiny(max_epochs=1, validation_fraction=0))
    assert clean[:5] == clean[5:]
    assert sorted(clean[:5]) == sorted(TEXTS)
    changed = np.array(clean) != np.array(noisy)
    assert changed[:5].sum() >= 3
    assert changed[5:].sum() >= 3
    assert sum(first != second for first, second in zip(noisy[:5], noisy[5:], strict=True)) >= 4


def test_auto_noise_is_no_parameter():
    pretrainer = tiny(max_epochs=1).fit(TEXTS)
    assert pretrainer.noise == "auto"


def test_pairs_are_the_second_view():
    titles = [*(text.upper() for text in TEXTS[:-1]), "y" * 99]
    pretrainer = tiny(pairs=True, noise=None, max_epochs=1, validation_fraction=0)
    clean, noisy = batch_of(pretrainer, titles)
    expected = dict(zip(TEXTS, titles, strict=True))
    assert sorted(clean[:5]) == sorted(TEXTS)
    assert clean[5:] == [expected[text][:32] for text in clean[:5]]
    assert noisy == clean


def test_each_window_of_a_long_text_is_paired():
    X, y = ["a" * 70, "b"], ["x", "y"]
    pretrainer = tiny(pairs=True, noise=None, max_epochs=1).fit(X, y)
    cut = Cut.of(X, pretrainer.preprocessor_)
    assert pretrainer._known().examples(cut, y).values.tolist() == ["x", "x", "x", "y"]


@pytest.mark.parametrize(
    ("params", "X", "y", "message"),
    [
        ({"noise": None}, TEXTS, None, "both views of a text the same"),
        ({}, ["one"] * 3, None, "one text alone, in 3 sample"),
        ({"pairs": True}, TEXTS, None, "got y=None"),
        ({"pairs": True}, TEXTS, ["short"], "inconsistent numbers of samples"),
        ({"pairs": True}, TEXTS, [*TEXTS[:-1], None], "Text 4 is missing"),
        ({"temperature": 0}, TEXTS, None, "temperature=0 must be"),
        ({"hardness": -1}, TEXTS, None, "hardness=-1 must be"),
    ],
)
def test_what_cannot_be_contrasted_is_an_error(params, X, y, message):
    with pytest.raises(ValueError, match=message):
        tiny(**params).fit(X, y)


class Stream:
    """Texts without a length, that can be read again."""

    def __iter__(self):
        return iter(TEXTS * 5)


def test_streams_are_read_and_have_no_pairs():
    assert tiny(max_epochs=1).fit(Stream()).n_iter_ == 1
    with pytest.raises(ValueError, match="got a stream of texts"):
        tiny(pairs=True).fit(Stream(), TEXTS * 5)


def test_composed_it_ignores_labels_unless_they_are_pairs():
    labels = [0, 1, 0, 1, 0]
    fitted = [
        ComposedEmbedder([("contrast", tiny(max_epochs=1))], fit_towers=True).fit(TEXTS, y)
        for y in (None, labels)
    ]
    assert fitted[0].towers_ == fitted[1].towers_
    paired = ComposedEmbedder([("contrast", tiny(max_epochs=1, pairs=True))], fit_towers=True)
    with pytest.raises(TypeError, match="Text 0 is not a str"):
        paired.fit(TEXTS, labels)
    pipe = make_pipeline(FunctionTransformer(), paired).fit(TEXTS, TEXTS[::-1])
    assert pipe.transform(TEXTS).shape == (5, 32)


def sentences(n):
    texts = load_docstrings(libraries=["scikit-learn"], max_length=100).data
    return [texts[row] for row in np.random.default_rng(0).permutation(len(texts))[:n]]


def test_learns_to_find_the_own_noisy_view():
    """Among 199 views of held-out sentences: chance finds 0.5 %."""
    texts = sentences(600)
    base = CCLMModelBase(CharPreprocessor(max_example_len=100), width=64, n_buckets=8000)

    def hits(lr):
        pretrainer = ContrastivePretrainer(
            base, tower=PooledConfig(width=64, hidden=64), batch_size=100, lr=lr, random_state=0
        )
        pretrainer.fit(texts[:400], validation=texts[400:])
        return pretrainer.history_[-1]["valid_accuracy"]

    untrained, trained = hits(1e-9), hits(1e-2)
    assert trained > 0.65
    assert trained > untrained + 0.35


def test_pairs_teach_that_different_words_mean_the_same():
    """Animals and what they say: no letters in common, and held out in other phrases."""
    said = {"cat": "miaow", "dog": "woof", "hen": "cluck", "pig": "oink", "cow": "moo"}
    where = ["there", "here", "at home", "outside", "in a field", "by a lake"]
    pairs = [(f"the {a} {w}", f"{s}!") for w in where for a, s in said.items()]
    texts, others = map(list, zip(*pairs, strict=True))
    pretrainer = tiny(pairs=True, noise=None, max_epochs=60, batch_size=30, lr=1e-2)
    pretrainer.fit(texts[:25], others[:25])
    embedder = ComposedEmbedder([("said", pretrainer.tower_)]).fit(texts)
    queries, answers = embedder.transform(texts[25:]), embedder.transform(others[25:])
    cosines = queries @ answers.T / np.linalg.norm(answers, axis=1)
    assert cosines.argmax(axis=1).tolist() == [0, 1, 2, 3, 4]
