"""CoNLL files: columns, sentences, several files, and what is wrong where."""

import gzip
from pathlib import Path

import pytest

from sklearn_cclm.datasets import read_conll


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path."""

    def write(content, name="ner.txt"):
        path = tmp_path / name
        opened = gzip.open if name.endswith(".gz") else open
        with opened(path, "wb") as file:
            file.write(content.encode())
        return path

    return write


def test_blank_lines_end_sentences(write):
    path = write("\n\nAda\tB-PER\nwrites\tO\n\n \t\nHi\tO\n\n")
    assert read_conll(path) == ([["Ada", "writes"], ["Hi"]], [["B-PER", "O"], ["O"]])


def test_the_first_column_is_the_token_and_the_last_the_tag(write):
    path = write("EU NNP B-NP B-ORG\nrejects  VBZ   B-VP O \n. . O O")
    assert read_conll(path) == ([["EU", "rejects", "."]], [["B-ORG", "O", "O"]])


def test_a_token_with_a_space_in_columns_of_tabs(write):
    assert read_conll(write("New York\tB-LOC\n")) == ([["New York"]], [["B-LOC"]])


def test_what_looks_like_a_blank_or_a_line_end_is_a_token(write):
    tokens = ["\xa0", "\u2028", "\x85", "#", "-"]
    path = write("".join(f"{token}\tO\n" for token in tokens))
    assert read_conll(path)[0] == [tokens]


def test_windows_line_ends(write):
    assert read_conll(write("a\tO\r\n\r\nb\tO\r\n")) == ([["a"], ["b"]], [["O"], ["O"]])


def test_document_starts_are_left_out(write):
    path = write("-DOCSTART- -X- -X- O\n\na O\n\n-DOCSTART-\n\nb O\n")
    assert read_conll(path)[0] == [["a"], ["b"]]


def test_an_empty_file_has_no_sentences(write):
    assert read_conll(write("")) == ([], [])


def test_several_files_in_the_order_given_and_a_pattern_by_name(write):
    second, first = write("b O", "2.txt.gz"), write("a O", "1.txt")
    write("c O", "3.conll")
    assert read_conll([second, str(first)])[0] == [["b"], ["a"]]
    assert read_conll(first.parent / "*.txt*")[0] == [["a"], ["b"]]
    assert read_conll([f"{first.parent}/[12]*", first])[0] == [["a"], ["b"], ["a"]]


def test_a_name_that_looks_like_a_pattern(write):
    assert read_conll(write("a O", "train[1].txt"))[0] == [["a"]]


def test_files_end_sentences(write):
    assert len(read_conll([write("a O", "1"), write("b O", "2")])[0]) == 2


@pytest.mark.parametrize("name", ["none.txt", "none*.txt"])
def test_missing_file(tmp_path, name):
    with pytest.raises(FileNotFoundError, match="none"):
        read_conll(tmp_path / name)


@pytest.mark.parametrize("line", ["word", "word\t", "\tO", "word "])
def test_a_malformed_line_is_named(write, line):
    path = write(f"a O\n\n{line}\n")
    with pytest.raises(ValueError, match=r"ner\.txt, line 3: .* is not a token and a tag"):
        read_conll(path)


def test_another_encoding(tmp_path):
    path = Path(tmp_path, "ner.txt")
    path.write_text("é O", encoding="utf-16")
    assert read_conll(path, encoding="utf-16")[0] == [["é"]]
