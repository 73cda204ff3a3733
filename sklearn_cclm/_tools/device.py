"""The parameter `device` of all that computes."""

from __future__ import annotations

from typing import Any

from sklearn_cclm._tools.extras import needs_train


def check_device(device: Any) -> None:
    """Raise ValueError unless a parameter names a device."""
    if isinstance(device, str) and device in ("auto", "cpu"):
        return
    with needs_train(f"device={device!r}"):
        import torch
    try:
        known = torch.device(device).type != "meta"
    except (RuntimeError, TypeError):
        known = False
    if not known:
        raise ValueError(
            f'device={device!r} must be "auto" or a torch device such as "cpu" or "cuda:0".'
        )
