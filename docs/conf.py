"""Sphinx configuration; reference and model cards are written from what the package has."""

import sys
from pathlib import Path

import sklearn_cclm

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "development")]
import cards
import package_graph
import reference
from sphinx.domains.python import PythonDomain
from sphinx_gallery.sorting import FileNameSortKey

project = "sklearn_cclm"
copyright = "the sklearn_cclm developers"
version = release = sklearn_cclm.__version__
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
html_theme = "pydata_sphinx_theme"
html_theme_options = {"secondary_sidebar_items": ["page-toc"]}
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
templates_path = ["_templates"]
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
exclude_patterns = ["_build", "gallery/*.py"]
autodoc_typehints = "none"
nitpicky = True
default_role = "any"  # `name` is a link where there is such an object, else code
plot_formats = ["svg"]
plot_html_show_formats = plot_html_show_source_link = False
numpydoc_show_class_members = False  # autodoc writes methods out
rst_prolog = ".. py:currentmodule:: sklearn_cclm"
suppress_warnings = [
    "config.cache",  # sphinx-gallery's settings hold a function
    "ref.any",  # names of parameters and attributes link nowhere
]


class QuickstartFirst(FileNameSortKey):
    """The quickstart, then the others by the names of their files."""

    def __call__(self, filename):
        return filename != "quickstart.py", filename


sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "abort_on_example_error": True,
    "capture_repr": (),
    "download_all_examples": False,
    "show_memory": False,
    "within_subsection_order": QuickstartFirst,
}

HERE = Path(__file__).parent
reference.write(HERE / "api")
cards.write(HERE / "towers")
package_graph.draw(HERE / "development" / "packages.svg")


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


def skip_others(app, what, name, member, skip, options):
    """Leave out what is inherited from scikit-learn, torch and Python."""
    function = getattr(member, "fget", None) or getattr(member, "func", member)
    ours = str(getattr(function, "__module__", "")).startswith("sklearn_cclm")
    return None if ours else True


class Names(PythonDomain):
    """Python's domain, in which a name that several classes have, such as `fit`, links nowhere."""

    def resolve_any_xref(self, *args):
        found = super().resolve_any_xref(*args)
        return found if len(found) == 1 else []


def setup(app):
    app.add_domain(Names, override=True)
    app.connect("autodoc-skip-member", skip_others)
    app.connect("build-finished", write_llms)
