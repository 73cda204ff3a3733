"""The hold-out has its part of each kind of texts, and never all of one."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from sklearn_cclm import (
    CCLMModelBase,
    ClassificationPretrainer,
    EntityPretrainer,
    MaskedCharacterPretrainer,
    MultiTaskPretrainer,
)
from sklearn_cclm._training.hold_out import hold_out, kinds_of


def of_one_kind(sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return labels, kinds_of(np.arange(len(labels)), labels)


def test_without_kinds_it_is_a_share_of_all():
    rows = hold_out(95, None, 0.2, 0)
    assert len(set(rows.tolist())) == 19
    assert sorted(rows) != sorted(hold_out(95, None, 0.2, 1))


@pytest.mark.parametrize("seed", range(5))
def test_each_kind_has_its_share(seed):
    labels, kinds = of_one_kind([300, 100, 40, 10])
    held_out = np.bincount(labels[hold_out(450, kinds, 0.2, seed)], minlength=4)
    assert np.abs(held_out - [60, 20, 8, 2]).max() <= 1


@pytest.mark.parametrize("seed", range(5))
def test_many_small_kinds_together_have_their_share(seed):
    labels, kinds = of_one_kind([6] * 50)
    held_out = np.bincount(labels[hold_out(300, kinds, 0.1, seed)], minlength=50)
    assert held_out.sum() == 30
    assert held_out.max() == 1


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.95])
def test_no_kind_is_held_out_whole(fraction):
    labels, kinds = of_one_kind([1] * 40 + [2] * 5 + [50])
    left = np.delete(np.arange(100), hold_out(100, kinds, fraction, 0))
    assert set(labels[left]) == set(labels)
    assert 0 < len(left) < 100
    assert not len(hold_out(40, of_one_kind([1] * 40)[1], fraction, 0))


def test_nothing_is_held_out_of_a_fraction_of_0():
    assert not len(hold_out(30, of_one_kind([10, 20])[1], 0, 0))


@pytest.mark.parametrize("seed", range(5))
def test_texts_of_several_kinds(seed):
    rng = np.random.default_rng(seed)
    has = rng.random((400, 6)) < [0.5, 0.3, 0.2, 0.1, 0.02, 0.0]
    has[7, 5] = True
    rows = hold_out(400, csr_array(has), 0.25, seed)
    assert (np.delete(has, rows, axis=0).any(axis=0)).all()
    shares = has[rows].sum(axis=0)[:4] / has.sum(axis=0)[:4]
    assert np.abs(shares - 0.25).max() < 0.13
    assert len(rows) > 90


def test_kinds_of_counts_a_kind_once_a_text():
    kinds = kinds_of(np.array([0, 0, 2]), ["x", "x", "y"], n=4)
    assert kinds.toarray().astype(bool).tolist() == [[1, 0], [0, 0], [0, 1], [0, 0]]
    assert kinds.nnz == 2


TEXTS = [f"{start} {word}" for start in ("my", "the", "a", "her") for word in ("card", "order")] * 5
LABELS = np.array(["card", "order"] * 20)
SPANS = [[(len(text) - 4, len(text), label)] for text, label in zip(TEXTS, LABELS, strict=True)]


def held_out_rows(pretrainer, y):
    task = pretrainer._known()
    texts, y = pretrainer._read(task, TEXTS, y)
    _, held_out = pretrainer._reader(task).batches(texts, y, fraction=0.1, seed=0)
    return held_out


def rows_of(batches):
    (chunk,) = batches.chunks()
    return chunk.rows.tolist()


def test_tasks_of_a_joint_training_hold_out_the_same_texts():
    base = CCLMModelBase(width=8, n_buckets=50)
    tasks = {
        "chars": MaskedCharacterPretrainer(tower="pooled"),
        "labels": ClassificationPretrainer(),
        "names": EntityPretrainer(tower="pooled"),
    }
    joint = MultiTaskPretrainer(list(tasks.items()), base, max_epochs=1, random_state=0)
    odd = np.where(np.arange(40) < 39, LABELS, "odd")
    y = {"labels": odd, "names": SPANS}
    held_out = held_out_rows(joint.fit(TEXTS, y), y)
    chars, labels, names = (rows_of(held_out.of[name]) for name in tasks)
    assert chars == labels == names
    assert np.unique(odd[labels], return_counts=True)[1].tolist() == [2, 2]


def test_kinds_of_entities_are_not_held_out_whole():
    """Each label but one is that of one text."""
    spans = [[(0, 1, f"kind {min(row, 20)}")] for row in range(40)]
    pretrainer = EntityPretrainer(
        CCLMModelBase(width=8, n_buckets=50), tower="pooled", max_epochs=1, random_state=0
    )
    rows = rows_of(held_out_rows(pretrainer.fit(TEXTS, spans), spans))
    assert rows
    assert min(rows) >= 20
