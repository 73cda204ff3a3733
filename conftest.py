"""What all tests share: one thread, as tiny networks lose by waiting, and what is no test."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

# scripts that need other packages or arguments; their tests run them
SCRIPTS = ("bento", "service", "several_processes")
collect_ignore = [f"docs/user_guide/{name}.py" for name in SCRIPTS]
