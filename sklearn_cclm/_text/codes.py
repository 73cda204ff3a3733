"""Text as numbers: the reserved codes, and strings to and from flat arrays of code points."""

from collections.abc import Sequence

import numpy as np

PAD = 0
MASK = 1
UNKNOWN = 2
CLS = 3
N_RESERVED = 4
MASK_CHARACTER = "\N{FULL BLOCK}"
UNKNOWN_CHARACTER = "\N{REPLACEMENT CHARACTER}"
SHOWN = f"\0{MASK_CHARACTER}{UNKNOWN_CHARACTER}\0"  # a character for each reserved code
CHUNK = 4096  # texts handled at once: bounds the memory beside a result


def code_points(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the code points of all texts in a row, uint32 (total,), and each length, int64 (n,).

    Lone surrogates are code points like any other.
    """
    encoded = "".join(texts).encode("utf-32-le", "surrogatepass")
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    return np.frombuffer(encoded, dtype="<u4"), lengths


def strings(points: np.ndarray, lengths: np.ndarray) -> list[str]:
    """Return the texts whose code points and lengths are given: the inverse of `code_points`."""
    joined = np.asarray(points, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    ends = np.cumsum(lengths, dtype=np.int64).tolist()
    return [joined[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def pad(
    flat: np.ndarray,
    lengths: np.ndarray,
    *,
    length: int | None = None,
    dtype: np.typing.DTypeLike = np.int64,
) -> np.ndarray:
    """Return the rows of `flat` as an array (n, length) filled with zeros on the right.

    `length` None is the longest row, at least 1. A row that does not fit is a ValueError.
    """
    longest = int(lengths.max(initial=0))
    if length is None:
        length = max(longest, 1)
    if longest > length:
        raise ValueError(f"a row of {longest} values does not fit into length={length}")
    padded = np.zeros((len(lengths), length), dtype=dtype)
    padded[np.arange(length) < lengths[:, None]] = flat
    return padded
