"""`ComposedModel`: several towers as one transformer, with a vector per character."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sklearn_cclm._engines import engine
from sklearn_cclm._tools.extras import needs_train
from sklearn_cclm.models._composition import Composition
from sklearn_cclm.models._inference import characters, distinct, group_by_base, spread
from sklearn_cclm.models._named_towers import check_alike

if TYPE_CHECKING:
    from sklearn_cclm.nn.composed import ComposedModule


class ComposedModel(Composition, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Concatenate towers into one vector per character.

    Like scikit-learn's ``FeatureUnion``, but of trained towers: each distinct base runs once,
    however many towers stand on it. With towers and names alone `fit` is not needed.

    Parameters
    ----------
    towers : list of (str, entry), default=None
        Names and towers; None is the published "en-semantic". An entry is a `Tower`, a name on the
        `Shelf`, a ``FrozenEstimator`` of a fitted pretrainer, "drop", or, with `fit_towers`, a
        pretrainer, which is cloned and trained in `fit`. Towers may stand on different bases, if
        these read text alike.
    tower_weights : dict of str to float, default=None
        What the vectors of a tower are multiplied by; 1 where not named.
    fit_towers : bool, default=False
        Whether pretrainers are trained in `fit`. Those with equal base recipes share one base,
        which the first of them trains.
    truncation : {"warn", "error"}, default="warn"
        What to do about texts longer than the smallest `max_example_len` of the bases: cut them
        with one warning, or raise ValueError.
    batch_chars : int, default=32768
        Most characters in a batch, padding included.
    missing : {"error", "empty"}, default="error"
        Whether None and NaN raise ValueError or are empty texts.
    column : str, default=None
        The column to read from tables and Hugging Face datasets.
    device : str, default="auto"
        Torch device; "auto" takes an accelerator where there is one.

    Attributes
    ----------
    towers_ : list of (str, Tower)
        The towers in use.
    column_ : str
        The name of the column that `fit` read, if it has one; the features' names begin with it.
    module_ : torch.nn.Module
        A fresh network that maps codes to the composed vectors; made on each access.

    See Also
    --------
    ComposedEmbedder : One vector per text.

    Examples
    --------
    >>> from sklearn_cclm import CCLMModelBase, ComposedModel, MaskedCharacterPretrainer
    >>> base = CCLMModelBase(width=16, n_buckets=100)
    >>> chars = MaskedCharacterPretrainer(base, tower="pooled", max_epochs=1, random_state=0)
    >>> chars = chars.fit(["some text", "more text"] * 10)
    >>> model = ComposedModel([("chars", chars.tower_)]).fit(["some text"])
    >>> model.transform(["some", "text!"]).shape
    (2, 5, 128)
    """

    _truncations = ("warn", "error")

    def __init__(
        self,
        towers: Any = None,
        *,
        tower_weights: dict[str, float] | None = None,
        fit_towers: bool = False,
        truncation: str = "warn",
        batch_chars: int = 32768,
        missing: str = "error",
        column: Any = None,
        device: str = "auto",
    ) -> None:
        self.towers = towers
        self.tower_weights = tower_weights
        self.fit_towers = fit_towers
        self.truncation = truncation
        self.batch_chars = batch_chars
        self.missing = missing
        self.column = column
        self.device = device

    def transform(self, X: Any) -> np.ndarray:
        """Return a vector for each character.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.

        Returns
        -------
        float32 ndarray of shape (n, length, sum of widths)
            Zero past the end of each text; `length` is the longest text's, at least 1.

        Raises
        ------
        ValueError, TypeError
            If X is not texts, or one is too long and ``truncation="error"``.
        """
        fitted = self._fitted()
        texts, places = distinct(fitted._readable(fitted._texts(X)))
        members = fitted._members(fitted.towers_, fitted._weights())
        add_cls = fitted.towers_[0][1].base.reading["add_cls"]
        length = max(1, max(map(len, texts), default=0) + add_cls)
        out = np.zeros((len(places), length, members[-1].columns.stop), dtype=np.float32)
        device = engine().resolve_device(self.device)
        for base, group in group_by_base(members).items():
            characters(
                texts,
                base,
                group,
                out[: len(texts)],
                batch_chars=self.batch_chars,
                device=device,
            )
        spread(out, places)
        return out

    def lengths(self, X: Any) -> np.ndarray:
        """Return how many rows of each text's block in `transform` are characters.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.

        Returns
        -------
        int64 ndarray of shape (n,)
            Characters of each text as read: normalised, cut, and with the cls code if there is
            one.
        """
        fitted = self._fitted()
        texts = fitted._readable(fitted._texts(X))
        add_cls = fitted.towers_[0][1].base.reading["add_cls"]
        return np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + add_cls

    @property
    def module_(self) -> ComposedModule:
        """A fresh network that maps codes to the composed vectors."""
        fitted = self._fitted()
        with needs_train("module_"):
            from sklearn_cclm.nn.composed import ComposedModule
        members = fitted._members(fitted.towers_, fitted._weights())
        bases = list(group_by_base(members))
        return ComposedModule(
            [base.build() for base in bases],
            [member.tower.build() for member in members],
            [bases.index(member.tower.base) for member in members],
            [member.weight for member in members],
        ).eval()

    def _check_transformer(self, name: str, entry: Any) -> None:
        raise TypeError(
            f"Tower {name!r} is a {type(entry).__name__}, which has no vector per character: a "
            "ComposedEmbedder takes it, for one vector per text."
        )

    def _check_towers(self, towers: list[tuple[str, Any]]) -> None:
        super()._check_towers(towers)
        check_alike(towers)
