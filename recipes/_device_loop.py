"""Distillation on a device beside many cores: processes misspell and encode, the device learns.

`DistillationPretrainer` trains the same network; it makes its batches on one core.
"""

import multiprocessing
import os
import time
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from itertools import count

import numpy as np
import torch
import torch.nn.functional as F

IN_FLIGHT = 4  # batches for each process
SORTED = 16  # batches whose texts are sorted by their length

_reading = {}  # what each process reads with


def readers(texts, noise, preprocessor, *, processes=None):
    """Return processes that read these texts, misspell them and turn them into codes."""
    _reading.update(texts=texts, noise=noise, preprocessor=preprocessor)
    n = processes or os.cpu_count()
    pool = ProcessPoolExecutor(n, mp_context=multiprocessing.get_context("fork"))
    list(pool.map(misspelt, [[0]] * n, range(n)))  # forked before the device is used
    return pool


def misspelt(rows, seed):
    """Return texts with noise as codes, padded on the right; int32 of shape (n, longest)."""
    noise = _reading["noise"].set_params(random_state=int(seed))
    ids = _reading["preprocessor"].transform(noise.transform([_reading["texts"][i] for i in rows]))
    return ids[:, : max(1, int((ids != 0).sum(1).max()))].astype(np.int32)  # few bytes to send


def batches(size, seed):
    """Yield row numbers without end, in an order that keeps texts of like length together."""
    rng = np.random.default_rng(seed)
    lengths = np.fromiter(map(len, _reading["texts"]), dtype=np.int64)
    while True:
        order = rng.permutation(len(lengths))
        for start in range(0, len(order), SORTED * size):
            block = order[start : start + SORTED * size]
            block = block[np.argsort(lengths[block], kind="stable")]
            pieces = [block[i : i + size] for i in range(0, len(block), size)]
            yield from (pieces[i] for i in rng.permutation(len(pieces)))


def train(base, tower, targets, pool, *, seconds, batch=4096, lr=5e-3, seed=0):
    """Train for some seconds, the learning rate falling along a cosine.

    Parameters
    ----------
    base, tower : nn.Module
        On their device.
    targets : float16 Tensor of shape (n, width)
        The teachers' vectors of the texts that are read, on the same device.
    pool : Executor
        From `readers`.

    Yields
    ------
    share, loss, seen : float, float, int
        Of the time; of the last batch; texts so far.
    """
    device = targets.device
    parameters = [*base.parameters(), *tower.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=lr, betas=(0.9, 0.99), eps=1e-10)
    order = enumerate(batches(batch, seed))

    def submit():
        number, some = next(order)
        return some, pool.submit(misspelt, some, number)

    waiting = deque(submit() for _ in range(IN_FLIGHT * os.cpu_count()))
    start, share, seen = time.perf_counter(), 0.0, 0
    for step in count(1):
        some, found = waiting.popleft()
        waiting.append(submit())
        share = (time.perf_counter() - start) / seconds
        rate = lr * min(1.0, share / 0.03) * (0.5 + 0.5 * np.cos(np.pi * min(share, 1.0)))
        optimizer.param_groups[0]["lr"] = max(float(rate), 1e-6)
        ids = torch.as_tensor(found.result()).to(device, torch.int64, non_blocking=True)
        own = tower.native(base(ids))
        wanted = targets[torch.as_tensor(some, device=device)].float()
        value = 1 - F.cosine_similarity(own, wanted).mean()
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        seen += len(some)
        if step % 100 == 0 or share >= 1:
            yield share, value.item(), seen
        if share >= 1:
            break
    for _, found in waiting:
        found.cancel()
