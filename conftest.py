"""Tests compute on one thread: tiny networks lose more by waiting for threads than they gain."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
