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


@pytest.mark.parametrize("line", ["word", "word\t", "\tB-x", "word "])
def test_a_malformed_line_is_named(write, line):
    path = write(f"a O\n\n{line}\n")
    with pytest.raises(ValueError, match=r"ner\.txt, line 3: .* is not a token and a tag"):
        read_conll(path)


def test_another_encoding(tmp_path):
    path = Path(tmp_path, "ner.txt")
    path.write_text("é O", encoding="utf-16")
    assert read_conll(path, encoding="utf-16")[0] == [["é"]]


def test_a_byte_order_mark_is_no_character(write):
    assert read_conll(write("\ufeffAda\tB-PER\n"))[0] == [["Ada"]]
    path = write("\ufeff-DOCSTART- O\n\nAda B-PER\n", "ner.txt.gz")
    assert read_conll([path, path])[0] == [["Ada"], ["Ada"]]


@pytest.mark.parametrize("name", ["ner.txt", "ner.txt.gz"])
def test_old_line_ends_of_the_mac(write, name):
    path = write("Ada\tB-PER\rcame\tO\r\rHi\tO\r", name)
    assert read_conll(path) == ([["Ada", "came"], ["Hi"]], [["B-PER", "O"], ["O"]])


def test_blanks_are_no_part_of_tokens_and_tags(write):
    path = write("Ada \tB-PER \nKing\t I-PER\n")
    assert read_conll(path) == ([["Ada", "King"]], [["B-PER", "I-PER"]])


def test_empty_tokens_as_the_broad_twitter_corpus_has_them(write):
    path = write("hi\tO\n\tO\nAda\tB-PER\n \n\tO\n\nyes\tO\n")
    assert read_conll(path)[0] == [["hi", "Ada"], ["yes"]]


LAYOUTS = {
    "UNER": "# newdoc id = a-1\n# sent_id = a-1\n# text = Ada O\n1\tAda\tB-PER\t-\tann\n"
    "2\tcame\tO\t-\tann\n\n# text = I saw #\n1\t#\tO\t-\tann\n\n",
    "MultiCoNER": "# id 7f3a\tdomain=en\n\n# id 7f3a domain=en\nAda _ _ B-PER\ncame _ _ O\n\n"
    "# id 7f3b domain=en\n# _ _ O\n\n",
    "CoNLL-U": "# text = Ada came\n1\tAda\tAda\tX\t_\t_\t2\tnsubj\t_\tB-PER\n"
    "2-3\tcame\t_\t_\t_\t_\t_\t_\t_\t_\n2\tcame\tcome\tX\t_\t_\t0\troot\t_\tO\n"
    "2.1\tcome\tcome\tX\t_\t_\t_\t_\t_\t_\n\n# text = #\n1\t#\t#\tX\t_\t_\t0\troot\t_\tO\n\n",
    "numbers of documents": "1\tAda\tB-PER\n2\tcame\tO\n\n3\t#\tO\n",
    "numbers from 0": "0 Ada NN B-PER\n1 came VB O\n\n0 # NN O\n",
    "CoNLL-2012": "#begin document (x); part 000\nAda B-PER\ncame O\n\n# O\n\n#end document\n",
    "tags in the middle": "Ada\tB-PER\t0.9\ncame\tO\t1.0\n\n#\tO\t0.5\n",
}


@pytest.mark.parametrize("content", LAYOUTS.values(), ids=LAYOUTS)
def test_layouts_are_recognised(write, content):
    path = write(content)
    assert read_conll(path) == ([["Ada", "came"], ["#"]], [["B-PER", "O"], ["O"]])


GERMEVAL = "#\thttp://example.org [2011]\n1\tAda\tB-PER\tO\n2\tMa\tI-PER\tB-LOC\n\n"
UNREADABLE = {
    "GermEval": (GERMEVAL * 2, r"tags are in column 2 and 3, counted from 0.* tag=2"),
    "tags first": ("B-PER\tAda\nO\tcame\n", r"tags are in column 0"),
    "a header": ("token\ttag\nAda\tB-PER\ncame\tO\n", r"below a header, \['token', 'tag'\]"),
    "no tags": ("1\tAda\t_\tX\t_\n2\tcame\t_\tX\t_\n", r"no column holds tags, the first line"),
    "coreference": ("bc/x\t0\t0\tAda\t(12\nbc/x\t0\t1\tcame\t-\n", "no column holds tags"),
}


@pytest.mark.parametrize(("content", "match"), UNREADABLE.values(), ids=UNREADABLE)
def test_layouts_in_doubt_are_refused(write, content, match):
    with pytest.raises(ValueError, match=match):
        read_conll(write(content))


def test_columns_by_number_and_by_name(write):
    path = write(GERMEVAL)
    assert read_conll(path, token=1, tag=2) == ([["Ada", "Ma"]], [["B-PER", "I-PER"]])
    assert read_conll(path, tag=-1)[1] == [["O", "B-LOC"]]
    path = write("label\tword\nB-PER\tAda\n\nO\tcame\n")
    assert read_conll(path, token="word", tag="label") == ([["Ada"], ["came"]], [["B-PER"], ["O"]])
    path = write("# global.columns = ID FORM NER\n1\tAda\tB-PER\n\n# text = a\n1\ta\tO\n")
    assert read_conll(path, tag="NER") == ([["Ada"], ["a"]], [["B-PER"], ["O"]])
    with pytest.raises(ValueError, match=r"tag='ner' is not among the columns \['ID', 'FORM'"):
        read_conll(path, tag="ner")
    with pytest.raises(ValueError, match="line 2: .* is not a token and a tag"):
        read_conll(path, tag=7)
    with pytest.raises(ValueError, match="token and tag are the same column of"):
        read_conll(path, token=2, tag=-1)
    with pytest.raises(TypeError, match="tag=True must be the number or the name"):
        read_conll(path, tag=True)


def test_comments_by_their_sign(write):
    path = write("% by hand\nAda B-PER\n%%\n# O\n")
    assert read_conll(path, comment="%")[0] == [["Ada", "#"]]
    assert read_conll(write("Ada O\n# not a tag\n"), comment="#")[0] == [["Ada"]]
    with pytest.raises(ValueError, match="comment='' begins every line"):
        read_conll(path, comment="")


def test_hashtags_are_tokens(write):
    tokens = ["#", "#ff", "#1", "# 1"]
    assert read_conll(write("\n\n".join(f"{token}\tx{i}" for i, token in enumerate(tokens))))[
        0
    ] == [[token] for token in tokens]


def test_labels_alone_in_the_last_column(write):
    path = write("Ada NN person\ncame VB O\n")
    assert read_conll(path)[1] == [["person", "O"]]
