"""What the recipe of the corpus lets through, and what it recognises of the evaluation."""

import gzip
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from _cleaning import OVERLAP, Shingles, clean, evaluation_texts, normalised
from _names import renamed
from _silver import tagged

RECIPES = Path(__file__).parents[1] / "recipes"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  <p>Fish &amp; <b>chips</b>\n", "Fish & chips"),
        ("\u201cIs it?\u201d", "Is it?"),
        ("3 < 5 and 7 > 2 are both true", "3 < 5 and 7 > 2 are both true"),
        ("ok", ""),
        ("a" * 301, ""),
        ("write to jo@example.org", ""),
        ("see https://example.org", ""),
        ("call 415-555-0101 now", ""),
        ("The %(name)s was saved", ""),
        ("(offensive) a person", ""),
        ("\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440", ""),
        ("0.12 0.34 0.56 x", ""),
    ],
)
def test_clean(text, expected):
    assert clean(text) == expected


def test_normalised_forgets_case_and_punctuation():
    assert normalised("Don't_ do  THAT!") == normalised("dont do that") == "dontdothat"


@pytest.mark.parametrize("batch", [1, 2, 20_000])
@pytest.mark.parametrize("n_shared", [OVERLAP - 1, OVERLAP])
def test_shingles_find_lines_that_share_enough_characters(n_shared, batch):
    known = "".join(chr(ord("a") + row * row % 26) for row in range(7)) + "0123456789" * 6
    shingles = Shingles(["short", known])
    lines = ["x" * 90, "", "y" * 20 + known[5 : 5 + n_shared] + "z", "x"]
    expected = [False, False, n_shared == OVERLAP, False]
    assert shingles.shared(lines, batch=batch).tolist() == expected


def test_shingles_do_not_span_lines():
    known = "abcdefghij" * 4
    assert not Shingles([known]).shared([known[:20], known[20:]]).any()


def test_evaluation_texts_of_tables_and_tagged_sentences(tmp_path):
    with gzip.open(tmp_path / "set.csv.gz", "wt", encoding="utf-8") as file:
        file.write('text,label\n"One, two!",a\n,b\n')
    with gzip.open(tmp_path / "ner_set.train.txt.gz", "wt", encoding="utf-8") as file:
        file.write("New\tB-LOC\nYork\tI-LOC\n\nYes\tO\n.\tO\n")
    assert evaluation_texts(tmp_path) == {"onetwo", "newyork", "yes"}


def test_sources_are_pinned_and_licensed():
    sources = tomllib.loads((RECIPES / "sources.toml").read_text(encoding="utf-8"))
    for name, source in sources.items():
        assert {"package", "licence", "most", "reader"} <= source.keys(), name
        assert source["licence"], name
        registry, _, *version = source["package"].split()
        assert registry == "data" or version, name


def test_renamed_entities_have_another_name_of_their_kind():
    tokens = ["Ada", "Byron", "met", "BOB", "in", "rome", "."]
    tags = ["B-person", "I-person", "O", "B-person", "O", "B-location", "O"]
    lists = {"person": [["Carol"], ["Carol"]], "location": [["New York", ""]]}
    rng = np.random.default_rng(0)
    assert renamed(tokens, tags, lists, share=0, rng=rng) == (tokens, tags)
    found, kinds = renamed(tokens, tags, lists, share=1, rng=rng)
    assert found == ["Carol", "met", "Carol", "in", "new", "york", "."]
    assert kinds == ["B-person", "O", "B-person", "O", "B-location", "I-location", "O"]
    assert renamed(["no", "one"], ["O", "O"], lists, share=1, rng=rng)[0] == ["no", "one"]


def test_kinds_of_a_teacher_are_mapped_and_blanks_left_out():
    class Doc(list):
        ents = (
            SimpleNamespace(start=0, end=2, label_="WORK_OF_ART"),
            SimpleNamespace(start=3, end=4, label_="GPE"),
            SimpleNamespace(start=4, end=5, label_="DATE"),
        )

    words = ["War", "Peace", " ", "Rome", "today"]
    tokens, tags = tagged(Doc(SimpleNamespace(text=w, is_space=w.isspace()) for w in words))
    assert tokens == ["War", "Peace", "Rome", "today"]
    assert tags == ["B-misc", "I-misc", "B-location", "O"]
