"""What surrounds a training: resume, more of it, streams, noise, a base's own rate."""

import os
import pickle
import signal
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    MaskedCharacterPretrainer,
    MaskedLanguagePretrainer,
    PooledConfig,
    TypoNoise,
)
from sklearn_cclm._targets.token_spans import TokenSpans
from sklearn_cclm._training.checkpoint import Checkpoint
from sklearn_cclm._training.views import View

WORDS = ["apple", "banana", "cherry", "damson", "elder"]
RNG = np.random.default_rng(0)
TEXTS = [" ".join(RNG.choice(WORDS, 4)) for _ in range(120)]


def tiny(cls=MaskedCharacterPretrainer, **params):
    recipe = CCLMModelBase(CharPreprocessor(max_example_len=32), width=8, n_buckets=50)
    defaults = {
        "base": recipe,
        "tower": PooledConfig(width=8, hidden=8),
        "max_epochs": 3,
        "batch_size": 10,
        "random_state": 0,
    }
    return cls(**{**defaults, **params})


class Lines:
    """Texts without a length that can be iterated over again, and a count of how often."""

    def __init__(self, texts):
        self.texts = texts
        self.passes = 0

    def __iter__(self):
        self.passes += 1
        return iter(self.texts)


class Killed(BaseException):
    """Stands for the end of the process."""


def fit_until_killed(monkeypatch, estimator, *, writings):
    """Fit, and end the process right after so many checkpoints were written."""
    write, left = Checkpoint.write, [writings]

    def write_and_die(self, state):
        write(self, state)
        left[0] -= 1
        if not left[0]:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "write", write_and_die)
        with pytest.raises(Killed):
            estimator.fit(TEXTS)


def same_result(one, other):
    losses = [
        [{k: v for k, v in row.items() if k != "dur"} for row in e.history_] for e in (one, other)
    ]
    return one.tower_ == other.tower_ and losses[0] == losses[1]


@pytest.mark.parametrize("writings", [1, 5, 11, 12, 20])  # within, at the end of and after epochs
@pytest.mark.parametrize("params", [{}, {"early_stopping": True, "patience": 1, "lr": 0.5}])
def test_a_training_goes_on_to_the_same_weights(tmp_path, monkeypatch, writings, params):
    whole = tiny(**params).fit(TEXTS)
    interrupted = tiny(**params, checkpoint=tmp_path, checkpoint_every=1)
    fit_until_killed(monkeypatch, interrupted, writings=writings)
    assert not hasattr(interrupted, "tower_")
    again = clone(interrupted).fit(TEXTS)
    assert same_result(again, whole)
    assert not any(tmp_path.iterdir())


def test_a_drawn_seed_is_kept_in_the_checkpoint(tmp_path, monkeypatch):
    params = {"random_state": None, "checkpoint": tmp_path, "checkpoint_every": 1}
    fit_until_killed(monkeypatch, tiny(**params), writings=1)
    (path,) = tmp_path.iterdir()
    state = path.read_bytes()
    one = tiny(**params).fit(TEXTS)
    path.write_bytes(state)
    assert same_result(one, tiny(**params).fit(TEXTS))


def test_a_checkpoint_of_another_training_is_left_alone(tmp_path, monkeypatch):
    params = {"checkpoint": tmp_path, "checkpoint_every": 1}
    fit_until_killed(monkeypatch, tiny(**params), writings=2)
    (path,) = tmp_path.iterdir()
    recipe = CCLMModelBase(CharPreprocessor(max_example_len=32), width=8, n_buckets=51)
    for other in ({"lr": 0.1}, {"base": recipe}, {"noise": TypoNoise(rate=0.2)}):
        assert tiny(**params, **other).fit(TEXTS).tower_ == tiny(**other).fit(TEXTS).tower_
    assert tiny(**params).fit(TEXTS[1:]).tower_ == tiny().fit(TEXTS[1:]).tower_
    held = {"early_stopping": True, "patience": 1, "lr": 0.5}
    fit_until_killed(monkeypatch, tiny(**params, **held), writings=2)
    with_others = tiny(**params, **held).fit(TEXTS, validation=["quince"] * 9)
    assert same_result(with_others, tiny(**held).fit(TEXTS, validation=["quince"] * 9))
    assert path in tmp_path.iterdir()


def test_an_unreadable_checkpoint_is_an_error(tmp_path, monkeypatch):
    params = {"checkpoint": tmp_path, "checkpoint_every": 1}
    fit_until_killed(monkeypatch, tiny(**params), writings=2)
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"no checkpoint")
    with pytest.raises(ValueError, match="no readable checkpoint"):
        tiny(**params).fit(TEXTS)
    with pytest.raises(ValueError, match="is a file"):
        tiny(checkpoint=path).fit(TEXTS)


def test_a_generator_as_seed_can_be_resumed(tmp_path, monkeypatch):
    def params():
        return {"checkpoint": tmp_path, "checkpoint_every": 1}

    fit_until_killed(
        monkeypatch, tiny(**params(), random_state=np.random.RandomState(3)), writings=2
    )
    again = tiny(**params(), random_state=np.random.RandomState(4)).fit(TEXTS)
    assert same_result(again, tiny(random_state=np.random.RandomState(3)).fit(TEXTS))


class Recorder(Callback):
    """Records what a checkpoint cannot hold."""

    def on_batch_end(self, net, **params):
        net.history.record_batch("weights", np.ones(3))


def test_what_callbacks_record_does_not_spoil_a_checkpoint(tmp_path, monkeypatch):
    params = {"checkpoint": tmp_path, "checkpoint_every": 1, "callbacks": [Recorder()]}
    fit_until_killed(monkeypatch, tiny(**params), writings=5)
    assert same_result(tiny(**params).fit(TEXTS), tiny().fit(TEXTS))


def test_searches_may_share_a_checkpoint_directory(tmp_path):
    grid = {"lr": [1e-3, 1e-2]}
    pretrainer = tiny(checkpoint=tmp_path, checkpoint_every=1, max_epochs=1)
    search = GridSearchCV(pretrainer, grid, cv=2, n_jobs=2).fit(TEXTS)
    assert search.best_params_ == {"lr": 1e-2}
    assert not any(tmp_path.iterdir())


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from sklearn_cclm import CCLMModelBase, MaskedCharacterPretrainer
texts = Path({texts!r}).read_text().splitlines()
base = CCLMModelBase(width=16, n_buckets=200)
pretrainer = MaskedCharacterPretrainer(
    base, tower="pooled", max_epochs=12, batch_size=8, random_state=0,
    checkpoint={checkpoint!r}, checkpoint_every=3,
)
print(pretrainer.fit(texts).tower_.digest)
"""


@pytest.mark.slow
@pytest.mark.ci
def test_killed_process_is_resumed_bitwise(tmp_path):
    (tmp_path / "texts").write_text("\n".join(TEXTS))
    script = SCRIPT.format(
        folder=os.getcwd(), texts=str(tmp_path / "texts"), checkpoint=str(tmp_path / "a")
    )
    other = script.replace(str(tmp_path / "a"), str(tmp_path / "b"))
    whole = subprocess.run(
        [sys.executable, "-c", other], capture_output=True, text=True, check=True
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("a/*.pt")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert list(tmp_path.glob("a/*.pt"))
    again = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert again.stdout == whole.stdout
    assert not list(tmp_path.glob("a/*"))


def test_partial_fit_learns_more_with_each_call():
    pretrainer = tiny(lr=1e-2)
    losses = [-pretrainer.partial_fit(TEXTS).score(TEXTS) for _ in range(12)]
    assert losses[-1] < 0.85 * losses[0]
    assert pretrainer.n_iter_ == 12
    assert [row["epoch"] for row in pretrainer.history_] == list(range(1, 13))


def test_partial_fit_goes_on_with_the_optimizer_state():
    kept, fresh = tiny().partial_fit(TEXTS), tiny().partial_fit(TEXTS)
    del fresh.optimizer_state_
    assert kept.tower_ == fresh.tower_
    assert kept.partial_fit(TEXTS).tower_ != fresh.partial_fit(TEXTS).tower_


def test_partial_fit_that_fails_changes_nothing():
    class Failing(Callback):
        def on_batch_end(self, net, **params):
            if net.step_ > 3:
                raise RuntimeError("in the middle")

    pretrainer, unharmed = (tiny().partial_fit(TEXTS) for _ in range(2))
    with pytest.raises(RuntimeError, match="in the middle"):
        pretrainer.set_params(callbacks=[Failing()]).partial_fit(TEXTS)
    pretrainer.set_params(callbacks=None)
    assert pretrainer.partial_fit(TEXTS).tower_ == unharmed.partial_fit(TEXTS).tower_


@pytest.mark.parametrize("change", [{"base_lr": 1e-3}, {"optimizer": "sgd"}])
def test_partial_fit_takes_changed_parameters(change):
    recipe = CCLMModelBase(CharPreprocessor(32), width=8, n_buckets=50, n_blocks=1)
    pretrainer = tiny(base=recipe).partial_fit(TEXTS).set_params(**change).partial_fit(TEXTS)
    assert pretrainer.n_iter_ == 2


def test_warm_start_holds_out_the_same_texts():
    pretrainer = tiny(warm_start=True, random_state=None, validation_fraction=0.2)
    seeds = {pretrainer.fit(TEXTS).seed_ for _ in range(3)}
    assert len(seeds) == 1


def test_warm_start_with_another_tower_or_base_is_an_error():
    pretrainer = tiny(warm_start=True).fit(TEXTS)
    for change in ({"tower": "conv"}, {"base": tiny(random_state=1).fit(TEXTS).base_}):
        with pytest.raises(ValueError, match="another one than that which was trained"):
            clone_fitted(pretrainer).set_params(**change).fit(TEXTS)


def clone_fitted(pretrainer):
    return pickle.loads(pickle.dumps(pretrainer))


def test_rate_falls_to_zero_where_texts_are_empty():
    class Rates(Callback):
        def on_batch_end(self, net, **params):
            RATES.append(net.optimizer_.param_groups[0]["lr"])

    RATES.clear()
    tiny(callbacks=[Rates()]).fit(["", ""] * 60 + TEXTS)
    assert RATES[-1] < 0.05 * max(RATES)


RATES = []


def test_fit_forgets_partial_fit():
    pretrainer = tiny().partial_fit(TEXTS).fit(TEXTS)
    assert pretrainer.tower_ == tiny().fit(TEXTS).tower_
    assert not hasattr(pretrainer, "optimizer_state_")


def test_warm_start_goes_on():
    pretrainer = tiny(warm_start=True).fit(TEXTS)
    first, vocabulary = pretrainer.tower_, pretrainer.base_.vocabulary
    loss = -pretrainer.score(TEXTS)
    pretrainer.fit([*TEXTS, "zzz"])
    assert pretrainer.base_.vocabulary == vocabulary
    assert pretrainer.tower_ != first
    assert -pretrainer.score(TEXTS) < loss
    assert [row["epoch"] for row in pretrainer.history_] == [1, 2, 3, 4, 5, 6]


def test_validation_texts_are_the_held_out_ones():
    fitted = tiny(validation_fraction=0.5).fit(TEXTS, validation=["apple"] * 20)
    other = tiny(validation_fraction=0.5).fit(TEXTS, validation=["quince"] * 20)
    assert fitted.tower_ == other.tower_ == tiny(validation_fraction=0).fit(TEXTS).tower_
    losses = [one.history_[-1]["valid_loss"] for one in (fitted, other)]
    assert losses[0] < losses[1]


def test_init_from_continues_a_tower_and_its_base():
    longer = {"lr": 1e-2, "max_epochs": 30}
    first = tiny(**longer).fit(TEXTS)
    more = tiny(base=None, init_from=first.tower_, tower="strided", **longer).fit(TEXTS)
    assert more.tower_.architecture == "pooled"
    assert more.tower_ != first.tower_
    assert more.base_ != first.base_
    assert more.history_[-1]["train_loss"] < first.history_[-1]["train_loss"]
    on_it = tiny(base=first.base_, init_from=first.tower_).fit(TEXTS)
    assert on_it.base_ is first.base_
    assert on_it.tower_ != first.tower_


def test_init_from_and_another_base_is_an_error():
    tower = tiny().fit(TEXTS).tower_
    for base in (CCLMModelBase(), tiny(random_state=1).fit(TEXTS).base_):
        with pytest.raises(ValueError, match="init_from brings its own base"):
            tiny(base=base, init_from=tower).fit(TEXTS)
    with pytest.raises(TypeError, match="pass its tower_"):
        tiny(base=None, init_from=tiny()).fit(TEXTS)


def test_base_has_its_own_rate():
    slow = tiny(base_lr=1e-12, optimizer="sgd", weight_decay=0.0).fit(TEXTS)
    start = clone(tiny().base).set_params(random_state=draw(0)).fit(TEXTS).base_
    table = "table.weight"
    assert np.allclose(slow.base_.weights[table], start.weights[table], atol=1e-6)
    assert not np.allclose(tiny().fit(TEXTS).base_.weights[table], start.weights[table], atol=1e-3)


def draw(random_state):
    return np.random.RandomState(random_state).randint(2**31 - 1)


def test_noise_reaches_the_network_and_not_the_targets():
    noise = TypoNoise("slip", rate=1.0)
    noisy = tiny(noise=noise, mask_rate=0.0, span_length=1, max_epochs=1).fit(TEXTS)
    chunk, _ = noisy._reader(noisy._known()).read(TEXTS[:10], None)
    batch = chunk.make_batch(np.arange(10), np.random.default_rng(0))
    clean = noisy.base_.preprocessor().encode(TEXTS[:10])
    positions = batch.extra["positions"]
    assert np.array_equal(batch.targets, clean.ravel()[positions])
    letters = (clean > 0) & (clean != noisy.base_.preprocessor().encode([" "])[0, 0])
    assert (batch.ids[letters] != clean[letters]).all()


def test_masked_tokens_are_found_in_noisy_texts():
    # of "abcd efg hi": b dropped, x put behind e, h and i swapped
    view = View(
        ids=np.array([[4, 6, 7, 8, 9, 2, 10, 11, 8, 13, 12, 0]]),
        clean=np.array([[4, 5, 6, 7, 8, 9, 10, 11, 8, 12, 13]]),
        origin=np.array([[0, 2, 3, 4, 5, 5, 6, 7, 8, 10, 9, -1]]),
    )
    tokens = TokenSpans(np.array([0, 4]), *np.array([[0, 1, 5, 9], [1, 2, 8, 11], [7, 6, 5, 4]]))
    mlm = MaskedLanguagePretrainer(mask_rate=1.0)
    ids, classes, extra = mlm._task().batch(view, tokens, np.random.default_rng(0))
    assert ids.tolist() == [[1, 6, 7, 8, 1, 1, 1, 1, 8, 1, 1, 0]]
    assert classes.tolist() == [7, 5, 4]  # the token that was dropped is not asked for
    assert extra["positions"].tolist() == [0, 4, 5, 6, 7, 9, 10]
    assert extra["offsets"].tolist() == [0, 1, 5]


@pytest.mark.parametrize("cls", [MaskedCharacterPretrainer, MaskedLanguagePretrainer])
def test_a_stream_gives_what_its_texts_give(cls):
    params = {"validation_fraction": 0}
    stream = Lines(TEXTS)
    assert tiny(cls, **params).fit(stream).tower_ == tiny(cls, **params).fit(TEXTS).tower_
    assert stream.passes > 3


def test_streams_are_held_out_and_scored_as_their_texts_are(tmp_path):
    path = tmp_path / "dev.txt"
    path.write_text("\n".join(TEXTS[:20]), encoding="utf-8")
    whole = tiny().fit(TEXTS, validation=TEXTS[:20])
    for others in (Lines(TEXTS[:20]), path):
        held = tiny(checkpoint=tmp_path / "state")
        assert same_result(
            held.fit(Lines(TEXTS), validation=others),
            tiny().fit(Lines(TEXTS), validation=TEXTS[:20]),
        )
        assert whole.score(others) == whole.score(TEXTS[:20])


def test_each_epoch_of_a_stream_sees_each_text_once(monkeypatch):
    monkeypatch.setattr("sklearn_cclm._training.reader._STREAMED", 30)
    texts = [f"text {i:03d}" for i in range(100)]
    pretrainer = tiny(max_epochs=1, validation_fraction=0.2)
    pretrainer.fit(Lines(texts))
    stream, _ = pretrainer._read(pretrainer._task(), Lines(texts), None)
    reader = pretrainer._reader(pretrainer._task())
    batches, held_out = reader.batches(stream, None, fraction=0.2, seed=0)
    clean = pretrainer.base_.preprocessor().transform(texts)

    def rows(some):
        seen = np.concatenate([unmask(batch) for batch in some])
        return sorted(map(tuple, seen))

    def unmask(batch):
        ids = batch.ids.ravel().copy()
        ids[batch.extra["positions"]] = batch.targets
        return ids.reshape(batch.ids.shape)

    everything = sorted(map(tuple, clean[:, : len(texts[0])]))
    assert sorted(rows(batches) + rows(held_out)) == everything
    assert sorted(rows(batches) + rows(held_out)) == everything  # and in the next epoch
    assert 5 < len(rows(held_out)) < 40


def test_a_path_or_pattern_is_a_stream_of_lines(tmp_path):
    for part, texts in enumerate((TEXTS[:50], TEXTS[50:])):
        (tmp_path / f"{part}.txt").write_text("\n".join(texts) + "\n")
    whole = tiny(validation_fraction=0).fit(TEXTS).tower_
    assert tiny(validation_fraction=0).fit(tmp_path / "*.txt").tower_ == whole
    with pytest.raises(TypeError, match="which `fit` alone reads"):
        tiny().fit(TEXTS).preprocessor_.transform(tmp_path / "*.txt")


class Numbered:
    """A corpus of 200,000 texts, 48 MB, that is nowhere in memory."""

    def __iter__(self):
        return (f"{number:09d} " + "apple " * 38 for number in range(200_000))


def test_a_stream_is_not_held_in_memory():
    recipe = CCLMModelBase(CharPreprocessor(max_example_len=256), width=8, n_buckets=50)
    pretrainer = tiny(base=recipe, max_epochs=1, batch_size=2000, validation_fraction=0.001)
    tracemalloc.start()
    task, pretrainer.seed_ = pretrainer._task(), 0
    texts, _ = pretrainer._read(task, Numbered(), None)
    task = pretrainer._begin(task, texts, None)
    batches, _ = pretrainer._reader(task).batches(texts, None, fraction=0.001, seed=0)
    assert sum(1 for _ in batches) == len(batches)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40e6


def test_what_can_be_read_once_only_is_an_error():
    class Once:
        rows = iter(TEXTS)

        def __iter__(self):
            return self.rows

    with pytest.raises(ValueError, match="0 sample|read once only"):
        tiny().fit(Once())


def test_an_empty_stream_is_an_error():
    with pytest.raises(ValueError, match="0 sample"):
        tiny().fit(Lines([]))


def test_half_precision_learns_as_well():
    longer = {"max_epochs": 15, "lr": 1e-2}
    losses = [
        tiny(**longer, precision=precision).fit(TEXTS).history_[-1]["valid_loss"]
        for precision in ("float32", "bfloat16")
    ]
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)
    with pytest.raises(ValueError, match="precision='half'"):
        tiny(precision="half").fit(TEXTS)
