"""Next characters: what is asked, that the answer is never shown, and that it is learned."""

import numpy as np
import pytest
import torch

from sklearn_cclm import (
    CausalLanguagePretrainer,
    CCLMModelBase,
    CharPreprocessor,
    ComposedEmbedder,
    ConvConfig,
    MaskedCharacterPretrainer,
    PooledConfig,
    TypoNoise,
)
from sklearn_cclm._text.codes import CLS
from sklearn_cclm._training.views import View
from sklearn_cclm.datasets import load_docstrings

TEXTS = ["the cat sat on the mat", "a dog", "x", "", "where is my card and my money"] * 4
TWO = np.array([[5, 6, 7, 8], [9, 10, 0, 0]])


def tiny(base=None, *, direction="forward", **params):
    """Return a pretrainer that fits in a fraction of a second."""
    preprocessor = CharPreprocessor(max_example_len=64)
    recipe = CCLMModelBase(preprocessor, width=8, n_buckets=100) if base is None else base
    defaults = {"tower": ConvConfig(width=8, direction=direction), "max_epochs": 1}
    return CausalLanguagePretrainer(
        recipe, direction=direction, random_state=0, **{**defaults, **params}
    )


def asked(view, **params):
    """Return {(row, column, steps ahead): character} of what is to be predicted."""
    pretrainer = CausalLanguagePretrainer(**params)
    ids, targets, extra = pretrainer._task().batch(view, None, np.random.default_rng(0))
    assert ids is view.ids
    rows, columns = (x.tolist() for x in np.unravel_index(extra["places"], ids.shape))
    places = zip(rows, columns, (extra["steps"] + 1).tolist(), strict=True)
    return dict(zip(places, targets.tolist(), strict=True))


def test_asks_for_the_next_character():
    expected = {(0, 0, 1): 6, (0, 1, 1): 7, (0, 2, 1): 8, (1, 0, 1): 10}
    assert asked(View.without_noise(TWO)) == expected


def test_backward_asks_for_the_character_before():
    expected = {(0, 1, 1): 5, (0, 2, 1): 6, (0, 3, 1): 7, (1, 1, 1): 9}
    assert asked(View.without_noise(TWO), direction="backward") == expected


def test_asks_for_several_steps_ahead_as_far_as_the_text_goes():
    expected = {(0, 0, 1): 6, (0, 0, 2): 7, (0, 0, 3): 8, (0, 1, 1): 7, (0, 1, 2): 8,
                (0, 2, 1): 8, (1, 0, 1): 10}  # fmt: skip
    assert asked(View.without_noise(TWO), n_predict=3) == expected
    assert asked(View.without_noise(TWO), n_predict=9) == expected


def test_backward_asks_for_several_steps():
    expected = {(0, 1, 1): 5, (0, 2, 1): 6, (0, 2, 2): 5, (0, 3, 1): 7, (0, 3, 2): 6,
                (0, 3, 3): 5, (1, 1, 1): 9}  # fmt: skip
    assert asked(View.without_noise(TWO), n_predict=3, direction="backward") == expected


def test_with_noise_asks_for_the_clean_character_beside_the_origin():
    clean = np.array([[5, 6, 7, 8]])  # 6 was dropped and 30 inserted after 7
    view = View(np.array([[5, 7, 30, 8]]), clean, np.array([[0, 2, 2, 3]]))
    assert asked(view) == {(0, 1, 1): 8, (0, 2, 1): 8}
    assert asked(view, direction="backward") == {(0, 3, 1): 7}


def test_what_noise_has_shown_before_its_turn_is_not_asked_for():
    clean = np.array([[5, 6, 7, 8]])  # 6 and 7 were swapped
    view = View(np.array([[5, 7, 6, 8]]), clean, np.array([[0, 2, 1, 3]]))
    assert asked(view) == {(0, 0, 1): 6, (0, 1, 1): 8}  # 7 stands before 6
    assert asked(view, direction="backward") == {(0, 2, 1): 5, (0, 3, 1): 7}
    merged = View(np.array([[5, 30, 8]]), clean, np.array([[0, 1, 3]]))  # 30 stands for 6 and 7
    assert asked(merged) == {(0, 0, 1): 6}
    with pytest.raises(ValueError, match="replaces whole words"):
        tiny(noise=TypoNoise("typos", typos={"a": "b"})).fit(TEXTS)


def test_swapped_neighbours_cannot_be_read_off():
    rng = np.random.default_rng(0)
    texts = ["".join(rng.permutation([*"abcdefghijklmnopqrst"])) for _ in range(200)]
    noise = TypoNoise("swap", rate=0.5)
    tower = ConvConfig(width=16, n_layers=1, direction="forward")
    pretrainer = tiny(tower=tower, noise=noise, max_epochs=8, lr=1e-2).fit(texts)
    assert pretrainer.history_[-1]["valid_accuracy"] < 0.3  # letters seen before are ruled out


def test_cls_asks_for_the_first_character_and_is_never_asked_for():
    view = View.without_noise(np.array([[CLS, 5, 6]]))
    assert asked(view) == {(0, 0, 1): 5, (0, 1, 1): 6}
    assert asked(view, direction="backward", n_predict=2) == {(0, 2, 1): 5}


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_fits_with_noise_and_cls(direction):
    preprocessor = CharPreprocessor(max_example_len=20, add_cls=True)
    base = CCLMModelBase(preprocessor, width=8, n_buckets=100)
    noise = TypoNoise(("swap", "drop", "insert"), rate=0.3)
    pretrainer = tiny(base, direction=direction, noise=noise, n_predict=2).fit(TEXTS)
    assert np.isfinite(pretrainer.score(TEXTS))


def test_texts_of_one_character_have_nothing_to_predict():
    with pytest.raises(ValueError, match="Nothing to predict"):
        tiny().fit(["a", "b", ""])


@torch.no_grad()
def predictions(pretrainer, texts, length):
    """Return the logits at each place of each text, padded to a length."""
    module = pretrainer._predictor().eval()
    codes = pretrainer.preprocessor_.encode(texts)
    ids = torch.zeros((len(texts), length), dtype=torch.int64)
    ids[:, : codes.shape[1]] = torch.from_numpy(codes)
    return module.head.output(module.tower(module.base(ids))).numpy()


@pytest.mark.parametrize(
    ("direction", "tower"),
    [("forward", "conv"), ("backward", "conv"), ("forward", PooledConfig(width=8, hidden=8))],
    ids=str,
)
def test_no_prediction_sees_what_is_to_be_predicted(direction, tower):
    pretrainer = tiny(direction=direction, tower=tower, n_predict=2, lr=0.05).fit(TEXTS)
    text = TEXTS[0]
    before = predictions(pretrainer, [text], len(text))[0]
    for place in range(len(text)):
        changed = text[:place] + "wx"[text[place] == "w"] + text[place + 1 :]
        batch = [TEXTS[4], changed, ""]
        after = predictions(pretrainer, batch, 50)[1, : len(text)]
        unseen = slice(0, place) if direction == "forward" else slice(place + 1, None)
        np.testing.assert_allclose(after[unseen], before[unseen], rtol=1e-5, atol=1e-5)
        assert np.abs(after[place] - before[place]).max() > 1e-4


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_cutting_off_what_is_unseen_changes_no_prediction(direction):
    pretrainer = tiny(direction=direction).fit(TEXTS)
    text = TEXTS[4]
    part = text[:9] if direction == "forward" else text[-9:]
    kept = slice(0, 9) if direction == "forward" else slice(-9, None)
    whole = predictions(pretrainer, [text], len(text))[0, kept]
    np.testing.assert_allclose(predictions(pretrainer, [part], 9)[0], whole, rtol=1e-5, atol=1e-5)


def test_base_that_looks_both_ways_is_refused():
    recipe = CCLMModelBase(width=8, n_buckets=50, n_blocks=1)
    trained = MaskedCharacterPretrainer(recipe, tower=ConvConfig(width=8, direction="forward"),
                                        max_epochs=1).fit(TEXTS)  # fmt: skip
    for pretrainer in (tiny(recipe), tiny(trained.base_),
                       CausalLanguagePretrainer(init_from=trained.tower_)):  # fmt: skip
        with pytest.raises(ValueError, match="n_blocks=1, which look both ways"):
            pretrainer.fit(TEXTS)


@pytest.mark.parametrize(
    ("direction", "tower"),
    [("forward", "strided"), ("backward", "strided"), ("backward", "pooled"),
     ("forward", ConvConfig()), ("forward", ConvConfig(direction="backward")),
     ("backward", ConvConfig(direction="forward"))],
    ids=str,
)  # fmt: skip
def test_tower_that_sees_the_other_side_is_refused(direction, tower):
    with pytest.raises(ValueError, match=rf"such as ConvConfig\(direction='{direction}'\)"):
        tiny(direction=direction, tower=tower).fit(TEXTS)


def test_tower_to_begin_with_must_see_the_same_side():
    chars = MaskedCharacterPretrainer(
        CCLMModelBase(width=8, n_buckets=50), tower=ConvConfig(width=8, direction="forward"),
        max_epochs=1,
    ).fit(TEXTS)  # fmt: skip
    more = CausalLanguagePretrainer(init_from=chars.tower_, max_epochs=1).fit(TEXTS)
    assert more.tower_.config == chars.tower_.config
    with pytest.raises(ValueError, match="'conv' sees 'forward'"):
        more.set_params(direction="backward").fit(TEXTS)


def test_direction_cannot_turn_between_warm_starts():
    pretrainer = tiny(tower="conv", warm_start=True).fit(TEXTS)
    with pytest.raises(ValueError, match="(another one than that|'conv' sees 'forward')"):
        pretrainer.set_params(direction="backward").fit(TEXTS)
    with pytest.raises(ValueError, match="(another one than that|'conv' sees 'forward')"):
        pretrainer.partial_fit(TEXTS)


@pytest.mark.parametrize("values", [{"n_predict": 0}, {"direction": "both"}, {"direction": "up"}])
def test_bad_values_are_refused_by_name(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        CausalLanguagePretrainer(**values).fit(TEXTS)


def test_forward_and_backward_towers_on_one_base_are_composed():
    forward = tiny().fit(TEXTS)
    backward = tiny(forward.base_, direction="backward").fit(TEXTS)
    embedder = ComposedEmbedder([("f", forward.tower_), ("b", backward.tower_)]).fit(TEXTS)
    vectors = embedder.transform(["card", ""])
    assert vectors.shape == (2, 16)
    assert np.isfinite(vectors).all()


def learn(texts, **params):
    """Return the last held-out loss and accuracy."""
    base = CCLMModelBase(CharPreprocessor(max_example_len=128), width=32, n_buckets=2000)
    pretrainer = CausalLanguagePretrainer(
        base, max_epochs=6, batch_size=32, lr=5e-3, random_state=0, **params
    ).fit(texts)
    return pretrainer.history_[-1]["valid_loss"], pretrainer.history_[-1]["valid_accuracy"]


def test_learns_what_lies_further_back_than_ngrams_reach():
    """Twelve letters, a or b at random, and the same again twice: two thirds can be known."""
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(["a", "b"], 12)) * 3 for _ in range(300)]
    for direction in ("forward", "backward"):
        tower = ConvConfig(width=32, direction=direction)
        loss, accuracy = learn(texts, tower=tower, direction=direction)
        assert accuracy > 0.75  # 0.84 is the best there is
        assert loss < np.log(2) - 0.3
    loss, accuracy = learn(texts, tower="pooled")
    assert accuracy < 0.6
    assert loss > np.log(2) - 0.05


@pytest.mark.parametrize(
    ("direction", "n_predict", "nats", "hits"),
    [("forward", 1, 0.8, 0.25), ("backward", 1, 0.8, 0.25), ("forward", 3, 0.3, 0.1)],
)
def test_learns_english(direction, n_predict, nats, hits):
    texts = load_docstrings(libraries=["joblib"]).data
    shares = np.unique([*"".join(texts)], return_counts=True)[1] / len("".join(texts))
    tower = ConvConfig(width=32, direction=direction)
    loss, accuracy = learn(texts, tower=tower, direction=direction, n_predict=n_predict)
    assert loss < -(shares * np.log(shares)).sum() - nats  # that of the best constant prediction
    assert accuracy > shares.max() + hits
