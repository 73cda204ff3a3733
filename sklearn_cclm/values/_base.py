"""`Base`: what training leaves of a base recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from sklearn_cclm._persistence._config import check_keys
from sklearn_cclm._persistence._rows import ChangedRows, Rows
from sklearn_cclm._text.codes import N_RESERVED
from sklearn_cclm.preprocessing import CharPreprocessor
from sklearn_cclm.preprocessing._stored import joined
from sklearn_cclm.values._value import Value

if TYPE_CHECKING:
    from torch import nn

READING = ("max_example_len", "normalization", "add_cls")


class Base(Value):
    """A trained base: characters, settings and weights of the common embedding.

    Bases are made by a pretrainer, or untrained by `CCLMModelBase`, and never change. Two are
    equal when they have the same digest.

    Parameters
    ----------
    architecture : str
        Name of a registered base network, such as "ngram".
    config : mapping
        Its settings, of values that JSON can hold.
    weights : mapping of str to ndarray
        Its state; copied and made read-only.
    vocabulary : str
        The known characters in the order of their codes, from code 4 on.
    reading : mapping
        How text becomes codes: `max_example_len`, `normalization` and `add_cls` of
        `CharPreprocessor`.

    Attributes
    ----------
    digest : str
        Sha256, in hexadecimal, over all that determines what the base computes.
    """

    _kind = "base"
    vocabulary: str
    reading: Mapping[str, Any]

    def __init__(
        self,
        *,
        architecture: str,
        config: Mapping[str, Any],
        weights: Mapping[str, np.ndarray],
        vocabulary: str,
        reading: Mapping[str, Any],
    ) -> None:
        super().__init__(
            architecture=architecture,
            config=config,
            weights=weights,
            vocabulary=vocabulary,
            reading=reading,
        )

    @property
    def width(self) -> int:
        """Length of each character's vector."""
        return self.config["width"]

    @property
    def n_chars(self) -> int:
        """Number of character codes, the reserved ones included."""
        return len(self.vocabulary) + N_RESERVED

    def preprocessor(self, **params: Any) -> CharPreprocessor:
        """Return the fitted preprocessor that this base reads text with.

        Parameters
        ----------
        **params
            Parameters of `CharPreprocessor` that do not change the codes, such as `truncation`.

        Returns
        -------
        CharPreprocessor
            Fitted, with this base's vocabulary.
        """
        return CharPreprocessor.from_vocabulary(self.vocabulary, **self.reading, **params)

    def with_module(self, module: nn.Module) -> Base:
        """Return a new base that has a network's weights, and so another digest.

        Parameters
        ----------
        module : torch.nn.Module
            What `build` returned, trained.

        Returns
        -------
        Base
            It reads text as this one does.
        """
        return self._with(weights=_arrays(module))

    def with_changes(self, module: nn.Module) -> Base:
        """Return the same value as `with_module`, kept in fewer bytes if few rows have changed.

        It is for what is pickled more often than it is used, which takes longer to begin.

        Parameters
        ----------
        module : torch.nn.Module
            What `build` returned, trained.

        Returns
        -------
        Base
            It keeps the rows of a table that are not those of a table of bytes here.
        """
        old = {k: kept for k, kept in self.weights.kept.items() if isinstance(kept, Rows)}
        weights = _arrays(module)
        changed = {name: ChangedRows.of(kept, weights[name]) for name, kept in old.items()}
        return self._with(weights={**weights, **changed})

    @classmethod
    def _shape(cls, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {"folded": folded_codes(fields["vocabulary"])}

    def _stored_fields(self, add: Callable[[Any], int]) -> dict[str, Any]:
        return {"vocabulary": list(self.vocabulary), "reading": dict(self.reading)}

    @classmethod
    def _read_fields(cls, stored: Any, part: Callable) -> dict[str, Any]:
        check_keys("fields of a Base", stored, ("vocabulary", "reading"))
        vocabulary, reading = joined(stored["vocabulary"]), stored["reading"]
        check_keys("reading", reading, READING)
        CharPreprocessor.from_vocabulary(vocabulary, **reading)
        return {"vocabulary": vocabulary, "reading": reading}

    def _title(self) -> str:
        return "Base"

    def _own_facts(self) -> dict[str, object]:
        return {
            "vectors": f"{self.width} numbers for a character",
            "characters": self.n_chars,
            "architecture": self.architecture,
            "reads": ", ".join(f"{name}={value!r}" for name, value in self.reading.items()),
        }

    def __repr__(self) -> str:
        return (
            f"Base({self.architecture!r}, width={self.width}, "
            f"n_chars={self.n_chars}, digest={self.digest[:12]!r})"
        )


def _arrays(module: nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.detach().cpu().numpy() for name, tensor in module.state_dict().items()}


@lru_cache(maxsize=32)
def folded_codes(vocabulary: str) -> tuple[int, ...]:
    """For each code, the first code whose character is the same once case is folded."""
    codes: dict[str, int] = {}
    folded = list(range(N_RESERVED))
    for code, character in enumerate(vocabulary, start=N_RESERVED):
        folded.append(codes.setdefault(character.casefold(), code))
    return tuple(folded)
