"""Rebuild the published tower "en-entities": names of persons, organisations, places and others.

    pip install -r recipes/requirements.txt
    python recipes/en_entities.py --shelf DIR [--epochs N] [--threads N] [--dtype DTYPE]
                                  [--work DIR]

The shelf in the directory --shelf holds "en-semantic" already; its base stays as it is. Reads the
training sentences of wnut17, wikigold and CrossNER in the folder named by the environment variable
CCLM_DATA (default ../shared/data), and maps their kinds of entities to the four of CoNLL 2003. The
state of the training is kept in --work: after a crash the same command goes on. The model card has
the F1 on the test sentences of wnut17, their kinds mapped in the same way, under noise too.
"""

import argparse
import time
from pathlib import Path

import torch
from _corpora import need
from _evaluate import RATES, curves

from sklearn_cclm import ConvConfig, EntityPretrainer, Shelf, Tower, TypoNoise
from sklearn_cclm.datasets import read_conll
from sklearn_cclm.shelf import Curve

DOMAINS = ("ai", "literature", "music", "politics", "science")
LICENCES = {"wnut17": "CC-BY-4.0", "wikigold": "CC-BY-4.0", "CrossNER": "MIT"}
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


def read(name):
    """Return sentences and tags of a file, in the four kinds; others, such as "task", are none."""
    sentences, tags = read_conll(need(f"ner_{name}.txt.gz"))
    return sentences, [[mapped(tag) for tag in row] for row in tags]


def mapped(tag):
    """Return a tag as one of the four kinds."""
    prefix, _, label = tag.partition("-")
    return f"{prefix}-{KIND[label]}" if label in KIND else "O"


def training():
    """Return the sentences and tags to learn from."""
    parts = ["wnut17.train", "wikigold.all", *(f"crossner_{name}.train" for name in DOMAINS)]
    pairs = [read(part) for part in parts]
    return [row for X, _ in pairs for row in X], [row for _, y in pairs for row in y]


def pretrainer(base, options):
    """Return the unfitted pretrainer."""
    return EntityPretrainer(
        base,
        tower=ConvConfig(width=128),
        max_epochs=options.epochs,
        validation_fraction=0.0,
        checkpoint=options.work / "checkpoint-entities",
        checkpoint_every=500,
        random_state=0,
        verbose=1,
    )


def curve(tower):
    """Return the F1 on wnut17's test sentences, by rate of slips that leave spaces alone."""
    fitted, (sentences, tags) = EntityPretrainer.from_tower(tower), read("wnut17.test")
    scores = []
    for rate in RATES:
        noise = TypoNoise("slip", rate=rate, random_state=0)
        noisy = [noise.transform(tokens).tolist() for tokens in sentences]
        scores.append(round(float(fitted.score(noisy, tags)), 4))
    return Curve(
        "wnut17, test", "F1 over entities", "slips of the keyboard, share of letters", RATES,
        tuple(scores),
    )  # fmt: skip


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
        licence="CC-BY-4.0",
        corpora=LICENCES,
        recipe=f"recipes/en_entities.py, {len(sentences):,} sentences x {options.epochs}, "
        f"{seconds:.0f} s",
        metrics=[curve(loaded), *curves(loaded)],
        dtype=options.dtype,
        language="en",
        limits="It learned from English alone, and the kinds of names that its corpora mark.",
        base_in="en-semantic",
    )
    print(f"published {entry.pinned}, {entry.size:,} bytes: {entry.metrics}")


if __name__ == "__main__":
    main()
