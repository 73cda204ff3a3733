"""What the benchmarks share: texts, options, clocks, memory, and how figures are shown."""

import argparse
import ctypes
import gc
import json
import platform
import re
import sys
import time
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from joblib import Memory

from sklearn_cclm.datasets import load_docstrings

CLEAR = Path("/proc/self/clear_refs")


def options(doc, **more):
    """Return the parsed command line; `more` are further options, by name."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small run, to see that it works")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to FILE")
    for name, how in more.items():
        parser.add_argument(f"--{name}", **how)
    return parser.parse_args()


@cache
def docstrings():
    """Return the docstrings of installed libraries, text after text."""
    memory = Memory(Path(__file__).parent / ".cache", verbose=0)
    libraries = ("joblib", "numpy", "scikit-learn", "scipy", "sklearn-cclm", "torch")
    return memory.cache(_docstrings)(sys.version, [version(name) for name in libraries])


def _docstrings(*versions):
    return load_docstrings().data


def random_texts(n, length, *, distinct=1.0, seed=0):
    """Return n texts of a length from the docstrings of installed libraries, in random order.

    The share `distinct` of them is distinct, and these are repeated in turn.
    """
    whole = " ".join(docstrings())
    rng, wanted = np.random.default_rng(seed), max(1, round(n * distinct))
    starts = rng.permutation(len(whole) - length).tolist()
    found = {}
    for start in starts:
        found[whole[start : start + length]] = None
        if len(found) == wanted:
            break
    else:
        raise SystemExit(f"only {len(found)} distinct texts of {length} characters; ask for fewer")
    texts = (list(found) * -(-n // wanted))[:n]
    return [texts[i] for i in rng.permutation(len(texts))] if distinct < 1 else texts


def clock(call):
    """Return the seconds of a call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def interleaved(calls, rounds):
    """Return the seconds of each call, by name, an array (rounds,): round after round of all."""
    seconds = [[clock(call) for call in calls.values()] for _ in range(rounds)]
    return dict(zip(calls, np.array(seconds).T, strict=True))


def peak_memory(call):
    """Return the most memory, in bytes, that a call adds to the process; NaN but on Linux."""
    if not CLEAR.exists():
        return float("nan")
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what is free goes back, or a call could hide in it
    start = _status("VmRSS")
    CLEAR.write_text("5")  # begins the peak anew
    call()
    return _status("VmHWM") - start


def _status(line):
    found = re.search(rf"{line}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024


def exponent(sizes, costs):
    """Return the exponent of a power law fitted to costs, by least squares of the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def table(header, rows):
    """Print a Markdown table."""
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |", flush=True)
    print()


def machine():
    """Return what the figures depend on."""
    info = Path("/proc/cpuinfo")
    models = re.findall(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else []
    names = ("numpy", "scikit-learn", "torch", "sklearn-cclm")
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": len(models) or None,
        "torch_threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in names},
    }


def write(given, **figures):
    """Write figures and the machine they are of, where the command line says."""
    if given.json:
        Path(given.json).write_text(json.dumps(machine() | figures, indent=2) + "\n")
