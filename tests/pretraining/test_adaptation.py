"""Adapting to one's own text: what is matched, how long it trains, and what it says it gained."""

import pickle

import numpy as np
import pytest
from skorch.callbacks import Callback

from sklearn_cclm import CCLMModelBase, ComposedEmbedder, DistillationPretrainer
from sklearn_cclm.models._analysis import Analysis
from sklearn_cclm.pretraining import _gain, distillation
from sklearn_cclm.shelf._names import resolve

RNG = np.random.default_rng(0)
TOPICS = [
    ["apple", "banana", "cherry"],
    ["hammer", "wrench", "pliers"],
    ["violin", "guitar", "flute"],
]
TEXTS = [" ".join(RNG.choice(TOPICS[label], 4)) for label in RNG.integers(0, 3, 240)]
PUBLISHED = resolve("en-semantic", "tower")
PACE = "sklearn_cclm._training.run.seconds_a_pass"


def tiny(**params):
    defaults = {
        "base": CCLMModelBase(width=16, n_buckets=300),
        "max_epochs": 2,
        "batch_size": 40,
        "lr": 1e-2,
        "random_state": 0,
    }
    return DistillationPretrainer(**{**defaults, **params})


class Stream:
    def __init__(self, texts):
        self.texts = texts

    def __iter__(self):
        return iter(self.texts)


def test_matches_the_published_tower_beside_an_analysis_of_the_texts():
    adapted = tiny(max_epochs=20).fit(TEXTS)
    assert adapted.tower_.native_width == PUBLISHED.native_width + 256
    assert adapted.history_[-1]["valid_cosine"] > 0.9
    own = ComposedEmbedder([("own", adapted.tower_)]).fit_transform(TEXTS)
    published = ComposedEmbedder([("en", "en-semantic")]).fit_transform(TEXTS)
    analysed = adapted.analysis_.transform(TEXTS)
    for part, vectors in ((slice(384), published), (slice(384, None), analysed)):
        norms = np.linalg.norm(own[:, part], axis=1) * np.linalg.norm(vectors, axis=1)
        assert ((own[:, part] * vectors).sum(axis=1) / norms).mean() > 0.85


def test_the_analysis_may_be_left_out_or_stand_beside_a_teacher():
    alone = tiny(lexical=False).fit(TEXTS)
    assert alone.tower_ == tiny(teacher="en-semantic").fit(TEXTS).tower_
    assert alone.analysis_ is None
    named = tiny(teacher="en-semantic", lexical=True).fit(TEXTS, ["a label"] * 240)
    assert named.tower_ == tiny().fit(TEXTS).tower_
    vectors = RNG.normal(size=(240, 8))
    both = tiny(lexical=True).fit(TEXTS, vectors)
    assert both.tower_.native_width == 8 + 256
    assert both.score(TEXTS, vectors) > -0.9


def test_an_adapted_tower_stands_beside_the_published_one():
    adapted = tiny().fit(TEXTS).tower_
    both = ComposedEmbedder([("own", adapted), ("en", "en-semantic")]).fit_transform(TEXTS[:3])
    assert both.shape == (3, adapted.native_width + PUBLISHED.native_width)


@pytest.mark.parametrize(
    "texts",
    [
        ["abc"],
        TEXTS[:2],
        ["the same"] * 50,
        [*TEXTS[:5], "", " "],
        ["a", "b"],
        ["日本語", "Ä", "😀"],
    ],
    ids=["one", "two", "equal", "some blank", "characters", "scripts"],
)
def test_few_and_odd_texts(texts):
    vectors = ComposedEmbedder([("own", tiny().fit(texts).tower_)]).fit_transform(texts)
    assert np.isfinite(vectors).all()


def test_blank_texts_teach_nothing():
    with pytest.raises(ValueError, match="Nothing to predict"):
        tiny().fit(["", ""])


def test_a_stream_is_adapted_to():
    streamed = tiny(validation_fraction=0).fit(Stream(TEXTS))
    given = tiny(validation_fraction=0).fit(TEXTS)
    assert streamed.tower_ == given.tower_


def test_training_goes_on_with_the_same_analysis():
    first = tiny(warm_start=True).fit(TEXTS)
    analysis, score = first.analysis_, first.score(TEXTS)
    more = first.fit(TEXTS[:120]).partial_fit(TEXTS[:40])
    assert more.analysis_ is analysis
    assert more.n_iter_ == 5
    assert more.score(TEXTS) > score
    assert pickle.loads(pickle.dumps(more)).score(TEXTS) == more.score(TEXTS)


@pytest.mark.parametrize(
    ("minutes", "steps", "passes"), [(1.0, 1500, 10), (1.0, 12, 2), (1e-9, 1500, 1)]
)
def test_passes_are_what_the_texts_ask_for_and_the_time_allows(minutes, steps, passes, monkeypatch):
    monkeypatch.setattr(PACE, lambda *args, **params: 6.0)
    monkeypatch.setattr(distillation, "_STEPS", steps)
    adapted = tiny(max_epochs="auto", max_minutes=minutes).fit(TEXTS)
    assert adapted.max_epochs_ == adapted.n_iter_ == len(adapted.history_) == passes


@pytest.mark.parametrize("holder", [list, Stream])
def test_the_chosen_passes_repeat_the_training(holder):
    adapted = tiny(max_epochs="auto", max_minutes=0.003).fit(holder(TEXTS))
    again = tiny(max_epochs=adapted.max_epochs_).fit(holder(TEXTS))
    assert adapted.tower_ == again.tower_


class Crash(Callback):
    def on_batch_end(self, net, training=False, **params):
        if training and net.step_ == 8:
            raise OSError("crash")


def test_a_training_goes_on_with_the_passes_that_it_chose(tmp_path, monkeypatch):
    params = {"checkpoint": tmp_path, "checkpoint_every": 1, "max_epochs": "auto"}
    monkeypatch.setattr(PACE, lambda *args, **params: 40.0)
    with pytest.raises(OSError, match="crash"):
        tiny(**params, callbacks=[Crash()]).fit(TEXTS)
    monkeypatch.setattr(PACE, lambda *args, **params: 1e9)
    resumed = tiny(**params).fit(TEXTS)
    assert resumed.max_epochs_ == 3
    assert resumed.tower_ == tiny(max_epochs=3).fit(TEXTS).tower_


def test_what_was_gained_is_told(capsys):
    adapted = tiny(max_epochs=10, verbose=1).fit(TEXTS, validation=TEXTS[:60])
    texts = list(dict.fromkeys(TEXTS[:60]))
    before, after = (_gain.neighbours_kept(t, texts) for t in (PUBLISHED, adapted.tower_))
    assert adapted.gain_ == {0.1: (before[0.1], after[0.1]), 0.2: (before[0.2], after[0.2])}
    assert after[0.2] > before[0.2]
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == (
        f"with 20% of its letters misspelt, a held-out text keeps {before[0.2]:.0%} of its nearest "
        f"texts before, {after[0.2]:.0%} after"
    )
    assert tiny(validation_fraction=0).fit(TEXTS).gain_ == {}
    begun = tiny(base=None, init_from=adapted.tower_, max_epochs=1)
    assert begun.fit(TEXTS, validation=TEXTS[:60]).gain_[0.1][0] == after[0.1]


def test_nearest_leaves_out_the_text_itself():
    circle = np.exp(1j * np.array([0.0, 0.1, 0.3, 3.0]))
    vectors = np.stack([circle.real, circle.imag], axis=1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_gain, "_NEAREST", 1)
        found = _gain._nearest(vectors, vectors)
    assert found.nonzero()[1].tolist() == [1, 0, 1, 2]


def test_an_analysis_is_of_texts_that_have_ngrams():
    analysis = Analysis.of([*TEXTS, ""])
    norms = np.linalg.norm(analysis.transform([TEXTS[0], "", "apple guitar"]), axis=1)
    assert norms == pytest.approx([1, 0, 1], abs=1e-5)
    assert Analysis.of(["", "a"]) is None


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"max_epochs": "all"}, '"auto" or an integer'),
        ({"max_minutes": 0}, "max_minutes"),
        ({"lexical": "tfidf"}, "lexical"),
        ({"base": None, "init_from": "en-semantic"}, "or set lexical=False"),
    ],
)
def test_errors(params, message):
    with pytest.raises(ValueError, match=message):
        tiny(**params).fit(TEXTS)
