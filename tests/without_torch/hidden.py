"""Hide what the extra "train" brings: `hide()` before anything else is imported.

To run these tests where torch is installed:

    python tests/without_torch/hidden.py
"""

import sys
from importlib.machinery import PathFinder
from pathlib import Path

HIDDEN = ("torch", "skorch", "tokenizers", "tqdm")


class Finder(PathFinder):
    """Finds all that is installed but the packages that are hidden."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        found = name.partition(".")[0] not in HIDDEN
        return super().find_spec(name, path, target) if found else None


def hide():
    """Make imports of the packages fail as where they are not installed."""
    sys.meta_path[:] = [Finder if finder is PathFinder else finder for finder in sys.meta_path]


if __name__ == "__main__":
    hide()
    import pytest

    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", str(Path(__file__).parent)]))
