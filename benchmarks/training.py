"""Texts per second of each pretraining task, and the share of the time spent outside the network.

    python benchmarks/training.py [--texts N] [--threads N] [--only WORD] [--quick] [--json FILE]

All tasks that discovery finds are trained with their own parameters, each with the towers "pooled"
and "strided" and the one it has by default, on texts of 60 and of 1,000 characters, without noise
and with it. The texts are cut from corpora in the folder in the environment variable CCLM_DATA
(default ../shared/data), with --quick from the docstrings of installed libraries. Outside the
network is all that is neither forward and backward pass nor optimizer: making batches, noise,
callbacks. The first epoch warms up; of the others the table gives the median and the spread. What
is done once, such as training a tokenizer, is "preparation".

A second table compares a step of the n-gram table alone, in interleaved rounds: the dense gradient
of ``embedding_bag`` and fused AdamW beside the rows that were read and `LazyAdamW`.
"""

import argparse
import json
import re
import time
from pathlib import Path
from statistics import median
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
from _data import read_lines
from sklearn.feature_extraction.text import HashingVectorizer

from sklearn_cclm import CCLMModelBase, MaskedCharacterPretrainer, TaskPretrainer, TypoNoise
from sklearn_cclm._training.loop import _Net
from sklearn_cclm.datasets import load_docstrings
from sklearn_cclm.nn.optim import LazyAdamW
from sklearn_cclm.nn.rows import sum_rows
from sklearn_cclm.utils import all_estimators

CORPORA = ("ebooks_cc0", "openstax_ccby", "self_dialogue", "wikipedia_sentences")
NOISE = TypoNoise(["slip", "swap", "drop", "insert"], rate=0.1)
LIMIT = 0.15  # of the time, outside the network


class WatchedNet(_Net):
    """The net that is trained, with the seconds of each epoch in training steps and batches."""

    def fit_loop(self, *args, **params):
        type(self).last = self
        self.starts_, self.network_, self.batches_ = [], [], []
        result = super().fit_loop(*args, **params)
        self.starts_.append(time.perf_counter())
        return result

    def get_iterator(self, dataset, training=False):
        batches = super().get_iterator(dataset, training)
        return Watched(batches, self) if training else batches

    def train_step(self, *args, **params):
        start = time.perf_counter()
        result = super().train_step(*args, **params)
        self.network_[-1] += time.perf_counter() - start
        return result


class Watched:
    """Batches that tell a net how long they took."""

    def __init__(self, batches, net):
        self.batches, self.net = batches, net

    def __iter__(self):
        start = time.perf_counter()
        self.net.starts_.append(start)
        self.net.network_.append(0.0)
        self.net.batches_.append(0.0)
        for batch in self.batches:
            self.net.batches_[-1] += time.perf_counter() - start
            yield batch
            start = time.perf_counter()
        self.net.batches_[-1] += time.perf_counter() - start


def read_texts(length, n, quick):
    """Return n distinct texts of a length, cut from what goes on in a corpus."""
    lines = load_docstrings().data if quick else read_lines(*CORPORA, n=400_000)
    whole = " ".join(lines)
    pieces = dict.fromkeys(whole[i : i + length] for i in range(0, len(whole) - length, length))
    if len(pieces) < n:
        raise SystemExit(f"only {len(pieces)} texts of {length} characters; ask for fewer")
    return list(pieces)[:n]


def pretrainers():
    """Return the classes of all pretraining tasks."""
    found = [
        cls
        for _, cls in all_estimators()
        if "sklearn_cclm.pretraining." in cls.__module__ and cls is not TaskPretrainer
    ]
    if not found:
        raise SystemExit("discovery finds no pretraining task")
    return found


def make(cls, tower, noise, epochs, **more):
    """Return a pretrainer, with `more` parameters; tower None is that of the task."""
    params = {"max_epochs": epochs, "validation_fraction": 0, "random_state": 0, **more}
    of_task = {"noise": noise} | ({} if tower is None else {"tower": tower})
    if cls.__name__ == "MultiTaskPretrainer":
        tasks = [("gaps", {"span_length": 0}), ("runs", {"mask_rate": 0.0})]
        params["tasks"] = [(n, MaskedCharacterPretrainer(**p, **of_task)) for n, p in tasks]
        return cls(**params)
    if cls.__name__ == "DistillationPretrainer":
        params["teacher"] = HashingVectorizer(n_features=256)
    return cls(**params, **of_task)


def targets(cls, texts):
    """Return what a task is to learn of the texts, where it needs that: made up by a rule."""
    if cls.__name__ == "ClassificationPretrainer":
        return ["a to l" if text[0].lower() < "m" else "others" for text in texts]
    if cls.__name__ == "EntityPretrainer":
        return [[(*m.span(), "NAME") for m in re.finditer(r"\b[A-Z]\w+", t)] for t in texts]
    return None


def measure(cls, tower, texts, noise, epochs, **more):
    """Return the figures of one training, or why there is none."""
    name = cls.__name__.removesuffix("Pretrainer")
    row = {"task": name, "tower": tower or "default", "noise": noise is not None}
    row["characters"] = len(texts[0])
    start = time.perf_counter()
    try:
        with patch("sklearn_cclm._training.loop._Net", WatchedNet):
            make(cls, tower, noise, epochs, **more).fit(texts, targets(cls, texts))
    except (TypeError, ValueError) as error:
        return row | {"refused": str(error).partition(". ")[0]}
    whole = time.perf_counter() - start
    net = WatchedNet.last
    seconds = np.diff(net.starts_)
    rates = len(texts) / seconds[1:]
    return row | {
        "texts_per_s": float(np.median(rates)),
        "spread": [float(rates.min()), float(rates.max())],
        "outside": float(np.median((1 - net.network_ / seconds)[1:])),
        "batches": float(np.median((net.batches_ / seconds)[1:])),
        "preparation": whole - float(seconds.sum()),
    }


def show(row):
    """Print a row of the first table."""
    first = f"| {row['task']} | {row['tower']} | {row['characters']:,} | "
    first += "yes" if row["noise"] else "no"
    if "refused" in row:
        print(f"{first} | refused: {row['refused']} | | | | |", flush=True)
        return
    low, high = row["spread"]
    print(
        f"{first} | {row['texts_per_s']:,.0f} | {low:,.0f}-{high:,.0f} | {row['outside']:.1%} | "
        f"{row['batches']:.1%} | {row['preparation']:.1f} |",
        flush=True,
    )


def measure_tasks(classes, sizes, epochs, quick):
    """Return and print the figures of all trainings."""
    print("| task | tower | characters | noise | texts/s | spread | outside the network ", end="")
    print("| of that batches | preparation, s |\n|---|---|---|---|---|---|---|---|---|")
    corpora = [read_texts(length, n, quick) for length, n in sizes.items()]
    rows = []
    for cls in classes:
        own = getattr(make(cls, None, NOISE, 1), "tower", "pooled")
        for tower in dict.fromkeys(["pooled", "strided", own]):
            for noise in (None, NOISE):
                for texts in corpora:
                    rows.append(measure(cls, tower, texts, noise, epochs))
                    show(rows[-1])
                    if "refused" in rows[-1]:
                        break
    return rows


def table_steps(n_buckets, batch_size, texts):
    """Return two functions, before and now, that make a step on the next batch."""
    base = CCLMModelBase(n_buckets=n_buckets, random_state=0).fit(texts).base_
    module, codes = base.build(), base.preprocessor().encode(texts)
    ids = [torch.from_numpy(codes[i : i + batch_size]) for i in range(0, len(codes), batch_size)]
    rows = [module.rows(some, some != 0).flatten(0, 1) for some in ids if len(some) == batch_size]
    goal = torch.randn(rows[0].shape[0], base.width)

    def dense(rows, table):
        return F.embedding_bag(rows, table, mode="sum", per_sample_weights=(rows != 0).float())

    def sparse(rows, table):
        return sum_rows(rows, table, sparse=True)

    def stepper(forward, optimizer_class, **params):
        table = module.table.weight.detach().clone().requires_grad_()
        optimizer, number = optimizer_class([table], lr=1e-3, **params), 0

        def step():
            nonlocal number
            optimizer.zero_grad()
            (forward(rows[number % len(rows)], table) * goal).sum().backward()
            optimizer.step()
            number += 1

        return step

    return stepper(dense, torch.optim.AdamW, fused=True), stepper(sparse, LazyAdamW)


def measure_table(rounds, steps, texts):
    """Return and print the figures of the table's step, in interleaved rounds."""
    print("\n| buckets | texts in a batch | before, ms | now, ms | times as fast | spread |")
    print("|---|---|---|---|---|---|")
    rows = []
    for n_buckets in (2**16, 2**18):
        for batch_size in (128, 500):
            both = table_steps(n_buckets, batch_size, texts)
            seconds = np.array([[clock(step, steps) for step in both] for _ in range(rounds + 1)])
            before, now = seconds[1:].T  # the first round warms up
            ratios = before / now
            rows.append({"buckets": n_buckets, "batch_size": batch_size, "ratios": ratios.tolist()})
            print(
                f"| {n_buckets:,} | {batch_size} | {1e3 * median(before):.1f} | "
                f"{1e3 * median(now):.1f} | {median(ratios):.2f} | "
                f"{min(ratios):.2f}-{max(ratios):.2f} |",
                flush=True,
            )
    return rows


def clock(step, n):
    """Return the seconds of one of n steps."""
    start = time.perf_counter()
    for _ in range(n):
        step()
    return (time.perf_counter() - start) / n


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=2048, help="texts of 60 characters (2048)")
    parser.add_argument("--threads", type=int, help="threads of torch")
    parser.add_argument("--only", default="", metavar="WORD", help="tasks whose name has WORD")
    parser.add_argument("--quick", action="store_true", help="few texts, which needs no data")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to FILE")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    classes = [cls for cls in pretrainers() if options.only.lower() in cls.__name__.lower()]
    if options.quick:
        options.texts = 128
    sizes = {60: options.texts, 1000: options.texts // 16}
    epochs = 2 if options.quick else 4
    print(f"{torch.get_num_threads()} threads, texts by length {sizes}, {epochs - 1} epochs\n")
    tasks = measure_tasks(classes, sizes, epochs, options.quick)
    measured = [row for row in tasks if "refused" not in row]
    above = [row for row in measured if row["outside"] > LIMIT]
    print(f"\n{len(above)} of {len(measured)} trainings spend more than {LIMIT:.0%} outside.")
    rounds, steps = (2, 2) if options.quick else (9, 10)
    table = measure_table(rounds, steps, read_texts(60, 4000, options.quick))
    if options.json:
        figures = {"threads": torch.get_num_threads(), "tasks": tasks, "table": table}
        Path(options.json).write_text(json.dumps(figures, indent=2))
    if never := {row["task"] for row in tasks} - {row["task"] for row in measured}:
        raise SystemExit(f"refused whatever the tower: {sorted(never)}")


if __name__ == "__main__":
    main()
