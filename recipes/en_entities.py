"""Rebuild the published tower "en-entities": names of persons, organisations, places and others.

    pip install -r recipes/requirements.txt
    python recipes/en_entities.py --shelf DIR [--epochs N] [--threads N] [--dtype DTYPE]
                                  [--work DIR]

The shelf in the directory --shelf holds "en-semantic" already; its base stays as it is. Reads the
sentences of wnut17, wikigold, UNER's EWT and CrossNER in the folder named by the environment
variable CCLM_DATA (default ../shared/data), and maps their kinds of entities to the four of CoNLL
2003, as `KINDS` says. Their test sentences are left out, of wikigold, which has no split, the fifth
that benchmarks/entities.py measures on. The state of the training is kept in --work: after a crash
the same command goes on. The model card has the F1 on these test sentences, and of wnut17 that of
each kind, under noise too.
"""

import argparse
import time
from functools import cache
from pathlib import Path

import numpy as np
import torch
from _corpora import need
from _evaluate import RATES, curves

from sklearn_cclm import ConvConfig, EntityPretrainer, Shelf, Tower, TypoNoise
from sklearn_cclm.datasets import read_conll
from sklearn_cclm.robustness import EntityDisplay
from sklearn_cclm.shelf import Curve

DOMAINS = ("ai", "literature", "music", "politics", "science")
LICENCES = {
    "wnut17": "CC-BY-4.0",
    "wikigold": "CC-BY-4.0",
    "UNER EWT, dev": "CC-BY-SA-4.0",
    "CrossNER": "MIT",
}
# Kinds that are no names, such as "task", "field" and "metrics" of CrossNER, are left out.
KINDS = {
    "person": "person PER musicalartist politician researcher scientist writer",
    "organization": "organization organisation ORG group corporation band politicalparty "
    "university",
    "location": "location LOC country",
    "misc": "misc MISC product creative-work academicjournal album astronomicalobject award book "
    "conference election event literarygenre magazine musicgenre musicalinstrument poem "
    "programlang song",
}
KIND = {name: kind for kind, names in KINDS.items() for name in names.split()}
LIMITS = (
    "It knows English, and names of words that letters and digits make: none that begin or end "
    "inside a word. Persons and places are found best, works and products seldom; names in texts "
    "without capitals less often. UNER's EWT, which it has seen, names no misc."
)


@cache
def read(name):
    """Return sentences and tags of a file, in the four kinds; others, such as "task", are none."""
    sentences, tags = read_conll(need(f"ner_{name}.txt.gz"))
    return sentences, [[mapped(tag) for tag in row] for row in tags]


def mapped(tag):
    """Return a tag as one of the four kinds."""
    prefix, _, label = tag.partition("-")
    return f"{prefix}-{KIND[label]}" if label in KIND else "O"


def wikigold():
    """Return the sentences and tags to learn from, and the fifth to test on."""
    sentences, tags = read("wikigold.all")
    order = np.random.default_rng(0).permutation(len(sentences))
    cut = len(order) // 5
    return [
        ([sentences[i] for i in rows], [tags[i] for i in rows])
        for rows in (order[cut:], order[:cut])
    ]


def training():
    """Return the sentences and tags to learn from."""
    domains = [f"crossner_{name}.{part}" for name in DOMAINS for part in ("train", "dev")]
    pairs = [wikigold()[0], *map(read, ["wnut17.train", "uner_ewt.dev", *domains])]
    return [row for X, _ in pairs for row in X], [row for _, y in pairs for row in y]


def pretrainer(base, options):
    """Return the unfitted pretrainer."""
    return EntityPretrainer(
        base,
        tower=ConvConfig(width=128, n_layers=2),
        entity_weight=2.0,
        noise=TypoNoise({"scramble": 3, "slip": 1}, rate=(0, 0.4)),
        max_epochs=options.epochs,
        validation_fraction=0.0,
        checkpoint=options.work / "checkpoint-entities",
        checkpoint_every=500,
        random_state=0,
        verbose=1,
    )


def curves_of(tower, name, pair, *, kinds=()):
    """Return the F1 on test sentences, by rate of slips that leave spaces alone."""
    finder, (sentences, tags), scores = EntityPretrainer.from_tower(tower), pair, {}
    for rate in RATES:
        noise = TypoNoise("slip", rate=rate, random_state=0)
        noisy = [noise.transform(tokens).tolist() for tokens in sentences]
        scores.setdefault(name, []).append(finder.score(noisy, tags))
        display = EntityDisplay(noisy, tags, finder.predict(noisy))
        for kind in kinds:
            scores.setdefault(f"{name}, {kind}", []).append(display.f1[kind])
    noise = "slips of the keyboard, share of letters"
    return [
        Curve(data, "F1 over entities", noise, RATES, tuple(round(float(x), 4) for x in values))
        for data, values in scores.items()
    ]


def main():
    """Run the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=12, help="passes (12)")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (2)")
    parser.add_argument("--dtype", default="int8", help="how weights are stored (int8)")
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / ".work")
    parser.add_argument("--shelf", type=Path, required=True, help="directory to publish to")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    shelf = Shelf(options.shelf)
    sentences, tags = training()
    start = time.perf_counter()
    fitted = pretrainer(shelf.fetch("en-semantic").base, options).fit(sentences, tags)
    seconds = time.perf_counter() - start
    stored = options.work / "stored-entities"
    fitted.tower_.save(stored, dtype=options.dtype)
    loaded = Tower.load(stored)
    entry = shelf.publish(
        fitted.tower_,
        "en-entities",
        licence="CC-BY-SA-4.0",
        corpora=LICENCES,
        recipe=f"recipes/en_entities.py, {len(sentences):,} sentences x {options.epochs}, "
        f"{seconds:.0f} s. {LIMITS}",
        metrics=[
            *curves_of(loaded, "wnut17, test", read("wnut17.test"), kinds=KINDS),
            *curves_of(loaded, "wikigold, a fifth", wikigold()[1]),
            *curves_of(loaded, "UNER EWT, test", read("uner_ewt.test")),
            *curves(loaded),
        ],
        dtype=options.dtype,
        language="en",
        limits="It learned from English alone, and the kinds of names that its corpora mark.",
        base_in="en-semantic",
    )
    print(f"published {entry.pinned}, {entry.size:,} bytes: {entry.metrics}")


if __name__ == "__main__":
    main()
