"""The student: a table of hashed n-grams whose sum, scaled, is the text's vector.

It is the base "ngram" under the tower "pooled" without a hidden layer. `DistillationPretrainer`
trains the same network; this loop is for a machine with a GPU and many cores: processes misspell
the texts and turn them into codes, the device hashes, sums and learns.
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
from scipy.sparse import csr_array

from sklearn_cclm.nn.embedding import ngram_buckets

ORDERS = (2, 3, 4, 5)
IN_FLIGHT = 4  # batches for each process
SORTED = 16  # batches whose texts are sorted by their length

_reading = {}  # what each process reads with


class Student(torch.nn.Module):
    """Table and scale.

    Parameters
    ----------
    folded : sequence of int
        For each code, the code that stands for it once case is folded.
    n_buckets, width : int
        Size of the table beside the characters' rows.
    """

    def __init__(self, folded, n_buckets, width):
        super().__init__()
        self.n_buckets = n_buckets
        self.register_buffer("folded", torch.tensor(folded))
        self.table = torch.nn.Parameter(0.05 * torch.randn(len(folded) + n_buckets, width))
        self.norm = torch.nn.LayerNorm(width)

    def rows(self, ids):
        """Map codes, (n, length), to rows of the table end to end, and how many a text has."""
        mask = ids != 0
        hashed = ngram_buckets(self.folded[ids], ORDERS, self.n_buckets) + len(self.folded)
        rows = torch.cat([ids.unsqueeze(-1), hashed], dim=-1)[mask]
        return rows.flatten(), mask.sum(1) * rows.shape[1]

    def forward(self, ids):
        """Map codes, (n, length), to vectors, (n, width)."""
        rows, counts = self.rows(ids)
        sums = F.embedding_bag(rows, self.table, counts.cumsum(0) - counts, mode="sum")
        return self.norm(sums / counts.clamp(min=1).unsqueeze(1))

    @torch.no_grad()
    def embed(self, texts):
        """Return vectors of texts, of any length."""
        pieces = [encoded(texts[i : i + 1024]) for i in range(0, len(texts), 1024)]
        return torch.cat([self(self._tensor(ids)) for ids in pieces])

    @torch.no_grad()
    def count(self, texts):
        """Return how often each text has each row of the table, CSR."""
        rows, counts = (part.cpu().numpy() for part in self.rows(self._tensor(encoded(texts))))
        owners = np.repeat(np.arange(len(texts)), counts)
        values = np.ones(len(rows), dtype=np.float32)
        return csr_array((values, (owners, rows)), (len(texts), len(self.table)))

    def _tensor(self, ids):
        return torch.as_tensor(ids).to(self.folded.device, torch.int64)


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
    return encoded(noise.transform([_reading["texts"][row] for row in rows]).tolist())


def encoded(texts):
    """Return texts as codes, padded on the right; int32 of shape (n, longest)."""
    ids = _reading["preprocessor"].transform(texts)
    return ids[:, : max(1, int((ids != 0).sum(1).max()))].astype(np.int32)


def batches(rows, size, seed):
    """Yield row numbers without end, in an order that keeps texts of like length together."""
    rng = np.random.default_rng(seed)
    lengths = np.fromiter(map(len, _reading["texts"]), dtype=np.int64)
    while True:
        order = rng.permutation(rows)
        for start in range(0, len(rows), SORTED * size):
            block = order[start : start + SORTED * size]
            block = block[np.argsort(lengths[block], kind="stable")]
            pieces = [block[i : i + size] for i in range(0, len(block), size)]
            yield from (pieces[i] for i in rng.permutation(len(pieces)))


def loss_of(own, wanted, loss):
    """Return the loss of vectors against the teacher's: "cosine", "gram" or "contrast" beside."""
    own, wanted = F.normalize(own, dim=1), F.normalize(wanted, dim=1)
    total = 1 - (own * wanted).sum(1).mean()
    if "gram" in loss:
        own_similar, similar = own @ own.T / 0.1, wanted @ wanted.T / 0.1
        total = total + 0.3 * F.kl_div(
            own_similar.log_softmax(1), similar.log_softmax(1), log_target=True,
            reduction="batchmean",
        )  # fmt: skip
    if "contrast" in loss:
        scores = own @ wanted.T / 0.05
        total = total + 0.1 * F.cross_entropy(scores, torch.arange(len(own), device=own.device))
    return total


def train(student, targets, pool, *, rows, seconds, batch=4096, lr=5e-3, loss="cosine", seed=0):
    """Train for some seconds, the learning rate falling along a cosine.

    Parameters
    ----------
    student : Student
        On its device.
    targets : float16 Tensor of shape (n, width)
        The teacher's vectors of the texts that are read, on the same device.
    pool : Executor
        From `readers`.
    rows : int array
        Texts to learn from.

    Yields
    ------
    share, loss, seen : float, float, int
        Of the time; of the last batch; texts so far.
    """
    device = targets.device
    optimizer = torch.optim.Adam(student.parameters(), lr=lr, betas=(0.9, 0.99), eps=1e-10)
    order = enumerate(batches(rows, batch, seed), start=seed << 32)

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
        own = student(torch.as_tensor(found.result()).to(device, torch.int64, non_blocking=True))
        value = loss_of(own, targets[torch.as_tensor(some, device=device)].float(), loss)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        seen += len(some)
        if step % 100 == 0 or share >= 1:
            yield share, float(value), seen
        if share >= 1:
            break
    for _, found in waiting:
        found.cancel()
