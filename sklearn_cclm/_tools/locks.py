"""A lock that forks survive."""

from __future__ import annotations

import os
import threading


class Lock:
    """A reentrant lock, open in a forked process: a thread that held it stayed with the parent."""

    def __init__(self) -> None:
        self._renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()
