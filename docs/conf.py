"""Sphinx configuration; the API reference is written from what discovery finds."""

import inspect
import sys
from importlib import import_module
from pathlib import Path

import sklearn_cclm
from sklearn_cclm.utils import all_estimators

sys.path.insert(0, str(Path(__file__).parent / "development"))
import package_graph

project = "sklearn_cclm"
copyright = "the sklearn_cclm developers"
version = release = sklearn_cclm.__version__
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
html_theme = "pydata_sphinx_theme"
html_theme_options = {"show_prev_next": False, "secondary_sidebar_items": ["page-toc"]}
exclude_patterns = ["_build", "gallery/*.py"]
autodoc_typehints = "none"
default_role = "any"  # `name` is a link where there is such an object, else code
numpydoc_show_class_members = True
numpydoc_class_members_toctree = False
numpydoc_show_inherited_class_members = False
suppress_warnings = [
    "config.cache",  # sphinx-gallery's settings hold a function
    "ref.any",  # names of parameters and attributes link nowhere
]

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "within_subsection_order": "FileNameSortKey",
}

SECTIONS = {
    "Values and composition": ["sklearn_cclm.models"],
    "Training and tasks": ["sklearn_cclm.pretraining"],
    "Settings of bases and towers": ["sklearn_cclm.architectures"],
    "Networks": ["sklearn_cclm.nn"],
    "Losses": ["sklearn_cclm.nn.losses"],
    "Noise": ["sklearn_cclm.noise"],
    "Data": ["sklearn_cclm.datasets"],
    "Robustness": ["sklearn_cclm.robustness"],
    "Shelf": ["sklearn_cclm.shelf"],
    "Tools": ["sklearn_cclm.utils", "sklearn_cclm.utils.estimator_checks"],
    "Save and load": ["sklearn_cclm"],
}


def public_names(module):
    """Return the dotted names of a module's public classes and functions."""
    names = getattr(import_module(module), "__all__", None) or [
        name
        for name, value in vars(import_module(module)).items()
        if getattr(value, "__module__", "") == module and not name.startswith("_")
    ]
    found = [(name, getattr(import_module(module), name)) for name in names]
    return [f"{module}.{n}" for n, v in found if inspect.isclass(v) or inspect.isfunction(v)]


def write_api():
    """Write the API reference: all estimators first, then what else is public."""
    listed = [f"sklearn_cclm.{name}" for name, _ in all_estimators()]
    sections = {"Estimators": listed}
    taken = {name.rpartition(".")[2] for name in listed}
    for title, modules in SECTIONS.items():
        names = {name.rpartition(".")[2]: name for m in modules for name in public_names(m)}
        sections[title] = [name for short, name in names.items() if short not in taken]
        taken |= names.keys()
    lines = ["API reference", "=============", ""]
    for title, names in sections.items():
        lines += [title, "-" * len(title), "", ".. autosummary::", "   :toctree: .", ""]
        lines += [f"   {name}" for name in names] + [""]
    folder = Path(__file__).parent / "api"
    folder.mkdir(exist_ok=True)
    (folder / "index.rst").write_text("\n".join(lines), encoding="utf-8")


write_api()
package_graph.draw(Path(__file__).parent / "development" / "packages.svg")
