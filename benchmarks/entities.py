"""Entity-level F1 of taggers, from scratch and from published towers, clean and misspelt.

    python benchmarks/entities.py [--sets NAME ...] [--models NAME ...] [--seeds N] [--epochs N]
                                  [--threads N] [--quick] [--json FILE]

Reads the data sets from the folder in the environment variable CCLM_DATA (default ../shared/data).
"wnut17" is trained on its training sentences, "uner_ewt" on its dev ones, and "crossner" is the
mean of five domains with 100 to 200 training sentences each. Of wikigold, which has no split, a
fifth of the sentences, drawn with a fixed seed, is the test set. "en-entities" has seen all of
these training sentences, of wnut17 and CrossNER also the dev ones, with other kinds of entities,
and no test sentence. Noise replaces one letter in ten of the test sentences by its neighbour on the
keyboard. "corrected, from scratch" reads test sentences whose unknown words a corrector of spelling
has replaced by the nearest known ones, if symspellpy is there. "entities, self-trained" learns
once more from the training sentences and from 8,000 tweets with the tags that it gave them the
first time; there are tweets for "wnut17" alone. F1 is that of seqeval over the draws
of --seeds; seconds of training and sentences/s of `predict` are of processor time, all threads'.
"""

import argparse
import json
import time
from functools import cache
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _data import need
from sklearn.base import clone

from sklearn_cclm import ComposedTagger, EntityPretrainer, PooledConfig, Shelf, TypoNoise
from sklearn_cclm.datasets import read_conll

DOMAINS = ("ai", "literature", "music", "politics", "science")
FILES = {
    "wnut17": [("wnut17.train", "wnut17.test")],
    "wikigold": [("wikigold.all", None)],
    "uner_ewt": [("uner_ewt.dev", "uner_ewt.test")],
    "crossner": [(f"crossner_{name}.train", f"crossner_{name}.test") for name in DOMAINS],
}
TOWERS = {
    "semantic": ["en-semantic"],
    "mlm": ["en-mlm"],
    "semantic, mlm": ["en-semantic", "en-mlm"],
    "entities": ["en-entities"],
    "semantic, entities": ["en-semantic", "en-entities"],
    "semantic, mlm, entities": ["en-semantic", "en-mlm", "en-entities"],
}
SELF_TRAINED = ", self-trained"  # ends the name of a model that learns from its own tags as well
TWEETS = 8000
CORRECTED = "corrected, "  # begins the name of a model whose test sentences are
MODELS = (
    "from scratch",
    *([f"{CORRECTED}from scratch"] if find_spec("symspellpy") else []),
    "on published base",
    "init_from en-entities",
    *TOWERS,
    f"entities{SELF_TRAINED}",
)


def read(train, test):
    """Return training and test sentences, each with their tags."""
    sentences, tags = read_conll(need(f"ner_{train}.txt.gz"))
    if test is not None:
        return (sentences, tags), read_conll(need(f"ner_{test}.txt.gz"))
    order = np.random.default_rng(0).permutation(len(sentences))
    cut = len(order) // 5
    return [
        ([sentences[i] for i in rows], [tags[i] for i in rows])
        for rows in (order[cut:], order[:cut])
    ]


def model(name, seed, n, epochs):
    """Return an unfitted model; of few sentences there are more passes."""
    how = {"validation_fraction": 0.0, "entity_weight": 2.0, "random_state": seed}
    how["max_epochs"] = epochs or (30 if n < 500 else 6)
    tower = PooledConfig(width=128, hidden=512)  # that of "en-entities"
    if name == "from scratch":
        return EntityPretrainer(tower=tower, **how)
    base = Shelf().fetch("en-entities").base
    if name == "on published base":
        return EntityPretrainer(base, tower=tower, **how)
    if name == "init_from en-entities":
        return EntityPretrainer(base, init_from="en-entities", **how)
    towers = [(tower, tower) for tower in TOWERS[name]]
    return ComposedTagger(towers, freeze="base", noise="auto", **how)


@cache
def speller():
    """Return a function that replaces a word by the nearest known one, in letters as large."""
    from symspellpy import SymSpell, Verbosity

    words = SymSpell(max_dictionary_edit_distance=2, prefix_length=7)
    with as_file(files("symspellpy") / "frequency_dictionary_en_82_765.txt") as path:
        words.load_dictionary(path, term_index=0, count_index=1)

    def corrected(word):
        if not (word.isalpha() and len(word) > 3):
            return word
        found = words.lookup(word, Verbosity.TOP, max_edit_distance=2, transfer_casing=True)
        return found[0].term if found else word

    return corrected


@cache
def trained(name, sets, seed, quick, epochs):
    """Return a fitted model and the seconds that took."""
    (X, y), _ = read(*sets)
    if quick:
        X, y, epochs = X[:60], y[:60], 1
    start = time.process_time()
    fitted = model(name.removesuffix(SELF_TRAINED), seed, len(X), epochs).fit(X, y)
    if name.endswith(SELF_TRAINED):
        more = tweets()[:60] if quick else tweets()
        fitted = clone(fitted).fit(X + more, y + fitted.predict(more))
    return fitted, time.process_time() - start


@cache
def tweets():
    """Return the words of tweets, none of them of wnut17."""
    found = [pd.read_csv(need(f"tweet_{name}.csv.gz"))["text"] for name in ("emotion", "irony")]
    return [text.split() for text in pd.concat(found).sample(TWEETS, random_state=0)]


def measure(name, sets, seed, options):
    """Return what one model does on one set: seconds, sentences/s, F1 clean and misspelt."""
    _, (tests, truth) = read(*sets)
    if options.quick:
        tests, truth = tests[:60], truth[:60]
    noise = TypoNoise("slip", rate=0.1, random_state=0)
    noisy = [noise.transform(tokens).tolist() for tokens in tests]
    plain = name.removeprefix(CORRECTED)
    if plain != name:
        tests, noisy = ([list(map(speller(), t)) for t in rows] for rows in (tests, noisy))
    fitted, seconds = trained(plain, sets, seed, options.quick, options.epochs)
    fitted.predict(tests[:10])
    start = time.process_time()
    fitted.predict(tests)
    speed = len(tests) / (time.process_time() - start)
    return seconds, speed, fitted.score(tests, truth), fitted.score(noisy, truth)


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=list(FILES), choices=FILES, metavar="NAME")
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS, metavar="NAME")
    parser.add_argument("--seeds", type=int, default=3, help="draws of weights and order (3)")
    parser.add_argument("--epochs", type=int, help="passes (6, of few sentences 30)")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (2)")
    parser.add_argument("--quick", action="store_true", help="a tiny run that shows the steps")
    parser.add_argument("--json", type=Path, help="also write the figures to a file")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    seeds, rows = 1 if options.quick else options.seeds, []
    print("| data set | model | seconds | sentences/s | F1 | F1, 10 % noise |")
    print("|---|---|---|---|---|---|")
    for data in options.sets:
        for name in options.models:
            if name.endswith(SELF_TRAINED) and data != "wnut17":
                continue
            sets = FILES[data][:1] if options.quick else FILES[data]
            found = [[measure(name, f, seed, options) for f in sets] for seed in range(seeds)]
            each = np.mean(found, axis=1)  # of the sets that are one
            (seconds, speed, clean, noisy), spread = each.mean(axis=0), each.std(axis=0)[2]
            rows.append(
                {"data": data, "model": name, "seconds": seconds, "sentences_per_s": speed,
                 "f1": clean, "f1_std": spread, "f1_noisy": noisy}
            )  # fmt: skip
            print(
                f"| {data} | {name} | {seconds:.0f} | {speed:,.0f} | {clean:.3f} ± {spread:.3f} "
                f"| {noisy:.3f} |",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
