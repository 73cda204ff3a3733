"""What every engine must say the same of: compositions of untrained towers, and stored heads.

    python tests/serving.py OUT.npz

writes it, and the modules that were imported on the way. Run with --record, which needs torch, it
makes `without_torch/recorded` anew.
"""

import json
import sys
import tempfile
import warnings
from itertools import product
from pathlib import Path

import numpy as np

from sklearn_cclm import Base, ComposedEmbedder, ComposedModel, Tower, load
from sklearn_cclm._engines.shapes import state_shapes
from sklearn_cclm.architectures import NgramConfig, PooledConfig
from sklearn_cclm.architectures._registry import to_dict
from sklearn_cclm.values._base import folded_codes

RECORDED = Path(__file__).parent / "without_torch" / "recorded"
TEXTS = [
    "good film", "Bad film!", "", "a", "to be, or not to be: that is the question " * 4,
    "naïve café", "e\u0301\u0301\u0327", "👩‍👩‍👧 and 🇨🇭", "\u4f60\u597d", "\ufdfa" * 3,
    "\ud800 lone", "x" * 100, "good film",
]  # fmt: skip
POOLINGS = ["native", "mean", "max", "cls", "attention", "mean+max+cls+attention"]
BASES = {
    "blocks": (NgramConfig(12, (1, 2, 4), 64, n_blocks=2, kernel_size=3), None, 24),
    "hashed": (NgramConfig(8, (2, 3), 50), "NFKC", 30),
    "characters": (NgramConfig(6, n_buckets=0), None, 40),
}
TOWERS = {
    "perceptron": ("blocks", PooledConfig(6, 5, native_width=3)),
    "linear": ("hashed", PooledConfig(5, 0)),
    "table": ("hashed", PooledConfig(8, 0)),
    "letters": ("characters", PooledConfig(4, 3)),
}


def weights(rng, kind, name, config, **shape):
    shapes = state_shapes(kind, name, to_dict(config), **shape)
    return {key: rng.normal(0, 0.3, shape).astype(np.float32) for key, shape in shapes.items()}


def towers():
    """Return towers of three bases by name, with weights drawn at random."""
    rng = np.random.default_rng(0)
    vocabulary = "eaoti nsrhldcu.,!?bfgkmpqvwxyzABGTéï你"
    bases = {}
    for name, (config, normalization, length) in BASES.items():
        reading = {"max_example_len": length, "normalization": normalization, "add_cls": True}
        drawn = weights(rng, "base", "ngram", config, folded=folded_codes(vocabulary))
        bases[name] = Base(
            architecture="ngram", config=to_dict(config), weights=drawn,
            vocabulary=vocabulary, reading=reading,
        )  # fmt: skip
    found = []
    for name, (base, config) in TOWERS.items():
        drawn = weights(rng, "tower", "pooled", config, base_width=bases[base].width)
        tower = Tower(
            base=bases[base], architecture="pooled", config=to_dict(config), weights=drawn,
            task="none",
        )  # fmt: skip
        found.append((name, tower))
    return found


def embedders():
    """Return fitted embedders by name."""
    found = {
        f"{pooling}, {truncation}": ComposedEmbedder(pooling=pooling, truncation=truncation)
        for pooling, truncation in product(POOLINGS, ["window", "warn"])
    }
    found |= {
        "lexical": ComposedEmbedder(lexical=True, tower_weights={"linear": 0.5, "lexical": 2.0}),
        "tfidf": ComposedEmbedder(lexical="tfidf", batch_chars=50),
        "reduced": ComposedEmbedder(lexical=True, n_components=3),
    }
    for embedder in found.values():
        embedder.set_params(towers=towers()).fit(TEXTS)
    for dtype, folder in product(["float16", "int8"], [tempfile.mkdtemp()]):
        found["lexical"].save(f"{folder}/{dtype}", dtype=dtype)
        found[dtype] = load(f"{folder}/{dtype}")
    return found


def said():
    """Return what is said of the texts, by the name of what says it."""
    found = {}
    for name, embedder in embedders().items():
        features = embedder.transform(TEXTS)
        found[name] = features if isinstance(features, np.ndarray) else features.toarray()
    alike = [(name, tower) for name, tower in towers() if name in ("perceptron", "letters")]
    found["characters"] = ComposedModel(alike).fit(TEXTS).transform(TEXTS)
    for name in ("classifier", "labels", "tagger"):
        probabilities = load(RECORDED / name).predict_proba(TEXTS)
        found[name] = np.concatenate(list(map(np.atleast_2d, probabilities)))
    found["regressor"] = load(RECORDED / "regressor").predict(TEXTS)
    return found


def record():
    """Train and store heads, and what is said with torch."""
    from sklearn_cclm import ComposedClassifier, ComposedRegressor, ComposedTagger

    texts = ["good film", "bad film", "a good book", "such a bad book"] * 3
    how = {"max_epochs": 1, "random_state": 0}
    mixed = {"pooling": "max+attention", "combine": "gated", "hidden": 3}
    alike = [pair for pair in towers() if pair[0] in ("linear", "table")]
    y = np.tile([1.0, 0.0], 6)
    heads = {
        "classifier": ComposedClassifier(alike, **mixed, **how).fit(texts, y),
        "labels": ComposedClassifier(alike, combine="attention", **how).fit(
            texts, np.stack([y, 1 - y, y], axis=1).astype(int)
        ),
        "regressor": ComposedRegressor(alike, **how).fit(texts, np.stack([y, 3 * y], axis=1)),
        "tagger": ComposedTagger(alike, **how).fit(texts, [[(0, 3, "A")]] * len(texts)),
    }
    for name, head in heads.items():
        head.save(RECORDED / name)
    np.savez_compressed(RECORDED / "said.npz", **said())


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if sys.argv[1] == "--record":
        record()
    else:
        published = ComposedEmbedder(lexical=True).fit(TEXTS).transform(TEXTS).toarray()
        np.savez(sys.argv[1], **said(), published=published)
        Path(sys.argv[1]).with_suffix(".json").write_text(json.dumps(sorted(sys.modules)))
