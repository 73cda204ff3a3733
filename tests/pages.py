"""The code of the user guide's pages, to be run as it stands."""

import re
from pathlib import Path
from textwrap import dedent

GUIDE = Path(__file__).parents[1] / "docs" / "user_guide"


def sections(page):
    """Return the code of each section of a page, by its title."""
    text = (GUIDE / f"{page}.rst").read_text(encoding="utf-8")
    parts = re.split(r"^(.+)\n(?:=+|-+)\n", text, flags=re.MULTILINE)
    return {
        title: "\n".join(
            dedent(block)
            for block in re.findall(
                r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", part, flags=re.MULTILINE
            )
        )
        for title, part in zip(parts[1::2], parts[2::2], strict=True)
    }


def run(page, title, **given):
    """Run the code of a page's beginning, then of a section; return what it leaves, by name."""
    code = sections(page)
    names = {"__name__": "__main__", **given}
    for part in (next(iter(code)), title):
        exec(compile(code[part], f"{page}.rst, {part}", "exec"), names)
    return names
