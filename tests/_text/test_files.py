"""Lines of text files."""

import gzip

import pytest

from sklearn_cclm.datasets import TextFiles


def test_lines_of_all_files_by_name(tmp_path):
    (tmp_path / "b.txt").write_text("third\n", encoding="utf-8")
    (tmp_path / "a.txt").write_bytes("erste Zeile: ä\r\n\nsecond".encode())
    with gzip.open(tmp_path / "c.txt.gz", "wt", encoding="utf-8") as file:
        file.write("fourth\u2028still fourth\n")
    lines = TextFiles(tmp_path / "*.txt*")
    expected = ["erste Zeile: ä", "", "second", "third", "fourth\u2028still fourth"]
    assert list(lines) == list(lines) == expected


def test_encoding(tmp_path):
    (tmp_path / "a.txt").write_bytes("ä\n".encode("latin-1"))
    assert list(TextFiles(tmp_path / "a.txt", encoding="latin-1")) == ["ä"]


@pytest.mark.parametrize("name", ["none.txt", "*.txt"])
def test_no_such_file_is_an_error(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=r"txt"):
        list(TextFiles(tmp_path / name))


def test_byte_order_marks_begin_files_and_are_no_text(tmp_path):
    for name, encoding in (("a.txt", "utf-8-sig"), ("b.txt", "utf-8-sig")):
        (tmp_path / name).write_text("one\n\ufefftwo\n", encoding=encoding)
    assert list(TextFiles(tmp_path / "*.txt")) == ["one", "\ufefftwo"] * 2
    (tmp_path / "c").write_text("ä\n", encoding="utf-16")
    assert list(TextFiles(tmp_path / "c", encoding="utf-16")) == ["ä"]


def test_line_ends(tmp_path):
    contents = {
        "a\rb\r": ["a", "b"],
        "a\rb\r\n\rc\n": ["a\rb", "\rc"],
        "a\r": ["a"],
        "a\r\n": ["a"],
    }
    for content, lines in contents.items():
        (tmp_path / "a.txt").write_bytes(content.encode())
        assert list(TextFiles(tmp_path / "a.txt")) == lines
