"""How to train: the parameters that every pretrainer has, checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from inspect import signature
from typing import TYPE_CHECKING, Any

from sklearn_cclm._tools.check_device import check_device
from sklearn_cclm._tools.params import (
    check_bool,
    check_integer,
    check_option,
    check_real,
    plain_number,
)

if TYPE_CHECKING:
    import torch

OPTIMIZERS = ("adamw", "sgd")


@dataclass(frozen=True)
class Schedule:
    """How to train: the parameters that every pretrainer has."""

    max_epochs: int
    lr: float
    base_lr: float | None
    optimizer: str | type[torch.optim.Optimizer]
    weight_decay: float
    warmup: float
    max_grad_norm: float
    early_stopping: bool
    patience: int
    callbacks: Sequence[Any] | None
    device: str
    precision: str
    verbose: int
    constant: bool = False
    tower_lr: float | None = None

    @classmethod
    def of(cls, pretrainer: Any, **changes: Any) -> Schedule:
        """Return the schedule that a pretrainer's parameters ask for, with changes.

        Its numbers are Python's own, whatever a search passed: an optimizer keeps them.
        """
        names = [f.name for f in fields(cls) if hasattr(pretrainer, f.name)]
        params = {name: plain_number(getattr(pretrainer, name)) for name in names}
        return cls(**{**params, **changes})

    def __post_init__(self) -> None:
        for name in ("max_epochs", "patience"):
            check_integer(name, getattr(self, name), 1)
        check_real("lr", self.lr, 0, math.inf, ends="neither")
        for name in ("base_lr", "tower_lr"):
            if getattr(self, name) is not None:
                check_real(name, getattr(self, name), 0, math.inf, ends="neither")
        check_real("weight_decay", self.weight_decay, 0, math.inf)
        check_real("warmup", self.warmup, 0, 1)
        check_real("max_grad_norm", self.max_grad_norm, 0, math.inf, ends="neither")
        check_bool("early_stopping", self.early_stopping)
        check_integer("verbose", int(self.verbose) if self.verbose is True else self.verbose, 0)
        check_device(self.device)
        check_option("precision", self.precision, ("float32", "bfloat16"))
        optimizer = self.optimizer
        known = isinstance(optimizer, str) and optimizer in OPTIMIZERS
        if not known and not _is_optimizer(optimizer):
            raise ValueError(
                f"optimizer={optimizer!r} must be one of {list(OPTIMIZERS)} or a subclass of "
                "torch.optim.Optimizer that takes lr and weight_decay."
            )


def _is_optimizer(cls: Any) -> bool:
    """Whether this is a class of optimizers that takes a rate and a decay."""
    if not isinstance(cls, type):
        return False
    import torch

    if not issubclass(cls, torch.optim.Optimizer):
        return False
    try:
        signature(cls).bind_partial(lr=0.1, weight_decay=0.0)
    except TypeError:
        return False
    return True
