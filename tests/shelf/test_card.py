"""Model cards, and what entries and values from a shelf say of themselves."""

from pathlib import Path

import pytest
from sklearn.base import BaseEstimator

from sklearn_cclm import EntityPretrainer, PooledConfig, Tower
from sklearn_cclm._tools.facts import as_size
from sklearn_cclm.shelf import Curve, ShelfError
from sklearn_cclm.shelf._card import draw


def test_card_tells_all(default):
    yaml = pytest.importorskip("yaml")
    entry = default.entry("tiny")
    card = default.card("tiny")
    _, head, body = card.split("---\n", 2)
    read = yaml.safe_load(head)
    assert read["license"] == "cc0-1.0"
    assert read["model-index"][0]["results"][0]["metrics"][0]["value"] == 0.9
    for fact in (entry.sha256, entry.base, "Four short texts", "Not trained.", "2026-01-31"):
        assert fact in body
    assert "| Open reviews, test | accuracy | typos | 0.900 | 0.800 |" in body
    assert "Limits: none are stated" in body
    assert "language" not in read


@pytest.mark.parametrize("task", ["masked_character", "entity", None])
def test_the_code_of_a_card_runs(default, base, said, task):
    if task == "entity":
        recipe = EntityPretrainer(base=base, tower=PooledConfig(width=4, hidden=4), max_epochs=1)
        trained = recipe.fit(["a hen", "a fox"] * 9, [[(2, 5, "animal")]] * 18).tower_
        default.publish(trained, "named", **said)
    name = {"masked_character": "tiny", "entity": "named", None: "tiny-base"}[task]
    code = default.card(name).split("```python\n")[1].split("```")[0]
    exec(code, found := {})
    assert isinstance(
        found[{"entity": "names", None: "tower"}.get(task, "model")], BaseEstimator | Tower
    )


def test_a_card_says_for_which_language_and_what_not_for(default, tower, said):
    yaml = pytest.importorskip("yaml")
    corpora = {"some texts": "CC0-1.0", "a big model (teacher)": "MIT"}
    known = {**said, "language": "de, en", "limits": "Short texts alone."}
    entry = default.publish(tower, "taught", **{**known, "corpora": corpora})
    _, head, body = default.card("taught").split("---\n", 2)
    assert yaml.safe_load(head)["language"] == ["de", "en"]
    opening = body.split("\n\n")[1]
    for words in ("(language: de, en)", "masked characters, taught by a big model.", "4 numbers"):
        assert words in opening
    assert "Limits: Short texts alone." in body
    assert default.entry("taught") == entry
    with pytest.raises(ShelfError, match="language='English' must be tags of languages"):
        default.publish(tower, "other", **{**known, "language": "English"})


def test_a_plot_names_its_axes_and_hides_nothing(default, tower, said, curve):
    noise = "slips, share of letters"
    curves = [
        Curve("some reviews", "accuracy", noise, (0, 0.1), (0.9, 0.8)),
        Curve("other reviews", "accuracy", noise, (0, 0.2), (0.7, 0.2)),
        Curve("some pairs", "rank correlation", noise, (0, 0.1), (0.1, -0.3)),
    ]
    figure = draw(default.publish(tower, "drawn", metrics=curves, **said))
    figure.draw_without_rendering()
    assert [axes.get_ylabel() for axes in figure.axes] == ["accuracy", "rank correlation"]
    assert {axes.get_xlabel() for axes in figure.axes} == {noise}
    for axes in figure.axes:
        low, high = axes.get_ylim()
        lines = [line.get_ydata() for line in axes.get_lines()]
        assert all(low < min(line) and max(line) < high for line in lines)
        frame, legend = axes.get_window_extent(), axes.get_legend().get_window_extent()
        assert legend.y0 >= frame.y1 - 1
        assert figure.bbox.y1 >= legend.y1


def test_what_is_read_from_a_shelf_says_so(default, said):
    tower = default.fetch("tiny")
    assert f"published     {default.entry('tiny').pinned}, 2026-01-31" in str(tower)
    assert "<td" in tower._repr_html_()
    assert "CC0-1.0" in tower._repr_html_()
    assert default.entry("tiny").pinned not in repr(tower)  # which tells values apart by content
    shown = default._repr_html_()
    assert shown.count("<tr>") == 3
    assert "tower of masked_character" in shown
    title, head, *lines = str(default).splitlines()
    assert title == f"Shelf {default.index}"
    starts = [head.index(name) for name in ("name", "what it is", "language", "licence", "size")]
    cells = [line[start:].split("  ")[0] for line in lines for start in starts]
    tiny, base = default.entry("tiny"), default.entry("tiny-base")
    assert cells == ["tiny", "tower of masked_character", "", "CC0-1.0", as_size(tiny.size)] + [
        "tiny-base", "base", "", "CC0-1.0", as_size(base.size)
    ]  # fmt: skip
    assert str(default.entry("tiny")).startswith("tiny, a tower of masked_character\n  vectors")


def test_published_card_has_a_plot_where_something_was_measured(shelf, root, monkeypatch):
    pytest.importorskip("matplotlib")
    card = Path(root, "tiny", "README.md").read_text(encoding="utf-8")
    assert "![Scores under noise](noise.svg)" in card
    assert Path(root, "tiny", "noise.svg").read_text(encoding="utf-8").startswith("<?xml")
    bare = Path(root, "tiny-base", "README.md").read_text(encoding="utf-8")
    assert bare == shelf.card("tiny-base")
    assert "Nothing." in bare
    assert not Path(root, "tiny-base", "noise.svg").exists()


def test_card_without_matplotlib_has_the_table_alone(shelf, tower, said, curve, monkeypatch):
    monkeypatch.setattr("sklearn_cclm.shelf._card.find_spec", lambda name: None)
    shelf.publish(tower, "plain", metrics=[curve], **said)
    assert sorted(path.name for path in Path(shelf.index, "plain").glob("*.*")) == ["README.md"]
    assert "| 0.900 | 0.800 |" in Path(shelf.index, "plain", "README.md").read_text("utf-8")
