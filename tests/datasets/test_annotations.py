"""Files of annotation tools, and of tagged tokens, written and read."""

import json

import pytest

from sklearn_cclm._targets.entities import Span
from sklearn_cclm.datasets import read_conll, read_spans, write_conll, write_spans

TOOLS = ("prodigy", "doccano", "label_studio", "brat")
TEXTS = ["Ada met 🙂 Bob  Smith.", "nobody", "Zürich\nis cold"]
SPANS = [[(0, 3, "person"), (10, 20, "person")], [], [(0, 6, "place")]]


@pytest.mark.parametrize("utf16", [False, True])
@pytest.mark.parametrize("tool", TOOLS)
def test_what_is_written_is_read(tool, utf16, tmp_path):
    write_spans(tmp_path / "x", TEXTS, SPANS, tool=tool, utf16=utf16)
    assert read_spans(tmp_path / "x", tool=tool, utf16=utf16) == (TEXTS, SPANS)
    if utf16:
        assert read_spans(tmp_path / "x", tool=tool)[1][0][:1] == SPANS[0][:1]
        assert read_spans(tmp_path / "x", tool=tool)[1][0][1] == (11, 21, "person")


def read(line, tool, tmp_path):
    path = tmp_path / "export.jsonl"
    path.write_text(line if isinstance(line, str) else json.dumps(line))
    return read_spans(path, tool=tool)


def test_exports_of_prodigy(tmp_path):
    span = {"start": 0, "end": 3, "label": "P", "token_start": 0, "token_end": 0, "source": "x"}
    rows = [
        {"text": "Ada came", "spans": [span], "answer": "accept", "_task_hash": 1},
        {"text": "Bob came", "spans": [span], "answer": "reject"},
        {"text": "none", "answer": "accept"},
    ]
    lines = "\n".join(map(json.dumps, rows))
    assert read(lines, "prodigy", tmp_path) == (["Ada came", "none"], [[(0, 3, "P")], []])


def test_exports_of_doccano(tmp_path):
    listed = {"id": 1, "text": "Ada came", "label": [[0, 3, "P"]], "Comments": []}
    named = {"text": "Ada", "entities": [{"start_offset": 0, "end_offset": 3, "label": "P"}]}
    assert read(listed, "doccano", tmp_path)[1] == [[(0, 3, "P")]]
    assert read(named, "doccano", tmp_path)[1] == [[(0, 3, "P")]]


def test_exports_of_label_studio(tmp_path):
    def results(start, label):
        value = {"start": start, "end": 3, "text": "x", "labels": [label]}
        return {"result": [{"type": "labels", "value": value}, {"type": "choices", "value": {}}]}

    cancelled = {**results(1, "Q"), "was_cancelled": True}
    task = {"data": {"text": "Ada"}, "annotations": [cancelled, results(0, "P")]}
    guess = {"data": {"text": "Ada"}, "annotations": [], "predictions": [results(2, "R")]}
    found = read([task, guess], "label_studio", tmp_path)
    assert found == (["Ada", "Ada"], [[(0, 3, "P")], [(2, 3, "R")]])


def test_scores_go_to_label_studio(tmp_path):
    spans = [[Span(0, 3, "P", 0.75), Span(4, 7, "P", 0.5)]]
    write_spans(tmp_path / "x", ["Ada Bob"], spans, tool="label_studio")
    assert json.loads((tmp_path / "x").read_text())["predictions"][0]["score"] == 0.5


def test_entities_alone_are_read_of_brat(tmp_path):
    (tmp_path / "a.txt").write_text("Ada\r\ncame", newline="")
    (tmp_path / "a.ann").write_text("T1\tP 0 3\tAda\nT2\tQ 5 9\tcame\nR1\tx Arg1:T1 Arg2:T2\n")
    assert read_spans(tmp_path, tool="brat") == (["Ada\r\ncame"], [[(0, 3, "P"), (5, 9, "Q")]])
    (tmp_path / "a.ann").write_text("T1\tP 0 1;2 3\tA a\n")
    with pytest.raises(ValueError, match="not an entity in one piece"):
        read_spans(tmp_path, tool="brat")
    with pytest.raises(FileNotFoundError, match=r"No .ann file"):
        read_spans(tmp_path / "none", tool="brat")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"text": "x", "label": []}, "Is it the export of another tool"),
        ({"spans": []}, "a text and one of"),
        ("{", "line 1: '{' is not JSON"),
        ("3", "line 1 holds 3"),
        ({"text": "Ada", "spans": [{"start": 0, "end": 9, "label": "P"}]}, "leaves the text"),
    ],
)
def test_what_is_no_export_is_told(line, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read(line, "prodigy", tmp_path)


def test_what_cannot_be_written_is_told(tmp_path):
    with pytest.raises(ValueError, match="tool='spacy' must be"):
        write_spans(tmp_path / "x", TEXTS, SPANS, tool="spacy")
    with pytest.raises(ValueError, match="no label with blanks"):
        write_spans(tmp_path / "x", ["Ada"], [[(0, 3, "a person")]], tool="brat")
    with pytest.raises(ValueError, match="has no place on a line"):
        write_conll(tmp_path / "x", [["a\tb"]], [["O"]])


@pytest.mark.parametrize("scheme", ["BIO", "BIOES", "BMES", "BILOU"])
def test_tags_in_each_scheme_are_read_as_they_were(scheme, tmp_path):
    tokens = [["Ada", "B", "Lovelace", "met", "Bob", "Ada"], ["x"], ["New", "York"]]
    tags = [["B-P", "I-P", "I-P", "O", "B-P", "B-P"], ["O"], ["B-L", "I-L"]]
    write_conll(tmp_path / "x", tokens, tags, scheme=scheme)
    found, marked = read_conll(tmp_path / "x")
    assert found == tokens
    last, single = {"BIO": "IB", "BIOES": "ES", "BMES": "ES", "BILOU": "LU"}[scheme]
    assert marked[0][2] == f"{last}-P"
    assert marked[0][4] == f"{single}-P"
    write_conll(tmp_path / "y", found, marked)
    assert read_conll(tmp_path / "y") == (tokens, tags)


def test_texts_are_split_at_blanks(tmp_path):
    write_conll(
        tmp_path / "x", ["  Ada  Dean, left\nRome", ""], [[(2, 11, "P"), (18, 22, "L")], []]
    )
    assert read_conll(tmp_path / "x") == (
        [["Ada", "Dean,", "left", "Rome"]],
        [["B-P", "I-P", "O", "B-L"]],
    )
