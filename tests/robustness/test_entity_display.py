"""Entities in HTML, and what a model takes them for."""

from xml.etree.ElementTree import fromstring

import pytest

from sklearn_cclm._targets.entities import Span
from sklearn_cclm.robustness import EntityDisplay, spans_html

TEXTS = ["Ada met Bob in Rome", "Oslo & <Bonn>"]
TRUE = [[(0, 3, "P"), (8, 11, "P"), (15, 19, "L")], [(0, 4, "L"), (8, 12, "L")]]
FOUND = [[(0, 3, "P"), (4, 11, "P"), (15, 19, "P")], [(5, 6, "L"), (8, 12, "L")]]


class Finder:
    def predict(self, X):
        return [FOUND[TEXTS.index(text)] for text in X]


def test_entities_are_marked():
    root = fromstring(spans_html("a <b>\n🙂 Ada", [Span(8, 11, 'x"y', 0.876)]))
    (mark,) = root
    assert root.text == "a <b>\n🙂 "
    assert (mark.tag, mark.text, mark.get("title"), mark[0].text) == ("mark", "Ada", "0.88", 'x"y')
    assert "".join(fromstring(spans_html("Ada & Bob", [])).itertext()) == "Ada & Bob"


def test_a_label_has_one_colour():
    one, other, third = (
        fromstring(spans_html("Ada", [(0, 3, label)]))[0].get("style") for label in ("a", "a", "b")
    )
    assert one == other != third


def test_lone_surrogates_are_shown():
    assert "\N{REPLACEMENT CHARACTER}" in spans_html("\ud800 Ada", [(0, 1, "x")])


def test_spans_must_be_in_the_text():
    with pytest.raises(ValueError, match="leaves the text"):
        spans_html("Ada", [(0, 4, "x")])


def test_confusions():
    display = EntityDisplay(TEXTS, TRUE, FOUND)
    assert display.labels == ("L", "P")
    assert display.confusion.tolist() == [[1, 1, 1], [0, 2, 0], [1, 0, 0]]
    assert display.boundaries == 1
    assert display.f1 == pytest.approx({"L": 2 / 5, "P": 2 / 5})
    assert repr(display) == "EntityDisplay(2 texts, 5 entities, 5 marked, 1 within other ends)"


def test_it_is_plotted_and_shown():
    display = EntityDisplay.from_estimator(Finder(), TEXTS, TRUE)
    assert [label.get_text() for label in display.ax_.get_xticklabels()] == ["L", "P", "none"]
    assert [text.get_text() for text in display.ax_.texts] == list("111020100")
    root = fromstring(f"<div>{display._repr_html_()}</div>")
    assert root[0].text.startswith("F1: L 0.40, P 0.40; 5 entities")
    assert len(root.findall(".//tr")) == 3


def test_nothing_to_find():
    display = EntityDisplay(["", "x"], [[], []], [[], []])
    assert display.plot().confusion.tolist() == [[0]]
    assert display.f1 == {}
