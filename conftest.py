"""What all tests share: one thread, as tiny networks lose by waiting, and what is no test."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

# imports FastAPI and loads a model: tests/test_service.py
collect_ignore = ["docs/user_guide/service.py"]
