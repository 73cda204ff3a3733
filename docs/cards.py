"""Write a page for each published tower from its model card, which is Markdown of few forms."""

import re
import shutil
from importlib.resources import files

from sklearn_cclm import Shelf

INTRODUCTION = """\
Published towers
================

The model cards of what comes with the package; :doc:`../user_guide/shelf` says how to get them, and
how to publish others.

.. toctree::
   :maxdepth: 1

"""


def table(block):
    """Return a table of Markdown as reStructuredText."""
    rows = [re.split(r"\s*(?<!\\)\|\s*", line)[1:-1] for line in block.splitlines()]
    head, _, *body = rows
    lines = [".. list-table::"]
    lines += ["   :header-rows: 1", ""] if any(head) else [""]
    for row in [head, *body] if any(head) else body:
        cells = [cell.replace("\\|", "|") for cell in row]
        lines += [f"   * - {cells[0]}", *(f"     - {cell}" for cell in cells[1:])]
    return "\n".join(lines)


def translated(block):
    """Return a block of a card as reStructuredText."""
    if block.startswith("```"):
        language, *code = block.strip("`").strip().splitlines()
        return "\n".join([f".. code-block:: {language}", "", *(f"   {line}" for line in code)])
    if block.startswith("|"):
        return table(block)
    if heading := re.fullmatch(r"(#+) (.*)", block):
        marks, title = heading.groups()
        return f"{title}\n{'=-'[len(marks) - 1] * len(title)}"
    return re.sub(r"!\[(.*)\]\((.*)\)", r".. image:: \2\n   :alt: \1", block)


def page(card, plot):
    """Return a card as a page, with a plot of what was measured."""
    text = re.sub(r"\A---\n.*?\n---\n", "", card, flags=re.DOTALL).strip()
    blocks = re.findall(r"```.*?```|[^\n].*?(?=\n\n|\Z)", text, flags=re.DOTALL)
    blocks.insert(blocks.index("## Trained on"), f"![Scores under noise]({plot})")
    return "\n\n".join(translated(block) for block in blocks) + "\n"


def write(folder):
    """Write the pages of all towers on the packaged shelf, and one that lists them."""
    folder.mkdir(exist_ok=True)
    shelf, published = Shelf(), files("sklearn_cclm.shelf") / "published"
    for name in shelf.list():
        shutil.copy(published / name / "noise.svg", folder / f"{name}.svg")
        (folder / f"{name}.rst").write_text(page(shelf.card(name), f"{name}.svg"), encoding="utf-8")
    names = "".join(f"   {name}\n" for name in shelf.list())
    (folder / "index.rst").write_text(INTRODUCTION + names, encoding="utf-8")
