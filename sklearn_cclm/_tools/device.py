"""Where torch computes, and that it does so in forked processes."""

import ctypes
import os

import torch

if hasattr(os, "register_at_fork"):
    # torch's threads are not there in a child, which waits for them forever (pytorch#17199)
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))
    # A thread that ends holds all locks of MKL's allocator for a moment, after it was joined. This
    # waits for it: forked in between, a child would find them closed for ever
    if _free := getattr(ctypes.CDLL(torch._C.__file__), "mkl_serv_free_buffers", None):
        os.register_at_fork(before=_free)


def resolve_device(device: str) -> torch.device:
    """Return the torch device, "auto" being the accelerator where there is one.

    A process forked from one that has looked for it cannot use it, and computes on the CPU.
    """
    if device == "auto":
        usable = torch.cuda.is_available() and not torch.cuda._is_in_bad_fork()
        return torch.device("cuda" if usable else "cpu")
    found = torch.device(device)
    if found.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f'device={device!r}, and torch finds no CUDA here: set device="auto" or "cpu".'
        )
    return found
