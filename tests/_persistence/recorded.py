"""Make what stands in a directory "v" of a format version: artefacts, and what they must give.

Run it, with the directory, to make those of the newest version anew while that is not yet released,
and never after that.
"""

import json
import sys
from pathlib import Path

import numpy as np

from sklearn_cclm import (
    CCLMModelBase,
    ComposedEmbedder,
    ComposedModel,
    ConvConfig,
    MLMPreprocessor,
    PooledConfig,
    StridedConfig,
    Tower,
    load,
)
from sklearn_cclm.architectures._registry import to_dict
from sklearn_cclm.nn._registry import state_shapes

TEXTS = ["good film", "Bad film!", "to be or not to be", "naïve café", ""]
STRIDED = StridedConfig(width=4, downsample_factor=2, n_strided_convs=1, n_layers=1, n_heads=2)
CONFIGS = {
    "pooled": PooledConfig(width=4, hidden=4, native_width=3),
    "strided": STRIDED,
    "conv": ConvConfig(width=4, n_layers=1),
}
DTYPES = {"embedder": "int8", "tower": "float16"}


def tower(base, name, seed=0):
    """An untrained tower."""
    rng = np.random.default_rng(seed)
    config = to_dict(CONFIGS[name])
    shapes = state_shapes("tower", name, config, base_width=base.width)
    weights = {key: rng.normal(size=shape).astype(np.float32) for key, shape in shapes.items()}
    return Tower(base=base, architecture=name, config=config, weights=weights, task="none")


def components():
    """One component of each kind by name, fitted on the texts."""
    recipe = CCLMModelBase(width=4, ngram_orders=(2, 3), n_buckets=20, n_blocks=1, random_state=0)
    base = recipe.fit(TEXTS).base_
    towers = [(name, tower(base, name)) for name in CONFIGS]
    return {
        "base": base,
        "tower": towers[1][1],
        "embedder": ComposedEmbedder(towers, tower_weights={"conv": 0.5}).fit(TEXTS),
        "model": ComposedModel([("a", towers[0][1]), ("b", "drop")]).fit(TEXTS),
        "chars": recipe.preprocessor_,
        "tokens": MLMPreprocessor(vocab_size=40, max_example_len=20).fit(TEXTS),
    }


def given(component):
    """What a component says of the texts, as lists that JSON can hold."""
    if hasattr(component, "digest"):
        return component.digest
    if isinstance(component, MLMPreprocessor):
        return [array.tolist() for array in component.tokenize(TEXTS)]
    return component.transform(TEXTS).round(6).tolist()


if __name__ == "__main__":
    folder, expected = Path(sys.argv[1]), {}
    for name, component in components().items():
        component.save(folder / name, dtype=DTYPES.get(name, "float32"))
        expected[name] = given(load(folder / name))
    (folder / "expected.json").write_text(json.dumps(expected), encoding="utf-8")
