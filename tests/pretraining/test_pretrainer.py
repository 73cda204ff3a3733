"""What all pretrainers share: training, seeds, errors, history."""

import numpy as np
import pytest
import torch
from datasets import Dataset
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from sklearn_cclm import CCLMModelBase, CharPreprocessor, MaskedCharacterPretrainer, StridedConfig
from sklearn_cclm._training.cut import Cut

TEXTS = [f"the {adjective} {noun} sat here" for adjective in ("big", "old", "red", "wet")
         for noun in ("cat", "dog", "hen", "fox", "pig")] * 4  # fmt: skip


def tiny(**params):
    """Return a pretrainer that fits in a fraction of a second."""
    base = CCLMModelBase(CharPreprocessor(max_example_len=32), width=16, n_buckets=200)
    defaults = {"tower": "pooled", "max_epochs": 2, "batch_size": 16, "random_state": 0}
    return MaskedCharacterPretrainer(base, **{**defaults, **params})


def test_fit_leaves_base_tower_history_and_epochs():
    pretrainer = tiny().fit(TEXTS)
    assert pretrainer.tower_.base is pretrainer.base_
    assert pretrainer.tower_.task == "masked_character"
    assert pretrainer.n_iter_ == len(pretrainer.history_) == 2
    expected = {"epoch", "train_loss", "valid_loss", "valid_accuracy", "dur"}
    assert set(pretrainer.history_[0]) == expected


def test_no_network_stays_on_the_estimator():
    fitted = vars(tiny().fit(TEXTS))
    assert not [name for name, value in fitted.items() if isinstance(value, torch.nn.Module)]


def test_first_task_trains_the_base():
    recipe = tiny()
    untrained = clone(recipe.base).set_params(random_state=0).fit(TEXTS).base_
    trained = recipe.fit(TEXTS).base_
    assert trained.vocabulary == untrained.vocabulary
    assert trained.digest != untrained.digest


def test_given_base_stays_as_it_is():
    base = tiny().fit(TEXTS).base_
    again = tiny(random_state=1).set_params(base=base).fit(TEXTS)
    assert again.base_ is base
    assert again.tower_.base is base


def test_same_seed_gives_the_same_weights_and_another_seed_others():
    digests = [tiny(random_state=seed).fit(TEXTS).tower_.digest for seed in (0, 0, 1)]
    assert digests[0] == digests[1] != digests[2]


def test_random_state_instance_is_accepted():
    by_instance = tiny(random_state=np.random.RandomState(0)).fit(TEXTS)
    assert by_instance.tower_ == tiny(random_state=0).fit(TEXTS).tower_


def test_global_generators_are_untouched():
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002 - the global generator is what must not move
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    tiny().fit(TEXTS)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002


def test_early_stopping_returns_the_best_weights():
    pretrainer = tiny(max_epochs=60, lr=0.1, early_stopping=True, patience=2).fit(TEXTS)
    losses = [row["valid_loss"] for row in pretrainer.history_]
    assert pretrainer.n_iter_ < 60
    assert len(losses) - 1 - int(np.argmin(losses)) == 2
    module_loss = _held_out_loss(pretrainer)
    assert module_loss == pytest.approx(min(losses), abs=1e-5)


def _held_out_loss(pretrainer):
    """Recompute the loss on the texts that `fit` held out."""
    seed = np.random.RandomState(pretrainer.random_state).randint(2**31 - 1)
    reader = pretrainer._reader(pretrainer._known())
    _, batches = reader.batches(TEXTS, None, fraction=pretrainer.validation_fraction, seed=seed)
    return pretrainer._predictor().evaluate(batches, torch.device("cpu"))["loss"]


def test_early_stopping_without_held_out_texts_is_an_error():
    with pytest.raises(ValueError, match="Raise validation_fraction"):
        tiny(early_stopping=True, validation_fraction=0).fit(TEXTS)


def test_held_out_windows_are_of_other_texts():
    letters = "abcdefghij"
    pretrainer = tiny(max_epochs=1, span_length=1).fit([*letters])
    texts = [letter * 100 for letter in letters]
    reader = pretrainer.set_params(batch_size=2)._reader(pretrainer._known())
    parts = reader.batches(texts, None, fraction=0.2, seed=0)
    seen = [set(np.concatenate([batch.targets for batch in part]).tolist()) for part in parts]
    assert list(map(len, seen)) == [8, 2]
    assert not seen[0] & seen[1]


def test_held_out_texts_with_nothing_to_predict_are_as_none():
    pretrainer = tiny(validation_fraction=0.34, max_epochs=1)
    for seed in range(12):
        pretrainer.set_params(random_state=seed).fit(["some text", "some more", ""])
        if "valid_loss" not in pretrainer.history_[0]:
            return
    raise AssertionError("the empty text was never held out")


@pytest.mark.parametrize("validation_fraction", [0, 0.2])
def test_weights_that_the_last_step_ruins_are_an_error(validation_fraction):
    class Ruin(Callback):
        def on_batch_end(self, net, **params):
            with torch.no_grad():
                net.module_.head.output.weight.fill_(torch.nan)

    pretrainer = tiny(
        callbacks=[Ruin()], max_epochs=1, batch_size=100, validation_fraction=validation_fraction
    )
    with pytest.raises(FloatingPointError, match="Lower lr"):
        pretrainer.fit(TEXTS)
    assert not hasattr(pretrainer, "tower_")


def test_numpy_scalars_are_numbers():
    grid = {"base__width": np.array([8, 16]), "base__n_buckets": np.array([50])}
    search = GridSearchCV(tiny(), grid, cv=2, error_score="raise").fit(TEXTS)
    assert type(search.best_estimator_.base_.config["width"]) is int


def test_no_held_out_texts_leave_no_held_out_loss():
    pretrainer = tiny(validation_fraction=0).fit(TEXTS)
    assert "valid_loss" not in pretrainer.history_[0]


def test_loss_that_is_not_finite_stops_with_an_error():
    class Break(Callback):
        def on_epoch_end(self, net, **params):
            with torch.no_grad():
                net.module_.head.output.weight.fill_(torch.nan)

    pretrainer = tiny(callbacks=[Break()])
    with pytest.raises(FloatingPointError, match="Lower lr"):
        pretrainer.fit(TEXTS)
    assert not hasattr(pretrainer, "tower_")


def test_interrupted_training_raises_and_leaves_nothing():
    class Interrupt(Callback):
        def on_batch_end(self, net, **params):
            raise KeyboardInterrupt

    pretrainer = tiny(callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        pretrainer.fit(TEXTS)
    assert not hasattr(pretrainer, "base_")


def test_callback_may_end_the_training():
    class Enough(Callback):
        def on_epoch_end(self, net, **params):
            raise KeyboardInterrupt

    assert tiny(callbacks=[Enough()]).fit(TEXTS).n_iter_ == 1


def test_callbacks_are_copied():
    class Count(Callback):
        calls = 0

        def on_epoch_end(self, net, **params):
            self.calls += 1

    callback = Count()
    tiny(callbacks=[callback]).fit(TEXTS)
    assert callback.calls == 0


def test_failed_fit_keeps_the_earlier_result():
    pretrainer = tiny().fit(TEXTS)
    tower = pretrainer.tower_
    with pytest.raises(ValueError, match="Nothing to predict"):
        pretrainer.fit(["", ""])
    assert pretrainer.tower_ is tower


def test_long_texts_are_read_whole_in_windows():
    cut = Cut.of(["abc " * 30], tiny(max_epochs=1).fit(TEXTS).preprocessor_)
    assert set(cut.owners) == {0}
    assert "".join(cut.pieces) == "abc " * 30
    assert max(cut.lengths) == 32


def test_learns_from_a_dataset_column():
    by_column = tiny(column="text").fit(Dataset.from_dict({"text": TEXTS, "n": list(range(80))}))
    assert by_column.tower_ == tiny().fit(TEXTS).tower_


def test_score_is_minus_the_loss_and_the_same_each_time():
    pretrainer = tiny(max_epochs=20, lr=0.01).fit(TEXTS)
    assert pretrainer.score(TEXTS) == pretrainer.score(TEXTS) < 0
    assert pretrainer.score(TEXTS) > tiny(max_epochs=1).fit(TEXTS).score(TEXTS)


def test_pretraining_itself_can_be_searched():
    grid = {"max_epochs": [1, 20], "base__width": [8, 16]}
    search = GridSearchCV(tiny(lr=0.01), grid, cv=2).fit(TEXTS)
    assert search.best_params_["max_epochs"] == 20


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("max_epochs", 0, ValueError),
        ("batch_size", 1.5, ValueError),
        ("lr", 0, ValueError),
        ("lr", "fast", ValueError),
        ("warmup", 1.0, ValueError),
        ("validation_fraction", 1, ValueError),
        ("optimizer", "adagrad", ValueError),
        ("optimizer", 3, ValueError),
        ("optimizer", int, ValueError),
        ("optimizer", torch.optim.Rprop, ValueError),
        ("base", b"a base", TypeError),
        ("tower", "round", ValueError),
        ("tower", 3, TypeError),
        ("mask_rate", 2, ValueError),
        ("callbacks", 3, TypeError),
        ("device", "abacus", ValueError),
        ("verbose", "loud", ValueError),
    ],
)
def test_wrong_parameter_is_named(name, value, error):
    with pytest.raises(error, match=name):
        tiny(**{name: value}).fit(TEXTS) if name != "base" else (
            MaskedCharacterPretrainer(value).fit(TEXTS)
        )


def test_optimizer_class_is_accepted():
    assert tiny(optimizer=torch.optim.RMSprop).fit(TEXTS).n_iter_ == 2


def test_tower_by_value():
    config = StridedConfig(width=16, downsample_factor=4, n_strided_convs=2, n_layers=1, n_heads=2)
    assert tiny(tower=config).fit(TEXTS).tower_.config["downsample_factor"] == 4


def test_verbose_writes_a_line_per_epoch_where_there_is_no_terminal(capfd):
    tiny(verbose=1).fit(TEXTS)
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("epoch")]
    assert [line.split()[1] for line in lines] == ["1/2", "2/2"]


def test_silent_by_default(capfd):
    tiny(early_stopping=True).fit(TEXTS)
    assert capfd.readouterr() == ("", "")
