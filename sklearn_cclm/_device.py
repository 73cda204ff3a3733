"""Where torch computes."""

from typing import Any

import torch


def resolve_device(device: str) -> torch.device:
    """Return the torch device, "auto" being the accelerator where there is one."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


def check_device(device: Any) -> None:
    """Raise ValueError unless a parameter names a device."""
    try:
        known = resolve_device(device).type != "meta"
    except (RuntimeError, TypeError):
        known = False
    if not known:
        raise ValueError(
            f'device={device!r} must be "auto" or a torch device such as "cpu" or "cuda:0".'
        )
