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
    """Give an optimizer a copy of the state that one of its kind left."""
    if saved["optimizer"] != type(optimizer).__name__:
        return
    for name, parameter in module.named_parameters():
        if values := saved["state"].get(name):
            optimizer.state[parameter] = {
                key: _tensor(value, parameter.device) for key, value in values.items()
            }


def _array(value: Any) -> Any:
    return value.cpu().numpy() if isinstance(value, torch.Tensor) else value


def _tensor(value: Any, device: torch.device) -> Any:
    """Return a copy for a device; numbers of steps stay on the CPU, as torch has them."""
    if not isinstance(value, np.ndarray):
        return deepcopy(value)
    return torch.tensor(value, device=device if value.ndim else "cpu")
