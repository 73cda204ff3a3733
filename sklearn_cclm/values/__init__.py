"""`Base` and `Tower`: what training leaves, as immutable values compared by their digest."""

from sklearn_cclm.values._base import Base
from sklearn_cclm.values._tower import Tower

__all__ = ["Base", "Tower"]
