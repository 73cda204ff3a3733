"""`Explanation`: a text of any length as a figure, and in a line."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from sklearn_cclm.robustness._explanation import Explanation
from sklearn_cclm.robustness._marked_text import lines_of

plt = pytest.importorskip("matplotlib.pyplot", reason="plots need matplotlib")
WORDS = "my card was not accepted at the till of a shop in a small town"


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def explanation(text, values=None):
    values = np.linspace(-1, 1, len(text)) if values is None else np.array(values, dtype=float)
    return Explanation(text, "refused", 0.5, 0.1, {"one": 0.6, "two": -0.2}, values)


def overlaps(axes):
    """Whether a word stands on another one, or outside the figure."""
    figure = axes.figure
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    inside = all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
    return not inside or any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])


@pytest.mark.parametrize("length", [1, 14, 65, 300, 2000])
def test_words_of_any_length_of_text_are_readable(length):
    text = (f"{WORDS} " * 40)[:length].strip()
    axes = explanation(text).plot()
    assert [word.get_text() for word in axes.texts] == text.split()
    assert all(word.get_size() > 7 for word in axes.texts)
    assert not overlaps(axes)


def test_words_fit_into_axes_that_are_there():
    left, right = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")[1]
    assert explanation(WORDS * 3).plot(left) is left
    assert not overlaps(left)
    assert not right.texts


def test_colours_say_what_words_do():
    axes = explanation("good bad -", [1] * 4 + [0] + [-1] * 3 + [0] * 2).plot()
    good, bad, nothing = (to_rgb(word.get_bbox_patch().get_facecolor()) for word in axes.texts)
    assert good[2] > good[0]
    assert bad[0] > bad[2]
    assert nothing == (1, 1, 1)
    assert axes.get_title() == (
        "decision for 'refused' +0.50: one +0.60, two -0.20, intercept +0.10"
    )
    assert axes.figure.axes[1].get_xlabel() == "contribution of a word's characters"


def test_words_have_the_mean_of_their_characters():
    ((one, two),) = lines_of("ab  cd", np.array([1, 3, 9, 9, -2, -4]))
    assert (one.text, one.column, one.value) == ("ab", 0, 2)
    assert (two.text, two.column, two.value) == ("cd", 4, -3)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [[]]),
        (" \n ", [[]]),
        ("one\ntwo\n\nthree", [["one"], ["two"], ["three"]]),
        ("x" * 80 + " y", [["x" * 72], ["x" * 8, "y"]]),
        ("a" * 40 + " " + "b" * 40, [["a" * 40], ["b" * 40]]),
        ("a" + " " * 100 + "b", [["a"], ["b"]]),
        ("卡不行 no", [["卡", "不", "行", "no"]]),
        ("字" * 40, [["字"] * 36, ["字"] * 4]),
    ],
)
def test_lines(text, lines):
    assert [[word.text for word in line] for line in lines_of(text, np.zeros(len(text)))] == lines


def test_long_texts_show_where_most_happens():
    text = f"{WORDS} " * 500
    values = np.zeros(len(text))
    place = text.index("accepted", 20_000)
    values[place : place + 8] = 1
    words = [word.get_text() for word in explanation(text, values).plot().texts]
    assert len(words) < 600
    assert words[0] == "…"
    found = explanation(text, values).plot()
    marked = [w for w in found.texts if to_rgb(w.get_bbox_patch().get_facecolor()) != (1, 1, 1)]
    assert [word.get_text() for word in marked] == ["accepted"]


def test_text_is_no_formula():
    assert explanation("$5 or $6").plot().texts[0].get_text() == "$5"
    explanation("$\\frac$").plot().figure.draw_without_rendering()


def test_a_line_says_it_without_the_array():
    found = repr(explanation(WORDS * 100))
    assert found.startswith("Explanation('my card was")
    assert found.endswith(
        "label='refused', decision +0.500: one +0.600, two -0.200, intercept +0.100)"
    )
    assert len(found) < 200
