"""`ComposedModel` and `ComposedEmbedder`: several towers as one scikit-learn transformer."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from sklearn_cclm._device import resolve_device
from sklearn_cclm.models._composition import Composition
from sklearn_cclm.models._inference import characters, distinct, embed, group_by_base
from sklearn_cclm.models._values import Tower
from sklearn_cclm.nn.composed import ComposedModule
from sklearn_cclm.nn.pooling import POOLINGS


class ComposedModel(Composition, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Concatenate towers into one vector per character.

    Like scikit-learn's ``FeatureUnion``, but of trained towers: each distinct base runs once,
    however many towers stand on it.

    Parameters
    ----------
    towers : list of (str, entry)
        Names and towers. An entry is a `Tower`, a ``FrozenEstimator`` of a fitted pretrainer,
        "drop", or, with `fit_towers`, a pretrainer, which is cloned and trained in `fit`. Towers
        may stand on different bases, if these read text alike.
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
        towers: Any,
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
        texts, inverse = distinct(self._readable(self._texts(X)))
        members = self._members()
        add_cls = self.towers_[0][1].base.reading["add_cls"]
        length = max(1, max(map(len, texts), default=0) + add_cls)
        out = np.zeros((len(texts), length, members[-1].columns.stop), dtype=np.float32)
        device = resolve_device(self.device)
        for base, group in group_by_base(members).items():
            characters(texts, base, group, out, batch_chars=self.batch_chars, device=device)
        return out[inverse]

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
        texts = self._readable(self._texts(X))
        add_cls = self.towers_[0][1].base.reading["add_cls"]
        return np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + add_cls

    @property
    def module_(self) -> ComposedModule:
        """A fresh network that maps codes to the composed vectors."""
        members = self._members()
        bases = list(group_by_base(members))
        return ComposedModule(
            [base.build() for base in bases],
            [member.tower.build() for member in members],
            [bases.index(member.tower.base) for member in members],
            [member.weight for member in members],
        ).eval()

    def _check_towers(self, towers: list[tuple[str, Tower]]) -> None:
        super()._check_towers(towers)
        for setting in ("normalization", "add_cls"):
            found = {name: tower.base.reading[setting] for name, tower in towers}
            if len(set(found.values())) > 1:
                raise ValueError(
                    f"The towers' bases differ in {setting} ({found}), so their characters do not "
                    "stand at the same places. Use ComposedEmbedder, or bases that read alike."
                )


class ComposedEmbedder(Composition):
    """Concatenate towers into one vector per text, as features for any scikit-learn model.

    Each distinct text is read once, texts of like length share a batch, and each distinct base
    runs once per batch, however many towers stand on it.

    Parameters
    ----------
    towers : list of (str, entry)
        Names and towers. An entry is a `Tower`, a ``FrozenEstimator`` of a fitted pretrainer,
        "drop", or, with `fit_towers`, a pretrainer, which is cloned and trained in `fit`. Towers
        may stand on different bases.
    pooling : str, default="native"
        How a text's characters become one vector: "native", the way each tower was made for;
        "mean", "max", "cls" (the first position; the bases must have `add_cls`), "attention"
        (weights by similarity to the mean), or several of these four joined by "+" and
        concatenated.
    tower_weights : dict of str to float, default=None
        What the vectors of a tower are multiplied by; 1 where not named.
    fit_towers : bool, default=False
        Whether pretrainers are trained in `fit`. Those with equal base recipes share one base,
        which the first of them trains.
    truncation : {"window", "warn", "error"}, default="window"
        What to do about texts longer than a base's `max_example_len`: read them in windows that
        overlap by an eighth and average these by length, cut them with one warning, or raise
        ValueError.
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

    See Also
    --------
    ComposedModel : One vector per character.
    make_composed : The same without names.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_cclm import CCLMModelBase, ComposedEmbedder, MaskedCharacterPretrainer
    >>> texts = ["good film", "bad film", "good book", "bad book"] * 5
    >>> base = CCLMModelBase(width=16, n_buckets=100)
    >>> chars = MaskedCharacterPretrainer(base, tower="pooled", max_epochs=1, random_state=0)
    >>> embedder = ComposedEmbedder([("chars", chars.fit(texts).tower_)])
    >>> embedder.fit(texts).transform(["a good one", ""]).shape
    (2, 128)
    >>> pipe = make_pipeline(embedder, LogisticRegression()).fit(texts, [1, 0, 1, 0] * 5)
    """

    _truncations = ("window", "warn", "error")

    def __init__(
        self,
        towers: Any,
        *,
        pooling: str = "native",
        tower_weights: dict[str, float] | None = None,
        fit_towers: bool = False,
        truncation: str = "window",
        batch_chars: int = 32768,
        missing: str = "error",
        column: Any = None,
        device: str = "auto",
    ) -> None:
        self.towers = towers
        self.pooling = pooling
        self.tower_weights = tower_weights
        self.fit_towers = fit_towers
        self.truncation = truncation
        self.batch_chars = batch_chars
        self.missing = missing
        self.column = column
        self.device = device

    def transform(self, X: Any) -> np.ndarray:
        """Return a vector for each text.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.

        Returns
        -------
        float32 ndarray of shape (n, sum of widths)
            The towers' vectors side by side.

        Raises
        ------
        ValueError, TypeError
            If X is not texts, or one is too long and ``truncation="error"``.
        """
        texts = self._texts(X)
        if self.truncation != "window":
            self._readable(texts)  # says what is too long, once, whatever the number of bases
        texts, inverse = distinct(texts)
        members = self._members()
        out = np.empty((len(texts), members[-1].columns.stop), dtype=np.float32)
        for base, group in group_by_base(members).items():
            embed(
                texts,
                base,
                group,
                out,
                pooling=self.pooling,
                windowed=self.truncation == "window",
                batch_chars=self.batch_chars,
                device=resolve_device(self.device),
            )
        return out[inverse]

    def _columns(self, tower: Tower) -> int:
        if self.pooling == "native":
            return tower.native_width
        return tower.width * len(self.pooling.split("+"))

    def _check_params(self) -> None:
        super()._check_params()
        parts = self.pooling.split("+") if isinstance(self.pooling, str) else [None]
        if self.pooling != "native" and not set(parts) <= POOLINGS.keys():
            raise ValueError(
                f"pooling={self.pooling!r} must be 'native', or one or several of "
                f"{sorted(POOLINGS)} joined by '+'."
            )

    def _check_towers(self, towers: list[tuple[str, Tower]]) -> None:
        super()._check_towers(towers)
        without = [name for name, tower in towers if not tower.base.reading["add_cls"]]
        if "cls" in self.pooling.split("+") and without:
            raise ValueError(
                f"pooling={self.pooling!r} reads the cls code, but the bases of {without} have "
                "none. Pretrain with CharPreprocessor(add_cls=True), or choose another pooling."
            )


def make_composed(*towers: Any, **params: Any) -> ComposedEmbedder:
    """Make a `ComposedEmbedder` whose towers are named after their tasks.

    Parameters
    ----------
    *towers : Tower or pretrainer
        What to compose.
    **params
        Other parameters of `ComposedEmbedder`.

    Returns
    -------
    ComposedEmbedder
        Names that would repeat get a number: "masked_language-1", "masked_language-2".

    Examples
    --------
    >>> from sklearn_cclm import MaskedCharacterPretrainer, MaskedLanguagePretrainer, make_composed
    >>> embedder = make_composed(
    ...     MaskedLanguagePretrainer(), MaskedCharacterPretrainer(), fit_towers=True
    ... )
    >>> [name for name, _ in embedder.towers]
    ['masked_language', 'masked_character']
    """
    tasks = [getattr(tower, "task", type(tower).__name__.lower()) for tower in towers]
    total, seen = Counter(tasks), Counter[str]()
    names = []
    for task in tasks:
        seen[task] += 1
        names.append(f"{task}-{seen[task]}" if total[task] > 1 else task)
    return ComposedEmbedder(list(zip(names, towers, strict=True)), **params)
