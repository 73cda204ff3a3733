"""`TextColumnEncoder`: a column of strings as a few dense numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._text.column import column_of
from sklearn_cclm._tools.check_device import check_device
from sklearn_cclm._tools.hashing import unmapped
from sklearn_cclm._tools.params import check_integer, check_option
from sklearn_cclm._tools.tags import TextTagsMixin
from sklearn_cclm.models._inference import distinct
from sklearn_cclm.preprocessing._unread import warn_unread
from sklearn_cclm.tables._repeated import Repeated
from sklearn_cclm.tables._values import (
    learn_blocks,
    read_blocks,
    read_column,
    ready_tower,
    share_of_meaning,
    singular_vectors,
)


class TextColumnEncoder(TextTagsMixin, TransformerMixin, BaseEstimator):
    """Encode a column of strings of a table as a few dense columns.

    What a tower says of each value stands beside the n-grams of the value's characters, weighted
    by TF-IDF, and a truncated singular value decomposition of the column's distinct values makes
    few columns of both. Some n-grams know that a value begins or ends with them. So values are near
    each other that are spelt alike or mean the like. Both count the same where values are a few
    words; the more digits or characters they have, the less the tower counts, as it knows nothing
    of codes, and n-grams know much of long texts. Distinct values are read once.

    Then each value is drawn towards those that the column has often, as far as it is like them: a
    category mistyped becomes the category. Values that a column has once draw none.

    It takes one column, as skrub's encoders do, and stands where these stand: in
    ``TableVectorizer(high_cardinality=TextColumnEncoder())``, in ``tabular_pipeline``, or in
    scikit-learn's ``ColumnTransformer``. skrub is not needed.

    Parameters
    ----------
    n_components : int, default=30
        Number of columns. Those past what values have to say are zeros.
    tower : Tower or str, default="en-semantic"
        A tower, or the name of one on the `Shelf`; its base must hash n-grams.
    missing : {"zeros", "indicator", "error"}, default="zeros"
        What None, NaN, NA and blank texts become: zeros; zeros, with 1 in one more column; or
        zeros for blank texts alone, and a ValueError for the others.
    device : str, default="auto"
        Torch device; "auto" takes an accelerator where there is one.

    Attributes
    ----------
    tower_ : Tower
        The tower in use.
    components_ : float32 ndarray of shape (n_components, number of features)
        What features of values are projected on.
    meaning_ : float
        The share of the tower in the features, from 0 to .5.
    column_ : str
        The name of the column, or "text" where it has none; names of features begin with it.

    See Also
    --------
    sklearn_cclm.ComposedEmbedder : Hundreds of features of any text, and several towers.
    sklearn_cclm.tables.deduplicate : One spelling for each thing in a column.

    Examples
    --------
    >>> from sklearn_cclm import TextColumnEncoder
    >>> titles = ["police officer", "officer, police", "librarian", None] * 5
    >>> encoder = TextColumnEncoder(n_components=2).fit(titles)
    >>> encoder.transform(["police oficer", None]).shape
    (2, 2)
    >>> encoder.get_feature_names_out().tolist()
    ['text_0', 'text_1']
    """

    __single_column_transformer__ = True  # how skrub knows what takes one column at a time

    def __init__(
        self,
        n_components: int = 30,
        *,
        tower: Any = "en-semantic",
        missing: str = "zeros",
        device: str = "auto",
    ) -> None:
        self.n_components = n_components
        self.tower = tower
        self.missing = missing
        self.device = device

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what n-grams weigh in a column, and the columns to make of it.

        Parameters
        ----------
        X : column of str of shape (n,)
            A pandas or polars Series, a frame or table of one column, an array or a list.
        y : None
            Ignored.

        Returns
        -------
        TextColumnEncoder
            This encoder, fitted.

        Raises
        ------
        ValueError, TypeError
            If a parameter is not allowed, or X is no column of texts.
        """
        self._learn(X)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Learn from a column and encode it, reading it once.

        Parameters
        ----------
        X : column of str of shape (n,)
            As in `fit`.
        y : None
            Ignored.

        Returns
        -------
        float32 ndarray of shape (n, number of columns)
            As `transform` returns it.
        """
        texts, encoded = self._learn(X)
        self._warn(texts)
        return encoded

    def transform(self, X: Any) -> np.ndarray:
        """Encode a column.

        Parameters
        ----------
        X : column of str of shape (n,)
            As in `fit`.

        Returns
        -------
        float32 ndarray of shape (n, number of columns)
            `n_components` of them, and one more if `missing` says so. Over the rows of `fit`, the
            mean of the squared norms is 1, missing values left out.

        Raises
        ------
        ValueError, TypeError
            If X is no column of texts, or a value is missing and may not be.
        """
        check_is_fitted(self)
        self._check_params()
        texts = read_column(X, missing=self._missing())
        self._warn(texts)
        values, places = distinct(texts)
        blocks = read_blocks(
            values, self.tower_, self._lexical, self.device, share=self.meaning_, ends=True
        )
        return self._told(texts, self._repeated.project(blocks, self.components_)[places])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str objects
            Such as "title_00", and "title_missing" for the indicator.
        """
        check_is_fitted(self)
        n = len(self.components_)
        names = [f"{self.column_}_{i:0{len(str(n - 1))}}" for i in range(n)]
        told = [f"{self.column_}_missing"] * (self.missing == "indicator")
        return np.array(names + told, dtype=object)

    def _learn(self, X: Any) -> tuple[list[str], np.ndarray]:
        """Set what is learned of a column, and return its texts, and them encoded."""
        self._check_params()
        tower = ready_tower(self.tower)
        texts = read_column(X, missing=self._missing(), min_texts=1)
        values = sorted({*texts} - {""}) or [""]
        share = share_of_meaning(values)
        lexical, blocks = learn_blocks(values, tower, self.device, share=share, ends=True)
        components = singular_vectors(blocks, self.n_components)
        place = {value: i for i, value in enumerate(values)}
        places = np.array([place.get(text, len(values)) for text in texts])
        counts = np.bincount(places, minlength=len(values))[: len(values)]
        repeated = Repeated.of(blocks, counts)
        nothing = np.zeros((1, self.n_components), dtype=np.float32)
        encoded = np.concatenate([repeated.project(blocks, components), nothing])[places]
        norm = np.float32(np.linalg.norm(encoded) / max(1, sum(map(bool, texts))) ** 0.5 or 1)
        self.tower_, self.components_ = tower, components / norm
        self._lexical, self._repeated, self.meaning_ = lexical, repeated, share
        self.column_ = column_of(X, None) or "text"
        return texts, self._told(texts, encoded / norm)

    def _warn(self, texts: Sequence[str]) -> None:
        warn_unread(texts, [self.tower_.base.preprocessor()], missing="empty", stacklevel=5)

    def _told(self, texts: Sequence[str], encoded: np.ndarray) -> np.ndarray:
        """Return the columns, with that of missing values if it is asked for."""
        if self.missing != "indicator":
            return encoded
        told = np.array([[not text] for text in texts], dtype=np.float32).reshape(-1, 1)
        return np.hstack([encoded, told])

    def _missing(self) -> str:
        """Return how texts are read."""
        return "error" if self.missing == "error" else "empty"

    def _check_params(self) -> None:
        """Raise ValueError or ImportError for a parameter that is not allowed."""
        check_integer("n_components", self.n_components, 1)
        check_option("missing", self.missing, ("zeros", "indicator", "error"))
        check_device(self.device)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(unmapped(state))

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of a text transformer, which may take missing values."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing != "error"
        return tags
