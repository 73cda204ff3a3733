"""Rebuild the published tower "en-entities": names of persons, organisations, places and others.

    pip install -r recipes/requirements.txt
    python recipes/en_entities.py --shelf DIR [--teacher-epochs N] [--epochs N]
                                  [--last-epochs N] [--threads N] [--dtype DTYPE] [--work DIR]
                                  [--mistakes]

The shelf in the directory --shelf holds "en-semantic" already; its base stays as it is. First the
tower learns from sentences whose names a teacher has marked (`_silver.py`; what it says is kept in
--work), then from those that people have, and last from both. Those of people are the sentences of
wnut17, wikigold, UNER's EWT and CrossNER in the folder named by the environment variable CCLM_DATA
(default ../shared/data), their kinds of entities mapped to the four of CoNLL 2003, as `KINDS` says.
Their test sentences are left out, of wikigold, which has no split, the fifth that
benchmarks/entities.py measures on. A sentence with names is learned from twice: as it is, and with
others in their place, from the lists of `_names.py`, whose packages are fetched to --work. The
state of the training is kept there, too: after a crash the same command goes on. The model card has
the F1 on these test sentences, and of wnut17 that of each kind, under noise too, and what is found
in `EXAMPLES`. With --mistakes nothing is trained: it prints what the tower on the shelf does wrong.
"""

import argparse
import time
from functools import cache
from pathlib import Path

import _names
import _silver
import numpy as np
import torch
from _corpora import need
from _evaluate import RATES, curves

from sklearn_cclm import EntityPretrainer, PooledConfig, Shelf, Tower, TypoNoise
from sklearn_cclm.datasets import read_conll
from sklearn_cclm.robustness import EntityDisplay
from sklearn_cclm.shelf import Curve

DOMAINS = ("ai", "literature", "music", "politics", "science")
LICENCES = {
    "wnut17": "CC-BY-4.0",
    "wikigold": "CC-BY-4.0",
    "UNER EWT, dev": "CC-BY-SA-4.0",
    "CrossNER": "MIT",
    **_names.LICENCES,
    **_silver.LICENCES,
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
EXAMPLES = (
    "Barack Obama flew to New York .",
    "Where is teh nearset Starbcuks in San Fransisco?",
    "just saw justin bieber at the airport in toronto",
    "She read War and Peace on her Kindle while Manchester United lost in Leeds.",
)
RENAMED = 0.7  # share of the names in the second copy of each sentence
SMALL = 0.3  # share of the teacher's sentences that are learned from in small letters
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


def training(work):
    """Return the sentences and tags to learn from.

    Those with names come again with other names, and both in small letters.
    """
    domains = [f"crossner_{name}.{part}" for name in DOMAINS for part in ("train", "dev")]
    pairs = [wikigold()[0], *map(read, ["wnut17.train", "wnut17.dev", "uner_ewt.dev", *domains])]
    rows = [row for X, y in pairs for row in zip(X, y, strict=True)]
    named = [(tokens, found) for tokens, found in rows if set(found) != {"O"}]
    rng, lists = np.random.default_rng(0), _names.names(work)
    named += [_names.renamed(*row, lists, share=RENAMED, rng=rng) for row in named]
    rows += named[len(named) // 2 :]
    rows += [([token.lower() for token in tokens], found) for tokens, found in named]
    return [tokens for tokens, _ in rows], [found for _, found in rows]


def taught(work):
    """Return the sentences whose tags a teacher has given, some in small letters, and the tags."""
    sentences, tags = _silver.silver(work)
    small = np.random.default_rng(0).random(len(sentences)) < SMALL
    rows = zip(sentences, small, strict=True)
    return [[t.lower() for t in tokens] if low else tokens for tokens, low in rows], tags


def train(base, given, marked, options):
    """Return the pretrainer, fitted to what a teacher has given, what people marked, and both."""
    both = [*given[0], *marked[0]], [*given[1], *marked[1]]
    stages = {
        "teacher": (given, options.teacher_epochs),
        "people": (marked, options.epochs),
        "both": (both, options.last_epochs),
    }
    learner = EntityPretrainer(
        base,
        tower=PooledConfig(width=128, hidden=512),
        entity_weight=2.0,
        noise=TypoNoise({"scramble": 3, "slip": 1}, rate=(0, 0.4)),
        validation_fraction=0.0,
        warm_start=True,
        checkpoint_every=500,
        random_state=0,
        verbose=1,
    )
    for stage, (pair, epochs) in stages.items():
        place = options.work / f"checkpoint-entities-{stage}"
        learner.set_params(max_epochs=epochs, checkpoint=place).fit(*pair)
    return learner


def curves_of(tower, name, pair, *, kinds=()):
    """Return the F1 on test sentences, by rate of slips that leave spaces alone."""
    finder, (sentences, tags), scores = EntityPretrainer.from_tower(tower), pair, {}
    for rate in RATES:
        noise = TypoNoise("slip", rate=rate, random_state=0)
        noisy = [noise.transform(tokens).tolist() for tokens in sentences]
        display = EntityDisplay(noisy, tags, finder.predict(noisy))
        scores.setdefault(name, []).append(f1(display.true, display.predicted))
        for kind in kinds:
            scores.setdefault(f"{name}, {kind}", []).append(display.f1[kind])
    noise = "slips of the keyboard, share of letters"
    return [
        Curve(data, "F1 over entities", noise, RATES, tuple(round(float(x), 4) for x in values))
        for data, values in scores.items()
    ]


def f1(true, found):
    """Return the F1 score over entities."""
    right = sum(len({*a} & {*b}) for a, b in zip(true, found, strict=True))
    return 2 * right / (sum(map(len, true)) + sum(map(len, found)))


def shown(tower):
    """Return what is found in the examples, as a list in Markdown."""
    found = EntityPretrainer.from_tower(tower).predict(list(EXAMPLES))
    rows = [
        ", ".join(f"{text[start:end]} ({label})" for start, end, label in spans) or "nothing"
        for text, spans in zip(EXAMPLES, found, strict=True)
    ]
    return "\n".join(f"- {text} {row}" for text, row in zip(EXAMPLES, rows, strict=True))


def mistakes(tower):
    """Print what is taken for what on wnut17's test sentences, and which names are found."""
    X, y = read("wnut17.test")
    display = EntityDisplay(X, y, EntityPretrainer.from_tower(tower).predict(X))
    print(display, *display.labels, display.confusion, sep="\n")
    learned = [read(name) for name in ("wnut17.train", "wnut17.dev", "uner_ewt.dev")]
    displays = [EntityDisplay(*pair, [[] for _ in pair[0]]) for pair in learned]
    known = {name.lower() for each in displays for name, _ in found_of(each)}
    rows = list(found_of(display))
    for what, chosen in {
        "seen in training": [name.lower() in known for name, _ in rows],
        "with a capital": [name[0].isupper() for name, _ in rows],
    }.items():
        for is_so in (True, False):
            some = [found for (_, found), so in zip(rows, chosen, strict=True) if so is is_so]
            print(f"{what}: {is_so}, {len(some)} entities, found {np.mean(some):.3f}")


def found_of(display):
    """Yield the text of each entity, and whether it was found."""
    for text, true, found in zip(display.texts, display.true, display.predicted, strict=True):
        yield from ((text[span.start : span.end], span in found) for span in true)


def main():
    """Run the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher-epochs", type=int, default=2, help="passes, by a teacher (2)")
    parser.add_argument("--epochs", type=int, default=8, help="passes, by people (8)")
    parser.add_argument("--last-epochs", type=int, default=2, help="passes, by both (2)")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (2)")
    parser.add_argument("--dtype", default="int8", help="how weights are stored (int8)")
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / ".work")
    parser.add_argument("--shelf", type=Path, required=True, help="directory to publish to")
    parser.add_argument("--mistakes", action="store_true", help="of the tower on the shelf, alone")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    shelf = Shelf(options.shelf)
    if options.mistakes:
        return mistakes(shelf.fetch("en-entities"))
    given, marked = taught(options.work), training(options.work)
    start = time.perf_counter()
    fitted = train(shelf.fetch("en-semantic").base, given, marked, options)
    seconds = time.perf_counter() - start
    stored = options.work / "stored-entities"
    fitted.tower_.save(stored, dtype=options.dtype)
    loaded = Tower.load(stored)
    entry = shelf.publish(
        fitted.tower_,
        "en-entities",
        licence="CC-BY-SA-4.0",
        corpora=LICENCES,
        recipe=f"recipes/en_entities.py, {len(given[0]):,} sentences of a teacher x "
        f"{options.teacher_epochs}, {len(marked[0]):,} of people x {options.epochs}, both x "
        f"{options.last_epochs}, {seconds:.0f} s. {LIMITS}\n\nWhat it finds:\n\n{shown(loaded)}",
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
