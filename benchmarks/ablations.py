"""Each choice of the fast path beside what it was chosen over, in one run.

    python benchmarks/ablations.py [--quick] [--only WORD] [--json FILE]

Both do the same job, in interleaved rounds; the table gives the median of the rounds' ratios (above
1: the choice is faster than the alternative), their spread, and the largest difference of what the
two return: some alternatives are other functions, or less exact. The texts are docstrings of
installed libraries: windows of 60 characters, or whole sentences of mixed length. The base has a
table of 65,536 x 128; towers are trained for a step.
"""

from functools import partial
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
from _measure import clock, docstrings, interleaved, options, random_texts, table, write
from _towers import embedder, on_one_base
from joblib import Parallel, delayed
from torch import nn

from sklearn_cclm.models import _embedder, _inference
from sklearn_cclm.nn.embedding import _MIX, _PRIME, ngram_buckets
from sklearn_cclm.nn.pooling import masked_mean
from sklearn_cclm.values import _value

ORDERS, BUCKETS = (2, 3, 4, 5), 65_536


class Setting:
    """Texts, a fitted embedder, its networks, and a batch of codes."""

    def __init__(self, quick):
        self.n = 2000 if quick else 20_000
        self.texts = random_texts(self.n, 60)
        self.mixed = docstrings()[: self.n]
        self.towers = on_one_base(random_texts(500, 300, seed=1), 3)
        self.tower = self.towers[0]
        self.base = self.tower.base
        self.embedder = embedder(self.tower)
        self.trainable = self.base.build(), self.tower.build()
        self.network = self.base.build().requires_grad_(False)
        self.head = self.tower.build().requires_grad_(False)
        codes = self.base.preprocessor().encode(self.texts[:500])
        self.ids = torch.from_numpy(codes)
        self.mask = self.ids != 0
        self.rows = self.network.rows(self.ids, self.mask)
        self.weight = self.network.table.weight.detach()


def pool_first(s):
    """The perceptron once per text, on the mean of the base; not once per character."""
    return {
        "pooled, then projected": lambda: s.head.pool(s.network(s.ids)),
        "projected, then pooled": lambda: masked_mean(s.head(s.network(s.ids)), s.mask),
    }


def one_bag_per_text(s):
    """The mean of the base as one sum of table rows, without a vector per character."""
    return {
        "one bag per text": lambda: s.network(s.ids).mean,
        "vectors per character, averaged": lambda: masked_mean(s.network(s.ids).characters, s.mask),
    }


def one_bag_of_all_orders(s):
    """Rows of all n-gram orders in one sum; not a sum for each order."""
    bag = partial(F.embedding_bag, weight=s.weight, mode="sum")
    columns = [column.contiguous() for column in s.rows.unbind(-1)]
    return {
        "one bag of all orders": lambda: bag(s.rows.flatten(1)),
        "a bag per order": lambda: sum(bag(column) for column in columns),
    }


def bag_without_weights(s):
    """The row of padding is zeros, so that it needs no weight."""
    rows = s.rows.flatten(1)

    def weighted():
        weights = (rows != 0).to(s.weight.dtype)
        return F.embedding_bag(rows, s.weight, mode="sum", per_sample_weights=weights)

    return {
        "no weights": lambda: F.embedding_bag(rows, s.weight, mode="sum"),
        "weights, 0 at padding": weighted,
        "padding_idx": lambda: F.embedding_bag(rows, s.weight, mode="sum", padding_idx=0),
    }


def hash_in_place(s):
    """n-grams hashed in the memory that is there, and cut to a power of two by its bits."""

    def fresh():
        longest, length = max(ORDERS), s.ids.shape[1]
        padded = F.pad(s.ids, (longest - 1, 0))
        hashed, by_order = torch.zeros_like(s.ids), {}
        for order in range(1, longest + 1):
            first = longest - order
            hashed = (hashed + padded[:, first : first + length] + 1) * _PRIME
            by_order[order] = hashed
        stacked = torch.stack([by_order[order] for order in ORDERS], dim=-1)
        stacked = (stacked ^ (stacked >> 29)) * _MIX
        return (stacked ^ (stacked >> 32)).remainder(BUCKETS)

    return {
        "in place": lambda: ngram_buckets(s.ids, ORDERS, BUCKETS),
        "new tensors, by division": fresh,
    }


def table_of_floats(s):
    """A table of float32; not of a type that takes less memory, which changes the numbers."""
    rows = s.rows.flatten(1)
    starts = torch.arange(0, rows.numel(), rows.shape[1])
    packed = torch.ops.quantized.embedding_bag_byte_prepack(s.weight)

    def of_bytes():
        return torch.ops.quantized.embedding_bag_byte_rowwise_offsets(
            packed, rows.flatten(), starts, mode=0
        )

    def of(dtype):
        small = s.weight.to(dtype)
        return lambda: F.embedding_bag(rows, small, mode="sum").float()

    return {
        "table of float32": lambda: F.embedding_bag(rows, s.weight, mode="sum"),
        "table of bfloat16": of(torch.bfloat16),
        "table of float16": of(torch.float16),
        "table of int8, a scale per row": of_bytes,
    }


def layers_of_floats(s):
    """Linear layers of float32; not of bfloat16 or, quantised as they run, int8."""
    mean = s.network(s.ids).mean
    small = s.tower.build().requires_grad_(False).bfloat16()
    byte = torch.ao.quantization.quantize_dynamic(s.tower.build(), {nn.Linear})
    return {
        "layers of float32": lambda: s.head._map(mean),
        "layers of bfloat16": lambda: small._map(mean.bfloat16()).float(),
        "layers of int8": lambda: byte._map(mean),
    }


def like_lengths_together(s):
    """Texts sorted by length, so that batches are not padded to an odd long one."""

    def in_order(lengths, batch_chars):
        start = 0
        while start < len(lengths):
            longest = np.maximum.accumulate(np.maximum(lengths[start : start + batch_chars], 1))
            cost = longest * np.arange(1, len(longest) + 1)
            n = max(1, int(np.searchsorted(cost, batch_chars, side="right")))
            yield np.arange(start, start + n)
            start += n

    return {
        "sorted by length": partial(s.embedder.transform, s.mixed),
        "in the order they come": patched(s, "length_batches", in_order),
        "sorted, 256 texts a batch": patched(s, "length_batches", rows_of_256),
    }


def rows_of_256(lengths, batch_chars):
    """Yield rows of like length, 256 at a time, whatever their length."""
    order = np.argsort(lengths, kind="stable")
    yield from np.split(order, range(256, len(order), 256))


def patched(s, name, replacement):
    """Return a transform of the mixed texts with another function inside."""

    def call():
        with patch.object(_inference, name, replacement):
            return s.embedder.transform(s.mixed)

    return call


def characters_in_a_batch(s):
    """32,768 characters in a batch, which a core's cache holds."""
    sizes = (32_768, 4096, 131_072, 1_048_576)
    return {
        f"{size:,} characters": partial(embedder(s.tower, batch_chars=size).transform, s.mixed)
        for size in sizes
    }


def distinct_texts_once(s):
    """Repeated texts read once: here nine of ten are repeats."""
    repeated = random_texts(s.n, 60, distinct=0.1)

    def every_text():
        with patch.object(_embedder, "distinct", lambda texts: (texts, np.arange(len(texts)))):
            return s.embedder.transform(repeated)

    return {
        "distinct texts once": partial(s.embedder.transform, repeated),
        "every text": every_text,
    }


def threads_within_operations(s):
    """torch's own threads; not one thread, nor two workers that share the texts.

    What a worker process is sent and builds counts; the processes are there already.
    """
    halves = [s.texts[::2], s.texts[1::2]]

    def one_thread():
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return s.embedder.transform(s.texts)
        finally:
            torch.set_num_threads(before)

    def two_workers(backend):
        out = np.empty((s.n, s.embedder.transform(["a"]).shape[1]), dtype=np.float32)
        pool = Parallel(n_jobs=2, backend=backend)
        out[::2], out[1::2] = pool(delayed(s.embedder.transform)(half) for half in halves)
        return out

    return {
        f"{torch.get_num_threads()} threads": partial(s.embedder.transform, s.texts),
        "1 thread": one_thread,
        "2 worker threads": partial(two_workers, "threading"),
        "2 worker processes": partial(two_workers, "loky"),
    }


def eager(s):
    """Operations one by one; not compiled, which also takes time before the first text."""
    whole = nn.ModuleList([s.network, s.head])

    def forward(ids):
        return whole[1].native(whole[0](ids))

    compiled = torch.compile(forward, dynamic=True)
    seconds = clock(lambda: compiled(s.ids))
    print(f"torch.compile took {seconds:.1f} s before the first batch was done.\n")
    return {"eager": lambda: forward(s.ids), "torch.compile": lambda: compiled(s.ids)}


def inference_mode(s):
    """Nothing is kept for a gradient."""

    def native():
        return s.head.native(s.network(s.ids))

    def with_gradients():
        network, head = s.trainable
        with torch.inference_mode(False), torch.enable_grad():
            return head.native(network(s.ids)).detach()

    return {"inference mode": native, "with gradients": with_gradients}


def built_once(s):
    """Networks built once in a process; not at each call. One text."""

    def each_time():
        _value._built.clear()
        return s.embedder.transform(["where is my card"])

    return {
        "built once": lambda: s.embedder.transform(["where is my card"]),
        "built at each call": each_time,
    }


def one_base_for_all(s):
    """Three towers on one base, which runs once; not three embedders side by side."""
    alone = [embedder(tower) for tower in s.towers]
    return {
        "a base runs once": partial(embedder(*s.towers).transform, s.texts),
        "an embedder per tower": lambda: np.hstack([one.transform(s.texts) for one in alone]),
    }


CHOICES = [
    pool_first, one_bag_per_text, one_bag_of_all_orders, bag_without_weights, hash_in_place,
    table_of_floats, layers_of_floats, like_lengths_together, characters_in_a_batch,
    distinct_texts_once, one_base_for_all, threads_within_operations, inference_mode, built_once,
    eager,
]  # fmt: skip


@torch.inference_mode()
def compare(choice, setting, rounds):
    """Return a row of figures for each alternative of a choice."""
    calls = choice(setting)
    results = {name: np.asarray(call()) for name, call in calls.items()}
    seconds = interleaved(calls, rounds)
    own, *others = calls
    rows = []
    for other in others:
        ratios = seconds[other] / seconds[own]
        rows.append(
            {
                "choice": own,
                "alternative": other,
                "ms": 1000 * float(np.median(seconds[own])),
                "ratio": float(np.median(ratios)),
                "spread": [float(ratios.min()), float(ratios.max())],
                "difference": float(np.abs(results[own] - results[other]).max()),
            }
        )
    return rows


def main():
    """Run the benchmark."""
    given = options(__doc__, only={"default": "", "help": "choices whose name has this word"})
    setting, rounds = Setting(given.quick), 3 if given.quick else 15
    chosen = [choice for choice in CHOICES if given.only in choice.__name__]
    rows = []
    for choice in chosen:
        if not (given.quick and choice is eager):  # the compiler takes a minute
            rows += compare(choice, setting, rounds)
    print(f"{torch.get_num_threads()} threads, {rounds} rounds\n")
    table(
        ["choice", "alternative", "choice, ms", "times as fast", "spread", "difference"],
        [
            [r["choice"], r["alternative"], f"{r['ms']:.2f}", f"{r['ratio']:.2f}"]
            + ["{:.2f}-{:.2f}".format(*r["spread"]), f"{r['difference']:.1e}"]
            for r in rows
        ],
    )
    write(given, ablations=rows)


if __name__ == "__main__":
    main()
