"""What must hold where there is a GPU, each check in a process of its own; see gpu.py.

A check takes texts and returns figures, of which ``ok`` says whether it holds.
"""

import os
import pickle
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import joblib
import numpy as np
import torch
from joblib import Parallel, delayed
from sklearn.base import clone
from skorch.callbacks import Callback
from training import NOISE, make, pretrainers, targets

from sklearn_cclm import (
    ClassificationPretrainer,
    ComposedClassifier,
    ComposedEmbedder,
    ComposedRegressor,
    ComposedTagger,
    EntityPretrainer,
    MaskedCharacterPretrainer,
    MaskedLanguagePretrainer,
)

CLOSE = 1e-3  # of vectors' norms, on one device
SIMILAR = 0.05  # of norms and of losses, on two, of which one may have TF32
WITHOUT = """
import pickle, sys
import joblib, numpy as np, torch
from sklearn_cclm import load

assert not torch.cuda.is_available()
folder, texts = sys.argv[1], pickle.load(open(sys.argv[1] + "/texts", "rb"))
for name, read in [("pickle", lambda p: pickle.load(open(p, "rb"))), ("joblib", joblib.load)]:
    head, embedder = read(f"{folder}/{name}")
    np.savez(f"{folder}/{name}.npz", embedder.transform(texts), head.predict_proba(texts))
head, embedder = load(f"{folder}/head"), load(f"{folder}/embedder")
np.savez(f"{folder}/save.npz", embedder.transform(texts), head.predict_proba(texts))
try:
    embedder.set_params(device="cuda").transform(texts)
except ValueError as error:
    print(error)
"""
RESUME = """
import pickle, sys

trainer, texts = pickle.load(open(sys.argv[1], "rb"))
print(trainer.fit(texts).history_[-1]["train_loss"])
"""


class Killed(BaseException):
    """Stands for the end of the process."""


class Kill(Callback):
    """End a training in its second epoch, as a crash does."""

    def on_epoch_end(self, net, **params):
        if len(net.history) == 2:
            raise Killed


def labels(texts):
    return targets(ClassificationPretrainer, texts)


def characters(tower="strided", **params):
    return make(MaskedCharacterPretrainer, tower, NOISE, 2, **params)


def embedder(texts, **params):
    towers = [(kind, characters(tower=kind).fit(texts).tower_) for kind in ("pooled", "strided")]
    return ComposedEmbedder(towers, **params).fit(texts)


def apart(found, right):
    """Return the largest distance of two texts' vectors, as a share of their norm."""
    norms = np.linalg.norm(right, axis=-1).clip(1e-9)
    return float((np.linalg.norm(found - right, axis=-1) / norms).max())


def without_cuda(code, *arguments):
    """Return what a program prints where torch finds no GPU."""
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)]
    found = subprocess.run(command, env=env, capture_output=True, text=True)
    if found.returncode:
        raise RuntimeError(found.stderr.strip().splitlines()[-1])
    return found.stdout.strip()


def losses(texts):
    """Train what can be trained on both devices: the losses agree, but for rounding."""
    differ = {}
    for name, (one, y) in trainers(texts[:128]).items():
        both = [one.set_params(device=to).fit(texts[:128], y).history_ for to in ("cpu", "auto")]
        cpu, gpu = (np.array([row["train_loss"] for row in history]) for history in both)
        differ[name] = float(np.abs(gpu / cpu - 1).max())
    return {"ok": max(differ.values()) < SIMILAR, "differ": differ}


def trainers(texts):
    """Return what can be trained and its y, by name."""
    found = {
        cls.__name__: (make(cls, None, NOISE, 2), targets(cls, texts)) for cls in pretrainers()
    }
    how = {"max_epochs": 2, "random_state": 0, "validation_fraction": 0.1}
    for loss in ("sampled_softmax", "negative_sampling"):
        found[loss] = MaskedLanguagePretrainer(loss=loss, **how), None
    towers, length = embedder(texts).towers, [len(text) for text in texts]
    some = {"hidden": 32, "dropout": 0.2, "combine": "gated", "freeze": 1}
    found["classifier"] = ComposedClassifier(towers, **some, **how), labels(texts)
    found["regressor"] = ComposedRegressor(towers, pooling="attention+max", **how), length
    tagger = ComposedTagger(towers, linear_probe=True, **how)
    return found | {"tagger": (tagger, targets(EntityPretrainer, texts))}


def determinism(texts):
    """Fit twice on the device, to the same weights; which operations torch doubts."""
    found = {}
    for tower, precision in product(("pooled", "strided", "conv"), ("float32", "bfloat16")):
        how = {"tower": tower, "precision": precision}
        one, other = (characters(**how).fit(texts[:1024]).tower_.weights for _ in range(2))
        found[f"{tower} {precision}"] = max(float(np.abs(one[k] - other[k]).max()) for k in one)
    torch.use_deterministic_algorithms(True, warn_only=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for tower in ("strided", "conv"):
            characters(tower=tower).fit(texts[:256])
    doubted = sorted({str(one.message)[:80] for one in caught if "determin" in str(one.message)})
    return {"ok": not any(found.values()), "weights_differ": found, "doubted": doubted}


def resume(texts):
    """Go on from a checkpoint on the device, to the same weights, and where there is none."""
    texts, how = texts[:1024], {"tower": "pooled", "max_epochs": 3}
    whole = characters(**how).fit(texts)
    with tempfile.TemporaryDirectory() as folder:
        one = characters(**how, checkpoint=f"{folder}/there", checkpoint_every=3)
        kill(one, texts)
        again = clone(one).fit(texts)
        kill(one, texts)
        Path(folder, "one").write_bytes(pickle.dumps((one, texts)))
        loss, right = float(without_cuda(RESUME, f"{folder}/one")), whole.history_[-1]["train_loss"]
    close = abs(loss / right - 1) < 0.02
    return {"ok": close, "same_digest": again.tower_ == whole.tower_, "losses": [loss, right]}


def kill(trainer, texts):
    """Train until the second epoch."""
    with suppress(Killed):
        clone(trainer).set_params(callbacks=[Kill()]).fit(texts)


def moved(texts):
    """Fit where there is a GPU, predict where there is none."""
    texts = texts[:512]
    vectors = embedder(texts)
    head = ComposedClassifier(vectors.towers, max_epochs=1, random_state=0)
    head.fit(texts, labels(texts))
    right = vectors.transform(texts), head.predict_proba(texts)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "texts").write_bytes(pickle.dumps(texts))
        Path(folder, "pickle").write_bytes(pickle.dumps((head, vectors)))
        joblib.dump((head, vectors), f"{folder}/joblib")
        head.save(f"{folder}/head")
        vectors.save(f"{folder}/embedder")
        refused = without_cuda(WITHOUT, folder)
        differ = {}
        for name in ("pickle", "joblib", "save"):
            with np.load(f"{folder}/{name}.npz") as file:
                differ[name] = [apart(file[k], r) for k, r in zip(file.files, right, strict=True)]
    return {"ok": max(map(max, differ.values())) < SIMILAR, "differ": differ, "refused": refused}


def goes_on(texts):
    """Call partial_fit again and again: an optimizer's state comes back to the device."""
    towers, found = embedder(texts[:128]).towers, {}
    for device in ("cpu", "auto"):
        head = ComposedClassifier(towers, random_state=0, device=device)
        pretrainer = characters(device=device)
        for some in np.array_split(texts[:384], 3):
            head.partial_fit(some, labels(some), classes=["a to l", "others"])
            pretrainer.partial_fit(some)
        found[device] = [one.history_[-1]["train_loss"] for one in (head, pretrainer)]
    differ = float(np.abs(np.array(found["auto"]) / found["cpu"] - 1).max())
    return {"ok": differ < SIMILAR, "differ": differ}


def jobs(texts):
    """Transform in processes of loky and in threads, after the parent has used the GPU."""
    texts, vectors = texts[:512], embedder(texts[:512])
    right = vectors.transform(texts)
    found = Parallel(2, backend="loky")(delayed(vectors.transform)(texts) for _ in range(2))
    with ThreadPoolExecutor(4) as pool:
        found += pool.map(vectors.transform, [texts] * 8)
    differ = max(apart(one, right) for one in found)
    return {"ok": differ < CLOSE, "differ": differ}


def forked(texts):
    """Transform in forked processes, after the parent has used the GPU."""
    texts, vectors = texts[:512], embedder(texts[:512])
    right = vectors.transform(texts)
    with get_context("fork").Pool(2) as pool:
        found = pool.map(vectors.transform, [texts] * 2)
    differ = max(apart(one, right) for one in found)
    return {"ok": differ < SIMILAR, "differ": differ}


def generator(texts):
    """Fit and transform: the user's generator on the GPU stays where it was."""
    before = [torch.cuda.get_rng_state()] if torch.cuda.is_available() else []
    embedder(texts[:256]).transform(texts[:256])
    after = [torch.cuda.get_rng_state()] if before else []
    return {"ok": all(map(torch.equal, before, after))}


CHECKS = (losses, goes_on, resume, moved, forked, jobs, determinism, generator)
