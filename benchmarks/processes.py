"""Training in one process and in two, of one thread each: steps, texts/s, and one digest.

    python benchmarks/processes.py [--quick] [--texts N] [--tasks NAME ...] [--json FILE]

Each training is a fit of two epochs in processes of its own, which `torch.distributed.run` starts
and gloo connects; the second epoch is timed, in 3 interleaved rounds, by the clock and by the
processor time of the processes, which other work on the machine does not lengthen. The texts are
of 100 characters, from the docstrings of installed libraries.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
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
    """Count the steps of an epoch, and its processor time."""

    def on_epoch_begin(self, net, **params):
        self.n, self.start = 0, time.process_time()

    def on_batch_end(self, net, training=False, **params):
        self.n += training

    def on_epoch_end(self, net, **params):
        net.history.record("steps", self.n)
        net.history.record("processor", time.process_time() - self.start)


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
        "processor": last["processor"],
        "steps": int(last["steps"]),
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


def compared(name, n, rounds):
    """Return the figures of a task in one process and in two, and their row of the table."""
    found = [(trained(name, n, 1), trained(name, n, 2)) for _ in range(rounds)]
    speeds = {
        clock: np.array([[n / max(p[clock] for p in run) for run in both] for both in found])
        for clock in ("seconds", "processor")
    }
    one, two = (run[0] for run in found[-1])
    alike = len({tuple(process["digests"]) for process in found[-1][1]}) == 1
    figures = {"one": one, "two": two, "alike": alike}
    figures |= {f"texts_by_{clock}": speed.tolist() for clock, speed in speeds.items()}
    row = [name, one["steps"], two["steps"], f"{one['loss']:.3f}", f"{two['loss']:.3f}", alike]
    for speed in speeds.values():
        ratio = speed[:, 1] / speed[:, 0]
        row += [f"{np.median(column):,.0f}" for column in speed.T]
        row += [f"{np.median(ratio):.2f} ({ratio.min():.2f}-{ratio.max():.2f})"]
    return figures, row


def main():
    """Run the benchmark."""
    given = options(
        __doc__,
        texts={"type": int, "default": 20_000, "help": "how many texts"},
        tasks={"nargs": "*", "default": TASKS, "choices": TASKS, "help": "which; all"},
    )
    n, rounds = (2_000, 1) if given.quick else (given.texts, 3)
    figures, rows = {}, []
    for name in given.tasks:
        figures[name], row = compared(name, n, rounds)
        rows.append(row)
    header = ["task", "steps, 1 process", "2", "loss, 1", "2", "one digest"]
    header += ["texts/s, 1", "2", "ratio", "by processor time, 1", "2", "ratio"]
    table(header, rows)
    if given.json:
        Path(given.json).write_text(json.dumps(machine() | figures, indent=2) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        name, n, folder = sys.argv[2:]
        train(name, int(n), folder)
    else:
        main()
