"""`Graph`: the network of an estimator or tower, and what goes in and out."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import torch
from torch import nn

from sklearn_cclm.heads import ComposedClassifier, ComposedRegressor, ComposedTagger, _network
from sklearn_cclm.heads._head import ComposedHead
from sklearn_cclm.models import ComposedEmbedder, ComposedModel
from sklearn_cclm.models._composition import Composition
from sklearn_cclm.models._inference import group_by_base
from sklearn_cclm.nn.composed import ComposedModule
from sklearn_cclm.nn.exported import Prediction, Projected, Unscaled, exportable
from sklearn_cclm.values import Base, Tower
from sklearn_cclm.values._value import built

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Graph:
    """A network that maps codes to what a method of an estimator returns.

    Attributes
    ----------
    module : nn.Module
        The network.
    bases : sequence of Base
        What reads the texts: codes of each go in.
    output : str
        What comes out.
    names : list
        What its last axis stands for, where that has names.
    per_character : bool
        Whether there is a row for each character, not for each text.
    """

    module: nn.Module
    bases: Sequence[Base]
    output: str
    names: list[Any]
    per_character: bool = False


@singledispatch
def graph(model: Any) -> Graph:
    """Return the network of what can be exported, on the CPU.

    Raises
    ------
    TypeError
        If it cannot.
    """
    raise TypeError(
        f"A {type(model).__name__} cannot be exported: pass a Tower, a fitted ComposedEmbedder or "
        "ComposedModel, or a fitted head such as ComposedClassifier. Of a pipeline, export the "
        "embedder, and the model after it with skl2onnx; of a pretrainer, its tower_."
    )


@graph.register
def _(tower: Tower) -> Graph:
    return graph(ComposedEmbedder([(tower.task, tower)]).fit([""]))


@graph.register
def _(model: ComposedModel) -> Graph:
    module, bases = _composed(model, None)
    return Graph(module, bases, "vectors", _names(model), per_character=True)


@graph.register
def _(embedder: ComposedEmbedder) -> Graph:
    module, bases = _composed(embedder, embedder.pooling)
    if embedder.reduction_ is not None:
        module = Projected(module, torch.tensor(embedder.reduction_.components))
    return Graph(module, bases, "vectors", _names(embedder))


@graph.register
def _(head: ComposedClassifier) -> Graph:
    last = nn.Sigmoid() if head.multilabel_ else nn.Softmax(-1)
    return _predicting(head, last, "probabilities", head.classes_.tolist())


@graph.register
def _(head: ComposedRegressor) -> Graph:
    last: nn.Module = Unscaled(torch.tensor(head.mean_), torch.tensor(head.scale_))
    if head.one_target_:
        last = nn.Sequential(last, nn.Flatten(0))
    return _predicting(head, last, "values", [])


@graph.register
def _(head: ComposedTagger) -> Graph:
    if head.of_words_:
        raise ValueError(
            "A ComposedTagger that reads words (of_words_) cannot be exported: which characters "
            "are a word's is found outside of its network. Export its embedder_ or towers, or "
            "serve it with torch."
        )
    tags = list(head._known().tags.names)
    return _predicting(head, nn.Softmax(-1), "probabilities", tags, per_character=True)


def _composed(model: Composition, pooling: str | None) -> tuple[nn.Module, list[Base]]:
    """Return the network of composed towers, and their bases."""
    for name, part in model.towers_:
        if not isinstance(part, Tower):
            raise ValueError(
                f"{name!r} is a {type(part).__name__}, which counts in Python what no network "
                "does: export an embedder of towers alone, with lexical=False, and put what this "
                "adds beside its vectors, or fine-tune the towers in a ComposedClassifier."
            )
    members = model._members(model.towers_, model._weights())
    bases = list(group_by_base(members))
    module = ComposedModule(
        [built(base, _CPU) for base in bases],
        [built(member.tower, _CPU) for member in members],
        [bases.index(member.tower.base) for member in members],
        [member.weight for member in members],
        pooling,
    )
    return exportable(module), bases


def _predicting(
    head: ComposedHead, last: nn.Module, output: str, names: list[Any], **how: Any
) -> Graph:
    """Return the network of a head; `last` is what follows its output layer."""
    on_cpu = copy(head).set_params(device="cpu")
    module = Prediction(exportable(_network.built_once(on_cpu)), last)  # type: ignore[arg-type]
    return Graph(module, head._bases(), output, names, **how)


def _names(model: Composition) -> list[str]:
    return model.get_feature_names_out().tolist()
