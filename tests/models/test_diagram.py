"""Towers are blocks of scikit-learn's diagrams."""

import pytest
import tiny
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_html_repr

from sklearn_cclm import (
    ComposedClassifier,
    ComposedEmbedder,
    MaskedCharacterPretrainer,
    MultiTaskPretrainer,
)

TEXTS = ["good film", "bad film", "good book", "bad book"] * 3


@pytest.fixture(scope="module")
def tower():
    recipe = tiny.tiny("MaskedCharacterPretrainer", MaskedCharacterPretrainer)
    return recipe.set_params(random_state=0).fit(TEXTS).tower_


def test_parts_are_blocks_by_name(tower):
    pretrainer = MaskedCharacterPretrainer()
    shown = estimator_html_repr(ComposedClassifier([("one", tower), ("two", pretrainer)]))
    assert "sk-parallel" in shown
    for name in ("one", "two", "Tower of masked_character", "MaskedCharacterPretrainer"):
        assert name in shown
    tasks = estimator_html_repr(MultiTaskPretrainer([("gaps", pretrainer), ("runs", pretrainer)]))
    assert tasks.count('class="sk-parallel-item"') == 2
    assert "en-semantic" in estimator_html_repr(ComposedEmbedder())


def test_fitted_parts_are_shown_as_they_became(tower):
    entries = [("one", tower), ("words", TfidfVectorizer())]
    pipe = make_pipeline(ComposedEmbedder(entries, lexical=True), LogisticRegression())
    assert "Lexical(" not in estimator_html_repr(pipe)
    pipe.fit(TEXTS, [0, 1] * 6)
    shown = estimator_html_repr(pipe)
    assert "Lexical(" in shown
    assert " n-grams)" in shown
    assert tower.digest in shown


@pytest.mark.parametrize("towers", [[], "one", [("a", 1, 2)], 3, {"a": 1}])
def test_what_is_no_list_of_towers_is_shown_all_the_same(towers):
    assert "ComposedEmbedder" in estimator_html_repr(ComposedEmbedder(towers))
