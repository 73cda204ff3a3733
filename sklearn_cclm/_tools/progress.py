"""A progress bar on a terminal, in the process that the user sees."""

from __future__ import annotations

import multiprocessing
import shutil
import sys
from typing import Any

from tqdm import tqdm


def is_shown(verbose: int) -> bool:
    """Whether progress is to be shown: not by workers."""
    return bool(verbose) and multiprocessing.parent_process() is None


def progress_bar(
    total: int, unit: str, *, done: int = 0, description: str | None = None, shown: bool = True
) -> Any:
    """Return a bar, which is disabled where there is no terminal."""
    columns, lines = shutil.get_terminal_size()  # of unknown ones too, where tqdm shows nothing
    return tqdm(
        total=total,
        initial=done,
        desc=description,
        unit=unit,
        ncols=columns - 1,
        nrows=lines,
        disable=not (shown and sys.stderr.isatty()),
    )


def show_line(line: str) -> None:
    """Write a line where the bars are."""
    tqdm.write(line, file=sys.stderr)
