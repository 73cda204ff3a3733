"""Columns of strings in tables: encoded as numbers, searched, deduplicated and joined."""

from sklearn_cclm.tables._encoder import TextColumnEncoder

__all__ = ["TextColumnEncoder"]
