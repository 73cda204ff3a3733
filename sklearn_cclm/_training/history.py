"""`History`: what was measured in each epoch."""

from __future__ import annotations

from sklearn_cclm._tools.hashing import Hashed


class History(list):
    """A list of a dict for each epoch; how long one took, "dur", does not count in hashes."""

    def __reduce__(self) -> tuple:
        timeless = [{k: value for k, value in row.items() if k != "dur"} for row in self]
        return History, (Hashed(list(self), timeless),)
