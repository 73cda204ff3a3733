"""Networks whose weights come from elsewhere, built without drawing random ones first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.nn import init
from torch.overrides import TorchFunctionMode

_DRAWS = {init.normal_, init.uniform_, init.kaiming_uniform_, Tensor.normal_, Tensor.uniform_}


class Blank(TorchFunctionMode):
    """A context in which layers of torch leave the memory of their weights as it is.

    What they would fill it with, normal and uniform numbers, is not drawn: for a large table that
    takes longer than all else about loading it. All weights and buffers that are random must be
    loaded afterwards.
    """

    def __torch_function__(
        self,
        func: Callable,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func in _DRAWS:
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)
