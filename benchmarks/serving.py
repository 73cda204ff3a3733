"""The services of the user guide under load: memory, latency, a killed worker, hostile requests.

    python benchmarks/serving.py [--by bentoml] [--seconds N] [--quick] [--json FILE]

Needs fastapi, uvicorn and uvloop, or bentoml, beside the package; starts and stops
``docs/user_guide/service.py`` by uvicorn, or ``bento.py`` by BentoML, on a free port, with a
pipeline of `ComposedEmbedder()` and a logistic regression. Eight clients ask for N seconds (60),
one for a quarter of that. Clients are threads of this process, each with a connection that stays
open. Memory is proportional set size, so that what workers share counts once. Of Linux alone.
"""

import argparse
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_cclm import ComposedEmbedder

SERVICE = Path(__file__).parents[1] / "docs" / "user_guide"
STARTS = {
    "fastapi": ["uvicorn", "service:app", "--log-level", "error"],
    "bentoml": ["bentoml", "serve", "bento:Predictor"],
}
WORKER = re.compile(rb"spawn_main|worker.service")  # in the command of one
WORDS = "card payment refund account where is my the a lost stolen transfer top up fee".split()
HOSTILE = {
    "no JSON": b"texts",
    "not UTF-8": b'{"texts": ["\xff\xfe"]}',
    "no texts": b'{"texts": []}',
    "null": b'{"texts": [null]}',
    "a number": b'{"texts": 7}',
    "too long": json.dumps({"texts": ["x" * 10_001]}).encode(),
    "too many": json.dumps({"texts": ["x"] * 257}).encode(),
    "10 MB": json.dumps({"texts": ["x" * 10_000_000]}).encode(),
    "deeply nested": b"[" * 100_000,
    "a lone surrogate": rb'{"texts": ["\ud800"]}',
    "NUL and directions": rb'{"texts": ["\u0000\u202e\u200d"]}',
    "an empty text": b'{"texts": [""]}',
    "256 texts of 10,000 characters": json.dumps(
        {"texts": [f"{i} " + "ab " * 3330 for i in range(256)]}
    ).encode(),
}


class Client:
    """A connection that stays open, and is made anew where the server has closed it."""

    def __init__(self, port):
        self.port = port
        self.connection = None

    def post(self, body, timeout=60):
        """Return status and answer, or raise OSError or HTTPException."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            kind = {"Content-Type": "application/json"}
            self.connection.request("POST", "/predict", body, kind)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except BaseException:
            self.connection.close()
            self.connection = None
            raise


@contextmanager
def service(model, workers, by="fastapi", **env):
    """Yield process and port of a service that has answered, and the seconds until it did."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", *STARTS[by], "--port", str(port)]
    if by == "fastapi":
        command += ["--workers", str(workers)]
    given = {"MODEL": str(model), "WORKERS": str(workers), "PYTHONWARNINGS": "ignore"}
    quiet = {"BENTOML_HOME": str(Path(model).parent), "BENTOML_DO_NOT_TRACK": "True"}
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=SERVICE, env={**os.environ, **given, **quiet, **env}, stdout=subprocess.DEVNULL
    )
    try:
        first_answer(process, port)
        ready = time.perf_counter() - start
        while len(family(process.pid)) < workers and workers > 1:
            time.sleep(0.1)
        yield process, port, ready
    finally:
        process.terminate()
        process.wait(timeout=30)


def first_answer(process, port):
    """Wait for the first prediction."""
    while process.poll() is None:
        try:
            return Client(port).post(request())
        except OSError:
            time.sleep(0.02)
    raise SystemExit("the service ended before it answered")


def request(rng=None):
    """Return the body of a request with one text of about sixty characters."""
    rng = rng or np.random.default_rng(0)
    return json.dumps({"texts": [" ".join(rng.choice(WORDS, 11))]}).encode()


def family(pid):
    """Return the workers below a process: those that have the service loaded."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [c for c in children if WORKER.search(Path(f"/proc/{c}/cmdline").read_bytes())]


def memory(pids):
    """Return the proportional set size of processes, in MB."""
    files = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    return sum(int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) for text in files) / 1024


def load(port, clients, seconds, after=None):
    """Return the milliseconds of requests by some clients, and what went wrong by its kind.

    A request that fails is sent again, up to half a minute after the end. `after` is called when a
    third of the time is over.
    """
    times, wrong, stop = [], {}, time.perf_counter() + seconds

    def work(seed):
        client, rng = Client(port), np.random.default_rng(seed)
        while time.perf_counter() < stop:
            body, start = request(rng), time.perf_counter()
            while time.perf_counter() < stop + 30:
                try:
                    status, _ = client.post(body, timeout=20)
                    kind = None if status == 200 else str(status)
                except (OSError, http.client.HTTPException) as error:
                    kind = type(error).__name__
                if kind is None:
                    times.append(1000 * (time.perf_counter() - start))
                    break
                wrong[kind] = wrong.get(kind, 0) + 1
                time.sleep(0.01)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(clients)]
    for thread in threads:
        thread.start()
    if after is not None:
        time.sleep(seconds / 3)
        after()
    for thread in threads:
        thread.join(seconds + 60)
    return np.array(times), wrong, sum(thread.is_alive() for thread in threads)


def installed():
    """Return the MB of all that is installed beside Python, and of torch in it."""
    folder = Path(sysconfig.get_paths()["purelib"])
    sizes = {"all": folder, "torch": folder / "torch"}
    return {
        name: sum(f.lstat().st_size for f in path.rglob("*") if f.is_file()) / 1e6
        for name, path in sizes.items()
    }


def engine():
    """Return what computes vectors in this environment."""
    code = (
        "import sys; from sklearn_cclm import ComposedEmbedder;"
        "ComposedEmbedder(lexical=False).fit(['']).transform(['a']);"
        "print('torch' if 'torch' in sys.modules else 'numpy')"
    )
    return subprocess.check_output([sys.executable, "-W", "ignore", "-c", code], text=True).strip()


def pipeline(path):
    """Write a fitted pipeline."""
    rng = np.random.default_rng(0)
    texts = [json.loads(request(rng))["texts"][0] for _ in range(500)]
    model = make_pipeline(ComposedEmbedder(), LogisticRegression(max_iter=1000))
    labels = ["card" if "card" in text else "other" for text in texts]
    joblib.dump(model.fit(texts, labels), path)


def row(what, times, wrong, hung, seconds):
    """Print a line of figures under load, and return them."""
    p50, p99 = np.percentile(times, [50, 99])
    print(
        f"| {what} | {len(times) / seconds:.0f} | {p50:.1f} | {p99:.1f} | {times.max():.0f} | "
        f"{wrong or 0} | {hung} |",
        flush=True,
    )
    return {"per_second": len(times) / seconds, "p50": p50, "p99": p99, "again": wrong}


def kill_one(process):
    """Return what kills the newest worker of a service."""
    return lambda: os.kill(int(family(process.pid)[-1]), signal.SIGKILL)


def under_load(model, seconds, by):
    """Measure latency with one and two workers, and with one that is killed."""
    found = {}
    print("| | requests/s | p50, ms | p99, ms | longest | sent again | hung |")
    print("|---|---|---|---|---|---|---|")
    cores = str(os.cpu_count())
    for threads in ("1", cores):
        with service(model, 1, by, OMP_NUM_THREADS=threads) as (_, port, _):
            what = f"1 client, 1 worker, OMP_NUM_THREADS={threads}"
            found[what] = row(what, *load(port, 1, seconds / 4), seconds / 4)
    for workers in (1, 2):
        with service(model, workers, by, OMP_NUM_THREADS="1") as (process, port, _):
            what = f"8 clients, {workers} workers"
            found[what] = row(what, *load(port, 8, seconds), seconds)
            if workers == 2:
                what = "8 clients, 2 workers, one of them killed"
                killed = load(port, 8, seconds, kill_one(process))
                found[what] = row(what, *killed, seconds)
                time.sleep(10)
                print(f"\nworkers ten seconds after: {len(family(process.pid))}\n")
    return found


def hostile(model, by):
    """Print what a service answers to hostile requests, and that it lives on."""
    found = {}
    with service(model, 1, by, OMP_NUM_THREADS="1") as (process, port, _):
        for what, body in HOSTILE.items():
            start = time.perf_counter()
            status, _ = Client(port).post(body)
            found[what] = status
            print(f"{what}: {status} in {1000 * (time.perf_counter() - start):.0f} ms")
        pids = [process.pid, *family(process.pid)]
        print(f"then: {Client(port).post(request())[0]}, {memory(pids):.0f} MB\n")
    return found


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--by", choices=STARTS, default="fastapi", help="what serves")
    parser.add_argument("--seconds", type=float, default=60, help="of eight clients' loads")
    parser.add_argument("--quick", action="store_true", help="a small run, to see that it works")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to FILE")
    given = parser.parse_args()
    seconds = 2 if given.quick else given.seconds
    figures = {"engine": engine(), "installed_MB": installed()}
    print(f"engine: {figures['engine']}; installed, MB: {figures['installed_MB']}")
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "pipeline.joblib")
        pipeline(model)
        for workers in (1, 4):
            with service(model, workers, given.by, OMP_NUM_THREADS="1") as (process, port, ready):
                load(port, 8, 2)
                pids = [process.pid, *family(process.pid)]
                figures[f"{workers}_workers"] = {"s_to_answer": ready, "MB": memory(pids)}
                print(f"{workers} workers: {ready:.2f} s to an answer, {memory(pids):.0f} MB")
        figures["load"] = under_load(model, seconds, given.by)
        figures["hostile"] = hostile(model, given.by)
    if given.json:
        Path(given.json).write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
