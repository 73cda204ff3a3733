"""Seeded corruption of text, in plain numpy."""

from sklearn_cclm.noise.masking import mask_characters, mask_span, span_mask
from sklearn_cclm.noise.typos import misspell, slip_keys

__all__ = ["mask_characters", "mask_span", "misspell", "slip_keys", "span_mask"]
