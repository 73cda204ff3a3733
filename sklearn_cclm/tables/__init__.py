"""Columns of strings in tables: encoded as numbers, searched, deduplicated and joined."""

from sklearn_cclm.tables._encoder import TextColumnEncoder
from sklearn_cclm.tables._spellings import deduplicate, match, similar

__all__ = ["TextColumnEncoder", "deduplicate", "match", "similar"]
