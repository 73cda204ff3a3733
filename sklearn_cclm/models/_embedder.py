"""`ComposedEmbedder`: towers, and text transformers beside them, with a vector per text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sklearn_cclm._tools.device import resolve_device
from sklearn_cclm._tools.named import task_names
from sklearn_cclm._tools.params import check_bool
from sklearn_cclm.models._blocks import beside, lexical, read, sample, scale
from sklearn_cclm.models._composition import Composition
from sklearn_cclm.models._inference import distinct, vectors
from sklearn_cclm.models._named_towers import check_cls, check_pooling, only_towers
from sklearn_cclm.values import Tower


class ComposedEmbedder(Composition):
    """Concatenate towers into one vector per text, as features for any scikit-learn model.

    Each distinct text is read once, texts of like length share a batch, and each distinct base
    runs once per batch, however many towers stand on it. Text transformers, such as TF-IDF, may
    stand beside the towers; the features of each of them are then scaled, so that none dominates.

    Parameters
    ----------
    towers : list of (str, entry), default=None
        Names and towers; None is the published "en-semantic" for English, which comes with the
        package. An entry is a `Tower`, a name on the `Shelf`, a ``FrozenEstimator`` of a
        fitted pretrainer, "drop", or, with `fit_towers`, a pretrainer, which is cloned and trained
        in `fit`. Towers may stand on different bases. An entry may also be a text transformer of
        scikit-learn's kind, which is cloned and fitted in `fit` and reads texts whole.
    lexical : bool, default=False
        Whether to add TF-IDF of character n-grams, named "lexical", after the towers: short for
        ``TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)`` as an entry.
        It lists the n-grams of a text, which takes some 200 bytes for each character of it.
    pooling : str, default="native"
        How a text's characters become one vector: "native", the way each tower was made for;
        "mean", "max", "cls" (the first position; the bases must have `add_cls`), "attention"
        (weights by similarity to the mean), or several of these four joined by "+" and
        concatenated.
    tower_weights : dict of str to float, default=None
        What the features of a tower or transformer are multiplied by, after scaling; 1 where not
        named.
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
    towers_ : list of (str, Tower or fitted transformer)
        The towers and transformers in use.
    scales_ : dict of str to float
        What the features of each are divided by: the root mean square of the vectors' norms, on
        the texts of `fit`, or on 2,000 at most; 1 where there are towers alone.
    column_ : str
        The name of the column that `fit` read, if it has one; the features' names begin with it.

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

    With TF-IDF character n-grams, under their names:

    >>> embedder.set_params(lexical=True).fit(texts).get_feature_names_out()[[0, 128]].tolist()
    ['chars__0', 'lexical__ b']
    """

    _truncations = ("window", "warn", "error")
    _naming = ", or let make_composed find names"

    def __init__(
        self,
        towers: Any = None,
        *,
        lexical: bool = False,
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
        self.lexical = lexical
        self.pooling = pooling
        self.tower_weights = tower_weights
        self.fit_towers = fit_towers
        self.truncation = truncation
        self.batch_chars = batch_chars
        self.missing = missing
        self.column = column
        self.device = device

    def transform(self, X: Any) -> Any:
        """Return a vector for each text.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.

        Returns
        -------
        float32 ndarray or CSR matrix of shape (n, number of features)
            The features of the towers and transformers side by side; a CSR matrix if those of a
            transformer are sparse.

        Raises
        ------
        ValueError, TypeError
            If X is not texts, or one is too long and ``truncation="error"``.
        """
        texts = self._texts(X)
        if self.truncation != "window" and only_towers(self.towers_):
            self._readable(texts)  # says what is too long, once, whatever the number of bases
        return self._features(self.towers_, texts, self._weights())

    def _features(
        self, parts: list[tuple[str, Any]], texts: Sequence[str], weights: Mapping[str, float]
    ) -> Any:
        """Return the features of towers and transformers, side by side."""
        members = self._members(parts, weights)
        towers_alone = len(members) == len(parts)
        texts, places = distinct(texts)
        out = vectors(
            texts,
            places if towers_alone else np.arange(len(texts)),  # else blocks are repeated together
            members,
            pooling=self.pooling,
            windowed=self.truncation == "window",
            batch_chars=self.batch_chars,
            device=resolve_device(self.device),
        )
        if towers_alone:
            return out
        of_towers = (out[:, member.columns] for member in members)
        blocks = (
            next(of_towers) if isinstance(part, Tower) else read(name, part, texts, weights[name])
            for name, part in parts
        )
        found = beside(list(blocks))
        return found if len(texts) == len(places) else found[places]

    def _listed(self) -> list[tuple[str, Any]]:
        towers = super()._listed()
        return [*towers, ("lexical", lexical())] if self.lexical else towers

    def _use(self, towers: list[tuple[str, Any]], texts: list[str]) -> None:
        if len(only_towers(towers)) < len(towers):
            some = sample(texts)
            self.scales_ = {
                name: scale(name, self._features([(name, part)], some, {name: 1.0}))
                for name, part in towers
            }
        else:
            self.scales_ = {name: 1.0 for name, _ in towers}
        super()._use(towers, texts)

    def _weights(self) -> dict[str, float]:
        return {name: weight / self.scales_[name] for name, weight in super()._weights().items()}

    def _columns(self, tower: Tower) -> int:
        if self.pooling == "native":
            return tower.native_width
        return tower.width * len(self.pooling.split("+"))

    def _check_params(self) -> None:
        super()._check_params()
        check_bool("lexical", self.lexical)
        check_pooling(self.pooling)

    def _check_weights(self, names: list[str]) -> None:
        super()._check_weights([*names, "lexical"])  # as a dropped tower may have a weight

    def _check_towers(self, towers: list[tuple[str, Any]]) -> None:
        super()._check_towers(towers)
        check_cls(self.pooling, towers)


def make_composed(*towers: Any, **params: Any) -> ComposedEmbedder:
    """Make a `ComposedEmbedder` whose towers are named after their tasks.

    Parameters
    ----------
    *towers : Tower, name on the shelf, pretrainer or text transformer
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
    return ComposedEmbedder(list(zip(task_names(towers), towers, strict=True)), **params)
