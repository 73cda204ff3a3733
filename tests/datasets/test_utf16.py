"""Places in units of UTF-16."""

import pytest

from sklearn_cclm.datasets import spans_from_utf16


def places(text, start, end):
    """Return places in characters as places in units of UTF-16."""
    return tuple(
        len(text[:place].encode("utf-16-le", "surrogatepass")) // 2 for place in (start, end)
    )


@pytest.mark.parametrize("text", ["🙂Ada🙂 met", "Ada", "e\u0301\ud800🙂Ada", "👩‍👩‍👧 Ada 🙂"])
def test_places_are_those_of_the_characters(text):
    start = text.index("Ada")
    spans = [(*places(text, start, start + 3), "x")]
    assert spans_from_utf16([text, ""], [spans, []]) == [[(start, start + 3, "x")], []]
    named = [{"start_offset": spans[0][0], "end_offset": spans[0][1], "label": "x"}]
    assert spans_from_utf16([text], [named]) == [[(start, start + 3, "x")]]
    whole = [(*places(text, 0, len(text)), "x")]
    assert spans_from_utf16([text], [whole]) == [[(0, len(text), "x")]]


def test_a_character_is_not_cut():
    with pytest.raises(ValueError, match=r"Span \(1, 3, 'x'\) of text 0 .* within a character"):
        spans_from_utf16(["🙂Ada"], [[(1, 3, "x")]])


def test_blanks_at_an_end():
    with pytest.warns(UserWarning, match="1 of 1 spans begin or end with spaces"):
        assert spans_from_utf16(["🙂 Ada"], [[(2, 6, "x")]]) == [[(2, 5, "x")]]
