"""Training in one process and in two, of one thread each: steps, texts/s, and one digest.

    python benchmarks/distributed.py [--quick] [--json FILE]

Each training is a fit of two epochs in processes of its own, which `torch.distributed.run` starts
and gloo connects; the second epoch is timed, in 3 interleaved rounds. The texts are of 100
characters, from the docstrings of installed libraries.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch.distributed as dist
from _measure import machine, options, random_texts, table
from skorch.callbacks import Callback

from sklearn_cclm import (
    ComposedClassifier,
    ContrastivePretrainer,
    MaskedCharacterPretrainer,
    MaskedLanguagePretrainer,
)

HOW = {"max_epochs": 2, "validation_fraction": 0, "random_state": 0}
TASKS = {
    "masked characters, pooled": lambda: MaskedCharacterPretrainer(tower="pooled", **HOW),
    "masked characters, strided": lambda: MaskedCharacterPretrainer(**HOW),
    "masked tokens": lambda: MaskedLanguagePretrainer(tower="pooled", **HOW),
    "contrastive": lambda: ContrastivePretrainer(**HOW),
    "classifier": lambda: ComposedClassifier(**HOW),
}


class Steps(Callback):
    """Count the steps of an epoch."""

    def on_epoch_begin(self, net, **params):
        self.n = 0

    def on_batch_end(self, net, training=False, **params):
        self.n += training

    def on_epoch_end(self, net, **params):
        net.history.record("steps", self.n)


def train(name, n, folder):
    """Train in this process, with those that were started beside it, and write what came of it."""
    dist.init_process_group("gloo")
    texts = random_texts(n, 100)
    labels = np.array([len(text.split()) % 4 for text in texts])
    estimator = TASKS[name]().set_params(callbacks=[Steps()])
    estimator.fit(texts, labels) if name == "classifier" else estimator.fit(texts)
    towers = getattr(estimator, "towers_", None) or [("tower", estimator.tower_)]
    last = estimator.history_[-1]
    found = {
        "seconds": last["dur"],
        "steps": last["steps"],
        "loss": last["train_loss"],
        "digests": [tower.digest for _, tower in towers],
    }
    Path(folder, f"{dist.get_rank()}.json").write_text(json.dumps(found))
    dist.destroy_process_group()


def trained(name, n, n_processes):
    """Return what came of a training in so many processes, of each of them."""
    start = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={n_processes}"]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, *start, __file__, "--work", name, str(n), folder]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
        subprocess.run(command, env=environment, check=True)
        return [json.loads(path.read_text()) for path in sorted(Path(folder).iterdir())]


def main():
    """Run the benchmark."""
    given = options(__doc__)
    n, rounds = (2_000, 1) if given.quick else (20_000, 3)
    figures, rows = {}, []
    for name in TASKS:
        found = [(trained(name, n, 1), trained(name, n, 2)) for _ in range(rounds)]
        one, two = (
            [[p["seconds"] for p in run] for run in runs] for runs in zip(*found, strict=True)
        )
        speeds = [n / np.max(seconds, axis=1) for seconds in (one, two)]
        ratio = speeds[1] / speeds[0]
        last = found[-1]
        figures[name] = {
            "steps": [run[0]["steps"] for run in last],
            "loss": [run[0]["loss"] for run in last],
            "texts_per_second": [speed.tolist() for speed in speeds],
            "alike": last[1][0]["digests"] == last[1][1]["digests"],
        }
        rows.append(
            [
                name,
                *(f"{run[0]['steps']:,.0f}" for run in last),
                *(f"{np.median(speed):,.0f}" for speed in speeds),
                f"{np.median(ratio):.2f} ({ratio.min():.2f}-{ratio.max():.2f})",
                *(f"{run[0]['loss']:.3f}" for run in last),
                "yes" if figures[name]["alike"] else "NO",
            ]
        )
    table(
        [
            "task",
            "steps, 1",
            "steps, 2",
            "texts/s, 1",
            "texts/s, 2",
            "ratio",
            "loss, 1",
            "loss, 2",
            "one digest",
        ],
        rows,
    )
    if given.json:
        Path(given.json).write_text(json.dumps(machine() | figures, indent=2) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        name, n, folder = sys.argv[2:]
        train(name, int(n), folder)
    else:
        main()
