"""Build a wheel of a shelf: once installed, its towers are on the default shelf by their names.

Example: ``python recipes/data_package.py DIR --name sklearn-cclm-german --version 1.0 --out dist``
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from sklearn_cclm import Shelf
from sklearn_cclm.shelf import ShelfError

LIMIT = 100_000_000  # bytes of a file that PyPI takes
_PROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = {name}
version = {version}
description = {description}
readme = "README.md"
license = {licence}
license-files = ["LICENSES/*"]
dependencies = ["sklearn-cclm"]

[project.entry-points."sklearn_cclm.towers"]
{module} = "{module}"

[tool.hatch.build.targets.wheel]
packages = ["{module}"]
"""


def write_project(shelf, name, version, licences, folder):
    """Write what `build` makes a wheel of; every file of the shelf is what its index says."""
    entries = shelf.verify()
    texts = {path.stem: path for path in licences}
    needed = sorted({entry.licence for entry in entries})
    missing = [licence for licence in needed if licence not in texts]
    if missing:
        raise ShelfError(f"The text of {missing} is missing: pass --licence for each, named so.")
    module = name.replace("-", "_")
    for entry in entries:
        shutil.copytree(Path(shelf.index, entry.folder), folder / module / entry.folder)
    shutil.copy(Path(shelf.index, "index.json"), folder / module)
    (folder / module / "__init__.py").write_text(f'"""Towers of sklearn_cclm: {name}."""\n')
    (folder / "LICENSES").mkdir()
    for licence in needed:
        shutil.copy(texts[licence], folder / "LICENSES")
    cards = [shelf.card(entry.pinned).split("---\n", 2)[2] for entry in entries]
    (folder / "README.md").write_text("\n".join(cards), encoding="utf-8")
    said = {
        "name": name,
        "version": version,
        "description": f"Towers of sklearn_cclm: {', '.join(shelf.list())}",
        "licence": " AND ".join(needed),
    }
    project = _PROJECT.format(module=module, **{k: json.dumps(v) for k, v in said.items()})
    (folder / "pyproject.toml").write_text(project, encoding="utf-8")


def main():
    """Build the wheel."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shelf", type=Path, help="directory of the shelf")
    parser.add_argument("--name", required=True, help="of the package, such as sklearn-cclm-german")
    parser.add_argument("--version", required=True, help="of the package, such as 1.0")
    parser.add_argument("--licence", type=Path, nargs="+", required=True, help="texts of licences")
    parser.add_argument("--out", type=Path, default=Path("dist"), help="where to (dist)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        write_project(Shelf(options.shelf), options.name, options.version, options.licence, project)
        command = [sys.executable, "-m", "build", "--wheel", "--outdir", options.out, project]
        subprocess.run(command, check=True)
    for wheel in sorted(options.out.glob(f"{options.name.replace('-', '_')}-*.whl")):
        size = wheel.stat().st_size
        print(f"{wheel}: {size:,} bytes" + (", more than PyPI takes" if size > LIMIT else ""))


if __name__ == "__main__":
    main()
