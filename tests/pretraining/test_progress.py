"""What a training shows: on a terminal, elsewhere, in workers and in callbacks."""

import os
import pty
import re
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
from skorch.callbacks import Callback

from sklearn_cclm import CCLMModelBase, MaskedCharacterPretrainer, PooledConfig

TEXTS = ["where is my card", "my card has not come", "please cancel my order"] * 10
SCRIPT = """
import sys
from joblib import Parallel, delayed
from sklearn_cclm import CCLMModelBase, MaskedCharacterPretrainer, PooledConfig

def fit(seed):
    recipe = CCLMModelBase(width=8, n_buckets=50)
    tower = PooledConfig(width=8, hidden=8)
    MaskedCharacterPretrainer(
        recipe, tower=tower, max_epochs=2, batch_size=3, random_state=seed, verbose=1
    ).fit(["where is my card", "please cancel my order"] * 15)

fit(0)
for backend in ("loky", "multiprocessing"):
    print("workers", file=sys.stderr)
    Parallel(2, backend=backend)(delayed(fit)(seed) for seed in range(2))
"""


def shown(code):
    """Run code with a terminal, one that does not know its size, and return what it shows."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", code], stdout=theirs, stderr=theirs)
    os.close(theirs)
    written = b""
    with suppress(OSError):  # the other end is closed
        while some := os.read(ours, 4096):
            written += some
    os.close(ours)
    assert process.wait() == 0
    return written.decode()


@pytest.mark.slow
@pytest.mark.ci
def test_a_terminal_shows_a_bar_and_workers_nothing():
    bar, *workers = shown(SCRIPT).split("workers")
    assert [lines.strip() for lines in workers] == ["", ""]
    *earlier, last = bar.strip().split("\r")
    assert re.search(r"100%\|.*\| 18/18 \[\d\d:\d\d<00:00, .*batch/s, loss=\d\.\d{3}\]", last)
    assert earlier
    assert "epoch" not in bar
    assert max(map(len, [*earlier, last])) < 80


class Logger(Callback):
    """As skorch's loggers do: holds something that has no deep copy, and writes at epoch's end."""

    def __init__(self, writer):
        self.writer = writer

    def initialize(self):
        self.epochs_ = 0
        return self

    def on_epoch_end(self, net, **params):
        self.epochs_ += 1
        self.writer.write(net.history[-1])


class Writer:
    """Collects what it is given, under a lock."""

    def __init__(self):
        self.lock = threading.Lock()
        self.rows = []

    def write(self, row):
        with self.lock:
            self.rows.append({key: row[key] for key in row if key != "batches"})


def test_callbacks_log_each_epoch_with_its_held_out_loss():
    logger = Logger(Writer())
    recipe = CCLMModelBase(width=8, n_buckets=50)
    tower = PooledConfig(width=8, hidden=8)
    pretrainer = MaskedCharacterPretrainer(recipe, tower=tower, max_epochs=2, callbacks=[logger])
    history = pretrainer.fit(TEXTS).history_
    assert not hasattr(logger, "epochs_")
    found = [{key: row[key] for key in history[0]} for row in logger.writer.rows]
    assert found == history
