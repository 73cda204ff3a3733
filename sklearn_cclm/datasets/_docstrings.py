"""English sentences from the docstrings of the libraries that are installed anyway."""

import ast
import gc
import inspect
import os
import re
import sysconfig
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

_PACKAGES = {
    "joblib": "joblib",
    "numpy": "numpy",
    "python": None,  # the standard library is a folder, not a package
    "scikit-learn": "sklearn",
    "scipy": "scipy",
    "torch": "torch",
}
_SKIPPED_FOLDERS = {
    *("test", "tests", "idle_test", "testing", "_internal"),
    *("site-packages", "dist-packages", "externals", "_vendor"),
    *("_dynamo", "_inductor"),  # a compiler's insides: half of torch, and few read them
}

_DESCR = """\
Docstring sentences
-------------------

English sentences from the docstrings of joblib, numpy, the Python standard library, scikit-learn,
scipy and torch, as they are installed. The source files are parsed, not imported. Code, parameter
tables, headings, directives and inline markup are dropped, wrapped lines are joined, and each
distinct sentence is kept once, under the first library that has it. ``target`` says which library.
The order is that of library, file and place in the file, so it is the same on every call, but the
sentences change with the installed versions.
"""

_NOT_PROSE = re.compile(
    r"""\s                         # indented: code, or the text under a parameter
      | (>>>|\.\.\.|\.\.\ |:\w|@|\||\#|\[)
      | [-=~^*"'`+\#.]{3,}\s*$     # the underline of a heading, a table rule
      | \*{0,2}[\w.]+(,\ \*{0,2}[\w.]+)*\ ?:(\ |$)   # name : type
    """,
    re.VERBOSE,
)
_BULLET = re.compile(r"([-*+•]|\(?\d{1,2}[.)])\s+")
_INLINE_MARKUP = re.compile(
    r"(?::[\w:+-]+:)?(`+)(?:~(?:\w+\.)*|!)?([^`]*?)(?:\s*<[^`>]*>)?\1_{0,2}"
)
_EMPHASIS = re.compile(r"(?<!\w)(\*{1,2})(\w[^*]*?)\1(?!\w)")
_SENTENCE_END = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!vs\.)(?<! al\.)\s+(?=[A-Z])")
_SENTENCE = re.compile(r"[A-Z][^\n]*[^.][.!?]")
_WORD = re.compile(r"(?<![\w.])[A-Za-z][a-z]*(?:[-'][a-z]+)*(?=[\s,;:.!?)]|$)")


def load_docstrings(
    *,
    libraries: Sequence[str] | None = None,
    min_length: int = 20,
    max_length: int = 300,
    return_X_y: bool = False,
) -> Bunch | tuple[list[str], np.ndarray]:
    """Load English sentences from installed docstrings, labelled by library.

    The source files of joblib, numpy, the standard library ("python"), scikit-learn, scipy and
    torch are parsed, not imported, and nothing is downloaded. A file that does not parse is left
    out, and so are folders of tests.

    Parameters
    ----------
    libraries : sequence of str, default=None
        The libraries to read, out of "joblib", "numpy", "python", "scikit-learn", "scipy" and
        "torch". None reads all six.
    min_length : int, default=20
        Shortest sentence to keep, in characters.
    max_length : int, default=300
        Longest sentence to keep, in characters.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    bunch : sklearn.utils.Bunch or tuple of (list of str, ndarray)
        With the keys

        data : list of str
            The distinct sentences, in order of library, file and place in the file.
        target : ndarray of shape (n_sentences,), dtype int64
            Index into ``target_names``.
        target_names : list of str
            The libraries that were read, sorted.
        DESCR : str
            What the data set is.

    Raises
    ------
    ValueError
        If a library is not one of the six, or ``min_length`` exceeds ``max_length``.

    Examples
    --------
    >>> from sklearn_cclm.datasets import load_docstrings
    >>> docstrings = load_docstrings(libraries=["joblib", "numpy"])
    >>> docstrings.target_names
    ['joblib', 'numpy']
    >>> len(docstrings.data) == len(docstrings.target)
    True
    """
    if isinstance(libraries, str):
        raise ValueError(f"libraries={libraries!r} is one string; pass a list such as ['numpy'].")
    names = sorted(set(_PACKAGES if libraries is None else libraries))
    if unknown := [name for name in names if name not in _PACKAGES]:
        raise ValueError(f"Unknown libraries {unknown}; choose out of {sorted(_PACKAGES)}.")
    if min_length > max_length:
        raise ValueError(
            f"min_length={min_length} exceeds max_length={max_length}; no sentence can fit."
        )

    label_of: dict[str, int] = {}  # keeps the order, and the first label of each sentence
    with _no_garbage_collection():
        for label, name in enumerate(names):
            for docstring in _docstrings(_folder(name)):
                for sentence in _sentences(docstring):
                    if min_length <= len(sentence) <= max_length:
                        label_of.setdefault(sentence, label)

    data, target = list(label_of), np.array(list(label_of.values()), dtype=np.int64)
    if return_X_y:
        return data, target
    return Bunch(data=data, target=target, target_names=names, DESCR=_DESCR)


def _folder(library: str) -> Path:
    """Folder of a library's source files."""
    package = _PACKAGES[library]
    if package is None:
        return Path(sysconfig.get_path("stdlib"))
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"{library} is not installed; install it or name other libraries."
        )
    return Path(spec.submodule_search_locations[0])


def _docstrings(folder: Path) -> Iterator[str]:
    """Docstrings of all modules, classes and functions below a folder, in order."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - _SKIPPED_FOLDERS)
        for file in sorted(files):
            if file.endswith(".py"):
                yield from _docstrings_of_file(Path(parent, file))


def _docstrings_of_file(path: Path) -> Iterator[str]:
    """Docstrings of one source file, in order; none if it does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other people's invalid escapes
            tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    yield from _docstrings_of_node(tree)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Leave out the search for cycles, which takes half the time and finds none in syntax trees."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _docstrings_of_node(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef,
) -> Iterator[str]:
    """Docstring of a definition, then those of the definitions directly inside it."""
    if docstring := ast.get_docstring(node, clean=False):
        yield inspect.cleandoc(docstring)
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _docstrings_of_node(child)


def _sentences(docstring: str) -> Iterator[str]:
    """Sentences of a docstring that look like English."""
    for paragraph in _paragraphs(docstring):
        plain = _EMPHASIS.sub(r"\2", _INLINE_MARKUP.sub(r"\2", paragraph))
        for sentence in _SENTENCE_END.split(plain):
            if _is_english(sentence):
                yield sentence


def _paragraphs(docstring: str) -> Iterator[str]:
    """Paragraphs and list items of prose, each on one line."""
    for block in re.split(r"\n\s*\n", docstring):
        lines: list[str] = []
        for line in block.splitlines():
            bullet = _BULLET.match(line)
            if _NOT_PROSE.match(line) and not (lines and line.startswith("  ")):
                lines.clear()
                if line.startswith(">>>"):
                    break  # the rest of the block is output
            elif bullet:
                yield " ".join(lines)
                lines = [line[bullet.end() :].strip()]
            else:
                lines.append(line.strip())
        yield " ".join(lines)


def _is_english(sentence: str) -> bool:
    """Whether it starts and ends like a sentence and nearly all of it is plain words."""
    if not _SENTENCE.fullmatch(sentence) or sentence.count(" ") < 3:
        return False
    in_words = sum(len(word) for word in _WORD.findall(sentence))
    return in_words >= 0.8 * (len(sentence) - sentence.count(" "))
