"""Training in two processes that talk by gloo: one result, from half the steps."""

import multiprocessing
import os
import signal
import subprocess
import sys
from math import ceil
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
import torch.distributed as dist
from skorch.callbacks import Callback
from tiny import POOLED, tiny, tiny_base

from sklearn_cclm import (
    ClassificationPretrainer,
    ComposedClassifier,
    MaskedCharacterPretrainer,
    load,
)
from sklearn_cclm._training.distributed import average
from sklearn_cclm._training.trainer import Trainer
from sklearn_cclm.utils import all_estimators

pytestmark = pytest.mark.slow
GUIDE = Path(__file__).parents[2] / "docs" / "user_guide"
TEXTS = [f"{noun} number {n}" for n in range(40) for noun in ("hen", "fox", "owl")]
Y = [0, 1, 1] * 40
TRAINERS = {name: cls for name, cls in all_estimators() if issubclass(cls, Trainer)}


def together(work, folder, n=2):
    """Return what `work(rank)` gives, or fails with, in each of n processes; None of a dead one."""
    context, running = multiprocessing.get_context("fork"), []
    store = folder / f"store-{len(list(folder.iterdir()))}"

    def run(rank, pipe):
        dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=n)
        try:
            pipe.send(work(rank))
        except Exception as error:
            pipe.send(error)

    for rank in range(n):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=run, args=(rank, theirs))
        process.start()
        theirs.close()
        running.append((process, ours))
    found = [received(pipe) for _, pipe in running]
    for process, _ in running:
        process.join(30)
        process.kill()
    return found


def received(pipe):
    try:
        return pipe.recv() if pipe.poll(120) else None
    except EOFError:
        return None


def alike(found):
    """Return what all processes have found, which is the same."""
    for other in found:
        if isinstance(other, Exception):
            raise other
        assert other == found[0]
    return found[0]


class Steps(Callback):
    """Count the steps of a training, and end one process of it in one of them."""

    def __init__(self, kill=None):
        self.kill = kill

    def on_train_begin(self, net, **params):
        self.n = 0

    def on_batch_end(self, net, training=False, **params):
        self.n += training
        if self.n == self.kill and dist.get_rank() == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_epoch_end(self, net, **params):
        net.history.record("steps", self.n)


def chars(**params):
    given = {"max_epochs": 2, "batch_size": 16, "random_state": 0, "callbacks": [Steps()]}
    return MaskedCharacterPretrainer(tiny_base(), tower=POOLED, **(given | params))


def learned(estimator):
    """Return towers and history, without the seconds."""
    towers = getattr(estimator, "towers_", None) or [("", estimator.tower_)]
    rows = [{k: v for k, v in row.items() if k != "dur"} for row in estimator.history_]
    return [tower.digest for _, tower in towers], rows


@pytest.mark.parametrize("name", TRAINERS)
def test_both_end_alike_in_half_the_steps(name, tmp_path):
    def work(rank):
        estimator = tiny(name, TRAINERS[name]).set_params(random_state=0, callbacks=[Steps()])
        sizes = [name for name in estimator.get_params() if name.endswith("batch_size")]
        estimator.set_params(**dict.fromkeys(sizes, 18))  # an even number of batches
        return learned(estimator.fit(TEXTS, Y))

    first = alike(together(work, tmp_path))
    alone = work(0)
    assert first[1][0]["steps"] == ceil(alone[1][0]["steps"] / 2)
    assert first[0] != alone[0]


def test_a_seed_of_its_own_is_shared_and_partial_fit_goes_on(tmp_path):
    def work(rank):
        head = tiny("ComposedClassifier", ComposedClassifier)
        for texts in (TEXTS, TEXTS[::-1]):
            head.partial_fit(texts, Y, classes=[0, 1])
        return learned(head)

    alike(together(work, tmp_path))


def test_as_one_process_with_twice_the_batch(tmp_path):
    """Where a batch holds all and nothing is drawn, the steps are the same."""

    def work(batch_size):
        estimator = ClassificationPretrainer(
            tiny_base(), tower=POOLED, noise=None, optimizer="sgd", lr=0.1, max_epochs=5,
            validation_fraction=0, batch_size=batch_size, random_state=0,
        )  # fmt: skip
        return estimator.fit(TEXTS, Y).tower_

    alone = work(len(TEXTS))
    for both in together(lambda rank: work(len(TEXTS) // 2), tmp_path):
        for name, weights in alone.weights.items():
            np.testing.assert_allclose(both.weights[name], weights, atol=1e-5)
    assert np.abs(alone.weights["norm.weight"] - 1).max() > 1e-3  # it has learned


def test_loss_is_that_of_one_process_with_twice_the_batch(tmp_path):
    def work(batch_size):
        return chars(batch_size=batch_size, max_epochs=20, lr=0.01).fit(TEXTS).history_

    alone, (both, _) = work(32), together(lambda rank: work(16), tmp_path)
    assert alone[-1]["steps"] == both[-1]["steps"]
    for key in ("train_loss", "valid_loss"):
        assert both[-1][key] == pytest.approx(alone[-1][key], rel=0.05)
        assert both[-1][key] < 0.8 * both[0][key]


def test_gradients_are_the_mean_of_those_that_have_any(tmp_path):
    def sparse(rows):
        values = torch.ones(len(rows), 2)
        return torch.sparse_coo_tensor([rows], values, (3, 2), check_invariants=False)

    def work(rank):
        dense, table, unused, other = (torch.zeros(3, 2, requires_grad=True) for _ in range(4))
        dense.grad = torch.full((3, 2), float(rank))
        table.grad = sparse([1, 1 + rank])
        if rank == 1:
            other.grad = torch.ones(3, 2)
        loss, n = average(torch.tensor(float(rank)), 10, [dense, table, unused, other])
        sums = [p.grad.to_dense()[:, 0].tolist() for p in (dense, table, other)]
        return loss.item(), n, sums, unused.grad

    def with_nothing(rank):
        table = torch.zeros(3, 2, requires_grad=True)
        if rank == 1:
            table.grad = sparse([2])
        loss, n = average(torch.tensor(4.0) if rank == 1 else None, 5 * rank, [table])
        return loss.item(), n, table.grad.to_dense()[:, 0].tolist()

    means = [[0.5] * 3, [0.0, 1.5, 0.5], [0.5] * 3]
    assert alike(together(work, tmp_path)) == (0.5, 20, means, None)
    assert alike(together(with_nothing, tmp_path)) == (4.0, 5, [0.0, 0.0, 1.0])


def test_a_process_without_a_batch_takes_part(tmp_path):
    def work(rank):
        return learned(chars(batch_size=1000).fit(TEXTS))

    first = alike(together(work, tmp_path))
    assert first == work(0)


def test_streams_are_split_by_node(tmp_path):
    class Lines:
        def __iter__(self):
            yield from TEXTS

    def work(rank):
        rows = datasets.Dataset.from_dict({"text": TEXTS}).to_iterable_dataset(num_shards=2)
        return [learned(chars(column="text").fit(stream)) for stream in (Lines(), rows)]

    first = alike(together(work, tmp_path))
    alone = work(0)
    for both, one in zip(first, alone, strict=True):
        assert both[1][0]["steps"] == ceil(one[1][0]["steps"] / 2)
        assert both[1][-1]["valid_loss"] == pytest.approx(one[1][-1]["valid_loss"], rel=0.2)


@pytest.mark.parametrize("what", ["texts", "y", "lr"])
def test_what_differs_is_refused_by_all(what, tmp_path):
    def work(rank):
        estimator = ClassificationPretrainer(
            tiny_base(), tower=POOLED, max_epochs=1, lr=0.1 + (what == "lr") * rank
        )
        texts = TEXTS[::-1] if what == "texts" and rank else TEXTS
        return estimator.fit(texts, Y[::-1] if what == "y" and rank else Y)

    for error in together(work, tmp_path):
        with pytest.raises(ValueError, match=r"\[1\] have other parameters, texts or y than"):
            raise error


def test_nothing_to_predict_is_said_by_all(tmp_path):
    for error in together(lambda rank: chars().fit(["", ""]), tmp_path):
        with pytest.raises(ValueError, match="Nothing to predict"):
            raise error


def test_a_callback_that_ends_one_ends_both(tmp_path):
    class Enough(Callback):
        def on_epoch_end(self, net, **params):
            if dist.get_rank() == 1 and len(net.history) == 2:
                raise KeyboardInterrupt

    def work(rank):
        return learned(chars(max_epochs=5, callbacks=[Enough()]).fit(TEXTS))

    first = alike(together(work, tmp_path))
    assert len(first[1]) == 2


def test_a_process_that_is_killed_ends_the_others_and_all_go_on_later(tmp_path):
    folder = tmp_path / "checkpoints"

    def work(rank, kill=None):
        how = {"checkpoint": folder, "checkpoint_every": 3, "callbacks": [Steps(kill)]}
        return learned(chars(**how).fit(TEXTS))

    whole, _ = together(work, tmp_path)
    steps = whole[1][-1]["steps"]
    error, dead = together(lambda rank: work(rank, kill=steps - 1), tmp_path)
    assert dead is None
    with pytest.raises(RuntimeError, match="Process 0 of 2 .* lost another one.*checkpoint="):
        raise error
    assert [path.name.rpartition("-of-")[2] for path in folder.iterdir()] == ["2.pt"]
    resumed = together(work, tmp_path)
    assert resumed[0][0] == resumed[1][0] == whole[0]
    assert resumed[0][1][-1]["steps"] < steps / 2
    assert not any(folder.iterdir())


@pytest.mark.ci
def test_the_script_of_the_guide_by_torchrun(tmp_path):
    """It leaves the tower that two processes train, which is another one than one trains."""
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS))
    found = []
    for n in (2, 1):
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        folder = tmp_path / str(n)
        script = [GUIDE / "several_processes.py", tmp_path / "texts.txt", folder]
        subprocess.run([*command, f"--nproc_per_node={n}", *script], check=True, timeout=120)
        found.append(load(folder / "tower"))
        assert not list(folder.glob("unfinished/*"))
    assert found[0] != found[1]
