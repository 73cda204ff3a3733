"""Rebuild the published tower "en-semantic": two teachers' meaning, in a bag of n-grams.

    pip install -r recipes/requirements.txt
    python recipes/en_corpus.py
    python recipes/en_semantic.py --shelf DIR [--texts FILE] [--most N] [--both N] [--before DIR]
                                  [--epochs N] [--width N] [--buckets N] [--lr RATE] [--threads N]
                                  [--work DIR] [--learned DIR]

Learns from the first --most texts of the corpus that `en_corpus.py` makes. Teachers are the
universal sentence encoder and, of the first --both, all-MiniLM-L6-v2, which is a sixth as fast;
what that would say of the others is predicted. With --before the "en-semantic" of the shelf in that
directory, which has learned from both, helps to predict it, and is where the training begins. The
teachers' vectors and the state of the training are kept in --work: after a crash the same command
goes on. Each epoch prints the cosine to the teachers on held-out texts; the model card has that of
the tower as it is stored, at several rates of noise. The tower is published to the shelf in the
directory --shelf. With --learned, that which `en_semantic_gpu.py` saved is published instead.
Labelled sets are read from the folder named by the environment variable CCLM_DATA (default
../shared/data).
"""

import argparse
import lzma
import time
import tomllib
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from _corpora import attested_typos
from _evaluate import RATES, curves
from _teachers import (
    DEVICE_TEACHERS,
    LICENCE,
    TEACHERS,
    minilm,
    side_by_side,
    universal,
)
from scipy.linalg import orthogonal_procrustes
from sklearn.preprocessing import normalize

from sklearn_cclm import (
    CCLMModelBase,
    CharPreprocessor,
    ComposedEmbedder,
    DistillationPretrainer,
    PooledConfig,
    Shelf,
    Tower,
    TypoNoise,
)
from sklearn_cclm.shelf import Curve

WORK = Path(__file__).parent / ".work"
HELD_OUT = 5000  # texts
NORM = 5.0
SLIPS = (-0.1, 0.15)  # share of a text's letters
KINDS = {"typos": 1, "slip": 3, "swap": 1, "drop": 1, "insert": 1, "repeat": 0.5, "space": 0.5,
         "case": 0.5}  # fmt: skip


def licences(teachers=()):
    """Return the licence of each source of the corpus, and of teachers."""
    sources = tomllib.loads((Path(__file__).parent / "sources.toml").read_text(encoding="utf-8"))
    taught = {f"{name} (teacher)": LICENCE for name in teachers}
    return {**{name: source["licence"] for name, source in sources.items()}, **taught}


def corpus(path, most):
    """Return the first texts of a corpus."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        return [line.rstrip("\n") for line in islice(file, most)]


def pretrainer(options, before):
    """Return the unfitted pretrainer, which begins with the weights of a tower if there is one."""
    width, reads = options.width, CharPreprocessor(max_example_len=320)
    return DistillationPretrainer(
        None if before else CCLMModelBase(reads, width=width, n_buckets=options.buckets),
        tower=PooledConfig(width=width, hidden=0),
        init_from=before,
        noise=TypoNoise(KINDS, rate=SLIPS, typos=attested_typos()),
        max_epochs=options.epochs,
        batch_size=options.batch,
        lr=options.lr,
        checkpoint=options.work / "checkpoint",
        checkpoint_every=2000,
        random_state=0,
        verbose=1,
    )


def scaled(tower):
    """Return the tower with vectors of norm 5: it learned their directions alone.

    So a `LogisticRegression()` as it is does about as well as one of the best strength.
    """
    module = tower.build()
    with torch.no_grad():
        norm = module.norm
        factor = NORM / float((norm.weight.square() + norm.bias.square()).sum().sqrt())
        norm.weight.mul_(factor)
        norm.bias.mul_(factor)
    return tower.with_module(module, tower.base)


def curve(tower, texts, wanted):
    """Return the mean cosine to the teachers' vectors of the clean texts, by rate of slips."""
    embedder = ComposedEmbedder([("own", tower)]).fit(texts[:1])
    wanted, found = normalize(wanted), []
    for rate in RATES:
        noisy = TypoNoise(rate=rate, random_state=0).transform(texts)
        own = normalize(embedder.transform(noisy))
        found.append(round(float(np.mean(np.sum(own * wanted, axis=1))), 4))
    return Curve(
        "held-out texts of the corpora", "cosine to the two teachers",
        "slips of the keyboard, share of letters", RATES, tuple(found),
    )  # fmt: skip


def taught(texts, before, options):
    """Return the vectors to match, turned towards those of a tower if there is one."""
    asked = [minilm(texts[: options.both], options.work), universal(texts, options.work)]
    if before is None:
        return side_by_side(asked, options.width)
    own = ComposedEmbedder([("before", before)]).fit_transform(texts)
    vectors = side_by_side(asked, options.width, hints=own)
    return vectors @ orthogonal_procrustes(vectors, own)[0]


def learned(options):
    """Return a trained tower as it is stored, what it is worth, and how it was made."""
    texts = corpus(options.texts, options.most)
    before = options.before and Shelf(options.before).fetch("en-semantic")
    vectors = taught(texts, before, options)
    held_out = texts[:HELD_OUT], vectors[:HELD_OUT]
    start = time.perf_counter()
    fitted = pretrainer(options, before).fit(
        texts[HELD_OUT:], vectors[HELD_OUT:], validation=held_out
    )
    seconds = time.perf_counter() - start
    tower = scaled(fitted.tower_).astype("int8")
    how = f"recipes/en_semantic.py, {len(texts):,} texts x {options.epochs}, {seconds:.0f} s"
    return tower, [curve(tower, *held_out)], how


def given(options):
    """Return the tower that another recipe has learned, as it is stored."""
    tower = scaled(Tower.load(options.learned)).astype("int8")
    return tower, [], "recipes/en_semantic_gpu.py"


def main():
    """Run the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--texts", type=Path, default=WORK / "corpus" / "texts.txt.xz", help="a text a line")
    add("--most", type=int, help="of them (all)")
    add("--both", type=int, default=50_000, help="that both teachers read (50,000)")
    add("--before", type=Path, help="a shelf with the tower to begin with")
    add("--epochs", type=int, default=4, help="passes (4)")
    add("--buckets", type=int, default=2**17, help="rows of the table (131,072)")
    add("--width", type=int, default=288, help="of the table (288)")
    add("--batch", type=int, default=500, help="texts a step (500)")
    add("--lr", type=float, default=5e-3, help="highest learning rate (5e-3)")
    add("--threads", type=int, default=2, help="threads of torch (2)")
    add("--work", type=Path, default=WORK)
    add("--learned", type=Path, help="a tower to publish instead of learning one")
    add("--shelf", type=Path, required=True, help="directory to publish to")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tower, measured, how = given(options) if options.learned else learned(options)
    entry = Shelf(options.shelf).publish(
        tower,
        "en-semantic",
        licence="CC-BY-SA-4.0",
        corpora=licences(DEVICE_TEACHERS if options.learned else TEACHERS),
        recipe=how,
        metrics=[*measured, *curves(tower)],
        dtype="int8",
        language="en",
        limits="It learned from English alone, and sees the words of a text, hardly their order.",
    )
    print(f"published {entry.pinned}, {entry.size:,} bytes")
    for found in entry.metrics:
        print(f"{found.data}, {found.metric}: {found.scores}")


if __name__ == "__main__":
    main()
