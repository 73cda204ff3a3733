"""`save` and `load`: an artefact is a directory of config.json and model.safetensors."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sklearn_cclm._persistence._config import check_keys, dump, parse
from sklearn_cclm._persistence._errors import ModelFormatError
from sklearn_cclm._persistence._files import CONFIG, WEIGHTS, map_file, read_file, write_directory
from sklearn_cclm._persistence._parts import Reader, Writer
from sklearn_cclm._persistence._tensors import pack, unpack
from sklearn_cclm._persistence._version_1 import upgraded
from sklearn_cclm._persistence._weights import DTYPES
from sklearn_cclm._tools.params import check_option

_FORMAT = "sklearn_cclm"
_VERSION = 2
_KEYS = ("format", "format_version", "dtype", "parts", "digests", "weights")
_MAX_CONFIG = 2**24
_MAX_WEIGHTS = 2**31


def save(
    component: Any,
    path: str | os.PathLike,
    *,
    dtype: str = "float32",
    apart: Sequence[Any] = (),
) -> None:
    """Save a component as a directory that holds no code.

    A component is a `Base`, a `Tower`, a `ComposedModel` or `ComposedEmbedder` of towers, a head
    such as `ComposedClassifier`, or a preprocessor, fitted or not. The same component gives the
    same bytes on every run. Entries of `towers` that were fitted pretrainers, or names on the
    shelf, are stored as a fitted model uses them: pretrainers as the towers they became, names as
    names beside their towers.

    Parameters
    ----------
    component : Base, Tower, ComposedModel, ComposedEmbedder, head or preprocessor
        What to save; of a head, `noise`, `class_weight`, `callbacks`, `checkpoint`,
        `random_state` and `history_`, which training alone needs, are left out.
    path : str or path-like
        The directory to make. An artefact that is there already is replaced; nothing else is.
    dtype : {"float32", "float16", "int8"}, default="float32"
        How weights are stored: "int8" as whole numbers with a scale per row. They are read as
        float32 once loaded, and what is loaded has a digest of its own unless this is "float32".
    apart : sequence of Base, default=()
        Parts that are stored elsewhere: here by their digest alone, so that towers on one base
        need not store it several times.

    Raises
    ------
    TypeError
        If the component, or a part of it such as a text transformer, is not of these kinds.
    ValueError
        If it could not be loaded again, such as weights too large for float16.
    FileExistsError
        If the path holds anything that is not an artefact.

    See Also
    --------
    load : The way back.

    Examples
    --------
    >>> import os, tempfile
    >>> from sklearn_cclm import CharPreprocessor, load, save
    >>> path = os.path.join(tempfile.mkdtemp(), "banana")
    >>> save(CharPreprocessor().fit(["banana"]), path)
    >>> sorted(os.listdir(path))
    ['config.json', 'model.safetensors']
    >>> load(path).vocabulary_
    'anb'
    """
    check_option("dtype", dtype, DTYPES)
    target = Path(os.path.realpath(path))
    _check_free(target)
    writer = Writer(dtype, apart)
    writer.add(component)
    records, content = dump(writer.records), pack(writer.tensors)
    written = unpack(np.frombuffer(content, dtype=np.uint8))
    loaded = Reader(written, dtype, apart).read(parse(records))
    config = {
        "format": _FORMAT,
        "format_version": _VERSION,
        "dtype": dtype,
        "parts": writer.records,
        "digests": _digests(loaded),
        "weights": {"size": len(content), "sha256": _sha256(content)},
    }
    described = dump(config)
    for name, size, most in (
        (CONFIG, len(described), _MAX_CONFIG),
        (WEIGHTS, len(content), _MAX_WEIGHTS),
    ):
        if size > most:
            raise ValueError(f"{name} would have {size} bytes, and at most {most} can be loaded.")
    write_directory(target, {CONFIG: described, WEIGHTS: content})


def load(path: str | os.PathLike, *, sha256: str | None = None, parts: Sequence[Any] = ()) -> Any:
    """Load what `save` stored, running no code from it.

    The weights of bases and towers stay in their file, mapped and read-only, where processes share
    them; a file in use may be replaced, but not written into. A sha256 within the artefact tells
    damage; to tell a forger, pass the one you expect.

    Parameters
    ----------
    path : str or path-like
        The directory.
    sha256 : str, default=None
        Expected sha256 of its config.json, in hexadecimal, which pins all the rest.
    parts : sequence of Base, default=()
        Those that `save` was told are stored `apart`.

    Returns
    -------
    Base, Tower, ComposedModel, ComposedEmbedder, head or preprocessor
        The component, with float32 weights.

    Raises
    ------
    ModelFormatError
        If the directory is not exactly what this version, or an older one, saves.

    See Also
    --------
    save : The way there, with an example.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn_cclm import ModelFormatError, load
    >>> try:
    ...     load(tempfile.mkdtemp())
    ... except ModelFormatError:
    ...     print("no artefact")
    no artefact
    """
    folder = Path(path)
    try:
        return _load(folder, sha256, parts)
    except ImportError:
        raise  # what it holds needs torch
    except Exception as error:
        raise ModelFormatError(f"{str(folder)!r} cannot be loaded: {error}") from error


def artefact_sha256(path: str | os.PathLike) -> str:
    """Return the sha256 that `load` can be told to expect: that of config.json.

    Parameters
    ----------
    path : str or path-like
        The directory of an artefact.

    Returns
    -------
    str
        In hexadecimal.

    Raises
    ------
    ValueError
        If the directory holds no config.json.
    """
    return _sha256(read_file(Path(path, CONFIG), _MAX_CONFIG))


def _load(folder: Path, sha256: str | None, parts: Sequence[Any]) -> Any:
    described = read_file(folder / CONFIG, _MAX_CONFIG)
    if sha256 is not None and _sha256(described) != sha256:
        raise ValueError(f"{CONFIG} has not the sha256 {sha256!r}.")
    config = parse(described)
    _check_version(config)
    check_keys(CONFIG, config, _KEYS)
    check_option("dtype", config["dtype"], DTYPES)
    tensors = unpack(_weights(folder / WEIGHTS, config["weights"]))
    if config["format_version"] == 1 and config["dtype"] == "int8":
        upgraded(tensors)
    loaded = Reader(tensors, config["dtype"], parts).read(config["parts"])
    if _digests(loaded) != config["digests"]:
        raise ValueError("its bases or towers have other digests than it says.")
    return loaded[-1]


def _check_version(config: Any) -> None:
    if not isinstance(config, dict) or config.get("format") != _FORMAT:
        raise ValueError(f"{CONFIG} is not one that sklearn_cclm.save has written.")
    version = config.get("format_version")
    if type(version) is not int or version < 1:
        raise ValueError(f"format_version={version!r} must be a positive integer.")
    if version > _VERSION:
        raise ValueError(
            f"format_version={version} is newer than {_VERSION}, the newest one that this "
            "version of sklearn_cclm knows: upgrade it."
        )


def _weights(path: Path, said: Any) -> np.ndarray:
    """Return the content of the weights file, which must be what config.json says."""
    check_keys("weights", said, ("size", "sha256"))
    if type(said["size"]) is not int:
        raise ValueError(f"the size of {WEIGHTS} must be an integer, not {said['size']!r}.")
    content = map_file(path, min(said["size"], _MAX_WEIGHTS))
    if len(content) != said["size"] or _sha256(content.data) != said["sha256"]:
        raise ValueError(f"{WEIGHTS} is damaged: its size or sha256 is not what {CONFIG} says.")
    return content


def _check_free(path: Path) -> None:
    """Raise FileExistsError if a path holds what is neither nothing nor an artefact."""
    if not path.exists():
        return
    found = sorted(os.listdir(path)) if path.is_dir() else None
    if found == [] or (found == [CONFIG, WEIGHTS] and _is_artefact(path / CONFIG)):
        return
    raise FileExistsError(
        f"{str(path)!r} exists and is no artefact of sklearn_cclm alone, so that it is not "
        "replaced: choose another path, or delete it."
    )


def _is_artefact(path: Path) -> bool:
    try:
        return parse(read_file(path, _MAX_CONFIG))["format"] == _FORMAT
    except Exception:
        return False


def _digests(components: list[Any]) -> list[str | None]:
    """Return the digest of each, where it has one."""
    return [getattr(component, "digest", None) for component in components]


def _sha256(content: bytes | memoryview) -> str:
    return hashlib.sha256(content).hexdigest()
