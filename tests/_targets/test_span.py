"""`Span` is a triple that may have a score; `Rows` a list that numpy takes for objects."""

import copy
import pickle

import numpy as np
import pytest

from sklearn_cclm._targets.entities import Span, read_entities, token_probabilities
from sklearn_cclm._targets.rows import Rows


def test_a_span_is_a_triple():
    span = Span(0, 3, "x", 0.5)
    start, end, label = span
    assert (start, end, label) == span == (0, 3, "x") == Span(0, 3, "x")
    assert hash(span) == hash((0, 3, "x"))
    assert repr(span) == "Span(start=0, end=3, label='x')"
    assert sorted([Span(4, 5, "x", 0.1), span])[0] is span


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda span: pickle.loads(pickle.dumps(span)),
    "replace": lambda span: span._replace(),
}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("score", [0.5, None])
def test_copies_keep_the_score(copied, score):
    span = copied(Span(0, 3, "x", score))
    assert (type(span), span, span.score) == (Span, (0, 3, "x"), score)


def test_replaced_parts():
    span = Span(0, 3, "x", 0.5)._replace(end=4, score=0.25)
    assert (span, span.score) == ((0, 4, "x"), 0.25)
    with pytest.raises(TypeError, match="stop"):
        span._replace(stop=5)


@pytest.mark.parametrize("rows", [[["a"], ["b", "c"]], [["a"], ["b"]], [["a", "b"]], [[]], []])
def test_rows_are_objects_to_numpy(rows):
    array = np.asarray(Rows(rows))
    assert (array.dtype, array.shape, array.tolist()) == (object, (len(rows),), rows)
    assert Rows(rows) == rows
    assert np.concatenate([Rows(rows), Rows([["z"] * 3])]).tolist() == [*rows, ["z"] * 3]


def test_probabilities_of_tokens():
    """A label is what all characters say; that it begins, the first one."""
    scores = np.array([[0.2, 0.6, 0.2], [0.4, 0.0, 0.6], [0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])
    found = token_probabilities(scores, ["ab", "c"])
    np.testing.assert_allclose(found, [[0.3, 0.525, 0.175], [1.0, 0.0, 0.0]])
    assert token_probabilities(scores[:0], []).shape == (0, 3)


@pytest.mark.parametrize(("given", "kept"), [(0.5, 0.5), (np.float32(0.25), 0.25), ("high", None)])
def test_scores_that_are_given_are_kept(given, kept):
    span = {"start": 0, "end": 3, "label": "x", "score": given}
    assert read_entities(["Ada"], [[span]])[1][0][0].score == kept
    assert read_entities(["Ada"], [[Span(0, 3, "x", kept)]])[1][0][0].score == kept
