"""What a GPU gives: vectors, training, what must hold there, and what holds it back.

    python benchmarks/gpu.py [--device cuda] [--texts FILE] [--seconds S] [--only WORD] [--json F]

Sections run in order of importance until S (75) seconds have passed, and print each figure as soon
as it is known; what fails prints its error, and the next one runs:

- vectors: those of the CPU beside those of the device, with TF32 off, on and as torch has it, and
  the texts per second of `transform`, with batches of the default size and larger ones;
- checks: what must hold, each in a process of its own (_gpu_checks.py);
- training: texts per second of each task, with noise, in float32 and bfloat16, and without noise;
  the shares of the time outside the network, and in numpy's making of batches; the most memory;
- held_back: the same with larger batches, with batches that a thread makes ahead, and with all rows
  of the table updated at once; functions of Python and kernels that take the time.

The texts are those of FILE, one a line, or random words. With ``--device cpu`` the CPU is compared
with itself. Figures are written after each section.
"""

import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from importlib.metadata import version
from pathlib import Path
from queue import Queue
from threading import Thread
from unittest.mock import patch

import numpy as np
import torch
from _gpu_checks import CHECKS
from _gpu_profile import functions, kernels
from _measure import interleaved, options, table
from training import NOISE, measure, pretrainers

from sklearn_cclm import ComposedEmbedder, ComposedModel, MaskedCharacterPretrainer, load, save
from sklearn_cclm._training.batches import Batches
from sklearn_cclm.nn import optim

FIRST = ("MaskedCharacter", "Contrastive", "Entity", "Classification", "CausalLanguage")
TF32 = {"on": (True, True), "off": (False, False), "torch's own": (False, True)}
FEW = 1024  # texts for a CPU
LARGE = 2**20  # codes in a batch
AHEAD = 8  # batches
SHORTEST, LONGEST = 20, 60  # seconds that a check may take
KEPT = 20  # seconds for the last section


class Run:
    """What is asked for, the texts, and the time that is left."""

    def __init__(self, given):
        self.start = time.perf_counter()
        self.given = given
        self.device = given.device
        self.on_gpu = given.device != "cpu"
        self.texts = read_texts(given.file, 128 if given.quick else 8192)

    @property
    def left(self):
        return self.given.seconds - (time.perf_counter() - self.start)


def read_texts(path, n):
    """Return n distinct texts of a file, or of random words, some of them names."""
    if path:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        return list(dict.fromkeys(line for line in lines if line.strip()))[:n]
    rng = np.random.default_rng(0)
    letters = list("eeeettaaooiinnsshhrrddlluuccmmwwffggyyppbvk")
    words = ["".join(rng.choice(letters, size)) for size in rng.integers(2, 10, 5000)]
    words = np.array([word.title() if i % 10 == 0 else word for i, word in enumerate(words)])
    return [" ".join(words[rng.zipf(1.2, size) % 5000]) for size in rng.integers(5, 16, n)]


def tried(call, **what):
    """Return what a call measures, beside what it is of; an error is shown, and ends nothing."""
    try:
        row = what | call()
    except Exception as error:
        traceback.print_exc(limit=-4)
        row = what | {"error": repr(error)[:300]}
    print({name: shown(value) for name, value in row.items()}, flush=True)
    return row


def vectors(run):
    """Compare the vectors of both devices, and the speed."""
    rows = []
    for name, maker in embedders(run.texts[:FEW]).items():
        if run.left > 0:
            rows.append(tried(partial(compared, run, maker), vectors=name))
    reader = MaskedCharacterPretrainer(max_epochs=1).fit(run.texts[:16]).base_.preprocessor()
    calls = {"reading": lambda: reader.encode(reader.normalize(run.texts))}
    seconds = np.median(interleaved(calls, 3)["reading"])
    return [*rows, {"vectors": "none: reading alone", "texts/s": len(run.texts) / seconds}]


def compared(run, maker):
    """Return how far apart vectors are, and the texts per second."""
    few, cpu, gpu, large = (
        run.texts[:FEW],
        maker(device="cpu"),
        maker(device=run.device),
        maker(device=run.device, batch_chars=LARGE),
    )
    right, row = cpu.transform(few), {}
    for how, flags in TF32.items():
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = flags
        found = gpu.transform(few)
        row[f"apart, TF32 {how}"] = largest(found - right) / largest(right)
    large.transform(run.texts)
    calls = {
        "texts/s": partial(gpu.transform, run.texts),
        "large batches": partial(large.transform, run.texts),
    }
    seconds = interleaved(calls, 3)
    row |= {name: len(run.texts) / float(np.median(seconds[name])) for name in calls}
    (again,) = interleaved({"cpu": partial(cpu.transform, few)}, 1)["cpu"]
    return row | {"on the CPU": len(few) / float(again)}


def largest(vectors):
    return float(np.linalg.norm(vectors, axis=-1).max())


def embedders(texts):
    """Return functions that make an embedder for a device, by what they embed with."""
    how = {"max_epochs": 1, "random_state": 0, "device": "cpu"}
    kinds = ("pooled", "strided", "conv")
    towers = {k: MaskedCharacterPretrainer(tower=k, **how).fit(texts[:128]).tower_ for k in kinds}
    with tempfile.TemporaryDirectory() as folder:
        save(towers["pooled"], f"{folder}/int8", dtype="int8")
        towers["pooled, int8"] = load(f"{folder}/int8")

    def maker(cls, tower, **params):
        return lambda **more: cls([("t", tower)], **params, **more).fit(texts)

    found = {name: maker(ComposedEmbedder, tower) for name, tower in towers.items()}
    found["pooled, lexical"] = maker(Dense, towers["pooled"], lexical=True)
    found["strided, characters"] = maker(ComposedModel, towers["strided"])
    return found


class Dense(ComposedEmbedder):
    """Sparse features as an array."""

    def transform(self, X):
        return super().transform(X).toarray()


def checks(run):
    """Run each check in a process of its own, several at once; show what it found."""
    with ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2)) as pool:
        found = pool.map(lambda check: (check.__name__, in_process(run, check.__name__)), CHECKS)
        return [tried(partial(dict, of), check=name) for name, of in found]


def in_process(run, name):
    """Return what a check found, or its error."""
    given = run.given
    command = [sys.executable, "-W", "ignore", __file__, "--check", name]
    command += ["--texts", given.file] * bool(given.file) + ["--quick"] * given.quick
    env = os.environ | {"OMP_NUM_THREADS": "2"}
    if not run.on_gpu:
        env["CUDA_VISIBLE_DEVICES"] = ""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env=env, start_new_session=True, **pipes)
    start, limit = time.perf_counter(), min(LONGEST, max(SHORTEST, run.left))
    try:
        out, error = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # its workers too
        return {"ok": False, "error": f"no end after {limit:.0f} s"}
    seconds = time.perf_counter() - start
    if process.returncode:
        return {"ok": False, "seconds": seconds, "error": error.strip()[-600:]}
    return json.loads(out.splitlines()[-1]) | {"seconds": seconds}


def training(run):
    """Measure the training of each task on both devices."""
    variants = {
        "float32": (run.device, "float32", NOISE),
        "without noise": (run.device, "float32", None),
        "cpu": ("cpu", "float32", NOISE),
        "bfloat16": (run.device, "bfloat16", NOISE),
    }
    rows = []
    for cls in sorted(pretrainers(), key=place):
        for variant, (device, precision, noise) in variants.items():
            if run.left > KEPT:
                texts = run.texts[: FEW if device == "cpu" else 4 * FEW]
                how = {"device": device, "precision": precision}
                call = partial(trained, run, cls, texts, noise, **how)
                rows.append(tried(call, variant=variant))
    return rows


def place(cls):
    """Return where a task stands in the order of importance."""
    name = cls.__name__.removesuffix("Pretrainer")
    return FIRST.index(name) if name in FIRST else len(FIRST)


def trained(run, cls, texts, noise, tower=None, **how):
    """Return the figures of a training, with the most memory that it took of the device."""
    if run.on_gpu:
        torch.cuda.reset_peak_memory_stats()
    row = measure(cls, tower, texts, noise, 3, **how)
    del row["characters"]  # of the first text alone
    if run.on_gpu:
        row["peak_MB"] = torch.cuda.max_memory_allocated() / 2**20
    return row


def held_back(run):
    """Measure what would help, and list what takes the time."""
    texts, rows = run.texts[: 4 * FEW], []
    trials = {
        "as it is": (nullcontext(), 128),
        "batches made ahead": (patch.object(Batches, "_filled", ahead), 128),
        "all rows at once": (patch.object(optim, "_CHUNK", 2**40), 128),
        "large batches": (nullcontext(), 1024),
    }
    for tower in ("strided", "pooled"):
        for name, (changed, size) in trials.items():
            how = {"device": run.device, "batch_size": size, "tower": tower}
            call = partial(trained, run, MaskedCharacterPretrainer, texts, NOISE, **how)
            with changed:
                rows.append(tried(call, trial=name))
    for noise in (NOISE, None):
        rows += functions(texts[: 2 * FEW], noise, run.device)
    return rows + (kernels(texts[:FEW], run.device) if run.on_gpu else [])


_filled = Batches._filled


def ahead(self, epoch, done):
    """Yield batches that a thread makes, some of them ahead."""
    queue, end = Queue(AHEAD), object()

    def fill():
        try:
            for item in _filled(self, epoch, done):
                queue.put(item)
        finally:
            queue.put(end)

    Thread(target=fill, daemon=True).start()
    yield from iter(queue.get, end)


def show(figures):
    """Print what was measured as tables."""
    for name, rows in figures.items():
        rows = [row for row in rows if "profile" not in row]
        header = list(dict.fromkeys(key for row in rows for key in row))
        print(f"\n{name}:\n")
        table(header, [[shown(row.get(key, "")) for key in header] for row in rows])


def shown(value):
    """Return a figure in few digits."""
    if isinstance(value, dict):
        return {name: shown(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shown(part) for part in value]
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}"
    return value


def machine(run):
    """Return what the figures depend on."""
    return {
        "device": torch.cuda.get_device_name() if run.on_gpu else "cpu",
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "versions": {n: version(n) for n in ("numpy", "scikit-learn", "skorch", "torch")},
        "texts": len(run.texts),
    }


def main():
    """Run the sections, or one check."""
    given = options(
        __doc__,
        device={"default": "cuda", "help": "what to compare with the CPU (cuda)"},
        texts={"dest": "file", "metavar": "FILE", "help": "a text a line"},
        seconds={"type": float, "default": 75.0, "help": "after which nothing more begins (75)"},
        only={"default": "", "metavar": "WORD", "help": "sections whose name has WORD"},
        check={"help": "run this check alone, in this process"},
    )
    run = Run(given)
    if given.check:
        (check,) = [check for check in CHECKS if check.__name__ == given.check]
        print(json.dumps(check(run.texts)))
        return
    figures, where = {}, machine(run)
    print(where, flush=True)
    for section in (vectors, checks, training, held_back):
        if given.only in section.__name__ and run.left > 0:
            print(f"\n-- {section.__name__}, {run.left:.0f} s left", flush=True)
            try:
                figures[section.__name__] = section(run)
            except Exception:
                traceback.print_exc()
            if given.json:
                Path(given.json).write_text(json.dumps(where | figures, indent=2) + "\n")
    show(figures)


if __name__ == "__main__":
    main()
