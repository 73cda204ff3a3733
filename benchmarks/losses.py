"""Time of a training step by vocabulary and loss: sampled losses beside the full softmax.

    python benchmarks/losses.py [--quick] [--threads N] [--json FILE]

A step is forward, backward and a fused AdamW update of a linear layer on features (512, 128) and
of an output layer over the vocabulary. 512 predictions are what a batch of 128 texts masks; as in
text, small classes are the frequent ones. Rounds are interleaved; the table gives the median, the
spread, and the median of each round's ratio to softmax.
"""

import argparse
import json
import time

import numpy as np
import torch
from torch import nn

from sklearn_cclm.nn.losses import (
    log_uniform_sample,
    negative_sampling_loss,
    sampled_softmax_loss,
    softmax_loss,
)

N_PREDICTIONS, WIDTH, N_NEGATIVES = 512, 128, 100


def losses(generator):
    """Return the losses by name, each a function of features, targets, weight and bias."""
    sampled = {"n_negatives": N_NEGATIVES, "generator": generator}
    return {
        "softmax": softmax_loss,
        f"sampled_softmax({N_NEGATIVES})": lambda *args: sampled_softmax_loss(*args, **sampled),
        f"negative_sampling({N_NEGATIVES})": lambda *args: negative_sampling_loss(*args, **sampled),
    }


def make_step(loss, n_classes, generator):
    """Return a function that takes one training step on networks of its own."""
    features = torch.randn(N_PREDICTIONS, WIDTH, generator=generator)
    targets = log_uniform_sample(n_classes, N_PREDICTIONS, generator=generator)
    inner, output = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, n_classes)
    parameters = [*inner.parameters(), *output.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, fused=True)

    def step():
        optimizer.zero_grad()
        loss(inner(features), targets, output.weight, output.bias).backward()
        optimizer.step()

    return step


def measure(n_classes, rounds, steps=3):
    """Return the milliseconds per step of each loss, (rounds, n_losses), in interleaved rounds."""
    generator = torch.Generator().manual_seed(0)
    functions = losses(generator)
    made = [make_step(loss, n_classes, generator) for loss in functions.values()]
    for step in made:
        step()
    milliseconds = np.empty((rounds, len(made)))
    for row in milliseconds:
        for i, step in enumerate(made):
            start = time.perf_counter()
            for _ in range(steps):
                step()
            row[i] = (time.perf_counter() - start) * 1000 / steps
    return list(functions), milliseconds


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--threads", type=int, default=1, help="torch threads; default 1")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to FILE")
    options = parser.parse_args()
    rounds = 3 if options.quick else 15
    torch.set_num_threads(options.threads)
    print(f"{N_PREDICTIONS} predictions, width {WIDTH}, ", end="")
    print(f"{options.threads} threads, {rounds} rounds\n")
    print("| classes | loss | ms per step | spread | speed against softmax |")
    print("|---|---|---|---|---|")
    figures = []
    for n_classes in (1000, 10_000, 50_000):
        names, milliseconds = measure(n_classes, rounds)
        ratios = np.median(milliseconds[:, :1] / milliseconds, axis=0)
        for name, column, ratio in zip(names, milliseconds.T, ratios, strict=True):
            median, low, high = np.median(column), column.min(), column.max()
            print(f"| {n_classes:,} | {name} | {median:.2f} | {low:.2f}-{high:.2f} | {ratio:.2f} |")
            figures.append(
                {"classes": n_classes, "loss": name, "ms": float(median), "ratio": float(ratio)}
            )
    if options.json:
        with open(options.json, "w") as file:
            json.dump(figures, file, indent=2)


if __name__ == "__main__":
    main()
