"""What an optimizer remembers from one `partial_fit` to the next: plain arrays by name."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import nn


def named_state(module: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return an optimizer's state by the names of the parameters, with arrays for tensors."""
    names: dict[Any, str] = {parameter: name for name, parameter in module.named_parameters()}
    state = {
        names[parameter]: {key: _array(value) for key, value in values.items()}
        for parameter, values in optimizer.state.items()
    }
    return {"optimizer": type(optimizer).__name__, "state": state}


def take_state(module: nn.Module, optimizer: torch.optim.Optimizer, saved: dict[str, Any]) -> None:
    """Give an optimizer a copy of the state that one of its kind left, where it wants it."""
    if saved["optimizer"] != type(optimizer).__name__:
        return
    names = {parameter: name for name, parameter in module.named_parameters()}
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state = {
        place: {key: _copy(value) for key, value in values.items()}
        for place, parameter in enumerate(parameters)
        if (values := saved["state"].get(names[parameter]))
    }
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def _array(value: Any) -> Any:
    return value.cpu().numpy() if isinstance(value, torch.Tensor) else value


def _copy(value: Any) -> Any:
    return torch.tensor(value) if isinstance(value, np.ndarray) else deepcopy(value)
