"""Seeded corruption of text, in plain numpy."""

from sklearn_cclm.noise._typo_noise import TypoNoise
from sklearn_cclm.noise.confusions import change_case, confuse_lookalikes
from sklearn_cclm.noise.edits import (
    change_spaces,
    drop_characters,
    repeat_characters,
    swap_neighbours,
)
from sklearn_cclm.noise.keyboard import insert_characters, slip_keys
from sklearn_cclm.noise.masking import mask_characters, mask_span, span_mask
from sklearn_cclm.noise.words import scramble_words, substitute_words

__all__ = [
    "TypoNoise",
    "change_case",
    "change_spaces",
    "confuse_lookalikes",
    "drop_characters",
    "insert_characters",
    "mask_characters",
    "mask_span",
    "repeat_characters",
    "scramble_words",
    "slip_keys",
    "span_mask",
    "substitute_words",
    "swap_neighbours",
]
