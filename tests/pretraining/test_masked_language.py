"""Masked language modelling: what is hidden, what is predicted, and that it is learned."""

import numpy as np
import pytest

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    MaskedLanguagePretrainer,
    MLMPreprocessor,
    PooledConfig,
    StridedConfig,
)
from sklearn_cclm._text.codes import MASK
from sklearn_cclm._training.cut import Cut
from sklearn_cclm._training.views import View

SMALL = StridedConfig(width=32, downsample_factor=4, n_strided_convs=2, n_layers=1, n_heads=4)


def sentences(n=300):
    """Return texts whose last word follows from the first."""
    rng = np.random.default_rng(0)
    pairs = [("paris", "france"), ("rome", "italy"), ("madrid", "spain"), ("berlin", "germany")]
    chosen = [pairs[i] for i in rng.integers(0, 4, n)]
    return [f"{city} is a fine old town in {land}" for city, land in chosen]


def tiny(**params):
    """Return a pretrainer that fits in a second or so."""
    prep = MLMPreprocessor(max_example_len=48, vocab_size=120)
    defaults = {"tower": SMALL, "max_epochs": 2, "batch_size": 32, "random_state": 0}
    return MaskedLanguagePretrainer(
        CCLMModelBase(prep, width=32, n_buckets=500), **{**defaults, **params}
    )


@pytest.fixture(scope="module")
def fitted():
    return tiny().fit(sentences())


def examples_of(pretrainer, texts):
    """Return the tokens of texts as they are batched."""
    return pretrainer._known().examples(Cut.of(texts, pretrainer.preprocessor_), None)


def test_batch_hides_whole_tokens_and_asks_for_their_classes(fitted):
    texts = sentences(20)
    examples = examples_of(fitted, texts)
    ids = fitted.base_.preprocessor().encode(texts)
    hidden, targets, extra = fitted._known().batch(
        View.without_noise(ids), examples, np.random.default_rng(0)
    )
    lengths = np.diff([*extra["offsets"], len(extra["positions"])])
    covered = np.split(extra["positions"], extra["offsets"][1:])
    tokenizer = fitted.preprocessor_.tokenizer_
    for positions, target, length in zip(covered, targets, lengths, strict=True):
        row, start = divmod(positions[0], ids.shape[1])
        word = texts[row][start : start + length]
        assert fitted.token_ranks_[tokenizer.token_to_id(word)] == target
    assert np.array_equal(np.flatnonzero(hidden == MASK), np.unique(extra["positions"]))


def test_each_text_with_a_long_enough_token_is_asked_for_one(fitted):
    texts = ["paris", "a", "is in", "", "germany is old"]
    examples = examples_of(fitted, texts)
    ids = fitted.base_.preprocessor().encode(texts)
    _, _, extra = fitted._known().batch(View.without_noise(ids), examples, np.random.default_rng(0))
    rows = extra["positions"][extra["offsets"]] // ids.shape[1]
    assert set(rows) == {0, 4}


def test_rate_of_masked_tokens(fitted):
    fitted = tiny(mask_rate=0.5).fit(sentences(50))
    texts = sentences(400)
    examples = examples_of(fitted, texts)
    ids = fitted.base_.preprocessor().encode(texts)
    _, targets, _ = fitted._known().batch(
        View.without_noise(ids), examples, np.random.default_rng(0)
    )
    assert len(targets) / len(examples.classes) == pytest.approx(0.5, abs=0.05)


def test_classes_are_sorted_by_frequency(fitted):
    texts = sentences()
    classes = examples_of(fitted, texts).classes
    counts = np.bincount(classes)
    assert (np.diff(counts) <= 0).all()
    assert counts[-1] > 0


def test_cls_code_shifts_the_spans():
    prep = MLMPreprocessor(max_example_len=48, vocab_size=120, add_cls=True)
    pretrainer = tiny().set_params(base=CCLMModelBase(prep, width=32, n_buckets=500))
    pretrainer.fit(sentences(40))
    examples = examples_of(pretrainer, ["paris"])
    assert (examples.starts[0], examples.ends[0]) == (1, 6)


@pytest.mark.parametrize("loss", ["sampled_softmax", "negative_sampling", "softmax"])
def test_learns_what_follows_from_the_context(loss):
    pretrainer = tiny(loss=loss, num_negatives=20, max_epochs=15, lr=5e-3).fit(sentences())
    texts = sentences(200)
    classes = examples_of(pretrainer, texts).classes
    most_common = np.bincount(classes).max() / len(classes)
    assert pretrainer.history_[-1]["valid_accuracy"] > most_common + 0.3


def test_pooled_tower_learns_from_the_text_vector():
    config = PooledConfig(width=32, hidden=64)
    pretrainer = tiny(tower=config, max_epochs=15, lr=5e-3).fit(sentences())
    assert pretrainer.history_[-1]["valid_accuracy"] > 0.6


def test_second_pretrainer_on_a_trained_base_brings_its_own_tokens(fitted):
    tokens = MLMPreprocessor(vocab_size=60)
    again = tiny().set_params(base=fitted.base_, preprocessor=tokens).fit(sentences(60))
    assert again.base_ is fitted.base_
    assert again.preprocessor_.n_tokens_ <= 60
    assert again.preprocessor_.max_example_len == fitted.base_.reading["max_example_len"]


def test_preprocessor_alone_defines_reading_and_tokens():
    tokens = MLMPreprocessor(max_example_len=20, normalization="NFKC", vocab_size=60)
    pretrainer = MaskedLanguagePretrainer(
        preprocessor=tokens, tower=PooledConfig(8, 8), max_epochs=1, random_state=0
    ).fit(sentences(30))
    assert pretrainer.base_.reading["normalization"] == "NFKC"
    assert pretrainer.base_.reading["max_example_len"] == 20
    assert pretrainer.preprocessor_.n_tokens_ <= 60


def test_base_recipe_with_a_plain_preprocessor_is_enough():
    recipe = CCLMModelBase(CharPreprocessor(max_example_len=48), width=32, n_buckets=500)
    pretrainer = tiny().set_params(base=recipe).fit(sentences(40))
    assert pretrainer.preprocessor_.max_example_len == 48


def test_convolutions_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="Set downsample_factor=8"):
        MaskedLanguagePretrainer(downsample_factor=16, n_strided_convs=3).fit(sentences(10))


def test_no_token_long_enough_is_an_error():
    with pytest.raises(ValueError, match="lower min_mask_len"):
        tiny(min_mask_len=30).fit(sentences(10))


@pytest.mark.parametrize(
    ("params", "message"),
    [({"loss": "hinge"}, "loss='hinge'"), ({"num_negatives": 0}, "num_negatives"),
     ({"mask_rate": -0.1}, "mask_rate"), ({"min_mask_len": 0}, "min_mask_len")],
)  # fmt: skip
def test_wrong_parameter_is_named(params, message):
    with pytest.raises(ValueError, match=message):
        tiny(**params).fit(sentences(10))


def test_golden_numbers():
    """The same seed gives the same loss curve as when this was written (torch 2.13.0)."""
    pretrainer = tiny(max_epochs=2).fit(sentences(100))
    losses = [row["valid_loss"] for row in pretrainer.history_]
    assert losses == pytest.approx(GOLDEN_LOSSES, abs=1e-3)


GOLDEN_LOSSES = [2.08353, 1.94073]
