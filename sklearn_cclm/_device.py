"""Where torch computes."""

import torch


def resolve_device(device: str) -> torch.device:
    """Return the torch device, "auto" being the accelerator where there is one."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)
