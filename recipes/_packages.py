"""Packages of the registries as folders: downloaded once by their own clients, and unpacked."""

import subprocess
import sys
from pathlib import Path

CLIENTS = {
    "deb": ["apt-get", "download", "{name}={version}"],
    "pypi": [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "{name}=={version}"],
    "npm": ["npm", "pack", "--silent", "{name}@{version}"],
}


def unpacked(work, registry, name, version):
    """Return the folder that holds what a package of "deb", "pypi" or "npm" contains."""
    folder = Path(work) / registry / f"{name.replace('/', '+')}-{version.replace(':', '+')}"
    content = folder / "content"
    if not content.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [part.format(name=name, version=version) for part in CLIENTS[registry]]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (archive,) = (path for path in folder.iterdir() if path.is_file())
        partial = folder / "partial"
        partial.mkdir(exist_ok=True)
        if registry == "deb":
            subprocess.run(["dpkg", "-x", archive, partial], check=True)
        elif archive.suffix == ".whl":
            subprocess.run([sys.executable, "-m", "zipfile", "-e", archive, partial], check=True)
        else:
            subprocess.run(["tar", "xf", archive, "-C", partial], check=True)
        partial.rename(content)
    return content


def debian_descriptions(work, language="en"):
    """Return the file with the descriptions of all packages of this Debian in a language."""
    lists = Path(work) / "apt"
    name = f"*_main_i18n_Translation-{language}*"
    if not list(lists.glob(name)):
        (lists / "partial").mkdir(parents=True, exist_ok=True)
        options = [f"Acquire::Languages={language}", f"Dir::State::lists={lists.resolve()}"]
        command = ["apt-get", *(part for option in options for part in ("-o", option)), "update"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return max(lists.glob(name), key=lambda path: path.stat().st_size)
