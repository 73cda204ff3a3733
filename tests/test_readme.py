"""The README's Python blocks run, in order, in one namespace."""

import re
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def test_python_blocks_run():
    namespace = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), namespace)
    assert namespace["pipeline"].predict(["cancel"]).shape == (1,)


def test_commands_are_one_line_with_their_own_environment():
    commands = blocks("bash")
    assert len(commands) == 2
    for command in commands:
        assert len(command.splitlines()) == 1
        assert command.startswith("python3 -m venv .venv && ")
