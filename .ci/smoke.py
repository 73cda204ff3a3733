"""Run the README's first Python block, and compare what it prints with what stands below it."""

import contextlib
import io
import re
import sys
from pathlib import Path

import sklearn_cclm

readme = Path(sys.argv[1]).read_text(encoding="utf-8")
blocks = re.findall(r"^```(?:python|text)\n(.*?)^```", readme.split("## Try it")[1], re.M | re.S)
code, shown = blocks[:2]
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    exec(compile(code, "README.md", "exec"), {})
print(sklearn_cclm.__version__, sklearn_cclm.__file__, printed.getvalue().strip())
sys.exit(None if printed.getvalue() == shown else f"{shown!r} is expected.")
