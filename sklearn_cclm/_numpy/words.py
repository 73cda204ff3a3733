"""The shapes of what reads the words around one, which runs in torch alone."""

from __future__ import annotations

from sklearn_cclm._numpy.layers import Shapes, conv_shapes, linear_shapes, norm_shapes
from sklearn_cclm._targets.word_layout import N_SHAPES
from sklearn_cclm.architectures.words import DILATIONS, KERNEL_SIZE, WIDTH


def context_shapes(name: str, n_in: int, n_tags: int) -> Shapes:
    """Return the shapes of the weights of torch's `WordContext`."""
    found = norm_shapes(f"{name}.norm_in", n_in)
    found |= linear_shapes(f"{name}.enter", n_in + N_SHAPES, WIDTH)
    for i in range(len(DILATIONS)):
        found |= conv_shapes(f"{name}.blocks.{i}", WIDTH, KERNEL_SIZE)
    found |= norm_shapes(f"{name}.norm_out", WIDTH)
    return found | linear_shapes(f"{name}.output", WIDTH, n_tags)
