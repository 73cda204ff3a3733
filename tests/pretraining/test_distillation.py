"""Distillation: the loss, what a teacher may be, and that its meaning is learned."""

from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ComposedEmbedder,
    DistillationPretrainer,
    MultiTaskPretrainer,
    PooledConfig,
    StridedConfig,
    TypoNoise,
)
from sklearn_cclm._targets.labels import Labels
from sklearn_cclm._training.batches import Batch
from sklearn_cclm._training.views import View
from sklearn_cclm.datasets import load_docstrings
from sklearn_cclm.nn.heads import VectorHead

RNG = np.random.default_rng(0)
TOPICS = [
    ["apple", "banana", "cherry"],
    ["hammer", "wrench", "pliers"],
    ["violin", "guitar", "flute"],
]
LABELS = RNG.integers(0, 3, 240)
TEXTS = [" ".join(RNG.choice(TOPICS[label], 4)) for label in LABELS]
VECTORS = np.eye(8, dtype=np.float32)[LABELS] + 0.1 * RNG.normal(size=(240, 8))


def tiny(**params):
    recipe = CCLMModelBase(CharPreprocessor(max_example_len=64), width=16, n_buckets=300)
    defaults = {"base": recipe, "max_epochs": 10, "batch_size": 40, "lr": 1e-2, "random_state": 0}
    return DistillationPretrainer(**{**defaults, **params})


def cosines(pretrainer, texts, vectors):
    found = ComposedEmbedder([("t", pretrainer.tower_)]).fit(texts).transform(texts)
    norms = np.linalg.norm(found, axis=1) * np.linalg.norm(vectors, axis=1)
    return (found * vectors).sum(axis=1) / norms


class Fixed:
    """Stands for a tower: gives fixed vectors."""

    def __init__(self, vectors):
        self.vectors = torch.tensor(vectors)

    def native(self, encoding):
        return self.vectors


def test_loss_in_closed_form():
    head = VectorHead((2,), relational=4.0)
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    batch = Batch(torch.zeros(2, 1), targets)
    tower = Fixed([[3.0, 0.0], [1.0, 1.0]])
    half = 0.5**0.5
    # similarities 1, half, half, 1 instead of 1, 0, 0, 1
    expected = 1 - (1 + half) / 2 + 4.0 * (2 * 0.5) / 4
    assert float(head(tower, None, batch)) == pytest.approx(expected)
    loss, cosine = head.evaluate(tower, None, batch)
    assert cosine.tolist() == pytest.approx([1, half])
    assert loss.tolist() == pytest.approx([0, 1 - half])


def test_matryoshka_loss_is_the_mean_over_widths():
    targets = torch.nn.functional.normalize(torch.tensor(RNG.normal(size=(5, 6))), dim=1)
    batch = Batch(torch.zeros(5, 1), targets)
    tower = Fixed(RNG.normal(size=(5, 6)))
    both, short, whole = (
        float(VectorHead(widths, relational=0.0)(tower, None, batch))
        for widths in ((2, 6), (2,), (6,))
    )
    assert both == pytest.approx((short + whole) / 2)


@pytest.mark.parametrize(
    "tower", ["pooled", PooledConfig(width=4, hidden=16), StridedConfig(width=16, n_layers=1)]
)
def test_vectors_are_learned_up_to_noise(tower):
    pretrainer = tiny(tower=tower, max_epochs=20).fit(TEXTS, VECTORS)
    assert pretrainer.tower_.native_width == 8
    assert pretrainer.history_[-1]["valid_cosine"] > 0.85  # the constant best is below 0.6
    constant = VECTORS @ VECTORS.mean(axis=0) / np.linalg.norm(VECTORS.mean(axis=0))
    assert (constant / np.linalg.norm(VECTORS, axis=1)).mean() < 0.6
    assert cosines(pretrainer, TEXTS, VECTORS).mean() > 0.85


def test_noise_in_training_helps_on_noisy_texts():
    noisy = TypoNoise(rate=0.3, random_state=1).transform(TEXTS)
    scores = [
        cosines(tiny(noise=noise, max_epochs=20).fit(TEXTS, VECTORS), noisy, VECTORS).mean()
        for noise in (None, TypoNoise(rate=0.3))
    ]
    assert scores[1] > scores[0] + 0.03


@pytest.mark.slow
@pytest.mark.ci
def test_meaning_of_a_teacher_is_learned_on_real_sentences():
    data = load_docstrings()
    order = np.random.default_rng(0).permutation(len(data.data))
    texts = [data.data[i] for i in order[:1500]]
    teacher = make_pipeline(TfidfVectorizer(min_df=3), TruncatedSVD(32, random_state=0)).fit(texts)
    pretrainer = DistillationPretrainer(
        CCLMModelBase(width=32, n_buckets=5_000),
        teacher=FrozenEstimator(teacher),
        max_epochs=12,
        batch_size=100,
        random_state=0,
    ).fit(texts[:1000])
    vectors = teacher.transform(texts[1000:])
    constant = teacher.transform(texts[:1000]).mean(axis=0, keepdims=True)
    baseline = (vectors @ constant.T).ravel() / np.linalg.norm(vectors, axis=1).clip(1e-9)
    baseline = baseline.mean() / np.linalg.norm(constant)
    kept = np.linalg.norm(vectors, axis=1) > 0
    texts = [text for text, keep in zip(texts[1000:], kept, strict=True) if keep]
    assert cosines(pretrainer, texts, vectors[kept]).mean() > baseline + 0.2


def teachers():
    vectors = dict(zip(TEXTS, VECTORS, strict=True))
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 2)).fit(TEXTS)

    class Sentences:
        def encode(self, texts):
            return np.array([vectors[text] for text in texts])

    return {
        "callable": (Sentences().encode, 8),
        "encoder": (Sentences(), 8),
        "sparse": (FrozenEstimator(vectorizer), len(vectorizer.vocabulary_)),
        "tower": (tiny(max_epochs=1).fit(TEXTS, VECTORS).tower_, 8),
    }


@pytest.mark.parametrize("name", ["callable", "encoder", "sparse", "tower"])
def test_a_teacher_is_what_gives_vectors(name):
    teacher, width = teachers()[name]
    pretrainer = clone(tiny(teacher=teacher, max_epochs=3)).fit(TEXTS)
    assert pretrainer.tower_.native_width == pretrainer.teacher_width_ == width
    assert pretrainer.history_[-1]["train_loss"] < pretrainer.history_[0]["train_loss"]


def test_a_teacher_is_asked_once_and_y_is_ignored():
    asked = []

    def teacher(texts):
        asked.append(len(texts))
        return VECTORS[: len(texts)]

    with_labels = tiny(teacher=teacher).fit(TEXTS, LABELS)
    assert asked == [240]
    assert with_labels.tower_ == tiny().fit(TEXTS, VECTORS).tower_


def test_a_stream_needs_a_teacher_and_asks_it_anew():
    class Stream:
        def __iter__(self):
            return iter(TEXTS)

    vectors = dict(zip(TEXTS, VECTORS, strict=True))
    params = {"validation_fraction": 0, "max_epochs": 2}
    streamed = tiny(teacher=lambda texts: [vectors[t] for t in texts], **params).fit(Stream())
    given = tiny(**params).fit(TEXTS, [vectors[text] for text in TEXTS])
    assert streamed.tower_ == given.tower_
    asked = []

    class Long(Stream):
        def __iter__(self):
            return (text * 5 for text in TEXTS)

    def teacher(texts):
        asked.extend(texts)
        return VECTORS[: len(texts)]

    tiny(teacher=teacher, **params).fit(Long())
    assert set(asked) == {text * 5 for text in TEXTS}  # whole texts, not windows
    with pytest.raises(ValueError, match="A stream of texts has no vectors"):
        tiny().fit(Stream(), VECTORS)


HOLDERS = {
    "fortran": np.asfortranarray,
    "strided": lambda v: np.repeat(v, 2, axis=0)[::2],
    "frame": pd.DataFrame,
    "column": lambda v: pl.Series(list(v)),
    "tensor": lambda v: torch.tensor(v, requires_grad=True),
    "sparse": sparse.csc_array,
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_the_same_vectors_in_another_holder_teach_the_same(holder):
    whole, vectors = (
        tiny(max_epochs=1).fit(TEXTS, VECTORS).tower_,
        dict(zip(TEXTS, VECTORS, strict=True)),
    )
    assert tiny(max_epochs=1).fit(TEXTS, HOLDERS[holder](VECTORS)).tower_ == whole

    def teacher(texts):
        return HOLDERS[holder](np.array([vectors[text] for text in texts]))

    same = [vectors[text] for text in TEXTS]
    assert tiny(max_epochs=1, teacher=teacher).fit(TEXTS).tower_ == (
        tiny(max_epochs=1).fit(TEXTS, same).tower_
    )


def test_texts_whose_vector_is_zero_teach_nothing():
    zeros = np.array(VECTORS)
    zeros[::2] = 0
    params = {"validation_fraction": 0, "batch_size": 240, "max_epochs": 1, "noise": None}
    some = tiny(**params).fit(TEXTS, zeros)
    view = View.without_noise(np.ones((240, 3), dtype=np.int64))
    task = some._known()
    ids, targets, _ = task.batch(view, Labels(zeros, np.ones(240)), None)
    assert len(ids) == len(targets) == 120
    assert np.isfinite(some.history_[0]["train_loss"])
    with pytest.raises(ValueError, match="All vectors to match are zero"):
        tiny().fit(TEXTS, VECTORS * 0)


def test_a_teacher_is_asked_about_some_texts_at_a_time():
    asked = []

    def teacher(texts):
        asked.append(len(texts))
        return np.ones((len(texts), 2))

    tiny(teacher=teacher, max_epochs=1).fit(TEXTS * 10)
    assert asked == [1024, 1024, 352]


def test_teaching_is_shown(capsys, monkeypatch):
    vectors = np.eye(8)[:, :3]
    teacher = lambda texts: np.resize(vectors, (len(texts), 3))  # noqa: E731
    tiny(teacher=teacher, max_epochs=1, verbose=1).fit(TEXTS)
    assert capsys.readouterr().err.startswith("teacher  240 texts\nepoch 1/1")
    tiny(teacher=teacher, max_epochs=1).fit(TEXTS)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    tiny(teacher=teacher, max_epochs=1).fit(TEXTS)
    assert capsys.readouterr().err == ""
    one = ("taught", tiny(base=None, teacher=teacher))
    MultiTaskPretrainer([one], tiny().base, max_epochs=1, verbose=1).fit(TEXTS)
    assert "teacher: 100%" in capsys.readouterr().err


def test_a_sentence_transformer_is_passed_as_such():
    with pytest.raises(ValueError, match=r"SentenceTransformer\('all-MiniLM-L6-v2'\).encode"):
        tiny(teacher="all-MiniLM-L6-v2").fit(TEXTS)


def test_vectors_that_change_their_length_are_an_error():
    class Stream:
        def __iter__(self):
            return iter(TEXTS)

    widths = iter(range(2, 9))
    changing = tiny(teacher=lambda texts: np.ones((len(texts), next(widths))))
    with pytest.raises(ValueError, match=r"lengths \[2, 3\]"):
        changing.fit(TEXTS * 5)
    with pytest.raises(ValueError, match="have length"):
        changing.fit(Stream())


def test_first_dimensions_are_good_alone():
    rotated = VECTORS[:, ::-1] @ np.linalg.qr(RNG.normal(size=(8, 8)))[0]

    def similarity_error(pretrainer, width):
        found = ComposedEmbedder([("t", pretrainer.tower_)]).fit(TEXTS).transform(TEXTS)[:, :width]
        one, other = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (found, rotated))
        return np.square(one @ one.T - other @ other.T).mean()

    plain, nested = (
        tiny(max_epochs=20, matryoshka=widths).fit(TEXTS, rotated) for widths in ((), (3, 5))
    )
    assert similarity_error(nested, 3) < 0.5 * similarity_error(plain, 3)
    assert np.allclose(nested.rotation_ @ nested.rotation_.T, np.eye(8), atol=1e-5)
    assert plain.rotation_ is None
    axes = np.square(rotated @ nested.rotation_).sum(axis=0)
    assert all(one >= other for one, other in pairwise(axes))
    assert cosines(nested, TEXTS, rotated @ nested.rotation_).mean() > 0.85


def test_windows_of_a_long_text_share_its_vector():
    long = [text * 5 for text in TEXTS]
    pretrainer = tiny(max_epochs=20).fit(long, VECTORS)
    assert cosines(pretrainer, long, VECTORS).mean() > 0.85


def test_early_stopping_watches_the_cosine():
    pretrainer = tiny(max_epochs=60, lr=0.1, early_stopping=True, patience=2).fit(TEXTS, VECTORS)
    cosine = [row["valid_cosine"] for row in pretrainer.history_]
    assert pretrainer.n_iter_ < 60
    assert len(cosine) - 1 - int(np.argmax(cosine)) == 2


@pytest.mark.parametrize(
    ("params", "y", "message"),
    [
        ({}, VECTORS[1:], "239 rows for 240 texts"),
        ({}, LABELS, "one value for each text, as labels are"),
        ({}, ["a"] * 240, "one value for each text, as labels are"),
        ({"teacher": lambda texts: np.full((len(texts), 2), np.nan)}, None, "NaN"),
        ({"teacher": lambda texts: VECTORS[1:]}, None, "239 rows for 240 texts"),
        ({"teacher": lambda texts: [[1.0], *VECTORS[1:]]}, None, r"of lengths \[1, 8\]"),
        ({"matryoshka": (8,)}, VECTORS, "must be less than 8"),
        ({"matryoshka": (0,)}, VECTORS, "each of matryoshka"),
        ({"relational": -1}, VECTORS, "relational"),
    ],
)
def test_errors(params, y, message):
    pretrainer = tiny(**params)
    with pytest.raises(ValueError, match=message):
        pretrainer.fit(TEXTS, y)
    assert not hasattr(pretrainer, "tower_")


@pytest.mark.parametrize(
    "params", [{"teacher": 3}, {"matryoshka": 3}, {"noise": "loud"}, {"noise": 0.1}]
)
def test_errors_of_type(params):
    with pytest.raises(TypeError, match=next(iter(params))):
        tiny(**params).fit(TEXTS, VECTORS)


def test_a_tower_of_another_width_cannot_be_continued():
    tower = tiny(max_epochs=1).fit(TEXTS, VECTORS).tower_
    with pytest.raises(ValueError, match="native vectors of length 8"):
        tiny(base=None, init_from=tower).fit(TEXTS, VECTORS[:, :5])
