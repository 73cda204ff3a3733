"""What the extra "train" brings: torch, and whatever training needs beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_BROUGHT = ("torch", "skorch", "tokenizers", "tqdm")


@contextmanager
def needs_train(what: str) -> Iterator[None]:
    """Say, where an import within the block fails, which extra brings what `what` needs."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        if missing not in _BROUGHT:
            raise
        raise ImportError(
            f'{what} needs {missing}, which is not installed: pip install "sklearn-cclm[train]".',
            name=missing,
        ) from error
