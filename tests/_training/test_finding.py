"""What taggers and the pretrainer of entities share, beside what they find."""

import numpy as np
import pytest
from sklearn.model_selection import cross_val_predict
from tiny import POOLED, tiny_base, tiny_towers

from sklearn_cclm import (
    CharPreprocessor,
    ComposedTagger,
    EntityPretrainer,
    MaskedCharacterPretrainer,
    MultiTaskPretrainer,
)
from sklearn_cclm._training.cut import Cut

X = [["Ada", "met", "Bob"], ["nobody", "came"], ["Eve", "left"], ["we", "saw", "Tom", "there"]] * 5
Y = [["B-P", "O", "B-P"], ["O", "O"], ["B-P", "O"], ["O", "O", "B-P", "O"]] * 5
BONN = [["in", "Bonn"]] * 6, [["O", "B-LOC"]] * 6
FINDERS = {
    "EntityPretrainer": lambda **params: EntityPretrainer(
        tiny_base(), tower=POOLED, max_epochs=2, random_state=0, **params
    ),
    "ComposedTagger": lambda **params: ComposedTagger(
        tiny_towers(), fit_towers=True, max_epochs=2, random_state=0, **params
    ),
}
each = pytest.mark.parametrize("finder", FINDERS.values(), ids=FINDERS)


@each
def test_a_day_without_entities_where_labels_are_named(finder):
    finder = finder().partial_fit(
        [["nobody", "called"]] * 6, [["O", "O"]] * 6, classes=["P", "LOC"]
    )
    assert finder.labels_ == ("LOC", "P")
    finder.partial_fit(X, Y).partial_fit(*BONN, classes=["LOC", "P"])
    finder.partial_fit([["nobody", "called"]], [["O", "O"]])
    assert finder.tags_ == ("O", "B-LOC", "I-LOC", "B-P", "I-P")
    assert np.isfinite(finder.predict_proba([["in", "Bonn"]])[0]).all()


@each
def test_labels_that_come_later_are_added(finder):
    finder = finder(lr=0.02).partial_fit([["nobody", "called"]] * 6, [["O", "O"]] * 6)
    assert finder.labels_ == ()
    assert finder.predict([["nobody", "called"]]) in ([["O", "O"]], [[]])
    for _ in range(12):
        finder.partial_fit(X, Y)
    before = finder.predict_proba(X[:1])[0]
    finder.partial_fit(*BONN)
    assert finder.tags_ == ("O", "B-LOC", "I-LOC", "B-P", "I-P")
    assert before.shape[1] == 3
    for _ in range(30):
        finder.partial_fit([*X, *BONN[0]], [*Y, *BONN[1]])
    (_, bonn), *_ = finder.predict_proba(BONN[0])
    assert finder.tags_[bonn.argmax()].endswith("LOC")


@each
def test_added_labels_change_nothing_of_the_others(finder):
    finder = finder().partial_fit(X, Y)
    old = finder.head_weights_
    kept = {name: w.copy() for name, w in old.items() if name.endswith("output.weight")}
    rates = {"lr", "tower_lr", "base_lr"} & finder.get_params().keys()
    finder.set_params(**dict.fromkeys(rates, 1e-12))
    finder.partial_fit(*BONN)
    for name, weights in kept.items():
        np.testing.assert_allclose(finder.head_weights_[name][[0, 3, 4]], weights, atol=1e-6)
        np.testing.assert_allclose(finder.head_weights_[name][[1, 2]], 0, atol=1e-6)
        np.testing.assert_array_equal(old[name], weights)


@each
def test_classes_that_were_named_are_all_there_are(finder):
    finder = finder().partial_fit(X, Y, classes=["P"])
    weights = finder.head_weights_
    with pytest.raises(ValueError, match=r"labels \['LOC'\], and classes named \['P'\] as all"):
        finder.partial_fit(*BONN)
    with pytest.raises(ValueError, match=r"classes=\['LOC', 'P'\] differ from the known \['P'\]"):
        finder.partial_fit(X, Y, classes=["P", "LOC"])
    with pytest.raises(ValueError, match=r"and classes named \['P'\] as all"):
        finder.set_params(warm_start=True).fit(*BONN)
    assert finder.head_weights_ is weights


@each
@pytest.mark.parametrize("classes", [[], "P", ["P", 1], [""], ["LOC"]])
def test_classes_that_are_not_allowed(finder, classes):
    with pytest.raises(ValueError, match=r"classes=.*must be labels|named \['LOC'\] as all"):
        finder().partial_fit(X, Y, classes=classes)


@each
def test_a_fit_without_entities_points_to_partial_fit(finder):
    with pytest.raises(ValueError, match="no entity in these 1 texts: .* use partial_fit"):
        finder().fit([["nobody", "called"]], [["O", "O"]])


@each
def test_labels_of_validation_alone_count_as_missed(finder):
    sentences, tags = X + BONN[0], Y + BONN[1]
    known = finder().fit(X, Y, validation=(X, Y))
    more = finder().fit(X, Y, validation=(sentences, tags))
    assert more.labels_ == ("P",)
    for name, weights in known.head_weights_.items():
        np.testing.assert_array_equal(more.head_weights_[name], weights)
    assert more.history_[-1]["valid_f1"] == more.score(sentences, tags)
    alone = finder().fit(X, Y, validation=BONN).history_[-1]
    assert alone["valid_f1"] == 0
    assert np.isfinite(alone["valid_loss"])


@each
def test_what_is_shown_while_training_is_the_score(finder):
    names = finder(early_stopping=True, patience=1).set_params(max_epochs=6)
    names.fit(X, Y, validation=(X, Y))
    measured = {"valid_loss", "valid_accuracy", "valid_f1"}
    assert {*names.history_[0]} == {"epoch", "train_loss", "dur", *measured}
    best = min(names.history_, key=lambda row: row["valid_loss"])
    assert best["valid_f1"] == names.score(X, Y)
    assert "valid_f1" in finder(validation_fraction=0.3).fit(X, Y).history_[-1]
    assert "valid_f1" not in finder(validation_fraction=0).fit(X, Y).history_[-1]


def test_a_joint_training_shows_it_too():
    texts = [" ".join(tokens) for tokens in X]
    spans = [[(0, 3, "P")] if text[:3] in ("Ada", "Eve") else [] for text in texts]
    tasks = [
        ("names", EntityPretrainer(tower=POOLED)),
        ("chars", MaskedCharacterPretrainer(tower=POOLED)),
    ]
    joint = MultiTaskPretrainer(tasks, tiny_base(), max_epochs=3, lr=0.02, random_state=0)
    joint.fit(texts, {"names": spans}, validation=(texts, {"names": spans}))
    last = joint.history_[-1]
    assert last["valid_names_f1"] == dict(joint.tasks_)["names"].score(texts, spans)
    assert {"valid_names_loss", "valid_chars_accuracy"} <= last.keys()


@each
@pytest.mark.parametrize("texts", [X, [" ".join(tokens) for tokens in X]], ids=["tokens", "texts"])
def test_cross_val_predict_gives_objects(finder, texts):
    spans = [[(0, 2, "P")]] * len(texts)
    y = Y if texts is X else spans
    found = cross_val_predict(finder(), texts, y, cv=2)
    assert (found.dtype, found.shape) == (object, (20,))
    half = finder().fit(texts[10:], y[10:]).predict(texts[:10])
    assert found[:10].tolist() == half
    assert isinstance(half, list)


@each
def test_probabilities_of_tags(finder):
    names = finder().fit(X, Y)
    rows = names.predict_proba(["Ada came", "", "e\u0301a"])
    assert names.tags_ == ("O", "B-P", "I-P")
    assert [row.shape for row in rows] == [(8, 3), (0, 3), (3, 3)]
    of_tokens = names.predict_proba([["Ada", "came"]])[0]
    for row in (*rows, of_tokens):
        np.testing.assert_allclose(row.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(of_tokens[0, 0], rows[0][:3, 0].mean(), rtol=1e-5)
    assert len(names.predict_proba([])) == 0


@each
def test_probabilities_of_what_normalisation_changes(finder):
    preprocessor, names = CharPreprocessor(64, normalization="NFKC"), finder()
    if "base" in names.get_params(deep=False):
        names.set_params(base=tiny_base(preprocessor=preprocessor))
    else:
        names.set_params(towers=tiny_towers(preprocessor=preprocessor))
    names.fit(X, Y)
    ligature, plain, mark, letter = names.predict_proba(["\ufb01n", "fin", "e\u0301n", "\u00e9n"])
    np.testing.assert_allclose(ligature, plain[[0, 2]], rtol=1e-4)
    np.testing.assert_allclose(mark, letter[[0, 0, 1]], rtol=1e-4)


@each
def test_spans_have_scores(finder):
    names = finder().set_params(max_epochs=25, lr=0.02).fit(X, Y)
    find = getattr(names, "predict_spans", names.predict)
    (first, *_), text = find(["Ada left"])[0], "Ada left"
    entity = names.predict_proba([text])[0][:, 1:].sum(axis=1)
    solid = [i for i in range(first.start, first.end) if text[i] != " "]
    assert first.score == pytest.approx(entity[solid].mean(), rel=1e-5)
    assert names.predict_proba([text])[0].dtype == np.float32


def test_windows_are_kept_where_their_edges_are_farther_off():
    cut = Cut.of(["abcdefghijklmnopq", "xyz", "", "A" * 10], CharPreprocessor(10), shared=0.5)
    starts, stops = cut.kept()
    assert cut.pieces == ["abcdefghij", "fghijklmno", "klmnopq", "xyz", "", "A" * 10]
    kept = [piece[a:b] for piece, a, b in zip(cut.pieces, starts, stops, strict=True)]
    assert kept == ["abcdefg", "hijkl", "mnopq", "xyz", "", "A" * 10]
