"""`ComposedTagger`: tags of tokens and of characters."""

import numpy as np
import pytest
from sklearn.base import clone
from tiny import POOLED, tiny_base

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ComposedTagger,
    EntityPretrainer,
    MaskedCharacterPretrainer,
    PooledConfig,
)
from sklearn_cclm._targets.entities import Span, read_entities, token_tags

NAMES = {"person": ["Ada", "Bob", "Carol Dean"], "place": ["Rome", "New York", "Oslo"]}


def sentence(rng):
    tokens, tags = [], []
    for label in ("person", None, "place"):
        words = str(rng.choice(NAMES[label] if label else ["saw", "left", "liked"])).split()
        tokens += words
        tags += [f"{'BI'[min(i, 1)]}-{label}" if label else "O" for i in range(len(words))]
    return tokens, tags


RNG = np.random.default_rng(0)
TOKENS, TAGS = map(list, zip(*(sentence(RNG) for _ in range(120)), strict=True))
TEXTS = [" ".join(tokens) for tokens in TOKENS]


@pytest.fixture(scope="module")
def towers():
    recipe = CCLMModelBase(CharPreprocessor(max_example_len=40), width=16, n_buckets=300)
    chars = MaskedCharacterPretrainer(
        recipe, tower=PooledConfig(width=16, hidden=16), max_epochs=1, random_state=0
    )
    return [("bag", chars.fit(TEXTS).tower_)]


def head(towers, **params):
    return ComposedTagger(
        towers, **{"random_state": 0, "max_epochs": 25, "lr": 0.01, "entity_weight": 2.0, **params}
    )


@pytest.fixture(scope="module")
def fitted(towers):
    return head(towers).fit(TOKENS, TAGS)


def test_tags_of_tokens(fitted):
    right = [found == true for found, true in zip(fitted.predict(TOKENS), TAGS, strict=True)]
    assert np.mean(right) > 0.9
    assert fitted.score(TOKENS, TAGS) > 0.95


def test_tags_of_characters(fitted):
    (tags,) = fitted.predict(["Ada left Rome"])
    assert tags == ["B-person", *["I-person"] * 2, *["O"] * 6, "B-place", *["I-place"] * 3]
    assert fitted.predict_spans(["Ada left Rome"]) == [[(0, 3, "person"), (9, 13, "place")]]


def test_tokens_spans_and_tagged_characters_teach_the_same(towers, fitted):
    spans = read_entities(TOKENS, TAGS)[1]
    characters = token_tags([list(text) for text in TEXTS], spans, gap=0)
    for y in (spans, characters):
        again = head(towers).fit(TEXTS, y)
        assert again.towers_ == fitted.towers_
        assert again.score(TEXTS, y) == fitted.score(TOKENS, TAGS)


def test_probe_of_characters(towers):
    model = head(towers, linear_probe=True, freeze="towers", lr=1e-9, max_epochs=1)
    assert model.fit(TOKENS, TAGS).score(TOKENS, TAGS) > 0.8


def test_probe_of_characters_inside_words(towers):
    names = ["Ada", "Bob", "Eve"] * 8
    texts = [f"left{name}and{n % 7}" for n, name in enumerate(names)]
    spans = [[(4, 7, "person")]] * len(texts)
    model = head(towers, linear_probe=True, freeze="towers", lr=1e-9, max_epochs=1)
    assert model.fit(texts, spans).score(texts, spans) > 0.8
    assert not model.of_words_


def test_tokens_get_the_tag_of_the_entity_they_begin_in():
    spans = [[Span(0, 3, "a"), Span(4, 8, "b")]]
    assert token_tags([["xx", "x", "yy", "yy", "z"]], [[Span(0, 7, "a")]], gap=0) == [
        ["B-a", "I-a", "I-a", "I-a", "O"]
    ]
    assert token_tags([["xxx", "y-y!", "z"]], spans, gap=1) == [["B-a", "B-b", "O"]]
    assert token_tags([["ab", "cd"]], [[Span(0, 1, "a"), Span(1, 2, "a")]], gap=0) == [["B-a", "O"]]


def test_wrong_numbers_of_tags_are_refused(towers):
    with pytest.raises(ValueError, match="13 characters and 2 tags"):
        head(towers).fit(["Ada left Rome"], [["O", "O"]])


def test_blanks_at_the_ends_of_spans_are_told(towers):
    texts, spans = ["Ada met Bob ", "nobody came"] * 4, [[(0, 4, "p"), (8, 12, "p")], []] * 4
    tagger = ComposedTagger(towers, max_epochs=1, random_state=0)
    for call in (tagger.fit, tagger.partial_fit, tagger.score):
        with pytest.warns(UserWarning, match="^8 of 8 spans begin or end with spaces") as caught:
            call(texts, spans)
        assert len(caught) == 1


def test_a_first_day_without_entities_goes_to_the_pretrainers_among_the_towers():
    names = EntityPretrainer(tiny_base(), tower=POOLED, max_epochs=1, random_state=0)
    tagger = ComposedTagger([("names", names)], fit_towers=True, random_state=0)
    quiet, spans = ["nobody called"] * 6, [[]] * 6
    assert clone(tagger).partial_fit(quiet, spans).labels_ == ()
    assert tagger.partial_fit(quiet, spans, classes=["P"]).labels_ == ("P",)
    assert tagger.partial_fit(["Ada came"], [[(0, 3, "P")]]).labels_ == ("P",)


def test_what_a_tower_knows_of_the_words_around_goes_on(towers):
    names = EntityPretrainer(
        towers[0][1].base, tower=POOLED, noise=None, max_epochs=8, lr=0.01, random_state=0
    ).fit(TOKENS, TAGS)
    others = [[tag.replace("person", "who") for tag in row] for row in TAGS]
    bare = names.tower_.with_head({}, ())
    found = [
        head([*towers, ("names", tower)], freeze="towers", max_epochs=1, dropout=0.0)
        .fit(TOKENS[:40], others[:40])
        .score(TOKENS[40:], others[40:])
        for tower in (names.tower_, bare)
    ]
    assert found[0] > found[1] + 0.1
