"""The README's Python blocks run, in order, in one namespace, and its picture shows its figures."""

import json
import re
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = {  # of the picture, in the table
    "TF-IDF of character n-grams": "TF-IDF char_wb (2-5)",
    "all-MiniLM-L6-v2": "all-MiniLM-L6-v2",
    "ComposedEmbedder()": "`ComposedEmbedder()`",
    "adapted to the set's own text": "adapted, no teacher",
}


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def test_python_blocks_run_and_print_what_stands_below(capsys):
    namespace = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), namespace)
    printed = capsys.readouterr().out
    assert printed
    assert printed == blocks("text")[1]
    assert namespace["search"].predict(["cancel"]).shape == (1,)


def test_tfidf_answers_as_is_said():
    namespace = {}
    exec(blocks("python")[0].split("print(")[0], namespace)
    asked = ["my pakcage stil hasnt arived", "pls retrun my cahs", "forgot teh acces code"]
    assert all(f'"{text}"' in blocks("python")[0] for text in asked)
    ngrams = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    model = make_pipeline(ngrams, LogisticRegression()).fit(namespace["texts"], namespace["labels"])
    answers = ", ".join(model.predict(asked))
    assert f"in place of the embedder answers {answers}." in " ".join(README.split())
    seen = set(" ".join(namespace["texts"]).split())
    assert seen & set(" ".join(asked).split()) == {"my"}


def test_picture_shows_the_figures_of_the_table():
    results = json.loads((ROOT / "docs" / "results.json").read_text(encoding="utf-8"))
    cells = [re.split(r" *\| *", line)[1:-1] for line in README.splitlines() if line[:1] == "|"]
    table = {row[0]: row[1:5] for row in reversed(cells)}  # the first of rows of one name
    assert results["accuracy"].keys() == ROWS.keys() == results["texts per second"].keys()
    for name, scores in results["accuracy"].items():
        assert [f"{score:.3f}" for score in scores] == table[ROWS[name]]


def test_commands_are_one_line_with_their_own_environment():
    commands = blocks("bash")
    assert len(commands) == 2
    for command in commands:
        assert len(command.splitlines()) == 1
        assert command.startswith("python3 -m venv .venv && ")


def test_links_lead_somewhere():
    files = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(files) > 8
    assert all((ROOT / file).exists() for file in files)
    headings = {re.sub(r"\W+", "-", h.lower()) for h in re.findall(r"^#+ (.+)$", README, re.M)}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= headings
