"""The fast path from texts to vectors, and the API of the composed estimators."""

from unittest.mock import patch

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ComposedEmbedder,
    ComposedModel,
    MaskedCharacterPretrainer,
    MaskedLanguagePretrainer,
    MultiTaskPretrainer,
    PooledConfig,
    StridedConfig,
    make_composed,
)
from sklearn_cclm.models import _inference
from sklearn_cclm.models._inference import distinct, spread
from sklearn_cclm.nn import NgramBase

TEXTS = ["one", "two three", "", "four five six", "Seven", "one", "an eighth text", "9"]
POOLED = PooledConfig(width=4, hidden=4)
STRIDED = StridedConfig(width=8, downsample_factor=4, n_strided_convs=2, n_layers=1, n_heads=2)
SIZE = 20


def train(tower=POOLED, *, seed=0, base=None, **reading):
    preprocessor = CharPreprocessor(**{"max_example_len": SIZE, **reading})
    recipe = CCLMModelBase(preprocessor, width=8, ngram_orders=(2, 3), n_buckets=50)
    pretrainer = MaskedCharacterPretrainer(
        recipe if base is None else base, tower=tower, max_epochs=1, random_state=seed
    )
    return pretrainer.fit(TEXTS).tower_


@pytest.fixture(scope="module")
def pooled():
    return train()


@pytest.fixture(scope="module")
def strided(pooled):
    return train(STRIDED, base=pooled.base)


@pytest.fixture(scope="module")
def with_cls():
    return train(STRIDED, add_cls=True)


@pytest.fixture(scope="module")
def embedder(pooled, strided):
    return ComposedEmbedder([("pool", pooled), ("strided", strided)]).fit(TEXTS)


@pytest.fixture(scope="module")
def model(pooled, strided):
    return ComposedModel([("pool", pooled), ("strided", strided)]).fit(TEXTS)


@pytest.fixture
def batch_shapes(monkeypatch):
    """The shapes of the codes that bases were run on."""
    shapes, forward = [], NgramBase.forward

    def recorded(self, ids):
        shapes.append(tuple(ids.shape))
        return forward(self, ids)

    monkeypatch.setattr(NgramBase, "forward", recorded)
    return shapes


def embed(tower, texts=TEXTS, **params):
    return ComposedEmbedder([("t", tower)], **params).fit(["any"]).transform(texts)


# the fast path


def test_each_distinct_text_is_read_once(embedder, batch_shapes):
    out = embedder.transform(["b", "a", "b", "b", "a"])
    assert batch_shapes == [(2, 1)]
    assert_array_equal(out[[0, 2, 3]], np.repeat(out[:1], 3, axis=0))
    assert_array_equal(out[1], out[4])
    assert (out[0] != out[1]).any()


@pytest.mark.parametrize("n_distinct", [1, 7, 6000])
def test_repeats_are_filled_in_place(n_distinct):
    rng = np.random.default_rng(0)
    texts = [str(i) for i in rng.integers(n_distinct, size=10_000)]
    unique, places = distinct(texts)
    assert [unique[place] for place in places] == texts
    for shape in ((10_000, 3), (10_000, 2, 3)):
        out = rng.random(shape, dtype=np.float32)
        expected = out[places]
        spread(out, places)
        assert_array_equal(out, expected)


def test_order_is_restored(embedder):
    out = embedder.transform(TEXTS)
    order = np.random.default_rng(0).permutation(len(TEXTS))
    assert_allclose(embedder.transform([TEXTS[i] for i in order]), out[order], atol=1e-5)


@pytest.mark.parametrize("batch_chars", [1, 10, 30, 16384])
@pytest.mark.parametrize("pooling", ["native", "mean", "max", "attention"])
def test_batch_size_does_not_matter(pooled, strided, batch_chars, pooling):
    towers = [("pool", pooled), ("strided", strided)]
    model = ComposedEmbedder(towers, pooling=pooling, batch_chars=batch_chars).fit(TEXTS)
    alone = np.vstack([model.transform([text]) for text in TEXTS])
    assert_allclose(model.transform(TEXTS), alone, atol=1e-5)


def test_batches_are_bounded_in_characters(pooled, batch_shapes):
    texts = ["x" * n for n in range(1, SIZE + 1)]
    embed(pooled, texts, batch_chars=30)
    assert sum(rows for rows, _ in batch_shapes) == len(texts)
    assert all(rows * length <= 30 for rows, length in batch_shapes)
    assert len(batch_shapes) < len(texts)


def test_texts_of_like_length_share_a_batch(pooled, batch_shapes):
    embed(pooled, ["a", "b" * SIZE, "c", "d" * SIZE], batch_chars=2 * SIZE)
    assert batch_shapes == [(2, 1), (2, SIZE)]


def test_empty_text_is_finite_and_alike_anywhere(embedder):
    alone, among = embedder.transform([""]), embedder.transform(TEXTS)
    assert np.isfinite(alone).all()
    assert_allclose(among[TEXTS.index("")], alone[0], atol=1e-6)


def test_no_texts_give_no_rows(embedder, model):
    assert embedder.transform([]).shape == (0, 12)
    assert embedder.transform([]).dtype == np.float32
    assert model.transform([]).shape == (0, 1, 12)


def test_output_is_float32(embedder, model):
    assert embedder.transform(TEXTS).dtype == model.transform(TEXTS).dtype == np.float32


# long texts


def test_text_that_fits_has_one_window(pooled):
    text = "x" * SIZE
    assert_array_equal(embed(pooled, [text]), embed(pooled, [text], truncation="error"))


def test_windows_are_averaged_by_length(strided):
    text = "abcdefghij" * 3  # windows of 20 that share 2: 0-20, 18-30
    whole = embed(strided, [text])
    first, second = embed(strided, [text[:20], text[18:]], truncation="error")
    assert_allclose(whole[0], (20 * first + 12 * second) / 32, atol=1e-5)


def test_long_text_does_not_change_the_short_ones(embedder):
    out = embedder.transform([*TEXTS, "long " * 30])
    assert_allclose(out[:-1], embedder.transform(TEXTS), atol=1e-5)


def test_windows_reach_the_end_of_a_text(pooled):
    assert (embed(pooled, ["n" * 50 + "e"]) != embed(pooled, ["n" * 50 + "o"])).any()


def test_truncation_warns_once_and_counts(pooled, strided):
    towers = [("a", pooled), ("b", strided)]
    cutting = ComposedEmbedder(towers, truncation="warn").fit(TEXTS)
    with pytest.warns(UserWarning, match="2 of 3 texts are longer") as caught:
        out = cutting.transform(["x" * 30, "short", "e" * 40])
    assert len(caught) == 1
    assert_allclose(out[0], cutting.transform(["x" * SIZE])[0], atol=1e-5)


@pytest.mark.parametrize("composed", [ComposedEmbedder, ComposedModel])
def test_truncation_error_raises(pooled, composed):
    strict = composed([("a", pooled)], truncation="error").fit(TEXTS)
    with pytest.raises(ValueError, match="1 of 1 texts are longer"):
        strict.transform(["x" * 30])


def test_composed_model_cuts_to_the_narrowest_base(pooled):
    narrow = train(seed=1, max_example_len=10)
    model = ComposedModel([("wide", pooled), ("narrow", narrow)]).fit(TEXTS)
    with pytest.warns(UserWarning, match="longer than the 10 characters") as caught:
        assert model.transform(["x" * 15]).shape == (1, 10, 8)
    assert len(caught) == 1


def test_windows_are_averaged_group_by_group(pooled):
    """So that what is held beside the result does not grow with the number of long texts."""
    texts = [chr(97 + i) * (30 + i) for i in range(20)] + ["short", "", "z" * 900]
    expected = embed(pooled, texts)
    assert len(set(map(bytes, expected))) == len(texts)
    with (
        patch.object(_inference, "_AT_ONCE", 100),
        patch.object(_inference, "_average", wraps=_inference._average) as average,
    ):
        assert_allclose(embed(pooled, texts), expected, atol=1e-6)
    rows = [len(call.args[0]) for call in average.call_args_list]
    longest = -(-900 // (SIZE - SIZE // 8))  # windows of the longest text, which is not cut
    assert len(rows) > 5
    assert max(rows) < longest + 100 // 10


def test_a_megabyte_is_read_once(pooled):
    """But for the eighth of a window that it shares with the one before."""
    text, seen = "some words, and more of them; " * 35_000, []
    read = _inference._pooled

    def counting(tower, encoding, pooling):
        seen.append(encoding.mask.numel())
        return read(tower, encoding, pooling)

    with patch.object(_inference, "_pooled", counting):
        assert np.isfinite(embed(pooled, [text])).all()
    assert len(text) < sum(seen) < 1.2 * len(text)


# one vector per character


def test_characters_are_padded_with_zeros(model):
    out, lengths = model.transform(TEXTS), model.lengths(TEXTS)
    assert out.shape == (len(TEXTS), 14, 12)
    assert list(lengths) == [len(text) for text in TEXTS]
    for row, length in zip(out, lengths, strict=True):
        assert (row[length:] == 0).all()
        assert (row[:length] != 0).any(axis=1).all()


def test_lengths_count_the_cls_code_and_cut_texts(with_cls):
    model = ComposedModel([("t", with_cls)]).fit(TEXTS)
    assert list(model.lengths(["", "abc"])) == [1, 4]
    assert model.transform(["", "abc"]).shape == (2, 4, 8)
    with pytest.warns(UserWarning, match="They are cut"):
        assert list(model.lengths(["x" * 99])) == [SIZE]


def test_module_gives_what_transform_gives(pooled, strided):
    weights = {"strided": 0.5}
    towers = [("pool", pooled), ("strided", strided), ("other", train(seed=1))]
    model = ComposedModel(towers, tower_weights=weights).fit(TEXTS)
    codes = [torch.from_numpy(tower.base.preprocessor().encode(TEXTS)) for _, tower in towers[1:]]
    assert not model.module_.training
    with torch.inference_mode():
        out = model.module_(*codes)
    assert_allclose(out.numpy(), model.transform(TEXTS), atol=1e-5)


def test_module_is_fresh(model):
    assert model.module_ is not model.module_
    with torch.no_grad():
        for parameter in model.module_.parameters():
            parameter.zero_()
    assert (model.transform(["x"]) != 0).any()


@pytest.mark.parametrize("reading", [{"add_cls": True}, {"normalization": "NFKC"}])
def test_composed_model_needs_bases_that_read_alike(pooled, reading):
    towers = [("a", pooled), ("b", train(**reading))]
    with pytest.raises(ValueError, match=f"differ in {next(iter(reading))}"):
        ComposedModel(towers).fit(TEXTS)
    assert ComposedEmbedder(towers).fit(TEXTS).transform(TEXTS).shape == (len(TEXTS), 8)


def test_composed_model_has_no_set_output(model):
    assert not hasattr(model, "set_output")


# pooling


def test_mean_and_max_pool_the_characters(model, pooled, strided):
    towers = [("pool", pooled), ("strided", strided)]
    characters, lengths = model.transform(TEXTS), model.lengths(TEXTS)
    rows = [c[:n] if n else c[:1] for c, n in zip(characters, lengths, strict=True)]
    for pooling in ("mean", "max"):
        out = ComposedEmbedder(towers, pooling=pooling).fit(TEXTS).transform(TEXTS)
        expected = [getattr(row, pooling)(axis=0) for row in rows]
        assert_allclose(out, expected, atol=1e-5)


def test_poolings_stand_side_by_side_in_each_tower(pooled, strided):
    towers = [("pool", pooled), ("strided", strided)]
    out = ComposedEmbedder(towers, pooling="max+mean").fit(TEXTS).transform(TEXTS)
    parts = [
        embed(tower, pooling=pooling) for tower in (pooled, strided) for pooling in ("max", "mean")
    ]
    assert_allclose(out, np.hstack(parts), atol=1e-5)


def test_native_pooling_of_a_strided_tower_is_the_mean(strided):
    assert_allclose(embed(strided), embed(strided, pooling="mean"), atol=1e-6)


def test_cls_pooling_takes_the_first_vector(with_cls):
    characters = ComposedModel([("t", with_cls)]).fit(TEXTS).transform(TEXTS)
    assert_allclose(embed(with_cls, pooling="cls"), characters[:, 0], atol=1e-5)


def test_cls_pooling_needs_the_cls_code(pooled, with_cls):
    towers = [("without", pooled), ("with", with_cls)]
    with pytest.raises(ValueError, match=r"bases of \['without'\] have none"):
        ComposedEmbedder(towers, pooling="mean+cls").fit(TEXTS)


@pytest.mark.parametrize(
    "pooling", ["sum", "mean+", "native+mean", "mean+mean", "", None, 3, ["mean"]]
)
def test_wrong_pooling_is_refused(pooled, pooling):
    with pytest.raises(ValueError, match="pooling=.*joined by"):
        ComposedEmbedder([("t", pooled)], pooling=pooling).fit(TEXTS)


def test_invalid_pooling_leaves_the_model_unfitted(pooled):
    model = ComposedEmbedder([("t", pooled)], pooling="cls")
    with pytest.raises(ValueError, match="cls code"):
        model.fit(TEXTS)
    assert not hasattr(model, "towers_")
    with pytest.raises(ValueError, match="cls code"):
        model.transform(TEXTS)


# names and frames


def test_feature_names_tell_the_tower(embedder, model):
    names = list(embedder.get_feature_names_out())
    assert names[:5] == ["pool__0", "pool__1", "pool__2", "pool__3", "strided__0"]
    assert len(names) == 12
    assert list(model.get_feature_names_out()) == names


def test_feature_names_count_joined_poolings(pooled):
    model = ComposedEmbedder([("t", pooled)], pooling="mean+max").fit(TEXTS)
    assert list(model.get_feature_names_out())[-1] == "t__7"


def test_pandas_output_keeps_the_index(pooled):
    model = ComposedEmbedder([("t", pooled)]).set_output(transform="pandas")
    texts = pd.Series(TEXTS, index=list("abcdefgh"))
    frame = model.fit_transform(texts)
    assert list(frame.index) == list("abcdefgh")
    assert list(frame.columns) == ["t__0", "t__1", "t__2", "t__3"]
    assert_array_equal(frame.to_numpy(), embed(pooled))


def test_polars_output_has_the_names(pooled):
    model = ComposedEmbedder([("t", pooled)]).set_output(transform="polars")
    frame = model.fit_transform(pl.Series(TEXTS))
    assert frame.columns == ["t__0", "t__1", "t__2", "t__3"]
    assert_array_equal(frame.to_numpy(), embed(pooled))


# input


def test_missing_texts_can_be_empty(pooled):
    out = embed(pooled, ["a", None, float("nan")], missing="empty")
    assert_array_equal(out, embed(pooled, ["a", "", ""]))


def test_missing_texts_are_refused(embedder):
    with pytest.raises(ValueError, match="1"):
        embedder.transform(["a", None])


def test_column_of_a_table(pooled):
    table = pd.DataFrame({"n": range(len(TEXTS)), "text": TEXTS})
    assert_array_equal(embed(pooled, table, column="text"), embed(pooled))


def test_iterator_is_read_once_by_fit_transform(pooled):
    model = ComposedEmbedder([("t", pooled)])
    assert_array_equal(model.fit_transform(text for text in TEXTS), embed(pooled))


def test_iterator_is_read_by_transform(embedder):
    assert_array_equal(embedder.transform(iter(TEXTS)), embedder.transform(TEXTS))


# make_composed


def test_make_composed_names_towers_after_their_tasks(pooled):
    unfitted = MaskedLanguagePretrainer()
    model = make_composed(pooled, unfitted, pooling="max", fit_towers=True)
    assert model.towers == [("masked_character", pooled), ("masked_language", unfitted)]
    assert (model.pooling, model.fit_towers) == ("max", True)


def test_make_composed_numbers_names_that_repeat(pooled, strided):
    model = make_composed(pooled, MaskedLanguagePretrainer(), strided)
    names = [name for name, _ in model.towers]
    assert names == ["masked_character-1", "masked_language", "masked_character-2"]


def test_make_composed_works(pooled, strided, embedder):
    out = make_composed(pooled, strided).fit_transform(TEXTS)
    assert_array_equal(out, embedder.transform(TEXTS))


def test_make_composed_names_frozen_pretrainers_after_their_tasks():
    frozen = FrozenEstimator(MaskedLanguagePretrainer())
    assert make_composed(frozen).towers == [("masked_language", frozen)]


def test_long_texts_are_counted_before_repeats_are_dropped(pooled, with_cls):
    embedder = ComposedEmbedder([("a", pooled), ("b", with_cls)], truncation="warn").fit(TEXTS)
    with pytest.warns(UserWarning, match="5 of 6 texts are longer than the 19") as caught:
        embedder.transform(["x" * 60] * 5 + ["e"])
    assert len(caught) == 1


def test_cls_codes_count_in_a_batch(with_cls, batch_shapes):
    embed(with_cls, ["ab", "cd", "ef", "gh"], batch_chars=6)
    assert all(rows * length <= 6 for rows, length in batch_shapes)


def test_parameters_changed_after_fit_are_checked(pooled):
    embedder = ComposedEmbedder([("a", pooled)]).fit(TEXTS)
    with pytest.raises(ValueError, match="pooling='median'"):
        embedder.set_params(pooling="median").transform(TEXTS)
    with pytest.raises(ValueError, match="reads the cls code"):
        embedder.set_params(pooling="cls").transform(TEXTS)


@pytest.mark.parametrize("fit_towers", [True, False])
@pytest.mark.parametrize("entry", [PooledConfig(), MaskedCharacterPretrainer, pd.Series([1])])
def test_entry_that_is_no_tower_says_what_is(entry, fit_towers):
    with pytest.raises(TypeError, match="Tower 'a' must be a Tower"):
        ComposedEmbedder([("a", entry)], fit_towers=fit_towers).fit(TEXTS)


def test_trainers_of_several_towers_are_no_entry():
    joint = MultiTaskPretrainer([("chars", MaskedCharacterPretrainer(tower="pooled"))])
    message = r"of one tower; got MultiTaskPretrainer\(.*pass its towers_ once it is fitted"
    with pytest.raises(TypeError, match="(?s)" + message):
        ComposedEmbedder([("a", joint)], fit_towers=True).fit(TEXTS)


def test_module_before_fit(pooled):
    codes = torch.tensor([[5, 6, 7]])
    before, after = ComposedModel([("a", pooled)]), ComposedModel([("a", pooled)]).fit(TEXTS)
    assert torch.equal(before.module_(codes), after.module_(codes))
    to_train = MaskedCharacterPretrainer(tower="pooled")
    with pytest.raises(NotFittedError):
        _ = ComposedModel([("a", to_train)], fit_towers=True).module_


def test_fitted_recipe_still_shares_its_base():
    recipe = CCLMModelBase(width=8, ngram_orders=(2, 3), n_buckets=50)
    first = MaskedCharacterPretrainer(recipe, tower=POOLED, max_epochs=1, random_state=0)
    second = MaskedCharacterPretrainer(
        CCLMModelBase(width=8, ngram_orders=(2, 3), n_buckets=50).fit(TEXTS),
        tower=POOLED,
        max_epochs=1,
        random_state=1,
    )
    embedder = ComposedEmbedder([("a", first), ("b", second)], fit_towers=True).fit(TEXTS)
    (_, one), (_, two) = embedder.towers_
    assert one.base is two.base
