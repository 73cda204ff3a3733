"""What objects say of themselves, as text and as HTML."""

from sklearn_cclm._tools.facts import FactsMixin, as_size, table


class Hostile(FactsMixin):
    def _title(self):
        return "<script>"

    def _facts(self):
        return {"a": "<b>", "longer": 1, "unknown": None}


def test_facts_are_lines_and_rows():
    assert str(Hostile()) == "<script>\n  a       <b>\n  longer  1"
    assert Hostile()._repr_html_().count("<tr>") == 2


def test_html_is_escaped():
    shown = Hostile()._repr_html_() + table("<i>", [["<u>", "<s>"]], ["<em>", "&"])
    assert not any(f"<{tag}>" in shown for tag in ("script", "b", "i", "u", "s", "em"))
    assert "&lt;script&gt;" in shown


def test_sizes_are_in_words():
    sizes = [as_size(n) for n in (0, 999, 1000, 26_333_694, 2 * 10**9)]
    assert sizes == ["0 bytes", "999 bytes", "1.0 kB", "26.3 MB", "2.0 GB"]
