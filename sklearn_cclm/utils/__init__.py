"""Discovery of the estimators, and checks for estimators that read text."""

from sklearn_cclm.utils.discovery import all_estimators

__all__ = ["all_estimators"]
