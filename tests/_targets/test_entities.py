"""Named entities: what users give, as spans, as tags per character, and as a score."""

import os
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import f1_score

from sklearn_cclm._targets.entities import Span, read_entities
from sklearn_cclm._targets.entity_tags import CharacterTags, TagSet, entity_f1, words
from sklearn_cclm._text.windows import windows
from sklearn_cclm.datasets import read_conll

DATA = Path(os.environ.get("CCLM_DATA", Path(__file__).parents[3] / "shared" / "data"))
CI = settings(derandomize=True, deadline=None, max_examples=200)
TOKENS = st.text("aZ9é\ud800.#🙂", min_size=1, max_size=4)
SENTENCES = st.lists(TOKENS, max_size=8)


@st.composite
def tagged(draw):
    """Draw tokens and their tags in BIO."""
    tokens = draw(SENTENCES)
    tags, inside = [], None
    for _ in tokens:
        label = draw(st.sampled_from([None, "x", "creative-work"]))
        goes_on = label and label == inside and draw(st.booleans())
        tags.append(f"{'I' if goes_on else 'B'}-{label}" if label else "O")
        inside = label
    return tokens, tags


def bio(tokens, spans):
    """Return the BIO tags of tokens whose entities are these spans."""
    tags, place = [], 0
    for token in tokens:
        inside = [span for span in spans if span.start <= place < span.end]
        tags += [f"{'B' if s.start == place else 'I'}-{s.label}" for s in inside] or ["O"]
        place += len(token) + 1
    return tags


def lengths(texts):
    return np.array([len(text) for text in texts], dtype=np.int64)


def said(codes, tag_set):
    """Return codes as probabilities."""
    return np.eye(len(tag_set.names))[codes]


# what is read


def test_tokens_become_a_text_and_tags_spans():
    texts, spans = read_entities(
        [["Ada", "King", ",", "London"], []], [["B-p", "I-p", "O", "B-l"], []]
    )
    assert texts == ["Ada King , London", ""]
    assert spans == [[(0, 8, "p"), (11, 17, "l")], []]


@CI
@given(st.lists(tagged(), max_size=4))
def test_tags_come_back_from_spans(rows):
    sentences, tags = [row[0] for row in rows], [row[1] for row in rows]
    texts, spans = read_entities(sentences, tags)
    assert texts == [" ".join(tokens) for tokens in sentences]
    assert [bio(*row) for row in zip(sentences, spans, strict=True)] == tags


SCHEMES = {
    "IOB1": "I-x I-x B-x I-y O I-y",
    "IOB2": "B-x I-x B-x B-y O B-y",
    "IOBES": "B-x E-x S-x S-y O S-y",
    "BMES": "B-x E-x S-x S-y O S-y",
    "underscores": "B_x I_x B_x B_y O B_y",
    "letters after labels": "x-B x-I x-B y-B O y-B",
    "blanks": "B-x I-x  B-x\u00a0 B-y O B-y",
    "BILOU": "B-x L-x U-x U-y O U-y",
}


@pytest.mark.parametrize("tags", SCHEMES.values(), ids=SCHEMES)
def test_schemes(tags):
    found = read_entities([list("abcdef")], [tags.split()])[1]
    assert found == [[(0, 3, "x"), (4, 5, "x"), (6, 7, "y"), (10, 11, "y")]]


def test_a_long_entity_in_iobes_and_one_after_it():
    found = read_entities([list("abcde")], [["B-x", "I-x", "E-x", "I-x", "E-x"]])[1]
    assert found == [[(0, 5, "x"), (6, 9, "x")]]


def test_a_long_entity_in_bmes():
    found = read_entities([list("abcde")], [["B-x", "M-x", "M-x", "E-x", "S-x"]])[1]
    assert found == [[(0, 7, "x"), (8, 9, "x")]]


def test_letters_alone_name_entities():
    tags = [["B", "I", "O", "I", "B"], ["O"]]
    assert read_entities([list("abcde"), ["f"]], tags)[1] == [
        [(0, 3, "entity"), (6, 7, "entity"), (8, 9, "entity")],
        [],
    ]


def test_a_run_of_a_label_alone_is_an_entity():
    tags = [["person-artist", "person-artist", "O", "x", "person-artist"]]
    assert read_entities([list("abcde")], tags)[1] == [
        [(0, 3, "person-artist"), (6, 7, "x"), (8, 9, "person-artist")]
    ]


def test_tags_of_characters_have_a_scheme_of_all_texts():
    found = read_entities(["ab", "cd", "e"], [["vitamin-B", "O"], ["vitamin-D", "O"], []])[1]
    assert found == [[(0, 1, "vitamin-B")], [(0, 1, "vitamin-D")], []]


def test_spans_are_sorted_and_may_be_dicts():
    given = [{"start": 4, "end": np.int64(6), "label": np.str_("b"), "id": 7}, [0, 3, "a"]]
    found = read_entities(["abc de"], [given])[1]
    assert found == [[(0, 3, "a"), (4, 6, "b")]]
    assert [type(part) for part in found[0][1]] == [int, int, str]


def test_labels_have_no_blanks_at_their_ends():
    assert read_entities(["ab"], [[(0, 1, " x"), (1, 2, "x\n")]])[1] == [[(0, 1, "x"), (1, 2, "x")]]


def test_spans_with_blanks_at_an_end_are_trimmed_with_one_warning():
    texts = ["Ada met\u00a0 Bob\n", "Eve", " "]
    spans = [[(0, 4, "x"), (7, 13, "x")], [(0, 3, "x")], [(0, 1, "x")]]
    match = (
        r"^3 of 4 spans begin or end with spaces or other blanks, which are left out, such as "
        r"\(0, 4, 'x'\) of text 0; 1 of them hold nothing else and are dropped"
    )
    with pytest.warns(UserWarning, match=match) as caught:
        found = read_entities(texts, spans)[1]
    assert found == [[(0, 3, "x"), (9, 12, "x")], [(0, 3, "x")], []]
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("X", "y", "expected"),
    [
        (["a b"], [["B-x", "I-x", "O"]], [[(0, 1, "x")]]),
        ([["a", "\u2028"]], [["B-x", "I-x"]], [[(0, 1, "x")]]),
        (["a b"], [[(0, 2, "x"), (1, 3, "x")]], [[(0, 1, "x"), (2, 3, "x")]]),
    ],
    ids=["tags of characters", "tokens", "spans that overlap in a blank"],
)
def test_blanks_in_other_forms(X, y, expected):
    with pytest.warns(UserWarning, match="end with spaces"):
        assert read_entities(X, y)[1] == expected


def test_adjacent_spans_do_not_overlap():
    assert read_entities(["abcd"], [[(2, 4, "x"), (0, 2, "x")]])[1] == [[(0, 2, "x"), (2, 4, "x")]]


def test_what_is_to_be_predicted_has_no_spans():
    assert read_entities([["a", "b"], ["c"]]) == (["a b", "c"], None)
    assert read_entities(["a", None], missing="empty") == (["a", ""], None)
    assert read_entities([]) == ([], None)


TABLES = {
    "pandas": lambda x, y: (pd.Series(x), pd.Series(y), None),
    "numpy rows": lambda x, y: ([np.array(row) for row in x], [np.array(row) for row in y], None),
    "hf": lambda x, y: (datasets.Dataset.from_dict({"t": x, "o": x}), y, "t"),
    "hf columns": lambda x, y: (
        datasets.Dataset.from_dict({"x": x})["x"],
        datasets.Dataset.from_dict({"y": y})["y"],
        None,
    ),
}


@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
def test_tables(make):
    X, y, column = make([["a", "b"], ["c"]], [["O", "B-x"], ["O"]])
    assert read_entities(X, y, column=column) == (["a b", "c"], [[(2, 3, "x")], []])


ROW = [{"start": 0, "end": 3, "label": "x"}, {"start": 8, "end": 11, "label": "y"}]
TRIPLES = [(0, 3, "x"), (8, 11, "y")]
ROWS_OF_SPANS = {
    "scalars": lambda: [{key: np.array(value) for key, value in span.items()} for span in ROW],
    "arrow scalars": lambda: [{k: pa.scalar(value) for k, value in span.items()} for span in ROW],
    "tensors": lambda: [{**span, "start": torch.tensor(span["start"])} for span in ROW],
    "object array": lambda: np.array(TRIPLES, dtype=object),
    "arrays": lambda: [np.array(span, dtype=object) for span in TRIPLES],
    "pandas rows": lambda: [row for _, row in pd.DataFrame(ROW).iterrows()],
    "named tuples": lambda: list(pd.DataFrame(ROW).itertuples()),
    "pandas": lambda: pd.DataFrame(ROW),
    "polars": lambda: pl.DataFrame(ROW),
    "polars rows": lambda: pl.Series(ROW),
    "arrow": lambda: pa.array(ROW),
    "lists by name": lambda: {key: [span[key] for span in ROW] for key in ROW[0]},
    "arrays by name": lambda: {k: np.array([span[k] for span in ROW]) for k in ROW[0]},
    "Hugging Face pipeline": lambda: [
        {"entity_group": span["label"], "score": np.float32(1), "start": span["start"],
         "end": span["end"]} for span in ROW
    ],
    "doccano": lambda: [
        {"start_offset": start, "end_offset": end, "label": label} for start, end, label in TRIPLES
    ],
    "set": lambda: set(TRIPLES),
    "iterator": lambda: (list(span) for span in TRIPLES),
    "predicted": lambda: [Span(*span) for span in TRIPLES],
}  # fmt: skip


@pytest.mark.parametrize("make", ROWS_OF_SPANS.values(), ids=ROWS_OF_SPANS)
def test_rows_of_spans(make):
    assert read_entities(["Ada met Bob", ""], [make(), []])[1] == [TRIPLES, []]


@pytest.mark.parametrize("kind", [None, "numpy", "pandas", "polars", "arrow", "torch"])
def test_formats_of_datasets(kind):
    by_name = {key: [span[key] for span in ROW] for key in ROW[0]}
    columns = {"t": ["Ada met Bob"], "list": [ROW], "names": [by_name]}
    columns |= {"tokens": [["Ada", "met", "Bob"]], "tags": [["B-x", "O", "B-y"]]}
    data = datasets.Dataset.from_dict(columns).with_format(kind)
    for spans in ("list", "names"):
        assert read_entities(data["t"], data[spans])[1] == [TRIPLES]
    assert read_entities(data, data["tags"], column="tokens") == (["Ada met Bob"], [TRIPLES])
    assert read_entities(list(data["tokens"]), list(data["tags"]))[1] == [TRIPLES]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_spans_that_numpy_has_stacked(n):
    rows = [[(0, 1, "x"), (2, 3, "y")][:n]] * 2
    stacked = np.array(rows, dtype=object)
    assert stacked.ndim == (3 if n else 2)
    assert read_entities(["a b", "c d"], stacked)[1] == rows


def test_tokens_and_tags_that_numpy_has_stacked():
    X, y = np.array([["a", "b"], ["c", "d"]]), np.array([["B-x", "O"], ["O", "O"]])
    assert read_entities(X, y) == (["a b", "c d"], [[(0, 1, "x")], []])


BAD_SPANS = {
    "out of range": ((0, 9, "x"), r"Span \(0, 9, 'x'\) of text 1 \('abc de'\).* 6 characters"),
    "negative": ((-2, 3, "x"), "leaves the text"),
    "empty": ((2, 2, "x"), "is empty"),
    "not whole": ((0.0, 3, "x"), "places in characters"),
    "label": ((0, 3, 1.5), "label 1.5: pass a str"),
    "number": ((0, 3, np.int64(1)), r"number 1 for a label: pass its name, feature.names\[1\]"),
    "blank label": ((0, 3, " "), "pass a str that is not empty"),
    "no label": ((0, 3, ""), "pass a str that is not empty"),
    "pair": ((0, 3), "is not"),
    "key": ({"start": 0, "end": 3, "type": "x"}, "label None"),
    "tag": ("B-x", r"text\.split\(\)"),
    "no span": (3, "is not"),
    "brat": ("T1\tPER 0 2;3 6\tab de", r"lines of brat, .* of a discontinuous one"),
    "discontinuous": (((0, 2), (3, 6), "x"), "is discontinuous: pass each part"),
}


@pytest.mark.parametrize(("span", "match"), BAD_SPANS.values(), ids=BAD_SPANS)
def test_bad_span(span, match):
    with pytest.raises(ValueError, match=match):
        read_entities(["", "abc de"], [[], [span]])


def test_overlapping_spans():
    with pytest.raises(ValueError, match=r"\(0, 3, 'x'\) and \(2, 4, 'x'\) of text 0 .*keep one"):
        read_entities(["abcd"], [[(2, 4, "x"), (0, 3, "x")]])


@pytest.mark.parametrize("row", [None, "O", {"start": 0}, 3])
def test_spans_that_are_no_list(row):
    with pytest.raises(ValueError, match=r"spans of text 0 .* \[\] for a text without"):
        read_entities(["a"], [row])


BAD_ROWS = {
    "spans of tokens": (
        [["a", "b"]],
        [[(0, 1, "x")]],
        ValueError,
        "1 tags: .* or spans beside texts",
    ),
    "tags too few": ([["a", "b"]], [["O"]], ValueError, "Text 0 has 2 tokens and 1 tags"),
    "tags as text": ([["a"]], ["O"], TypeError, "pass a list"),
    "no tags": ([["a"]], [None], TypeError, "pass a list"),
    "numbers": ([["a"]], [[np.int64(3)]], TypeError, r"number 3 .*features\[\"ner_tags\"\]"),
    "two schemes": (
        [["a", "b"]],
        [["B-x", "person"]],
        ValueError,
        "Text 0 has the tag 'person' and elsewhere 'B-x': tags are 'O', or throughout one of B, I",
    ),
    "another scheme": ([["a"], ["b"]], [["b-x"], ["i-x"]], ValueError, "Text 0 has the tag 'b-x'"),
    "little o": ([["a", "b"]], [["x", "o"]], ValueError, "the tag 'o'"),
    "sign": ([["a", "b"]], [["x", "_"]], ValueError, "the tag '_'"),
    "padding": ([["a", "b"]], [["x", "[PAD]"]], ValueError, r"the tag '\[PAD\]'"),
    "digit": ([["a", "b"]], [["x", "0"]], ValueError, "the tag '0'"),
    "no label": ([["a"]], [["B-"]], ValueError, "tag 'B-'"),
    "missing tag": ([["a"]], [[None]], ValueError, "tag None"),
    "empty token": ([["a", ""]], None, ValueError, "Token 1 of text 0 is ''"),
    "token": ([["a", 1]], None, ValueError, "Token 1 of text 0 is 1"),
    "mixed": ([["a"], "b"], None, TypeError, "Row 1 is a str"),
    "rows": (["a", "b"], [[]], ValueError, "X has 2 rows and y 1"),
    "text": ("ab", None, ValueError, "single str"),
    "missing": (["a", None], None, ValueError, "Text 1 is missing"),
}


@pytest.mark.parametrize(("X", "y", "error", "match"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_rows(X, y, error, match):
    with pytest.raises(error, match=match):
        read_entities(X, y)


# tags per character


def test_codes_of_characters():
    tag_set = TagSet.of([[Span(0, 1, "y")], [Span(0, 1, "x")]])
    assert tag_set.names == ("O", "B-x", "I-x", "B-y", "I-y")
    spans = [[Span(0, 2, "y"), Span(2, 4, "y")], [], [Span(1, 2, "x")]]
    assert tag_set.encode(spans, np.array([4, 0, 3])).tolist() == [3, 4, 3, 4, 0, 1, 0]


def test_no_texts_have_no_tags():
    tag_set = TagSet(("x",))
    assert tag_set.encode([], lengths([])).shape == (0,)
    assert tag_set.decode(np.zeros((0, 3)), []) == []
    assert tag_set.decode(np.zeros((0, 3)), ["", ""]) == [[], []]


def test_what_has_an_unknown_label_is_outside():
    spans = [[Span(0, 1, "y"), Span(1, 2, "x")]]
    assert TagSet(("x",)).encode(spans, np.array([2])).tolist() == [0, 1]


@CI
@given(st.lists(tagged(), max_size=4))
def test_spans_come_back_from_codes(rows):
    texts, spans = read_entities([row[0] for row in rows], [row[1] for row in rows])
    tag_set = TagSet(("creative-work", "x"))
    codes = tag_set.encode(spans, lengths(texts))
    assert codes.shape == (sum(map(len, texts)),)
    assert tag_set.decode(said(codes, tag_set), texts) == spans


def test_a_word_is_what_its_characters_say_on_average():
    tag_set, text = TagSet(("x", "y")), "Paris, Texas!"
    scores = said([3, 2, 2, 2, 0, 0, 0, 0, 4, 4, 0, 0, 4], tag_set)
    assert tag_set.decode(scores, [text]) == [[(0, 5, "x"), (12, 13, "y")]]
    scores[7:12] = [0.4, 0, 0, 0.3, 0.3]  # a label wins before one of its tags does
    assert tag_set.decode(scores, [text])[0][1:] == [(7, 13, "y")]


def test_entities_start_at_b_and_at_another_label_and_do_not_span_texts():
    tag_set = TagSet(("x", "y"))
    scores = said([2, 0, 2, 0, 1, 0, 4, 4], tag_set)
    found = tag_set.decode(scores, ["a b c d", "e"])
    assert found == [[(0, 3, "x"), (4, 5, "x"), (6, 7, "y")], [(0, 1, "y")]]


def test_spaces_have_no_vote():
    tag_set = TagSet(("x",))
    assert tag_set.decode(said([1, 0, 0, 2], tag_set), ["a  b"]) == [[(0, 4, "x")]]


def test_words_are_runs_of_letters_and_single_marks():
    texts = ["Mr. O'Neil’s", "", "हिन्दी #x_1\u2028", "東京🙂🙂", "\ud800a"]
    starts, ends, owners = words(texts)
    joined = "".join(texts)
    found = [
        (owner, joined[s:e]) for s, e, owner in zip(starts, ends, owners.tolist(), strict=True)
    ]
    assert found == [
        *((0, word) for word in ["Mr", ".", "O", "'", "Neil", "’", "s"]),
        *((2, word) for word in ["हिन्दी", "#", "x", "_", "1"]),
        *((3, word) for word in ["東京", "🙂", "🙂"]),
        (4, "\ud800a"),
    ]


@CI
@given(st.lists(st.text("ab. 🙂", max_size=12), max_size=4), st.integers(1, 5))
def test_windows_have_the_tags_of_their_characters(texts, size):
    tags = np.arange(sum(map(len, texts)))
    pieces, _ = windows(texts, size)
    by_row = CharacterTags(tags, lengths(pieces))
    rows = np.arange(len(pieces))[::-1]
    expected = np.split(tags, np.cumsum(lengths(pieces))[:-1])[::-1] if len(pieces) else []
    assert by_row[rows].tolist() == [tag for part in expected for tag in part.tolist()]


# the score


def test_f1_by_hand():
    true = [[Span(0, 8, "p"), Span(18, 24, "l")], [], [Span(0, 2, "p"), Span(3, 5, "p")]]
    predicted = [[Span(0, 3, "p"), Span(18, 24, "l")], [Span(0, 2, "p")], [Span(0, 2, "p")]]
    assert entity_f1(true, predicted) == pytest.approx(2 * 2 / (4 + 4))


def test_f1_tells_adjacent_entities_from_one():
    two, one = [[Span(0, 2, "x"), Span(2, 4, "x")]], [[Span(0, 4, "x")]]
    assert entity_f1(two, one) == 0
    assert entity_f1(two, two) == 1


def test_f1_knows_labels_with_hyphens():
    assert entity_f1([[Span(0, 2, "B-x-y")]], [[Span(0, 2, "B-x-y")]]) == 1
    assert entity_f1([[Span(0, 2, "B-x-y")]], [[Span(0, 2, "B-z-y")]]) == 0


@pytest.mark.parametrize("rows", [[], [[]]])
def test_f1_of_nothing_is_0_without_a_warning(rows):
    assert entity_f1(rows, rows) == 0


@CI
@given(st.lists(st.tuples(tagged(), tagged()), min_size=1, max_size=4))
def test_f1_is_that_of_seqeval(pairs):
    tokens = [["x"] * max(len(a), len(b)) for (a, _), (b, _) in pairs]
    rows = [
        [tags + ["O"] * (len(x) - len(tags)) for (_, tags), x in zip(side, tokens, strict=True)]
        for side in ([a for a, _ in pairs], [b for _, b in pairs])
    ]
    true, predicted = (read_entities(tokens, tags)[1] for tags in rows)
    assert entity_f1(true, predicted) == pytest.approx(f1_score(*rows, zero_division=0))


# real data

COUNTS = {  # sentences, entities by label
    "wnut17.train": (3394, dict(person=660, location=548, group=264, corporation=221,
                                product=142, **{"creative-work": 140})),
    "wnut17.dev": (1009, dict(person=470, location=74, group=39, corporation=34,
                              product=114, **{"creative-work": 105})),
    "wnut17.test": (1287, dict(person=429, location=150, group=165, corporation=66,
                               product=127, **{"creative-work": 142})),
    "wikigold.all": (1696, dict(LOC=1014, PER=934, ORG=898, MISC=712)),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_real_files_are_read_through(name):
    path = DATA / f"ner_{name}.txt.gz"
    if not path.exists():
        pytest.skip(f"{path} is missing: set CCLM_DATA to the folder of the data sets")
    sentences, tags = read_conll(path)
    texts, spans = read_entities(sentences, tags)
    labels = pd.Series([span.label for row in spans for span in row])
    assert (len(texts), labels.value_counts().to_dict()) == COUNTS[name]
    assert [bio(*row) for row in zip(sentences, spans, strict=True)] == tags
    tag_set = TagSet.of(spans)
    codes = tag_set.encode(spans, lengths(texts))
    assert tag_set.decode(said(codes, tag_set), texts) == spans
    assert entity_f1(spans, spans) == 1
