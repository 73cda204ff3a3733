"""Named entities: what is read, what is predicted, and that names are learned."""

import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ComposedEmbedder,
    ConvConfig,
    EntityPretrainer,
    MultiTaskPretrainer,
    PooledConfig,
    StridedConfig,
    Tower,
    TypoNoise,
)
from sklearn_cclm._targets.entities import Span, read_entities
from sklearn_cclm._targets.entity_tags import entity_f1
from sklearn_cclm._training.cut import Cut
from sklearn_cclm._training.entity_task import Entities
from sklearn_cclm._training.views import View
from sklearn_cclm.datasets import read_conll

RNG = np.random.default_rng(0)
NAMES = {"person": ["Ada", "Bob", "Carol Dean"], "place": ["Rome", "New York", "Oslo"]}
VERBS = ["saw", "left", "visited", "liked"]


def sentence(rng):
    """Return tokens and tags of a sentence such as "Bob liked New York"."""
    tokens, tags = [], []
    for label in ("person", None, "place"):
        words = str(rng.choice(NAMES[label] if label else VERBS)).split()
        tokens += words
        tags += [f"{'BI'[min(i, 1)]}-{label}" if label else "O" for i in range(len(words))]
    return tokens, tags


SENTENCES = [sentence(RNG) for _ in range(200)]
TOKENS, TAGS = map(list, zip(*SENTENCES, strict=True))


def tiny(**params):
    recipe = CCLMModelBase(CharPreprocessor(max_example_len=32), width=16, n_buckets=300)
    defaults = {
        "base": recipe,
        "tower": StridedConfig(width=16, n_layers=1),
        "max_epochs": 12,
        "lr": 5e-3,
        "random_state": 0,
    }
    return EntityPretrainer(**{**defaults, **params})


@pytest.fixture(scope="module")
def fitted():
    return tiny().fit(TOKENS, TAGS)


def test_names_are_found_in_texts_and_in_tokens(fitted):
    expected = [[(0, 3, "person"), (10, 18, "place")]]
    assert fitted.predict(["Ada liked New York"]) == expected
    assert fitted.predict([["Ada", "liked", "New", "York"]]) == expected
    assert fitted.predict([""]) == [[]]


def test_score_is_that_of_seqeval(fitted):
    assert fitted.score(TOKENS, TAGS) > 0.95  # an entity at every word would have 0.6
    texts = ["Ada saw Rome", "Bob left Oslo"]
    wrong = [[(0, 3, "person"), (8, 12, "person")], [(0, 3, "person"), (9, 13, "place")]]
    assert fitted.predict(texts)[0] == [(0, 3, "person"), (8, 12, "place")]
    assert fitted.score(texts, wrong) == pytest.approx(3 / 4)


def test_spans_tags_and_files_teach_the_same(fitted, tmp_path):
    texts = [" ".join(tokens) for tokens in TOKENS]
    spans = []
    for tokens, tags in SENTENCES:
        verb = tags.index("O")
        first = len(" ".join(tokens[:verb]))
        second = first + len(tokens[verb]) + 2
        whole = len(" ".join(tokens))
        spans.append([(0, first, "person"), (second, whole, "place")])
    assert tiny().fit(texts, spans).tower_ == fitted.tower_
    path = tmp_path / "train.txt"
    blocks = ["\n".join(f"{t}\t{g}" for t, g in zip(*row, strict=True)) for row in SENTENCES]
    path.write_text("\n\n".join(blocks) + "\n")
    assert tiny().fit(path).tower_ == fitted.tower_
    assert fitted.score(path) == fitted.score(TOKENS, TAGS)


@pytest.mark.parametrize("tower", ["conv", PooledConfig(width=16, hidden=32)])
def test_other_towers_learn_names(tower):
    assert tiny(tower=tower, max_epochs=15, lr=1e-2).fit(TOKENS, TAGS).score(TOKENS, TAGS) > 0.8


def test_blanks_at_the_ends_of_spans_are_told_and_not_learned():
    texts = [" ".join(tokens) for tokens in TOKENS]
    trimmed = [[span[:3] for span in row] for row in read_entities(TOKENS, TAGS)[1]]
    exported = [
        [(start, min(end + 1, len(text)), label) for start, end, label in row]
        for text, row in zip(texts, trimmed, strict=True)
    ]
    n_spans = sum(map(len, trimmed))
    count = sum(map(len, [set(a) - set(b) for a, b in zip(exported, trimmed, strict=True)]))
    told = f"^{count} of {n_spans} spans begin or end with spaces"
    with pytest.warns(UserWarning, match=told) as caught:
        found = tiny(max_epochs=1).fit(texts, exported)
    assert len(caught) == 1
    same = tiny(max_epochs=1).fit(texts, trimmed)
    assert found.tower_ == same.tower_
    with pytest.warns(UserWarning, match=told):
        assert found.score(texts, exported) == same.score(texts, trimmed)
    with pytest.warns(UserWarning, match=told):
        tiny(max_epochs=1).fit(texts, trimmed, validation=(texts, exported))
    joint = MultiTaskPretrainer([("names", EntityPretrainer())], tiny().base, max_epochs=1)
    with pytest.warns(UserWarning, match=told) as caught:
        joint.fit(texts, {"names": exported})
    assert len(caught) == 1


def test_files_whose_columns_are_named(tmp_path):
    path = tmp_path / "germeval.tsv"
    rows = [
        "".join(
            f"{i}\t{token}\t{tag}\tO\n" for i, (token, tag) in enumerate(zip(*row, strict=True), 1)
        )
        for row in SENTENCES
    ]
    path.write_text("#\thttp://example.org\n" + "\n".join(rows))
    with pytest.raises(ValueError, match=r"pass read_conll\(path, token=1, tag=2\)"):
        tiny().fit(path)
    assert read_conll(path, token=1, tag=2) == (TOKENS, TAGS)


def test_targets_follow_the_characters_through_noise():
    pretrainer = tiny(noise=TypoNoise(["drop", "insert"], rate=0.4), max_epochs=1)
    pretrainer.fit(TOKENS, TAGS)
    view = View(  # "Ada saw", without its first a, with an x behind s
        ids=np.array([[4, 5, 8, 9, 7, 10, 11, 0]]),
        clean=np.array([[4, 5, 6, 8, 9, 10, 11]]),
        origin=np.array([[0, 1, 3, 4, 4, 5, 6, -1]]),
    )
    tags = np.array([1, 2, 2, 0, 0, 0, 0])
    task = replace(pretrainer._known(), of_words=False)
    _, targets, extra = task.batch(view, tags, np.random.default_rng(0))
    assert targets.tolist() == [1, 2, 0, 0, 0, 0, 0]
    assert extra["positions"].tolist() == [0, 1, 2, 3, 4, 5, 6]
    points = np.array([[*map(ord, "Ad sxaw"), 0]], dtype=np.uint32)
    view = replace(view, points=points, present=points > 0)
    _, targets, extra = pretrainer._known().batch(view, tags, np.random.default_rng(0))
    assert targets.tolist() == [1, 0]
    assert extra["words"].tolist() == [0, 0, -1, 1, 1, 1, 1]
    assert (extra["rows"].tolist(), extra["columns"].tolist()) == ([0, 0], [0, 1])


def test_targets_of_windows_are_those_of_the_text():
    pretrainer = tiny(max_epochs=1).fit(TOKENS, TAGS)
    text = "nobody came today, but here is Carol Dean"  # windows of 32 characters
    cut = Cut.of([text], pretrainer.preprocessor_)
    tags = pretrainer._known().examples(cut, Entities([text], [[Span(31, 41, "person")]]))
    assert cut.lengths.tolist() == [32, 9]
    assert tags[np.array([0])].tolist() == [0] * 31 + [1]
    assert tags[np.array([1])].tolist() == [2] * 9


def test_names_are_the_same_wherever_they_stand():
    """At 24 of these 48 places, a window of 48 characters ends in the sentence."""
    texts = ["saw left " + " ".join(tokens) + " liked saw" for tokens in TOKENS]
    spans = [
        [s._replace(start=s.start + 9, end=s.end + 9) for s in row]
        for row in read_entities(TOKENS, TAGS)[1]
    ]
    recipe = CCLMModelBase(CharPreprocessor(max_example_len=48), width=16, n_buckets=300)
    pretrainer = tiny(base=recipe, tower=ConvConfig(width=16, n_layers=2)).fit(texts, spans)
    calm, text = "saw left liked visited " * 4, "Carol Dean liked New York"
    found = pretrainer.predict([calm[-n:] + text + " " + calm for n in range(23, 71)])
    for n, row in enumerate(found, 23):
        moved = [(s.start - n, s.end - n, s.label) for s in row if n <= s.start]
        assert moved == [(0, 10, "person"), (17, 25, "place")]


def test_places_are_those_of_the_text_before_normalisation():
    recipe = CCLMModelBase(CharPreprocessor(64, normalization="NFKC"), width=16, n_buckets=300)
    tokens = [["\N{LATIN SMALL LIGATURE FFI}ce", *row] for row in TOKENS]
    pretrainer = tiny(base=recipe).fit(tokens, [["O", *row] for row in TAGS])
    assert pretrainer.predict([tokens[0]])[0][0][0] == 4
    assert pretrainer.score(tokens, [["O", *row] for row in TAGS]) > 0.9


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (["Ada"], None, "target y is None"),
        (["Ada"], [[]], "no entity"),
        (["Ada"], [[(0, 9, "person")]], "leaves the text"),
        ([["Ada"]], [["B-person", "O"]], "1 tokens and 2 tags"),
        ([], [], "0 sample"),
    ],
)
def test_errors(X, y, message):
    pretrainer = tiny()
    with pytest.raises(ValueError, match=message):
        pretrainer.fit(X, y)
    assert not hasattr(pretrainer, "tower_")


def test_weight_of_entities_trades_precision_for_recall():
    noisy = [[tag if RNG.random() > 0.5 else "O" for tag in row] for row in TAGS]
    found = [
        sum(map(len, tiny(entity_weight=w, max_epochs=6).fit(TOKENS, noisy).predict(TOKENS)))
        for w in (0.1, 10.0)
    ]
    assert found[0] < found[1]


@pytest.mark.slow
def test_learns_from_wnut17():
    folder = Path(os.environ.get("CCLM_DATA", "../shared/data"))
    if not (folder / "ner_wnut17.train.txt.gz").exists():
        pytest.skip(f"ner_wnut17 is not in {folder}: set CCLM_DATA to the folder that holds it")
    train, test = (read_conll(folder / f"ner_wnut17.{part}.txt.gz") for part in ("train", "test"))
    pretrainer = EntityPretrainer(tower="conv", max_epochs=5, random_state=0).fit(*train)
    capitals = [
        [(m.start(), m.end(), "person") for m in re.finditer(r"[A-Z]\w+", " ".join(tokens))]
        for tokens in test[0]
    ]
    texts, entities = read_entities(*test)
    constant = entity_f1(entities, read_entities(texts, capitals)[1])
    assert pretrainer.score(*test) > constant + 0.03


def test_a_slip_inside_a_word_cuts_no_other(tmp_path):
    texts, spans = [" ".join(tokens) for tokens in TOKENS], read_entities(TOKENS, TAGS)[1]
    spans[0] = [(0, 2, "person")]
    pretrainer = tiny().fit(texts, spans)
    assert 0 < pretrainer.inside_words_ < 0.01
    assert pretrainer.of_words_
    assert pretrainer.predict(["Ada liked New York"]) == [[(0, 3, "person"), (10, 18, "place")]]
    pretrainer.tower_.save(tmp_path / "names")
    assert Tower.load(tmp_path / "names") == pretrainer.tower_


def test_a_stored_tower_predicts(fitted, tmp_path):
    """Its output layer comes along, as exact as the numbers it is stored in."""
    fitted.tower_.save(tmp_path / "names")
    tower = Tower.load(tmp_path / "names")
    assert (tower, tower.labels) == (fitted.tower_, ("person", "place"))
    again = EntityPretrainer.from_tower(tower)
    assert again.predict(TOKENS) == fitted.predict(TOKENS)
    assert again.score(TOKENS, TAGS) == fitted.score(TOKENS, TAGS) > 0.9
    further = again.set_params(max_epochs=1).fit(TOKENS, TAGS)
    assert further.tower_ not in (tower, fitted.tower_)
    np.testing.assert_array_equal(
        ComposedEmbedder([("names", tower)]).fit_transform(["Ada left Oslo"]),
        ComposedEmbedder([("names", tower.with_head({}, ()))]).fit_transform(["Ada left Oslo"]),
    )


def test_a_tower_without_output_layer_cannot_predict(fitted):
    for tower in (fitted.tower_.with_head({}, ()), "drop", 3):
        with pytest.raises((ValueError, TypeError), match="tower|shelf"):
            EntityPretrainer.from_tower(tower)


def test_what_was_learned_of_words_around_goes_on_with_other_labels(fitted):
    renamed = [[tag.replace("person", "PER") for tag in row] for row in TAGS]
    quick = tiny(base=fitted.base_, init_from=fitted.tower_, max_epochs=1, lr=1e-9)
    begun = quick.fit(TOKENS, renamed)
    assert begun.labels_ == ("PER", "place")
    for name, weights in begun.head_weights_.items():
        around = name.startswith("context.") and not name.startswith("context.output")
        alike = weights.shape == fitted.head_weights_[name].shape and np.allclose(
            weights, fitted.head_weights_[name], atol=1e-6
        )
        assert alike or not around
    assert not np.allclose(
        begun.head_weights_["output.weight"], fitted.head_weights_["output.weight"]
    )
