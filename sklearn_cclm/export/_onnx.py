"""`export_onnx`: a network as an ONNX file, and beside it how its codes are made."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm.export._graph import Graph, graph

_TEXTS = ["Where is my card?", "", "cr\u00e8me br\u00fbl\u00e9e \U0001f60a", "x" * 40]


def export_onnx(model: Any, path: str | os.PathLike) -> None:
    """Write a network as an ONNX file, for ONNX Runtime in any language.

    Its inputs are codes, int64 of shape (n, length), one for each base of the towers; n and
    length are free. Its output is what `transform` or, of heads, `predict_proba` or `predict`
    returns of texts that are no longer than a window; of a `ComposedTagger` and a `ComposedModel`,
    a row for each code. Tables that are kept as int8 stay so.

    A JSON file beside it says how each base turns characters into codes, what the output's last
    axis stands for, and has texts with their codes and the output, to test another language with.

    Parameters
    ----------
    model : Tower or estimator
        A fitted `ComposedEmbedder`, `ComposedModel`, `ComposedClassifier`, `ComposedRegressor` or
        `ComposedTagger`; of a `Tower`, the native vectors of texts are exported.
    path : str or path-like
        The file to write, ``*.onnx``; the other is ``*.json``. What is there is replaced.

    Raises
    ------
    ImportError
        If the packages of the extra "onnx" are not installed.
    TypeError
        If the model is of another class.
    ValueError
        If text transformers or n-grams stand beside the towers, or the path does not end in
        ".onnx".

    Examples
    --------
    >>> from sklearn_cclm import ComposedEmbedder, export_onnx
    >>> export_onnx(ComposedEmbedder().fit([""]), "vectors.onnx")  # doctest: +SKIP
    """
    path = Path(path)
    if path.suffix != ".onnx":
        raise ValueError(f"path={str(path)!r} must end in '.onnx'; '.json' is written beside it.")
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise ImportError(f'export_onnx needs {missing}: pip install "sklearn-cclm[onnx]".')
    if isinstance(model, BaseEstimator):
        check_is_fitted(model)
    found = graph(model)
    _write(found, path)
    described = json.dumps(description(found), indent=1)
    path.with_suffix(".json").write_text(described, encoding="utf-8")


def description(found: Graph) -> dict[str, Any]:
    """Return how codes are made, what comes out, and examples of both, as JSON can hold it."""
    names = _inputs(found)
    codes = _codes(found, _TEXTS)
    with torch.inference_mode():
        said = found.module(*map(torch.from_numpy, codes)).numpy()
    return {
        "inputs": {
            name: {"vocabulary": list(base.vocabulary), **base.reading}
            for name, base in zip(names, found.bases, strict=True)
        },
        "output": {"name": found.output, "names": found.names},
        "examples": {
            "texts": _TEXTS,
            **{name: array.tolist() for name, array in zip(names, codes, strict=True)},
            found.output: said.astype(str).astype(float).tolist(),  # no digits beyond float32's
        },
    }


def _write(found: Graph, path: Path) -> None:
    """Trace a network, with sizes that are free, and write it."""
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    names = _inputs(found)
    lengths = ["length" if found.per_character else f"length_of_{name}" for name in names]
    dims = {name: torch.export.Dim(name) for name in ("n", *lengths)}
    program = torch.export.export(  # which alone refuses what would freeze a size
        found.module,
        tuple(map(torch.from_numpy, _codes(found, _TEXTS))),
        dynamic_shapes={"ids": tuple({0: dims["n"], 1: dims[name]} for name in lengths)},
        prefer_deferred_runtime_asserts_over_guards=True,
    )
    traced: Any = torch.onnx.export(
        program,
        input_names=names,
        output_names=[found.output],
        dynamic_shapes={"ids": tuple(_new_names(lengths))},
        dynamo=True,
        verbose=False,
    )
    ClearMetadataAndDocStringPass()(traced.model)  # stack traces with paths of this machine
    traced.save(path, external_data=False)


def _new_names(lengths: list[str]) -> Iterator[dict[int, str]]:
    """Yield names of the axes of each input, those alone that no earlier one has."""
    yield {0: "n", 1: lengths[0]}
    for name in lengths[1:]:
        yield {} if name == lengths[0] else {1: name}


def _inputs(found: Graph) -> list[str]:
    """Return the names of the inputs."""
    if len(found.bases) == 1:
        return ["codes"]
    return [f"codes_{i}" for i in range(len(found.bases))]


def _codes(found: Graph, texts: list[str]) -> list[np.ndarray]:
    """Return the codes of texts that each base reads."""
    preprocessors = [base.preprocessor() for base in found.bases]
    size = min(p.max_example_len - p.add_cls for p in preprocessors)
    shown = [[text[:size] for text in p.normalize(texts)] for p in preprocessors]
    return [p.encode(some) for p, some in zip(preprocessors, shown, strict=True)]
