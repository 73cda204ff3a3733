"""Networks of weights that are there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from sklearn_cclm.nn import _registry
from sklearn_cclm.nn._blank import Blank
from sklearn_cclm.nn.rows import ByteTable
from sklearn_cclm.nn.seeds import isolated_seed


def loaded(
    kind: str,
    name: str,
    config: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    shape: Mapping[str, Any],
    *,
    tables: Mapping[str, ByteTable] | None = None,
) -> nn.Module:
    """Build the network of an architecture on these tensors, in evaluation mode.

    The global generator stays as it was. Tables are put in the place of the modules of their
    names.
    """
    with isolated_seed(0), Blank():
        module = _registry.build(kind, name, config, **shape)
    for place, table in (tables or {}).items():
        module.set_submodule(place, table)
    module.load_state_dict(tensors, assign=True)
    return module.eval()
