"""The parameter `device`, which is checked without torch where it says nothing of one."""

from __future__ import annotations

from typing import Any

from sklearn_cclm._tools.extras import needs_train


def check_device(device: Any) -> None:
    """Raise ValueError unless a parameter names a device, or ImportError if torch must know."""
    if isinstance(device, str) and device in ("auto", "cpu"):
        return
    with needs_train(f"device={device!r}"):
        from sklearn_cclm._tools.device import resolve_device
    try:
        known = resolve_device(device).type != "meta"
    except (RuntimeError, TypeError):
        known = False
    if not known:
        raise ValueError(
            f'device={device!r} must be "auto" or a torch device such as "cpu" or "cuda:0".'
        )
