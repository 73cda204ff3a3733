"""The quickstart prints the figures that the README shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = {
    "TF-IDF": "TF-IDF char_wb (2-5)",
    "ComposedEmbedder()": "`ComposedEmbedder()`",
    "without n-grams": "`ComposedEmbedder(lexical=False)`",
    "adapted": 'adapted, beside "en-semantic"',
}


def shown():
    """The rows of the README's table of the main job."""
    table = README.split("**The main job**")[1].split("\n\n")[1]
    cells = [re.split(r" *\| *", line)[1:-1] for line in table.splitlines()[2:]]
    return {row[0]: [float(cell) for cell in row[1:]] for row in cells}


@pytest.mark.slow
@pytest.mark.ci
def test_quickstart_prints_the_table_of_the_readme():
    command = [sys.executable, ROOT / "examples" / "quickstart.py"]
    environment = {**os.environ, "MPLBACKEND": "agg"}
    environment.pop("CCLM_QUICK", None)
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    table = shown()
    assert table.keys() == set(ROWS.values())
    for printed, row in ROWS.items():
        (scores,) = re.findall(rf"^{re.escape(printed)} +([\d. ]+)$", found.stdout, re.MULTILINE)
        assert [float(score) for score in scores.split()] == pytest.approx(table[row], abs=0.005)
    best = table[ROWS["adapted"]]
    assert all(
        ours > theirs + 0.1 for ours, theirs in zip(best, table[ROWS["TF-IDF"]], strict=True)
    )
