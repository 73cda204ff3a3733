"""The shelf: published bases and towers, by name and revision."""

from sklearn_cclm.shelf._entry import Curve, Entry, File, ShelfError
from sklearn_cclm.shelf._shelf import Shelf

__all__ = ["Curve", "Entry", "File", "Shelf", "ShelfError"]
