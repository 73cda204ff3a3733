"""Tests of an environment without torch.

Where torch is, `tests/test_engines.py` runs them in a process that cannot find it; `.ci/run` makes
an environment that has none.
"""

from importlib.util import find_spec

if find_spec("torch"):
    collect_ignore_glob = ["*.py"]
