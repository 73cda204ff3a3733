"""A network that waits for the next `partial_fit`, with the moments of what it has read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_cclm.nn.embedding import NgramBase
from sklearn_cclm.nn.optim import LazyAdamW, RowsBefore


class Live:
    """A trained network and its optimizer, which go on as they are.

    Parameters
    ----------
    module : nn.Module
        The network.
    optimizer : LazyAdamW
        What trained it.
    made_of : object
        Parameters that the network was made of, to be compared with those of the next call.
    entries : list
        The towers that it began with, lest names on the shelf be read again.
    """

    def __init__(self, module: Any, optimizer: LazyAdamW, made_of: Any, entries: list[Any]) -> None:
        self.module = module
        self.optimizer = optimizer
        self.made_of = made_of
        self.entries = entries
        self._dense: list[tuple[Tensor, Tensor, dict[str, Any]]] = []
        bases = (part for part in module.modules() if isinstance(part, NgramBase))
        tables: list[Any] = [base.table.weight for base in bases]
        self._before = {table: RowsBefore(table) for table in tables}

    @contextmanager
    def or_as_before(self) -> Iterator[None]:
        """If training goes wrong, put everything back that it changed."""
        try:
            yield
        except BaseException:
            self._restore()
            raise
        finally:
            self._dense = []
            self.optimizer.before = {}

    def goes_on(self, module: nn.Module, optimizer: LazyAdamW) -> None:
        """Give a new optimizer of the network the old one's state, which it is to keep as well."""
        optimizer.state = self.optimizer.state
        self.optimizer = optimizer
        for before in self._before.values():
            before.forget()
        optimizer.before = self._before
        self._dense = [
            (p, p.detach().clone(), _copied(optimizer.state.get(p, {})))
            for p in module.parameters()
            if p not in self._before
        ]

    @torch.no_grad()
    def _restore(self) -> None:
        for parameter, values, state in self._dense:
            parameter.copy_(values)
            self.optimizer.state[parameter] = state
        for table, before in self._before.items():
            before.restore(self.optimizer.state[table])


def _copied(state: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a parameter's state: tensors and numbers."""
    return {k: v.clone() if isinstance(v, Tensor) else v for k, v in state.items()}
