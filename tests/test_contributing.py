"""Each command of CONTRIBUTING.md is run: by CI, or here."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", CONTRIBUTING, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]
BY_README = COMMANDS[:3]
PARTS = ("train", "datasets", "hub", "plot", "test")  # extras that tests need


def in_ci(command):
    """Whether CI runs a command, which it may prefix with `env`, or that of the README."""
    return command in CI or f"env {command}" in CI or f"&& {command}\n" in README


HERE = [command for command in COMMANDS[3:] if not in_ci(command)]


def test_set_up_is_that_of_the_readme():
    assert BY_README[0] in README
    assert BY_README[1] in README
    assert BY_README[2].replace("[dev]", "[test]") in README
    assert '.venv/bin/pip install -q -c constraints.txt -e ".[dev]"' in CI


def test_there_are_commands_of_each_kind():
    assert len(COMMANDS) - len(HERE) >= 9
    assert len(HERE) >= 6


def run(command, folder=ROOT):
    program, *arguments = shlex.split(command)
    program = str(Path(sys.executable).with_name(Path(program).name))
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(
        [program, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("command", HERE)
def test_command_runs(command, tmp_path):
    if command.startswith(".venv/bin/pytest"):  # the tests themselves are in the default run
        command += " --collect-only -q"
    found = run(command.replace("--outdir dist", f"--outdir {tmp_path}"))
    assert found.returncode == 0, found.stdout[-2000:] + found.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.ci
def test_linters_are_installed_as_a_hook(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    config = ".pre-commit-config.yaml"
    (tmp_path / config).write_text((ROOT / config).read_text(encoding="utf-8"), encoding="utf-8")
    assert run(".venv/bin/pre-commit validate-config", tmp_path).returncode == 0
    assert "`.venv/bin/pre-commit install`" in CONTRIBUTING
    assert run(".venv/bin/pre-commit install", tmp_path).returncode == 0
    assert (tmp_path / ".git" / "hooks" / "pre-commit").exists()


def test_hook_has_the_linters_of_ci():
    config = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    entries = re.findall(r"entry: ([^,]+),", config)
    assert len(entries) == 4
    for entry in entries:
        assert f"{entry} .\n" in CI or f"{entry}\n" in CI


def test_citation_has_the_version():
    import sklearn_cclm

    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {sklearn_cclm.__version__}\n" in citation


def test_changelog_has_the_version():
    import sklearn_cclm

    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(.*?)\](?: - \d{4}-\d\d-\d\d)?$", changelog, re.MULTILINE).group(1)
    developed = "dev" in sklearn_cclm.__version__
    assert newest == ("Unreleased" if developed else sklearn_cclm.__version__)


def test_the_lowest_versions_are_those_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(r for name in PARTS for r in extras.get(name, ()))]
    lines = (ROOT / ".ci" / "lowest.txt").read_text(encoding="utf-8").splitlines()
    lowest = dict(line.split("==") for line in lines if not line.startswith("#"))
    bounds = dict(r.split(">=") for r in wanted if ">=" in r)
    assert bounds.keys() <= lowest.keys()
    others = {name for name, bound in bounds.items() if not lowest[name].startswith(bound)}
    assert others == {"torch"}  # CI has no older build for CPUs
