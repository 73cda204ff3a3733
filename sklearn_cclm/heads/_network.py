"""The network of a head in torch: to begin a training with, or as it was trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import torch

from sklearn_cclm._tools.device import resolve_device
from sklearn_cclm._tools.params import plain_number
from sklearn_cclm.heads._probe import probe, standardize
from sklearn_cclm.nn.composed_task import ComposedTask, Trunk
from sklearn_cclm.nn.word_tags import WordTagHead
from sklearn_cclm.values._value import built


def begun(head: Any, task: Any, batches: Any) -> ComposedTask:
    """Return the network that a training of a head begins with, fitted to its batches."""
    module = _fresh(head, task)
    device = resolve_device(head.device)
    module.to(device)
    standardize(module, batches, device)
    _borrow(head, module)
    if head.linear_probe:
        probe(module, batches, device)
    return module.cpu()


def trained(head: Any, task: Any) -> ComposedTask:
    """Return the network as it was trained, to be trained further."""
    module = _fresh(head, task)
    _load(head, module, torch.tensor)
    return module


def built_once(head: Any) -> ComposedTask:
    """Return the network as it was trained, the same for the same parts: never train it."""
    device = resolve_device(head.device)
    if head._live is not None:
        return head._live.module.to(device).eval()
    parts = [*head.head_weights_.values(), *(tower for _, tower in head.towers_)]
    key = (device, *map(id, parts))
    if head not in _built or _built[head][0] != key:
        bases = [built(base, device) for base in head._bases()]
        towers = [built(tower, device) for _, tower in head.towers_]
        with torch.device("meta"):  # whose weights cost nothing to make
            module = _assembled(head, head._known(), bases, towers, freeze="towers")
        _load(head, module, torch.from_dlpack)
        _built[head] = key, parts, module.to(device).eval()
    return _built[head][2]


# What a head's network was built of, which keeps the identities in the key from being used again.
_built: WeakKeyDictionary[Any, tuple[tuple, list[Any], ComposedTask]] = WeakKeyDictionary()


def _fresh(head: Any, task: Any) -> ComposedTask:
    """Return a network of the head's towers, with a new trunk and output layer."""
    bases = [base.build() for base in head._bases()]
    towers = [tower.build() for _, tower in head.towers_]
    return _assembled(head, task, bases, towers, freeze=plain_number(head.freeze))


def _assembled(
    head: Any, task: Any, bases: list[Any], towers: list[Any], freeze: Any
) -> ComposedTask:
    """Return a network of these parts, with a new trunk and output layer."""
    places = head._bases()
    values = [tower for _, tower in head._kept_towers()]
    trunk = Trunk(
        [tower.width for tower in values],
        [tower.native_width for tower in values],
        pooling=head.pooling,
        combine=head.combine,
        hidden=head.hidden,
        dropout=head.dropout,
    )
    return ComposedTask(
        bases,
        towers,
        [places.index(tower.base) for tower in values],
        trunk=trunk,
        head=task.head(trunk.width, places[0].preprocessor().n_chars_),
        freeze=freeze,
    )


def _borrow(head: Any, module: ComposedTask) -> None:
    """Begin the output layer of words with that of the first tower that brings one.

    What it has read it reads as it was, neither mixed nor changed by a hidden layer.
    """
    if not isinstance(module.head, WordTagHead) or head.combine != "concat" or head.hidden:
        return
    first = 0
    for _, tower in head._kept_towers():
        if tower.of_words:
            state = {name: torch.from_numpy(weights) for name, weights in tower.head.items()}
            module.head.borrow(state, first)
            module.trunk.mix.shift[first : first + tower.width] = 0
            module.trunk.mix.scale[first : first + tower.width] = 1
            return
        first += tower.width


def _load(head: Any, module: ComposedTask, tensor: Callable) -> None:
    """Put the trained weights of trunk and output layer, as tensors, into a network."""
    state = {name: tensor(weights) for name, weights in head.head_weights_.items()}
    module.load_state_dict(state, strict=False, assign=True)
