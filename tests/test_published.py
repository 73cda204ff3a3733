"""The towers that come with the package, and what is made of them where none are named."""

import os
import tomllib
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import normalize

from sklearn_cclm import (
    ComposedClassifier,
    ComposedEmbedder,
    ComposedModel,
    ComposedTagger,
    EntityPretrainer,
    Shelf,
    load,
)
from sklearn_cclm.datasets import read_conll
from sklearn_cclm.shelf import ShelfError
from sklearn_cclm.shelf._installed import PACKAGED

TEXTS = ["where is my card", "my card has not arrived", "cancel the order", "I want a refund"]


@pytest.fixture(autouse=True)
def packaged(monkeypatch):
    monkeypatch.delenv("SKLEARN_CCLM_SHELF", raising=False)


def test_towers_stand_on_one_base_and_are_small():
    entries = Shelf().verify()
    assert sorted({entry.name for entry in entries}) == ["en-entities", "en-mlm", "en-semantic"]
    assert len({entry.base for entry in entries}) == 1
    assert [entry.name for entry in entries if entry.base_in is None] == ["en-semantic"]
    assert sum(entry.size for entry in entries) <= 41e6
    folder = Path(Shelf()._location)
    for entry in entries:
        assert entry.metrics
        card = (folder / entry.name / "README.md").read_text(encoding="utf-8")
        assert entry.sha256 in card


def test_what_is_printed_fits_a_screen():
    for entry in Shelf().search():
        assert max(map(len, str(entry).splitlines())) < 120
        assert max(map(len, str(Shelf().fetch(entry.name)).splitlines())) < 120
    assert "and 36 others, see its card" in str(Shelf().entry("en-semantic"))


def test_licences_of_weights_are_told():
    root = Path(__file__).parents[1]
    notice = (root / "LICENSES" / "weights.txt").read_text(encoding="utf-8")
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    entries = Shelf(PACKAGED).search()
    licences = {"BSD-3-Clause", *(entry.licence for entry in entries)}
    assert set(project["license"].split(" AND ")) == licences
    for entry in entries:
        told = notice.split(f"\n{entry.name}: {entry.licence}\n")[1].split("\n\n")[0]
        told = " ".join(told.split())
        for corpus, licence in entry.corpora.items():
            assert f"{corpus.removesuffix(' (teacher)')} ({licence})" in told
    assert Shelf(PACKAGED).entry("en-semantic").licence in ComposedEmbedder.__doc__


def test_an_embedder_without_towers_knows_english():
    embedder = ComposedEmbedder(lexical=False)
    pairs = [
        ("my crad is lsot", "my card is lost", "what a lovely evening"),
        ("the movie was great", "I enjoyed the film", "book a table for two"),
        ("is it going to rain", "what is the weather like", "I enjoyed the film"),
    ]
    for text, alike, other in pairs:
        a, b, c = normalize(embedder.transform([text, alike, other]))
        assert a @ b > a @ c + 0.15


def test_parameters_of_an_embedder_without_towers(tmp_path):
    embedder = clone(ComposedEmbedder())
    assert embedder.get_params()["towers"] is None
    assert [name for name, _ in embedder.fit(TEXTS).towers_] == ["en-semantic", "lexical"]
    assert embedder.get_feature_names_out()[0] == "en-semantic__0"
    vectors = embedder.transform(TEXTS)
    np.testing.assert_allclose(sparse.linalg.norm(vectors, axis=1), 5, rtol=0.05)
    embedder.save(tmp_path / "embedder", dtype="int8")
    again = load(tmp_path / "embedder")
    assert again.towers is None
    np.testing.assert_allclose(again.transform(TEXTS).toarray(), vectors.toarray(), atol=1e-4)
    alone = ComposedEmbedder(lexical=False)
    weighted = clone(alone).set_params(tower_weights={"en-semantic": 2.0})
    np.testing.assert_allclose(weighted.transform(TEXTS), 2 * alone.transform(TEXTS), rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(alone.transform(TEXTS), axis=1), 5, rtol=0.1)


def test_two_lines_to_start():
    pipe = make_pipeline(ComposedEmbedder(), LogisticRegression()).fit(TEXTS, [0, 0, 1, 1])
    assert pipe.predict(["wheres my crad", "pls cancel it"]).tolist() == [0, 1]
    head = ComposedClassifier(linear_probe=True, max_epochs=1, random_state=0)
    assert head.fit(TEXTS * 5, [0, 0, 1, 1] * 5).score(TEXTS, [0, 0, 1, 1]) == 1
    assert ComposedModel().fit_transform(["some"]).shape == (1, 4, 288)


def test_entities_are_found():
    names = EntityPretrainer.from_tower("en-entities")
    assert set(names.labels_) == {"location", "misc", "organization", "person"}
    text = "Barack Obama flew to New York ."
    (spans,) = names.predict([text])
    found = {text[span.start : span.end]: span.label for span in spans}
    assert found == {"Barack Obama": "person", "New York": "location"}


def test_misspelt_entities_end_with_their_words():
    text = "Where is teh nearset Starbcuks in San Fransisco?"
    (spans,) = EntityPretrainer.from_tower("en-entities").predict([text])
    found = {text[span.start : span.end]: span.label for span in spans}
    assert found["San Fransisco"] == "location"
    assert found.keys() <= {"San Fransisco", "Starbcuks"}


def test_entities_are_found_wherever_they_stand():
    """Windows end at character 320, in the middle of names here."""
    names = EntityPretrainer.from_tower("en-entities")
    calm = "the weather was dull and nobody wanted to go outside that day . " * 6
    text = "Angela Merkel spoke in Berlin . "
    found = [(0, 13, "person"), (23, 29, "location")]
    for place in (285, 291, 296, 304, 312, 316, 320):
        before = (calm[: place - 12].rpartition(" ")[0] + " was so very").ljust(place)
        (spans,) = names.predict([before + text + calm])
        assert [(s.start - place, s.end - place, s.label) for s in spans] == found
        assert all(0.5 < span.score <= 1 for span in spans)


def test_a_shelf_without_the_published_tower_says_so(tmp_path, monkeypatch):
    Path(tmp_path, "index.json").write_bytes(
        b'{"entries": [], "format": "sklearn_cclm.shelf", "format_version": 1}'
    )
    monkeypatch.setenv("SKLEARN_CCLM_SHELF", str(tmp_path))
    with pytest.raises(ShelfError, match="'en-semantic' is not on the shelf"):
        ComposedEmbedder().fit(TEXTS)


@pytest.mark.slow
def test_another_tower_beside_it_costs_two_points_of_entities_at_most():
    """By three draws of weights and order, on messages that no tower has seen."""
    folder = Path(os.environ.get("CCLM_DATA", "../shared/data"))
    if not (folder / "ner_wnut17.train.txt.gz").exists():
        pytest.skip(f"ner_wnut17 is not in {folder}: set CCLM_DATA to the folder that holds it")
    (X, y), test = (read_conll(folder / f"ner_wnut17.{part}.txt.gz") for part in ("train", "test"))
    how = {"freeze": "base", "noise": "auto", "max_epochs": 2, "validation_fraction": 0.0}

    def score(*names):
        towers = [(name, name) for name in names]
        taggers = [ComposedTagger(towers, **how, random_state=seed) for seed in range(3)]
        return np.mean([tagger.fit(X[:400], y[:400]).score(*test) for tagger in taggers])

    assert score("en-semantic", "en-entities") > score("en-entities") - 0.02
