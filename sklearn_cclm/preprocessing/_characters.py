"""`CharPreprocessor`: text becomes integer codes, one per character."""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Self
from unicodedata import normalize

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._text.codes import CHUNK, CLS, N_RESERVED, PAD, SHOWN, code_points, pad, strings
from sklearn_cclm._text.column import ColumnMixin
from sklearn_cclm._text.read import check_texts
from sklearn_cclm._text.streams import chunked, read_texts
from sklearn_cclm._tools.params import check_bool, check_integer, check_option
from sklearn_cclm._tools.tags import TextTagsMixin
from sklearn_cclm.preprocessing._stored import StoredPreprocessor
from sklearn_cclm.preprocessing._vocabulary import characters, code_table, frequent_characters


class CharPreprocessor(
    TextTagsMixin,
    ColumnMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    StoredPreprocessor,
):
    """Turn texts into integer codes, one per character.

    Code 0 is padding, 1 the mask, 2 an unknown character, 3 the cls code; the characters learned
    in `fit` follow. One code point is one character, NUL and lone surrogates included.

    Parameters
    ----------
    max_example_len : int, default=512
        Codes per text, the cls code included.
    min_char_count : int, default=1
        Characters seen fewer times in `fit` are unknown.
    normalization : {None, "NFC", "NFKC"}, default=None
        Unicode normal form that texts are brought into first.
    add_cls : bool, default=False
        Whether each text starts with the cls code.
    truncation : {"warn", "error"}, default="warn"
        What to do about longer texts: cut them with one warning, or raise ValueError.
    missing : {"error", "empty"}, default="error"
        Whether None, NaN and NA raise ValueError or are empty texts.
    column : str or int, default=None
        The column to read from tables and Hugging Face datasets.

    Attributes
    ----------
    vocabulary_ : str
        The characters by descending count, then by code point; the first has code 4.
    n_chars_ : int
        The number of codes, the 4 reserved ones included.
    column_ : str
        The name of the column that `fit` read, if it has one; the features' names begin with it.

    See Also
    --------
    MLMPreprocessor : Adds tokens, the targets of masked language modelling.

    Examples
    --------
    >>> from sklearn_cclm.preprocessing import CharPreprocessor
    >>> preprocessor = CharPreprocessor(max_example_len=6).fit(["banana"])
    >>> preprocessor.vocabulary_
    'anb'
    >>> preprocessor.transform(["bean"])
    array([[6, 2, 4, 5, 0, 0]])
    """

    def __init__(
        self,
        max_example_len: int = 512,
        *,
        min_char_count: int = 1,
        normalization: Any = None,
        add_cls: bool = False,
        truncation: str = "warn",
        missing: str = "error",
        column: Any = None,
    ):
        self.max_example_len = max_example_len
        self.min_char_count = min_char_count
        self.normalization = normalization
        self.add_cls = add_cls
        self.truncation = truncation
        self.missing = missing
        self.column = column

    @classmethod
    def from_vocabulary(cls, vocabulary: str, **params: Any) -> Self:
        """Make a fitted preprocessor.

        Parameters
        ----------
        vocabulary : str
            The characters in the order of their codes, each once.
        **params
            Parameters of the constructor.

        Returns
        -------
        CharPreprocessor
            As if fitted.

        Raises
        ------
        TypeError, ValueError
            If the vocabulary is no str or repeats a character, or a parameter is not allowed.
        """
        if not isinstance(vocabulary, str):
            raise TypeError(f"vocabulary must be a str, got {type(vocabulary).__name__}")
        if len(characters(vocabulary)) < len(vocabulary):
            raise ValueError("vocabulary holds a character more than once; pass each one once")
        preprocessor = cls(**params)
        preprocessor._check_params()
        preprocessor._set_vocabulary(vocabulary)
        return preprocessor

    def fit(self, X: Iterable, y: object = None) -> Self:
        """Learn the characters of texts.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.
        y : None
            Ignored.

        Returns
        -------
        CharPreprocessor
            The fitted preprocessor.

        Raises
        ------
        ValueError, TypeError
            If a parameter or a text is not allowed.
        """
        self._check_params()
        self._learn_vocabulary(read_texts(X, missing=self.missing, column=self.column))
        self._set_column(X)
        return self

    def transform(self, X: Iterable) -> np.ndarray:
        """Return the codes of texts.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.

        Returns
        -------
        int64 ndarray of shape (n, max_example_len)
            Codes, padded with 0 on the right.

        Raises
        ------
        ValueError, TypeError
            If X is not texts, or a text is too long and ``truncation="error"``.
        """
        check_is_fitted(self)
        texts = check_texts(X, missing=self.missing, column=self.column)
        texts = self.truncate(self.normalize(texts))
        codes = np.empty((len(texts), self.max_example_len), dtype=np.int64)
        for start in range(0, len(texts), CHUNK):
            chunk = slice(start, start + CHUNK)
            codes[chunk] = self.encode(texts[chunk], length=self.max_example_len)
        return codes

    def inverse_transform(self, X: np.typing.ArrayLike) -> list[str]:
        """Return the texts of codes.

        Padding and cls codes are dropped; an unknown character is shown as U+FFFD and a mask as
        U+2588, a full block.

        Parameters
        ----------
        X : int array of shape (n, length)
            Codes.

        Returns
        -------
        list of str
            Texts.

        Raises
        ------
        ValueError
            If X has another shape, another type or a code out of range.
        """
        check_is_fitted(self)
        codes = np.asarray(X)
        if codes.ndim != 2 or not np.issubdtype(codes.dtype, np.integer):
            raise ValueError(
                f"integer codes of shape (n, length) are expected, got {codes.dtype} of shape "
                f"{codes.shape}; pass codes[None, :] for one text"
            )
        if codes.size and not 0 <= codes.min() <= codes.max() < self.n_chars_:
            raise ValueError(
                f"codes must lie in 0..{self.n_chars_ - 1}, got {codes.min()}..{codes.max()}"
            )
        points, _ = code_points([SHOWN, self.vocabulary_])
        kept = (codes != PAD) & (codes != CLS)
        return strings(points[codes[kept]], kept.sum(axis=1))

    def string_to_array(self, text: str, length: int | None = None) -> np.ndarray:
        """Return the codes of one text.

        Parameters
        ----------
        text : str
            The text.
        length : int, default=None
            Codes to return, padded with 0; None stands for the text's own length, at least 1.

        Returns
        -------
        int64 ndarray of shape (length,)
            Codes.

        Raises
        ------
        TypeError
            If text is not a str.
        ValueError
            If the codes do not fit into length.
        """
        if not isinstance(text, str):
            raise TypeError(f"one str is expected, got {type(text).__name__}; see transform")
        return self.encode(self.truncate(self.normalize([text])), length=length)[0]

    def normalize(self, texts: Sequence[str], *, whole: bool = False) -> list[str]:
        """Return texts in the Unicode normal form.

        Parameters
        ----------
        texts : sequence of str
            Texts.
        whole : bool, default=False
            Whether to normalise all of a long text. NFKC can make it 18 times longer, so that
            otherwise only a head is normalised that yields all that `truncate` keeps.

        Returns
        -------
        list of str
            Texts.
        """
        if self.normalization is None:
            return list(texts)
        # A composed character has at most 4 parts; the 64 keep a cut between a letter and its
        # marks (30 at most in stream-safe text, UAX 15) away from the characters that are kept.
        head = None if whole else 4 * self.max_example_len + 64
        form = self.normalization
        return [
            normalize(form, text)
            if head is None or len(text) <= head
            else normalize(form, text[:head]) + text[head:]
            for text in texts
        ]

    def truncate(self, texts: Sequence[str]) -> list[str]:
        """Return texts cut to `max_example_len`, less one with `add_cls`.

        Parameters
        ----------
        texts : sequence of str
            Normalised texts.

        Returns
        -------
        list of str
            Texts that `encode` accepts.

        Raises
        ------
        ValueError
            If a text is too long and `truncation="error"`.
        """
        self._check_params()
        limit = self.max_example_len - bool(self.add_cls)
        n_long = sum(len(text) > limit for text in texts)
        if not n_long:
            return list(texts)
        message = (
            f"{n_long} of {len(texts)} texts are longer than the {limit} characters that "
            f"max_example_len={self.max_example_len} leaves; the longest has "
            f"{max(map(len, texts))}. Raise max_example_len, or use "
            'ComposedEmbedder(truncation="window") to embed long texts whole.'
        )
        if self.truncation == "error":
            raise ValueError(message)
        warnings.warn(f"{message} They are cut.", UserWarning, stacklevel=2)
        return [text[:limit] for text in texts]

    def encode(self, texts: Sequence[str], *, length: int | None = None) -> np.ndarray:
        """Return the codes of texts that are normalised and short enough.

        Parameters
        ----------
        texts : sequence of str
            Texts.
        length : int, default=None
            Codes for each, the cls code included; None stands for the longest text's, at least 1.

        Returns
        -------
        int64 ndarray of shape (n, length)
            Codes, padded with 0 on the right.
        """
        check_is_fitted(self)
        points, lengths = code_points(texts)
        codes = code_table(self.vocabulary_).take(points, mode="clip")
        if self.add_cls:  # which alone fills an otherwise empty row
            length = int(lengths.max(initial=0)) if length is None else length - 1
        return self._with_cls(pad(codes, lengths, length=length))

    def encode_points(self, points: np.ndarray, present: np.ndarray) -> np.ndarray:
        """Return the codes of padded code points.

        Parameters
        ----------
        points : uint32 array of shape (n, length)
            Code points of normalised texts.
        present : bool array of shape (n, length)
            False at padding.

        Returns
        -------
        int64 ndarray of shape (n, length), or one longer with `add_cls`
            Codes, padded with 0.
        """
        check_is_fitted(self)
        codes = code_table(self.vocabulary_).take(points, mode="clip")
        return self._with_cls(np.where(present, codes, PAD))

    def _with_cls(self, codes: np.ndarray) -> np.ndarray:
        """Return codes behind the cls code, if there is one."""
        if not self.add_cls:
            return codes
        return np.concatenate([np.full((len(codes), 1), CLS), codes], axis=1)

    @property
    def _n_features_out(self) -> int:
        """Columns of the result, for `get_feature_names_out`."""
        check_is_fitted(self)
        return self.max_example_len

    def _check_params(self) -> None:
        """Raise ValueError for a parameter out of range."""
        check_integer("max_example_len", self.max_example_len, 2 if self.add_cls else 1)
        check_integer("min_char_count", self.min_char_count, 1)
        check_option("normalization", self.normalization, (None, "NFC", "NFKC"))
        check_bool("add_cls", self.add_cls)
        check_option("missing", self.missing, ("error", "empty"))
        if self.truncation == "window":
            raise ValueError(
                'truncation="window" belongs to ComposedEmbedder(truncation="window"); '
                'a preprocessor takes "warn" or "error"'
            )
        check_option("truncation", self.truncation, ("warn", "error"))

    def _learn_vocabulary(self, texts: Iterable[str]) -> None:
        """Store the frequent characters of the texts."""
        chunks = (self.normalize(chunk, whole=True) for chunk in chunked(texts))
        self._set_vocabulary(frequent_characters(chunks, self.min_char_count))

    def _set_vocabulary(self, vocabulary: str) -> None:
        """Store what `fit` learned."""
        self.vocabulary_ = vocabulary
        self.n_chars_ = N_RESERVED + len(vocabulary)
