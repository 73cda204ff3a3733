"""Several tasks on one base."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ClassificationPretrainer,
    ComposedModel,
    DistillationPretrainer,
    MaskedCharacterPretrainer,
    MaskedLanguagePretrainer,
    MLMPreprocessor,
    MultiTaskPretrainer,
    PooledConfig,
    StridedConfig,
)
from sklearn_cclm._training.batches import AlternatingBatches, Batch, Batches, Chunk
from sklearn_cclm._training.checkpoint import Checkpoint
from sklearn_cclm._training.reader import Reader

WORDS = ["apple", "banana", "cherry", "damson", "elder"]
RNG = np.random.default_rng(0)
TEXTS = [" ".join(np.roll(WORDS, shift)[:4]) for shift in RNG.integers(0, 5, 120)]
VECTORS = np.array([[text.count(word) for word in WORDS] for text in TEXTS], dtype=float)
TOWER = PooledConfig(width=8, hidden=8)


def tiny(tasks=None, **params):
    recipe = CCLMModelBase(CharPreprocessor(max_example_len=32), width=16, n_buckets=100)
    chars = MaskedCharacterPretrainer(tower=TOWER, span_length=1, batch_size=30)
    mlm = MaskedLanguagePretrainer(
        tower=StridedConfig(width=8, downsample_factor=4, n_strided_convs=2, n_layers=1, n_heads=2),
        preprocessor=MLMPreprocessor(vocab_size=80),
        num_negatives=5,
        batch_size=20,
    )
    tasks = tasks or [("chars", chars), ("mlm", mlm)]
    defaults = {"base": recipe, "max_epochs": 3, "random_state": 0, "lr": 1e-2}
    return MultiTaskPretrainer(tasks, **{**defaults, **params})


def batches(first, n):
    def make_batch(rows, rng):
        return Batch.seeded(rows[:, None] + first, rng.random(len(rows)), {}, rng=rng)

    return Batches.of(Chunk(np.arange(n), np.ones(n), make_batch), batch_size=2, seed=3)


def test_batches_of_the_tasks_alternate():
    both = AlternatingBatches({"a": batches(0, 20), "b": batches(100, 8)}, seed=0)
    for _ in range(2):
        epoch = list(both)
        assert len(epoch) == len(both) == 14
        tasks = "".join(batch.task for batch in epoch)
        assert tasks.count("b") == 4
        assert "bbbb" not in tasks
        for task, rows in (("a", range(20)), ("b", range(100, 108))):
            seen = [batch.ids[:, 0] for batch in epoch if batch.task == task]
            assert sorted(np.concatenate(seen)) == list(rows)


def test_alternating_batches_resume_where_they_were():
    whole = AlternatingBatches({"a": batches(0, 20), "b": batches(100, 8)}, seed=0)
    expected = [[(batch.task, batch.ids.tolist(), batch.seed) for batch in whole] for _ in range(2)]
    again = AlternatingBatches({"a": batches(0, 20), "b": batches(100, 8)}, seed=0)
    again.resume(1, 5)
    assert [(batch.task, batch.ids.tolist(), batch.seed) for batch in again] == expected[1][5:]


def test_towers_stand_on_one_trained_base():
    multi = tiny().fit(TEXTS)
    assert [name for name, _ in multi.towers_] == ["chars", "mlm"]
    assert {tower.base for _, tower in multi.towers_} == {multi.base_}
    assert [tower.task for _, tower in multi.towers_] == ["masked_character", "masked_language"]
    assert ComposedModel(multi.towers_).fit(TEXTS).transform(TEXTS[:2]).shape[2] == 16
    assert all(not hasattr(task, "tower_") for _, task in multi.tasks)


def test_every_task_learns():
    multi = tiny(max_epochs=15).fit(TEXTS)
    first, last = multi.history_[0], multi.history_[-1]
    for name in ("chars", "mlm"):
        assert last[f"valid_{name}_loss"] < 0.8 * first[f"valid_{name}_loss"]
    joined = "".join(TEXTS)
    assert last["valid_chars_accuracy"] > max(map(joined.count, set(joined))) / len(joined) + 0.2
    assert last["valid_mlm_accuracy"] > 0.45  # five words; chance is 0.2
    expected = last["valid_chars_loss"] + last["valid_mlm_loss"]
    assert last["valid_loss"] == pytest.approx(expected, rel=1e-6)


def test_weights_decide_what_is_learned():
    losses = {}
    for name, weights in {"mlm": {"chars": 1e-6}, "chars": {"mlm": 1e-6}}.items():
        row = tiny(weights=weights, weight_decay=0.0, max_epochs=8).fit(TEXTS).history_[-1]
        losses[name] = row["valid_chars_loss"], row["valid_mlm_loss"]
    assert losses["chars"][0] < losses["mlm"][0]
    assert losses["mlm"][1] < losses["chars"][1]


def test_tasks_get_their_own_targets():
    distil = DistillationPretrainer(tower="pooled", batch_size=30)
    tasks = [("distil", distil), ("chars", MaskedCharacterPretrainer(tower=TOWER))]
    multi = tiny(tasks).fit(TEXTS, {"distil": VECTORS})
    assert dict(multi.towers_)["distil"].native_width == 5
    adapted = tiny(tasks).fit(TEXTS, {"chars": VECTORS})
    assert dict(adapted.towers_)["distil"].native_width > 5


def test_the_same_texts_are_held_out_for_all_tasks():
    multi = tiny(
        [("a", MaskedCharacterPretrainer(tower=TOWER)), ("b", MaskedCharacterPretrainer())]
    )
    seen = {}

    def record(self, texts, y, *, seed, **how):
        seen[len(seen)] = seed
        return original(self, texts, y, seed=seed, **how)

    original = Reader.batches
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Reader, "batches", record)
        multi.fit(TEXTS)
    assert len(seen) == 2
    assert len(set(seen.values())) == 1


def test_a_teacher_is_asked_once():
    asked = []

    def teacher(texts):
        asked.append(len(texts))
        return VECTORS[: len(texts)]

    tiny([("d", DistillationPretrainer(teacher=teacher)), ("c", MaskedCharacterPretrainer())]).fit(
        TEXTS
    )
    assert asked == [120]


def test_validation_is_read_as_the_texts_are():
    frame = pd.DataFrame({"text": TEXTS, "n": range(120)})
    multi = tiny(column="text").fit(frame, validation=frame[:20])
    assert "valid_mlm_loss" in multi.history_[0]
    tasks = [("d", DistillationPretrainer()), ("c", MaskedCharacterPretrainer(tower=TOWER))]
    pair = (TEXTS[:20], {"d": VECTORS[:20]})
    assert "valid_d_cosine" in tiny(tasks).fit(TEXTS, {"d": VECTORS}, validation=pair).history_[0]


def test_tasks_may_have_any_name():
    tasks = [(name, MaskedCharacterPretrainer(tower=TOWER)) for name in ("mlm.small", "train", "")]
    assert [name for name, _ in tiny(tasks, max_epochs=1).fit(TEXTS).towers_] == [
        n for n, _ in tasks
    ]


def test_each_task_keeps_its_own_tokens():
    sizes = (60, 30)
    tasks = [
        (str(n), MaskedLanguagePretrainer(tower=TOWER, preprocessor=MLMPreprocessor(vocab_size=n)))
        for n in sizes
    ]
    multi = tiny(tasks, base=None, max_epochs=1).fit(TEXTS)
    counts = [task.preprocessor_.n_tokens_ for _, task in multi.tasks_]
    assert counts[0] > counts[1]


def test_a_given_base_stays_as_it_is():
    base = tiny().fit(TEXTS).base_
    multi = tiny(base=base).fit(TEXTS)
    assert multi.base_ is base
    assert {tower.base for _, tower in multi.towers_} == {base}


def test_goes_on_from_its_towers():
    first = tiny().fit(TEXTS)
    same = tiny(init_from=first.towers_, lr=1e-12, base=None, max_epochs=1).fit(TEXTS)
    for (name, tower), (_, start) in zip(same.towers_, first.towers_, strict=True):
        assert tower.base == same.base_ != first.base_, name
        for key, array in tower.weights.items():
            np.testing.assert_allclose(array, start.weights[key], atol=1e-6, err_msg=key)
    chars = dict(first.towers_)["chars"]
    kept = tiny(init_from={"chars": chars}, base=chars.base, max_epochs=1).fit(TEXTS)
    assert kept.base_ is chars.base
    assert dict(kept.towers_)["chars"] != chars


def test_towers_to_begin_with_stand_on_one_base():
    towers = [("chars", tiny().fit(TEXTS).towers_[0][1])]
    others = [("mlm", tiny(random_state=1).fit(TEXTS).towers_[1][1])]
    with pytest.raises(ValueError, match="2 bases"):
        tiny(init_from=towers + others, base=None).fit(TEXTS)
    with pytest.raises(ValueError, match="brings its own base"):
        tiny(init_from=towers).fit(TEXTS)


def test_score_and_search():
    multi = tiny().fit(TEXTS)
    assert multi.score(TEXTS) == multi.score(TEXTS) < 0
    grid = {"lr": [1e-6, 1e-2], "chars__mask_rate": [0.3]}
    search = GridSearchCV(tiny(max_epochs=1), grid, cv=2).fit(TEXTS)
    assert search.best_params_ == {"lr": 1e-2, "chars__mask_rate": 0.3}


def test_resumes_to_the_same_weights(tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    write, left = Checkpoint.write, [9]

    def write_and_die(self, state):
        write(self, state)
        left[0] -= 1
        if not left[0]:
            raise Killed

    params = {"checkpoint": tmp_path, "checkpoint_every": 2}
    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "write", write_and_die)
        with pytest.raises(Killed):
            tiny(**params).fit(TEXTS)
    assert tiny(**params).fit(TEXTS).towers_ == tiny().fit(TEXTS).towers_


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"tasks": []}, ValueError, "at least one"),
        ({"tasks": [("a", 3)]}, TypeError, "must be a pretrainer"),
        ({"tasks": [("lr", MaskedCharacterPretrainer())]}, ValueError, "Task name 'lr'"),
        ({"tasks": [("a", MaskedCharacterPretrainer(CCLMModelBase()))]}, ValueError, "base of the"),
        ({"tasks": [("a", MaskedCharacterPretrainer(mask_rate=2))]}, ValueError, "mask_rate"),
        ({"weights": {"b": 1.0}}, ValueError, "weights names 'b'"),
        ({"weights": {"mlm": 0.0}}, ValueError, "weights"),
        ({"init_from": 3}, TypeError, "init_from=3"),
        ({"init_from": {"b": 3}}, ValueError, "init_from names 'b'"),
        ({"init_from": {"mlm": 3}}, TypeError, "must be a Tower"),
    ],
)
def test_errors(params, error, message):
    multi = tiny().set_params(**params)
    with pytest.raises(error, match=message):
        multi.fit(TEXTS)
    assert not hasattr(multi, "towers_")


@pytest.mark.parametrize("names", [["topic"], ["topics"], ["topic", "chars", "other"], []])
def test_y_names_the_tasks_that_need_it_and_no_others(names):
    tasks = [
        ("topic", ClassificationPretrainer(tower=TOWER)),
        ("chars", MaskedCharacterPretrainer(tower=TOWER)),
    ]
    joint = tiny(tasks, max_epochs=1)
    y = dict.fromkeys(names, [text.split()[0] for text in TEXTS])
    if names == ["topic"]:
        assert joint.fit(TEXTS, y, validation=(TEXTS, y)).score(TEXTS, y) < 0
        return
    message = r"y names \[.*\], but the tasks are \['topic', 'chars'\].* need y: \['topic'\]"
    with pytest.raises(ValueError, match=message):
        joint.fit(TEXTS, y)
