"""`explain`: what of a text, and which towers, a linear model's decision rests on."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._text.read import check_texts
from sklearn_cclm._tools.params import check_integer
from sklearn_cclm.models._embedder import ComposedEmbedder
from sklearn_cclm.preprocessing._unread import unread_expected
from sklearn_cclm.robustness._explanation import Explanation

_AT_ONCE = 2**22  # characters of texts without some of theirs that are held at once


def explain(pipeline: Pipeline, text: str, *, label: Any = None, window: int = 3) -> Explanation:
    """Say how much each tower, and each character, contributes to a decision.

    A linear model adds up a contribution of each feature, hence of each tower. What a character
    contributes is measured by occlusion: how much lower the decision is without it and its
    neighbours (Zeiler and Fergus, 2014).

    Parameters
    ----------
    pipeline : Pipeline
        Fitted: a `ComposedEmbedder` first, a linear model with ``coef_`` last, and between them
        maybe steps that keep features and their names, such as ``Normalizer`` or ``SelectKBest``.
    text : str
        What was decided on.
    label : object, default=None
        The class whose decision is explained; None is the predicted one. Of a regression, None.
    window : int, default=3
        How many characters are left out at once, around each.

    Returns
    -------
    Explanation
        The decision, the contributions of towers and intercept, which add up to it, and of
        characters, as data and as a view.

    Raises
    ------
    TypeError, ValueError
        If the pipeline is no such one, the text no text, or the label none of the classes; if
        the model's decision is no weighted sum, as of a ``PoissonRegressor`` or an ``SVC`` of
        several classes.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_cclm import CCLMModelBase, ComposedEmbedder, MaskedCharacterPretrainer
    >>> from sklearn_cclm.robustness import explain
    >>> texts, labels = ["a good film", "a bad film"] * 20, ["+", "-"] * 20
    >>> base = CCLMModelBase(width=16, n_buckets=500)
    >>> chars = MaskedCharacterPretrainer(base, tower="pooled", max_epochs=1, random_state=0)
    >>> embedder = ComposedEmbedder([("chars", chars.fit(texts).tower_)], lexical=True)
    >>> pipe = make_pipeline(embedder, LogisticRegression()).fit(texts, labels)
    >>> found = explain(pipe, "a good film")
    >>> found.label, sorted(found.parts)
    ('+', ['chars', 'lexical'])
    >>> 2 <= found.characters.argmax() < 6  # within "good"
    np.True_
    """
    embedder, model = _ends(pipeline)
    check_integer("window", window, 1)
    (text,) = check_texts([text])
    owners = _owners(pipeline[:-1], embedder)
    features = pipeline[:-1].transform([text])
    label, weights, intercept = _linear(model, features, label)
    added = _dense(features).ravel() * weights
    parts = {name: float(added[owners == name].sum()) for name, _ in embedder.towers_}
    decision = float(added.sum() + intercept)
    characters = np.empty(len(text))
    step = max(1, _AT_ONCE // max(1, len(text)))
    for start in range(0, len(text), step):
        places = range(start, min(start + step, len(text)))
        with unread_expected():  # without some of its characters a text may be blank
            left = pipeline[:-1].transform([_without(text, place, window) for place in places])
        left = left if sparse.issparse(left) else np.asarray(left)
        characters[start : start + step] = decision - intercept - left @ weights
    return Explanation(text, label, decision, float(intercept), parts, characters)


def _ends(pipeline: Any) -> tuple[ComposedEmbedder, Any]:
    """Return the embedder and the linear model of a fitted pipeline."""
    check_is_fitted(pipeline)
    steps = [step for _, step in pipeline.steps] if isinstance(pipeline, Pipeline) else [None]
    if not isinstance(steps[0], ComposedEmbedder) or not hasattr(steps[-1], "coef_"):
        raise TypeError(
            "explain needs a Pipeline of a ComposedEmbedder and a linear model with coef_, such "
            f"as LogisticRegression; got {pipeline!r}."
        )
    return steps[0]._fitted(), steps[-1]


def _owners(steps: Pipeline, embedder: ComposedEmbedder) -> np.ndarray:
    """Return the name of the tower that each feature is of."""
    if embedder.reduction_ is not None:
        raise ValueError(
            f"n_components={embedder.n_components} mixes the features of all towers, so that none "
            "has a share of its own: explain a pipeline whose embedder has n_components=None."
        )
    parts = [name for name, features in embedder._features_by_part() for _ in features]
    made = embedder.get_feature_names_out()
    try:
        names = steps.get_feature_names_out()
    except AttributeError as error:
        raise ValueError(f"The features' towers cannot be told: {error}") from error
    if not set(names) <= set(made):
        raise ValueError(
            f"The steps between the embedder and the model make features such as {names[0]!r}, of "
            f"which no tower can be told: leave out those that mix features such as {made[0]!r}."
        )
    of = dict(zip(made, parts, strict=True))
    return np.array([of[name] for name in names])


def _dense(values: Any) -> np.ndarray:
    return values.toarray() if sparse.issparse(values) else np.asarray(values)


def _without(text: str, place: int, window: int) -> str:
    """Return a text without the characters around a place."""
    start = place - (window - 1) // 2
    return text[: max(0, start)] + text[start + window :]


def _linear(model: Any, features: Any, label: Any) -> tuple[Any, np.ndarray, float]:
    """Return the label, and the weights and intercept of its decision."""
    coef = np.atleast_2d(_dense(model.coef_))
    intercept = np.broadcast_to(np.ravel(model.intercept_), len(coef)).astype(float)
    said = np.ravel(getattr(model, "decision_function", model.predict)(features))
    own = np.ravel(_dense(features) @ coef.T + intercept)
    if said.shape != own.shape or not np.allclose(said, own, rtol=1e-3, atol=1e-3):
        raise ValueError(
            f"The decision of {model!r} is no weighted sum of the features, of which towers have "
            "a share: use a model whose is, such as LogisticRegression, LinearSVC or Ridge."
        )
    if not hasattr(model, "classes_"):
        if label is not None or len(coef) > 1:
            raise ValueError("Of a regression, explain takes label=None and one target.")
        return None, coef[0], intercept[0]
    classes = model.classes_.tolist()
    chosen = model.predict(features).tolist()[0] if label is None else label
    if chosen not in classes:
        raise ValueError(f"label={label!r} must be one of the classes {classes}.")
    place = classes.index(chosen)
    if len(coef) > 1:
        return chosen, coef[place], intercept[place]
    sign = 1.0 if place == 1 else -1.0
    return chosen, sign * coef[0], sign * intercept[0]
