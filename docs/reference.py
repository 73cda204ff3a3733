"""Write the API reference from what discovery finds: sections in the order of use, and methods."""

import inspect
from importlib import import_module

import sklearn_cclm
from sklearn_cclm.utils import all_estimators

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
METHODS = ("fit", "partial_fit", "transform", "predict", "predict_proba", "score", "save")
SHORT = {name: f"sklearn_cclm.{name}" for name in sklearn_cclm.__all__}


def public_names(module):
    """Return the dotted names of a module's public classes and functions."""
    names = getattr(import_module(module), "__all__", None) or [
        name
        for name, value in vars(import_module(module)).items()
        if getattr(value, "__module__", "") == module and not name.startswith("_")
    ]
    found = [(name, getattr(import_module(module), name)) for name in names]
    return [f"{module}.{n}" for n, v in found if inspect.isclass(v) or inspect.isfunction(v)]


def sections():
    """Return the names of each section, as they are imported; each name stands once."""
    taken, found = set(), {}
    for title, modules in SECTIONS.items():
        names = {name.rpartition(".")[2]: name for m in modules for name in public_names(m)}
        new = [name for name in names if name not in taken]
        found[title] = [SHORT.get(name, names[name]) for name in new]
        taken.update(new)
    if missing := dict(all_estimators()).keys() - taken:
        raise ValueError(f"The API reference has no section for {sorted(missing)}.")
    return found


def methods(names):
    """Return the lines of a table: which estimator has which method."""
    classes = dict(all_estimators())
    lines = ["Methods", "-------", "", ".. list-table::", "   :header-rows: 1", ""]
    rows = [["", *METHODS]]
    for name in names:
        cls = classes.get(name.rpartition(".")[2])
        if cls is not None:
            marks = ["✓" if hasattr(cls, method) else "" for method in METHODS]
            rows.append([f"`~{name}`", *marks])
    for first, *others in rows:
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    return [*lines, ""]


def write(folder):
    """Write the page of the reference, from which autosummary makes the others."""
    lines = [".. py:currentmodule:: None", "", "API reference", "=============", ""]
    found = sections()
    for title, names in found.items():
        lines += [title, "-" * len(title), "", ".. autosummary::"]
        lines += ["   :toctree: .", "   :nosignatures:", ""]
        lines += [f"   ~{name}" for name in names] + [""]
    lines += methods([name for names in found.values() for name in names])
    folder.mkdir(exist_ok=True)
    (folder / "index.rst").write_text("\n".join(lines), encoding="utf-8")
