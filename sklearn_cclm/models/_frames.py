"""What to do where a frame is asked for of features that are sparse."""

from __future__ import annotations

from typing import Any

from sklearn import get_config


def check_no_frame(estimator: Any) -> None:
    """Raise ValueError where `set_output` or the configuration asks for a frame.

    scikit-learn would refuse it as well, but cannot know which parameters make dense features.
    """
    asked = getattr(estimator, "_sklearn_output_config", {})  # what set_output keeps
    kind = asked.get("transform", get_config()["transform_output"])
    if kind != "default":
        raise ValueError(
            f"A {kind} frame cannot hold n-grams or other sparse features: set lexical=False for "
            "the towers alone, or n_components=100 for all features together as 100 dense ones; "
            "set_output(transform='default') gives the sparse matrix."
        )
