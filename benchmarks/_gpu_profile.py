"""Where the time of a training goes: functions of Python, and kernels of the GPU."""

import cProfile
import pstats
import time
from pathlib import Path

import torch
from training import NOISE, make

from sklearn_cclm import MaskedCharacterPretrainer

SHOWN = 12


def functions(texts, noise, device):
    """Return the functions of Python that take the most time in a training."""
    trainer = make(MaskedCharacterPretrainer, "strided", noise, 1, device=device)
    with cProfile.Profile() as profile:
        trainer.fit(texts)
    stats = pstats.Stats(profile)
    how = f"{'with' if noise else 'without'} noise"
    print(f"\nPython, {how}, {stats.total_tt:.1f} s for {len(texts)} texts:", flush=True)
    ranked = sorted(stats.stats.items(), key=lambda item: -item[1][2])[:SHOWN]
    return [
        line(how, f"{Path(file).name}:{name}", calls, own / stats.total_tt)
        for (file, _, name), (_, calls, own, _, _) in ranked
    ]


def kernels(texts, device):
    """Return the kernels that take the most time in a training, and the share of them all."""
    trainer = make(MaskedCharacterPretrainer, "strided", NOISE, 1, device=device)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        start = time.perf_counter()
        trainer.fit(texts)
        torch.cuda.synchronize()
        seconds = time.perf_counter() - start
    events = sorted(profile.key_averages(), key=lambda event: -event.self_device_time_total)
    busy = sum(event.self_device_time_total for event in events) / 1e6
    print(f"\nThe GPU computes {busy / seconds:.1%} of {seconds:.1f} s; of that:", flush=True)
    return [line("all", "of the time of the training", 1, busy / seconds)] + [
        line("kernels", event.key[:70], event.count, event.self_device_time_total / 1e6 / busy)
        for event in events[:SHOWN]
    ]


def line(kind, name, calls, share):
    """Print and return what a function or kernel takes."""
    print(f"  {share:6.1%} {name} ({calls} calls)", flush=True)
    return {"profile": kind, "name": name, "calls": calls, "share": share}
