"""Texts per second and peak memory of transforms, ours and others', on the same texts in one run.

    python benchmarks/throughput.py [--quick] [--seconds S] [--lengths N ...] [--json FILE]

The texts are windows of 60, 300 and 3,000 characters of the docstrings of installed libraries; 16
of them, and from 10^3 to 10^6, all distinct or 90 % repeated. What would take longer than S (10)
seconds for a call, by its speed on fewer texts, is left out. Each call first runs once, while its
peak memory is taken, and then in 3 interleaved rounds. A table shows the median texts per second by
the number of texts, and of the largest: the spread, the peak (what was made is part of it), and how
many times as fast as two references, on the most texts that both did.

Others install with benchmarks/requirements.txt; those that can not be imported are listed with the
reason. Weights of peers but for MiniLM's are random, and our towers are trained for a step: speed
does not depend on what they know. MiniLM and CANINE read the first 256 and 2,048 tokens of a text.
"""

from functools import partial
from itertools import product

import numpy as np
import torch
from _measure import (
    docstrings,
    interleaved,
    options,
    peak_memory,
    random_texts,
    table,
    write,
)
from _peers import BUILDERS, build
from _towers import embedder, on_one_base, on_own_bases, stepped

from sklearn_cclm import ComposedEmbedder, TypoNoise
from sklearn_cclm._text.lengths import length_batches
from sklearn_cclm._text.windows import windows

REFERENCES = {"TF-IDF": "TfidfVectorizer char_wb (2-5)", "MiniLM": "all-MiniLM-L6-v2"}
SHORT = {"tfidf", "hashing"}  # the peers of a quick run


def ours(texts):
    """Return our transforms by name."""
    pooled = on_one_base(texts, 3)
    strided = stepped(texts, tower="strided").tower_
    embedders = {
        "1 pooled tower": embedder(pooled[0]),
        "3 pooled towers on one base": embedder(*pooled),
        "3 pooled towers on three bases": embedder(*on_own_bases(texts, 3)),
        "1 strided tower": embedder(strided),
        "ComposedEmbedder(lexical=False)": ComposedEmbedder(lexical=False).fit(texts),
        "ComposedEmbedder()": ComposedEmbedder().fit(texts),
    }
    noise = {"TypoNoise()": TypoNoise(random_state=0).fit(texts)}
    return {name: one.transform for name, one in (embedders | noise).items()}


def measure(transforms, length, distinct, sizes, limit, rounds):
    """Return a row of figures for each transform and number of texts that keep within the limit."""
    rates, rows = dict.fromkeys(transforms, np.inf), []
    for n in sizes:
        chosen = [name for name in transforms if n / rates[name] <= limit]
        if not chosen:
            break
        texts = random_texts(n, length, distinct=distinct)
        calls = {name: partial(transforms[name], texts) for name in chosen}
        peaks = {name: peak_memory(call) for name, call in calls.items()}
        for name, seconds in interleaved(calls, rounds).items():
            rates[name] = n / np.median(seconds)
            what = {"length": length, "distinct": distinct, "texts": n, "transform": name}
            rows.append(what | {"seconds": seconds.tolist(), "peak_bytes": peaks[name]})
    return rows


def show(rows, sizes):
    """Print the table of one kind of texts."""
    by = {(row["transform"], row["texts"]): row for row in rows}
    lines = []
    for name in dict.fromkeys(row["transform"] for row in rows):
        done = [n for n in sizes if (name, n) in by]
        last = by[name, done[-1]]
        rates = [f"{n / np.median(by[name, n]['seconds']):,.0f}" for n in done]
        low, high = (done[-1] / f(last["seconds"]) for f in (max, min))
        lines.append(
            [name, *rates, *["-"] * (len(sizes) - len(done)), f"{low:,.0f}-{high:,.0f}"]
            + [f"{last['peak_bytes'] / 2**20:,.0f}"]
            + [ratio(by, done, name, reference) for reference in REFERENCES.values()]
        )
    counts = [f"{n:,} texts" for n in sizes]
    table(["transform", *counts, "spread", "peak, MB", *(f"x {r}" for r in REFERENCES)], lines)


def ratio(by, done, name, reference):
    """Return how many times as fast a transform is, on the most texts that both did."""
    both = [n for n in done if (reference, n) in by]
    if not both:
        return "-"
    theirs, own = (np.array(by[who, both[-1]]["seconds"]) for who in (reference, name))
    return f"{np.median(theirs / own):.2f}"


def padding_share(n, size=320, batch_chars=32768):
    """Return the share of padding among the codes of all batches of n sentences in windows."""
    whole = docstrings()
    chosen = np.random.default_rng(0).permutation(len(whole))[:n]
    pieces, _ = windows([whole[i] for i in chosen], size, size // 8)
    lengths = np.array([len(piece) for piece in pieces])
    padded = sum(len(rows) * lengths[rows].max() for rows in length_batches(lengths, batch_chars))
    return 1 - float(lengths.sum() / padded)


def main():
    """Run the benchmark."""
    given = options(
        __doc__,
        seconds={"type": float, "default": 10.0, "help": "longest call, in seconds (10)"},
        lengths={"type": int, "nargs": "+", "default": [60, 300, 3000], "help": "of texts"},
    )
    sizes, rounds, builders = (16, 10**3, 10**4, 10**5, 10**6), 3, BUILDERS
    if given.quick:
        given.lengths, sizes, given.seconds = [60], (16, 1000), 5.0
        builders = {name: b for name, b in BUILDERS.items() if b.__name__ in SHORT}
    learn = random_texts(20_000 if not given.quick else 1000, 300, seed=1)
    peers, missing = build(builders, learn)
    transforms = ours(learn) | peers
    print(f"{torch.get_num_threads()} threads of torch, {rounds} rounds\n")
    for name, reason in missing.items():
        print(f"- {name} is not here: {reason}\n")
    rows = []
    for length, distinct in product(given.lengths, (1.0, 0.1)):
        kind = "distinct" if distinct == 1 else "90 % repeated"
        print(f"Texts of {length:,} characters, {kind}:\n")
        some = measure(transforms, length, distinct, sizes, given.seconds, rounds)
        show(some, sizes)
        rows += some
    padding = {n: padding_share(n) for n in (100, 1000, 10_000, len(docstrings()))}
    print("Share of padding among the codes of docstring sentences of mixed length:\n")
    table([f"{n:,} texts" for n in padding], [[f"{share:.1%}" for share in padding.values()]])
    write(given, rows=rows, missing=missing, padding_share=padding)


if __name__ == "__main__":
    main()
