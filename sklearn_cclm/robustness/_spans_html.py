"""`spans_html`: a text with its entities marked, for notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any
from zlib import crc32

from sklearn_cclm._targets.entities import Span, read_entities
from sklearn_cclm.robustness._marked_text import showable

_MARK = "padding:.15em .3em;border-radius:.3em"
_LABEL = "font-size:.7em;font-weight:bold;margin-left:.4em"


def spans_html(text: str, spans: Iterable[Any]) -> str:
    """Return a text as HTML, its entities marked, with labels behind and scores as tooltips.

    Parameters
    ----------
    text : str
        The text.
    spans : iterable
        Its entities, as `EntityPretrainer` takes and predicts them.

    Returns
    -------
    str
        A label has the same colour in all texts. In a notebook,
        ``IPython.display.HTML(spans_html(...))`` shows it.

    Raises
    ------
    ValueError, TypeError
        If a span is not allowed.

    See Also
    --------
    EntityDisplay : Which labels a model takes for which.

    Examples
    --------
    >>> from sklearn_cclm import EntityPretrainer
    >>> from sklearn_cclm.robustness import spans_html
    >>> html = spans_html("Ada < Bob", [(0, 3, "person")])
    >>> html.startswith('<div style="white-space:pre-wrap'), "Ada" in html, "&lt; Bob" in html
    (True, True, True)
    """
    rows = read_entities([text], [list(spans)])[1] or [[]]
    pieces, end = [], 0
    for span in rows[0]:
        pieces += [_shown(text[end : span.start]), _marked(text, span)]
        end = span.end
    pieces.append(_shown(text[end:]))
    return f'<div style="white-space:pre-wrap;line-height:1.8">{"".join(pieces)}</div>'


def _shown(text: str) -> str:
    return escape(showable(text))


def _marked(text: str, span: Span) -> str:
    """Return the text of a span with its label, and its score as a tooltip."""
    hue = crc32(span.label.encode("utf-8", "replace")) % 360
    score = "" if span.score is None else f' title="{span.score:.2f}"'
    return (
        f'<mark style="background:hsl({hue},70%,85%);{_MARK}"{score}>'
        f"{_shown(text[span.start : span.end])}"
        f'<span style="{_LABEL}">{_shown(span.label)}</span></mark>'
    )
