"""`ComposedEmbedder`: towers, and text transformers beside them, with a vector per text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_cclm._engines import engine
from sklearn_cclm._tools.named import task_names
from sklearn_cclm._tools.params import check_integer, check_option
from sklearn_cclm.models._blocks import below, beside, by_interface, lexical, read, sample, scale
from sklearn_cclm.models._contents import contents
from sklearn_cclm.models._frames import FramesMixin
from sklearn_cclm.models._inference import distinct, features, groups, vectors
from sklearn_cclm.models._lexical import Lexical
from sklearn_cclm.models._named_towers import PUBLISHED, check_cls, check_pooling, only_towers
from sklearn_cclm.models._reduction import Reduction
from sklearn_cclm.models._stored_embedder import StoredEmbedder
from sklearn_cclm.shelf._names import resolve
from sklearn_cclm.values import Base, Tower

_AT_ONCE = 2**19  # characters of texts whose blocks are put side by side at once
_NORM = 5.0  # of blocks together: a `LogisticRegression()` then does about as well as a tuned one


class ComposedEmbedder(FramesMixin, StoredEmbedder):
    """Concatenate towers into one vector per text, as features for any scikit-learn model.

    Each distinct text is read once, texts of like length share a batch, and each distinct base
    runs once per batch, however many towers stand on it. Text transformers, such as TF-IDF, may
    stand beside the towers; the features of each of them are then scaled, so that none dominates.
    With towers and names alone `fit` learns nothing, and `transform` does not need it.

    Parameters
    ----------
    towers : list of (str, entry), default=None
        Names and towers; None is the published "en-semantic" for English, which comes with the
        package (licence CC-BY-SA-4.0), and its base's n-grams beside it. An entry is a `Tower`, a
        name on the `Shelf`, a ``FrozenEstimator`` of a fitted pretrainer, "drop", or, with
        `fit_towers`, a pretrainer, which is cloned and trained in `fit`. Towers may stand on
        different bases. An entry may also be a text transformer of scikit-learn's kind, which is
        cloned and fitted in `fit` and reads texts whole.
    lexical : bool, "auto" or "tfidf", default="auto"
        Whether to add TF-IDF of character n-grams, named "lexical", after the towers; "auto" does
        where `towers` is None. The features are then a sparse matrix, which no pandas or polars
        output holds, and `fit` learns what each n-gram weighs; without them they are a dense
        array, and nothing is learned. With True they
        are the hashed ones that the base of the first tower reads anyway, a column for each that a
        text of `fit` has, named after its bucket. "tfidf" is short for the entry
        ``TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)``, whose names
        are the n-grams; it is many times slower, and takes some 200 bytes for each character of a
        text.
    n_components : int, default=None
        Reduce all features together to so many dense ones, by a truncated singular value
        decomposition of those of the texts of `fit`; None keeps them.
    pooling : str, default="native"
        How a text's characters become one vector: "native", the way each tower was made for;
        "mean", "max", "cls" (the first position; the bases must have `add_cls`), "attention"
        (weights by similarity to the mean), or several of these four joined by "+" and
        concatenated.
    tower_weights : dict of str to float, default=None
        What the features of a tower or transformer count beside the others, once all are scaled
        to the same norm; 1 where not named, which was best on training splits of open sets.
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
    reduction_ : Reduction or None
        With `n_components`, what features are projected on.
    scales_ : dict of str to float
        What the features of each are divided by, before all together get a norm of about 5: the
        root mean square of the vectors' norms, on the texts of `fit`, or on 2,000 at most. Where
        there are towers alone it is 1, and they keep their norm.
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

    With n-grams beside them, and all as three dense features:

    >>> embedder.set_params(lexical=True).fit(texts).get_feature_names_out()[[0, -1]].tolist()
    ['chars__0', 'lexical__99']
    >>> embedder.set_params(n_components=3).fit_transform(texts).shape
    (20, 3)
    """

    _truncations = ("window", "warn", "error")
    _naming = ", or let make_composed find names"

    def __init__(
        self,
        towers: Any = None,
        *,
        lexical: bool | str = "auto",
        n_components: int | None = None,
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
        self.n_components = n_components
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
            The features of the towers and transformers side by side; a CSR matrix, or array as
            scikit-learn's `sparse_interface` says, if some are sparse and `n_components` is None.

        Raises
        ------
        ValueError, TypeError
            If X is not texts, one is too long and ``truncation="error"``, or a frame is asked for
            of sparse features.
        """
        fitted = self._fitted()
        texts = fitted._texts(X)
        if self.truncation != "window" and only_towers(fitted.towers_):
            fitted._readable(texts)  # says what is too long, once, whatever the number of bases
        found = fitted._features(fitted.towers_, texts, fitted._weights())
        if fitted.reduction_ is not None:
            return fitted.reduction_.transform(found)
        if not sparse.issparse(found):
            return found
        self._check_no_frame()
        return by_interface(found)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the features, such as "en-semantic__0", or "component__0".

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str objects
            One name per feature; behind that of the column that `fit` read, where it has one.
        """
        names = super().get_feature_names_out(input_features)
        reduction = self._fitted().reduction_
        if reduction is None:
            return names
        return self._named(f"component__{i}" for i in range(len(reduction.components)))

    def lexical_contents(self, X: Any) -> np.ndarray:
        """Return what the features of ``lexical=True`` mostly count in texts, such as those of fit.

        Their names are numbers of buckets, each of which holds all n-grams of one hash.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.

        Returns
        -------
        ndarray of str objects of shape (number of buckets,)
            For each feature of "lexical", in their order, the n-gram that is there most often: as
            written, with "^" for what stands before a text; "" where these texts have none.

        Raises
        ------
        ValueError
            If no hashed n-grams are counted.

        Examples
        --------
        >>> from sklearn_cclm import ComposedEmbedder
        >>> embedder = ComposedEmbedder().fit(["ab"])
        >>> sorted(embedder.lexical_contents(["ab"]).tolist())
        ['^^^^a', '^^^a', '^^^ab', '^^a', '^^ab', '^a', '^ab', 'ab']
        """
        fitted = self._fitted()
        part = dict(fitted.towers_).get("lexical")
        if not isinstance(part, Lexical):
            raise ValueError(f"lexical={self.lexical!r} counts no hashed n-grams: fit with True.")
        device = engine().resolve_device(self.device)
        texts, _ = distinct(fitted._texts(X))
        found = contents(part, texts, batch_chars=self.batch_chars, device=device)
        return np.array(found, dtype=object)

    def _features(
        self, parts: list[tuple[str, Any]], texts: Sequence[str], weights: Mapping[str, float]
    ) -> Any:
        """Return the features of towers and transformers, side by side."""
        members = self._members(parts, weights)
        texts, places = distinct(texts)
        if len(members) == len(parts):
            return vectors(texts, places, members, **self._how())
        lexical = next((part for _, part in parts if isinstance(part, Lexical)), None)

        def rows(texts: Sequence[str]) -> Any:
            out, counts = features(texts, members, lexical, n_rows=len(texts), **self._how())
            of_towers = (out[:, member.columns] for member in members)

            def block(name: str, part: Any) -> Any:
                if isinstance(part, Tower):
                    return next(of_towers)
                if isinstance(part, Lexical):
                    return part.weigh(counts, weights[name])
                return read(name, part, texts, weights[name])

            return beside([block(name, part) for name, part in parts])

        found = below([rows(texts[some]) for some in groups(texts, _AT_ONCE)] or [rows([])])
        return found if len(texts) == len(places) else found[places]

    def _how(self) -> dict[str, Any]:
        """Return how texts are read and pooled."""
        return {
            "pooling": self.pooling,
            "windowed": self.truncation == "window",
            "batch_chars": self.batch_chars,
            "device": engine().resolve_device(self.device),
        }

    def _trained(self, texts: list[str], y: Any, *args: Any) -> list[tuple[str, Any]]:
        towers = super()._trained(texts, y, *args)
        if self._counted() is not True:
            return towers
        alone = [tower.base for _, tower in only_towers(towers)]
        base = alone[0] if alone else resolve(PUBLISHED[0][1], "base")
        return [*towers, ("lexical", self._learned(base, texts))]

    def _learns(self) -> bool:
        counted = self._counted() is not False
        return counted or self.n_components is not None or super()._learns()

    def _counted(self) -> Any:
        """Return what `lexical` says, or stands for."""
        return self.towers is None if self.lexical == "auto" else self.lexical

    def _learned(self, base: Base, texts: list[str]) -> Lexical:
        """Return what the n-grams of a base weigh in texts."""
        texts, places = distinct(texts)
        everything = Lexical.counting(base)
        counts: Any = features(texts, [], everything, n_rows=0, **self._how())[1]
        return Lexical.of(base, counts[places])

    def _listed(self) -> list[tuple[str, Any]]:
        towers = super()._listed()
        return [*towers, ("lexical", lexical())] if self._counted() == "tfidf" else towers

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
        self.reduction_ = None
        if self.n_components is not None:
            features = self._features(towers, texts, self._weights())
            self.reduction_ = Reduction.of(features, self.n_components)

    def _weights(self) -> dict[str, float]:
        weights = super()._weights()
        if len(only_towers(self.towers_)) == len(self.towers_):
            return weights
        whole = float(np.linalg.norm(list(weights.values()))) or 1.0
        return {name: _NORM * w / (whole * self.scales_[name]) for name, w in weights.items()}

    def _columns(self, tower: Tower) -> int:
        if self.pooling == "native":
            return tower.native_width
        return tower.width * len(self.pooling.split("+"))

    def _check_params(self) -> None:
        super()._check_params()
        if self.n_components is not None:
            check_integer("n_components", self.n_components, 1)
        check_option("lexical", self.lexical, (False, True, "auto", "tfidf"))
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
