"""What stands on towers in a trained head: poolings, a mix, maybe a hidden layer, an output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import softmax

from sklearn_cclm._numpy.layers import Shapes, Weights, gelu, linear, linear_shapes
from sklearn_cclm._numpy.pooling import POOLINGS, attend
from sklearn_cclm._numpy.words import context_shapes


class Predictor:
    """The network of a head, which predicts.

    Parameters
    ----------
    bases, towers : sequence of networks
        What is read.
    places : sequence of int
        Of each tower, the base it stands on.
    weights : mapping of str to ndarray
        Those of the head, by the names of torch's.
    pooling : str or None
        How texts are read; None where each character is.
    combine : {"concat", "gated", "attention"}
        How the towers are mixed.
    """

    def __init__(
        self,
        bases: Sequence[Any],
        towers: Sequence[Any],
        places: Sequence[int],
        weights: Weights,
        *,
        pooling: str | None,
        combine: str,
    ) -> None:
        self.bases = bases
        self.towers = towers
        self.places = places
        self.weights = weights
        self.pooling = pooling
        self.combine = combine
        self.n_outputs = len(weights["head.output.bias"])

    def predict(self, batch: Any) -> np.ndarray:
        """Return what the output layer says of a batch, of texts or of each character."""
        ids = [batch.ids, *(batch.extra[f"ids_{i}"] for i in range(1, len(self.bases)))]
        said = [base(codes) for base, codes in zip(self.bases, ids, strict=True)]
        read = enumerate(zip(self.towers, self.places, strict=True))
        mixed = self._mix([self._pooled(i, tower, said[place]) for i, (tower, place) in read])
        if "trunk.hidden.weight" in self.weights:
            mixed = gelu(linear(mixed, self.weights, "trunk.hidden"))
        if self.pooling is None:
            mixed = mixed.reshape(-1, mixed.shape[-1])[batch.extra["positions"]]
        return linear(mixed, self.weights, "head.output")

    def _pooled(self, number: int, tower: Any, encoding: Any) -> np.ndarray:
        """Return what a tower says of texts, or of each character."""
        if self.pooling == "native":
            return tower.native(encoding)
        features, mask = tower(encoding), encoding.mask
        if self.pooling is None:
            return features

        def learned(features: np.ndarray, mask: np.ndarray) -> np.ndarray:
            query = self.weights[f"trunk.poolings.{number}.attention.query"]
            return attend(features, mask, features @ query)

        poolings = {**POOLINGS, "attention": learned}
        return np.hstack([poolings[name](features, mask) for name in self.pooling.split("+")])

    def _mix(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """Return what the vectors of several towers become, once they are standardised."""
        shift, scale = (self.weights[f"trunk.mix.{name}"] for name in ("shift", "scale"))
        joined = (np.concatenate(parts, axis=-1) - shift) / scale
        if self.combine == "concat":
            return joined
        widths = [part.shape[-1] for part in parts]
        split = np.split(joined, np.cumsum(widths)[:-1], axis=-1)
        projected = np.stack(
            [linear(x, self.weights, f"trunk.mix.projections.{i}") for i, x in enumerate(split)]
        )
        if self.combine == "gated":
            logits = linear(joined, self.weights, "trunk.mix.gates")
            weights = np.moveaxis(1 / (1 + np.exp(-logits)), -1, 0)[..., None]
        else:
            weights = softmax(linear(projected, self.weights, "trunk.mix.gates"), axis=0)
        return (weights * projected).sum(axis=0)


def head_shapes(
    widths: Sequence[int],
    *,
    pooling: str | None,
    combine: str,
    hidden: int,
    n_outputs: int,
    of_words: bool,
) -> Shapes:
    """Return the shapes of the weights of what stands on towers.

    Parameters
    ----------
    widths : sequence of int
        Of the vectors of each tower that are read, before pooling.
    pooling, combine
        As of `Predictor`.
    hidden : int
        Units of a hidden layer; 0 for none.
    n_outputs : int
        What the output layer tells apart.
    of_words : bool
        Whether it reads words, and those around.
    """
    names = pooling.split("+") if pooling else ["characters"]
    found: Shapes = {}
    if "attention" in names:
        found |= {f"trunk.poolings.{i}.attention.query": (w,) for i, w in enumerate(widths)}
    pooled = [width * len(names) for width in widths]
    total, width = sum(pooled), sum(pooled) if combine == "concat" else max(pooled)
    found |= {"trunk.mix.shift": (total,), "trunk.mix.scale": (total,)}
    if combine != "concat":
        for i, n in enumerate(pooled):
            found |= linear_shapes(f"trunk.mix.projections.{i}", n, width)
        n_in, n_out = (total, len(pooled)) if combine == "gated" else (width, 1)
        found |= linear_shapes("trunk.mix.gates", n_in, n_out)
    if hidden:
        found |= linear_shapes("trunk.hidden", width, hidden)
    if of_words:
        found |= context_shapes("head.context", hidden or width, n_outputs)
    return found | linear_shapes("head.output", hidden or width, n_outputs)
