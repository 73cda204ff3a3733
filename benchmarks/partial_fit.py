"""Where the time of a head's `partial_fit` goes, and what of the head takes memory in between.

    python benchmarks/partial_fit.py [--calls N] [--quick] [--json FILE]

A `ComposedClassifier()` of the published tower is given 32 texts of 60 characters in each call, all
distinct, on one thread. The time of a part is that of the processor, without the parts within it,
the mean of all calls but the first, which makes the network.
"""

import pickle
import time
from collections import defaultdict
from functools import wraps

import numpy as np
import torch
from _measure import options, random_texts, table, write

from sklearn_cclm import ComposedClassifier, Shelf
from sklearn_cclm._training import label_task, live, loop, reader
from sklearn_cclm.nn import optim
from sklearn_cclm.nn.composed_task import ComposedTask

SIZE = 32
PARTS = {
    "all around the training": (ComposedClassifier, "partial_fit"),
    "check of the labels": (label_task, "check_labels"),
    "batches of codes": (reader.Reader, "batches"),
    "skorch: a net and an optimizer": (loop._Net, "initialize"),
    "copies of dense weights, to go back": (live.Live, "goes_on"),
    "skorch: the loop and callbacks": (loop._Net, "fit_loop"),
    "loss": (loop._Net, "train_step_single"),
    "forward": (ComposedTask, "__call__"),
    "backward": (torch.Tensor, "backward"),
    "norm of the gradient": (loop, "clip_gradients"),
    "step of dense weights": (optim.LazyAdamW, "step"),
    "room for moments of new rows": (optim, "_slots"),
    "copies of rows and moments, to go back": (optim.RowsBefore, "keep"),
    "step of the rows": (optim.LazyAdamW, "_update_rows"),
    "are the rows finite": (optim.RowsBefore, "sums"),
}


class Clock:
    """Processor time of functions, without that of others that are clocked within them."""

    def __init__(self):
        self.seconds = defaultdict(float)
        self._within = [0.0]

    def clocked(self, call, name):
        """Return a function that does the same and is clocked."""

        @wraps(call)
        def run(*args, **how):
            start = time.thread_time()
            self._within.append(0.0)
            try:
                return call(*args, **how)
            finally:
                took = time.thread_time() - start
                self.seconds[name] += took - self._within.pop()
                self._within[-1] += took

        return run


def megabytes(head, n_calls):
    """Return what a head takes in a pickle, and what of it, in MB."""
    state = head.optimizer_state_["state"].values()
    rows = max(len(part["exp_avg"]) for part in state)
    moments = sum(part[name].nbytes for part in state for name in ("exp_avg", "exp_avg_sq"))
    whole, tower = (len(pickle.dumps(value)) for value in (head, Shelf().fetch("en-semantic")))
    parts = (whole, tower, moments, whole - tower - moments)
    return [n_calls, f"{rows:,}", *(f"{part / 1e6:.1f}" for part in parts)]


def main():
    """Run the benchmark."""
    given = options(__doc__, calls={"type": int, "default": 51, "help": "of partial_fit (51)"})
    n = 3 if given.quick else given.calls
    torch.set_num_threads(1)
    clock, sizes = Clock(), []
    for name, (owner, function) in PARTS.items():
        setattr(owner, function, clock.clocked(getattr(owner, function), name))
    texts, head, times = random_texts(SIZE * n, 60), ComposedClassifier(random_state=0), []
    labels = [len(text.split()) % 2 for text in texts]
    for call in range(n):
        some = slice(SIZE * call, SIZE * (call + 1))
        starts = time.perf_counter(), time.thread_time()
        head.partial_fit(texts[some], labels[some], classes=[0, 1])
        times.append((time.perf_counter() - starts[0], time.thread_time() - starts[1]))
        if call == 0:
            clock.seconds.clear()
        if call in (0, 10, n - 1):
            sizes.append(megabytes(head, call + 1))
    ms = {name: 1000 * seconds / (n - 1) for name, seconds in clock.seconds.items()}
    table(["part", "ms"], [[k, f"{v:.2f}"] for k, v in sorted(ms.items(), key=lambda p: -p[1])])
    by_clock, processor = 1000 * np.median(times[1:], axis=0)
    print(f"a call, median: {by_clock:.1f} ms by the clock, {processor:.1f} ms of the processor\n")
    columns = ["calls", "rows read", "pickle, MB", "published tower", "moments", "changed rows"]
    table(columns, sizes)
    write(given, ms=ms, call={"clock": by_clock, "processor": processor}, sizes=sizes)


if __name__ == "__main__":
    main()
