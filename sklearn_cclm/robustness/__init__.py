"""Robustness as a measured quantity: curves, scorers, and what a decision rests on."""

from sklearn_cclm.robustness._curve import RobustnessCurve, robustness_curve
from sklearn_cclm.robustness._display import RobustnessDisplay
from sklearn_cclm.robustness._entity_display import EntityDisplay
from sklearn_cclm.robustness._explain import explain
from sklearn_cclm.robustness._explanation import Explanation
from sklearn_cclm.robustness._scorer import make_robust_scorer
from sklearn_cclm.robustness._spans_html import spans_html

__all__ = [
    "EntityDisplay",
    "Explanation",
    "RobustnessCurve",
    "RobustnessDisplay",
    "explain",
    "make_robust_scorer",
    "robustness_curve",
    "spans_html",
]
