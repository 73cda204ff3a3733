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
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
html_theme = "pydata_sphinx_theme"
html_theme_options = {"secondary_sidebar_items": ["page-toc"]}
html_title = project
templates_path = ["_templates"]
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
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
    "capture_repr": (),
    "download_all_examples": False,
    "show_memory": False,
    "within_subsection_order": "FileNameSortKey",
}

SECTIONS = {  # in the order of use
    "Compose": ["sklearn_cclm.models"],
    "Adapt and pretrain": ["sklearn_cclm.pretraining"],
    "Fine-tune": ["sklearn_cclm.heads"],
    "Tables": ["sklearn_cclm.tables"],
    "Robustness": ["sklearn_cclm.robustness"],
    "Noise": ["sklearn_cclm.noise"],
    "Share": ["sklearn_cclm.shelf"],
    "Serve": ["sklearn_cclm.export"],
    "Data": ["sklearn_cclm.datasets"],
    "Preprocess": ["sklearn_cclm.preprocessing"],
    "Settings of towers": ["sklearn_cclm.nn"],
    "Losses": ["sklearn_cclm.nn.losses"],
    "Save and load": ["sklearn_cclm"],
    "Tools": ["sklearn_cclm.utils", "sklearn_cclm.utils.estimator_checks"],
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
    """Write the API reference, section by section; estimators go by their shortest names."""
    short = {name: f"sklearn_cclm.{name}" for name, _ in all_estimators()}
    taken, sections = set(), {}
    for title, modules in SECTIONS.items():
        names = {name.rpartition(".")[2]: name for m in modules for name in public_names(m)}
        new = [name for name in names if name not in taken]
        sections[title] = [short.get(name, names[name]) for name in new]
        taken.update(new)
    if missing := short.keys() - taken:
        raise ValueError(f"The API reference has no section for {sorted(missing)}.")
    lines = ["API reference", "=============", ""]
    for title, names in sections.items():
        lines += [title, "-" * len(title), "", ".. autosummary::"]
        lines += ["   :toctree: .", "   :nosignatures:", ""]
        lines += [f"   ~{name}" for name in names] + [""]
    folder = Path(__file__).parent / "api"
    folder.mkdir(exist_ok=True)
    (folder / "index.rst").write_text("\n".join(lines), encoding="utf-8")


write_api()
package_graph.draw(Path(__file__).parent / "development" / "packages.svg")


def write_llms(app, error):
    """Write llms.txt: the titles and places of all pages, for programs that read."""
    if error or app.builder.name != "html":
        return
    lines = [f"# {project}", "", "> Text features that survive typos, for scikit-learn.", ""]
    lines += [
        f"- [{app.env.titles[page].astext()}]({app.builder.get_target_uri(page)})"
        for page in sorted(app.env.titles)
    ]
    Path(app.outdir, "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def setup(app):
    app.connect("build-finished", write_llms)
