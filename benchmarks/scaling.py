"""What a transform, and a training, costs against the size of what it is given.

    python benchmarks/scaling.py [--quick] [--plot FILE] [--json FILE]

Four sweeps. Three by the median of interleaved rounds: the number of texts of 60 characters; the
length of a text, with the number of texts as it is; the number of pooled or strided towers, on one
base and on bases of their own. And by the median of three epochs the vocabulary of output tokens of
masked language modelling, sampled or with the full softmax. Cost = a x size^b is fitted to each by
least squares of the logarithms, to all sizes and to the larger half, where the fixed cost of a call
counts less: b = 1 is linear. Last, the peak memory of a transform above its result. Towers are
trained for a step, on docstrings of installed libraries.
"""

from functools import partial

import numpy as np
from _measure import (
    exponent,
    interleaved,
    options,
    peak_memory,
    random_texts,
    table,
    write,
)
from _peers import tfidf
from _towers import embedder, on_one_base, on_own_bases

from sklearn_cclm import (
    CCLMModelBase,
    ComposedEmbedder,
    MaskedLanguagePretrainer,
    MLMPreprocessor,
)

LEARN = random_texts(2000, 300, seed=1)


def sweep(calls, sizes, rounds):
    """Return the median seconds of each call, by name, at each size; `calls` makes them."""
    medians = {}
    for size in sizes:
        these = calls(size)
        for call in these.values():
            call()
        for name, seconds in interleaved(these, rounds).items():
            medians.setdefault(name, []).append(float(np.median(seconds)))
    return {"sizes": sizes, "seconds": medians}


def over_texts(transforms, n, length):
    """Return calls of transforms on n texts of a length."""
    texts = random_texts(n, length)
    return {name: partial(transform, texts) for name, transform in transforms.items()}


def by_towers(kinds, texts, n):
    """Return calls of embedders of the first n towers of each kind."""
    return {name: partial(embedder(*towers[:n]).transform, texts) for name, towers in kinds.items()}


def trained(vocab_size, loss, texts):
    """Return a pretrainer of masked language modelling, after four epochs."""
    recipe = CCLMModelBase(preprocessor=MLMPreprocessor(vocab_size=vocab_size))
    pretrainer = MaskedLanguagePretrainer(
        recipe,
        tower="pooled",
        loss=loss,
        min_mask_len=1,  # so that all tokens are predicted
        max_epochs=4,
        validation_fraction=0,
        random_state=0,
    )
    return pretrainer.fit(texts)


def vocabularies(sizes, texts):
    """Return the seconds of an epoch by loss, at each number of tokens that are predicted."""
    seconds = {}
    for loss in ("sampled_softmax", "softmax"):
        fitted = [trained(size, loss, texts) for size in sizes]
        predicted = [len(one.head_weights_["output.bias"]) for one in fitted]
        seconds[loss] = [
            float(np.median([epoch["dur"] for epoch in one.history_[1:]]))  # the first warms up
            for one in fitted
        ]
    return {"sizes": predicted, "seconds": seconds}


def memory(sizes):
    """Return rows: the peak memory of `ComposedEmbedder()` above its result, in bytes.

    One text of 1,000 characters among short ones is read in windows, as all then are.
    """
    embedder, rows = ComposedEmbedder(lexical=False), []
    embedder.transform(LEARN)  # builds the networks
    width = embedder.transform(["a"]).nbytes
    for n in sizes:
        for distinct, longest in ((1.0, 60), (0.9, 60), (0.1, 60), (1.0, 1000)):
            texts = random_texts(n, 60, distinct=distinct)
            texts[-1:] = random_texts(1, longest)
            peak = peak_memory(partial(embedder.transform, texts))
            what = {"texts": n, "distinct": distinct, "longest": longest}
            rows.append(what | {"result_bytes": n * width, "above_bytes": peak - n * width})
    return rows


def run(quick):
    """Return the figures of the four sweeps, by what is varied."""
    rounds = 3 if quick else 7
    n = 2 if quick else 6
    pooled, strided = on_one_base(LEARN, n), on_one_base(LEARN, n, "strided")
    transforms = {
        "1 pooled tower": embedder(pooled[0]).transform,
        "ComposedEmbedder(lexical=False)": ComposedEmbedder(lexical=False).transform,
        "1 strided tower": embedder(strided[0]).transform,
        "TF-IDF char_wb (2-5)": tfidf(LEARN),
    }
    kinds = {
        "pooled, one base": pooled,
        "pooled, own bases": on_own_bases(LEARN, n),
        "strided, one base": strided,
        "strided, own bases": on_own_bases(LEARN, n, "strided"),
    }
    texts = random_texts(200 if quick else 2000, 60)
    numbers = [200, 400] if quick else [1000, 2000, 5000, 10_000, 20_000, 50_000]
    lengths = [60, 300] if quick else [30, 60, 120, 300, 600, 1200, 3000, 6000, 12_000]
    towers = [1, 2] if quick else [1, 2, 3, 4, 6]
    tokens = [300, 1000] if quick else [300, 1000, 3000, 10_000]
    some = LEARN[:128] if quick else LEARN
    return {
        "texts": sweep(lambda n: over_texts(transforms, n, 60), numbers, rounds),
        "characters of a text": sweep(lambda n: over_texts(transforms, 200, n), lengths, rounds),
        "towers": sweep(lambda n: by_towers(kinds, texts, n), towers, rounds),
        "tokens in the vocabulary": vocabularies(tokens, some),
    }


def exponents(sweep):
    """Return the fitted exponents by name, each of all sizes and of the larger half of them."""
    sizes, half = sweep["sizes"], (len(sweep["sizes"]) - 1) // 2
    return {
        name: [exponent(sizes, seconds), exponent(sizes[half:], seconds[half:])]
        for name, seconds in sweep["seconds"].items()
    }


def plot(sweeps, path):
    """Draw the cost against the size, each sweep in its axes."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullLocator

    figure, axes = plt.subplots(2, 2, figsize=(10, 8), layout="constrained")
    for ax, (what, sweep) in zip(axes.flat, sweeps.items(), strict=True):
        for name, seconds in sweep["seconds"].items():
            label = f"{name}: {sweep['exponents'][name][0]:.2f}"
            ax.loglog(sweep["sizes"], seconds, "o-", label=label)
        ax.set(xlabel=what, ylabel="seconds")
        ax.set_xticks(sweep["sizes"], [f"{n:,}" for n in sweep["sizes"]], rotation=30)
        ax.xaxis.set_minor_locator(NullLocator())
        ax.grid(alpha=0.3)
        ax.legend(title="exponent", fontsize="small")
    figure.savefig(path)


def main():
    """Run the benchmark."""
    given = options(__doc__, plot={"metavar": "FILE", "help": "draw the sweeps, as a PNG or SVG"})
    sweeps = run(given.quick)
    for what, sweep in sweeps.items():
        fits = sweep["exponents"] = exponents(sweep)
        print(f"Seconds by {what}:\n")
        rows = [
            [name, *(f"{s:.3g}" for s in seconds), f"{seconds[-1] / seconds[0]:.2f}"]
            + [f"{fit:.2f}" for fit in fits[name]]
            for name, seconds in sweep["seconds"].items()
        ]
        sizes = [f"{n:,}" for n in sweep["sizes"]]
        table(["", *sizes, "last / first", "exponent", "of the larger half"], rows)
    print("Peak memory of ComposedEmbedder() on texts of 60 characters:\n")
    peaks = memory([2000] if given.quick else [10**4, 10**5, 10**6])
    mb = [
        [f"{row['texts']:,}", f"{row['distinct']:.0%}", f"{row['longest']:,}"]
        + [f"{row[key] / 2**20:,.0f}" for key in ("result_bytes", "above_bytes")]
        for row in peaks
    ]
    header = ["texts", "of them distinct", "longest, characters", "result, MB"]
    table([*header, "peak above the result, MB"], mb)
    if given.plot:
        plot(sweeps, given.plot)
    write(given, sweeps=sweeps, memory=peaks)


if __name__ == "__main__":
    main()
