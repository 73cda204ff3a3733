"""Preprocessors: text becomes integer codes, one per character."""

import re
import warnings
from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache
from itertools import chain
from numbers import Integral
from typing import Any, Self
from unicodedata import normalize

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from sklearn_cclm._codes import CLS, N_RESERVED, PAD, UNKNOWN, code_points, pad, strings
from sklearn_cclm._texts import check_texts

__all__ = ["CharPreprocessor", "MLMPreprocessor"]

_N_CODE_POINTS = 0x110000
_MASK_CHARACTER = "\N{FULL BLOCK}"
_UNKNOWN_CHARACTER = "\N{REPLACEMENT CHARACTER}"
_UNKNOWN_TOKEN = "[UNK]"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_CHUNK = 4096  # texts handled at once: bounds the memory beside the result


class CharPreprocessor(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Turn texts into integer codes, one per character.

    Code 0 is padding, 1 the mask, 2 an unknown character, 3 the CLS mark; the characters learned
    in `fit` follow. One code point is one character, NUL and lone surrogates included.

    Parameters
    ----------
    max_example_len : int, default=512
        Codes per text, the CLS mark included.
    min_char_count : int, default=1
        Characters seen fewer times in `fit` are unknown.
    normalization : {None, "NFC", "NFKC"}, default=None
        Unicode normal form that texts are brought into first.
    add_cls : bool, default=False
        Whether each text starts with the CLS mark.
    truncation : {"warn", "error"}, default="warn"
        What to do about longer texts: cut them with one warning, or raise ValueError.
    missing : {"error", "empty"}, default="error"
        Whether None, NaN and NA raise ValueError or are empty texts.
    column : Hashable, default=None
        The column to read from tables and Hugging Face datasets.

    Attributes
    ----------
    vocabulary_ : str
        The characters by descending count, then by code point; the first has code 4.
    n_chars_ : int
        The number of codes, the 4 reserved ones included.

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
        normalization: str | None = None,
        add_cls: bool = False,
        truncation: str = "warn",
        missing: str = "error",
        column: Hashable = None,
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
        """Return a fitted preprocessor with these characters, in code order, and parameters."""
        if not isinstance(vocabulary, str):
            raise TypeError(f"vocabulary must be a str, got {type(vocabulary).__name__}")
        if len(set(vocabulary)) < len(vocabulary):
            raise ValueError("vocabulary holds a character more than once; pass each one once")
        preprocessor = cls(**params)
        preprocessor._check_params()
        preprocessor._set_vocabulary(vocabulary)
        return preprocessor

    def fit(self, X: Iterable, y: object = None) -> Self:
        """Learn the characters of the texts X; y is ignored.

        Raises
        ------
        ValueError, TypeError
            For a parameter out of range, or X that is not texts.
        """
        self._check_params()
        self._set_vocabulary(self._frequent_characters(self._training_texts(X)))
        return self

    def transform(self, X: Iterable) -> np.ndarray:
        """Return the codes of the texts X, int64 (n, max_example_len), padded with 0 on the right.

        Raises
        ------
        ValueError, TypeError
            If X is not texts, or a text is too long and `truncation="error"`.
        """
        check_is_fitted(self)
        texts = check_texts(X, missing=self.missing, column=self.column)
        texts = self.truncate(self.normalize(texts))
        codes = np.empty((len(texts), self.max_example_len), dtype=np.int64)
        for start in range(0, len(texts), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            codes[chunk] = self.encode(texts[chunk], length=self.max_example_len)
        return codes

    def inverse_transform(self, X: ArrayLike) -> list[str]:
        """Return the texts of the codes X, integers (n, length).

        Padding and CLS marks are dropped, an unknown character is shown as U+FFFD and a mask as
        U+2588, a full block.

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
        reserved = f"\0{_MASK_CHARACTER}{_UNKNOWN_CHARACTER}\0"
        points, _ = code_points([reserved, self.vocabulary_])
        kept = (codes != PAD) & (codes != CLS)
        return strings(points[codes[kept]], kept.sum(axis=1))

    def string_to_array(self, text: str, length: int | None = None) -> np.ndarray:
        """Return the codes of one text, int64 (length,); None is its own length, at least 1.

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
        """Return the texts in the Unicode normal form.

        NFKC can make a text 18 times longer. Of a long text only a head is normalised that yields
        all characters `truncate` keeps, and the rest is left as it is, unless `whole` is true.
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
        """Return the texts cut to `max_example_len`, less one with `add_cls`.

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
        """Return the codes of normalised, short enough texts, int64 (n, length).

        `length` counts the CLS mark; None is the longest text's, at least 1.
        """
        check_is_fitted(self)
        points, lengths = code_points(texts)
        codes = _code_table(self.vocabulary_).take(points, mode="clip")
        if not self.add_cls:
            return pad(codes, lengths, length=length)
        width = int(lengths.max(initial=0)) if length is None else length - 1
        cls = np.full((len(texts), 1), CLS)
        return np.concatenate([cls, pad(codes, lengths, length=width)], axis=1)

    def __sklearn_tags__(self) -> Tags:
        """Say that the input is texts and the output is integers."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = self.missing == "empty"
        tags.transformer_tags.preserves_dtype = []
        return tags

    @property
    def _n_features_out(self) -> int:
        """Columns of the result, for `get_feature_names_out`."""
        check_is_fitted(self)
        return self.max_example_len

    def _check_params(self) -> None:
        """Raise ValueError for a parameter out of range."""
        _check_integer("max_example_len", self.max_example_len, 2 if self.add_cls else 1)
        _check_integer("min_char_count", self.min_char_count, 1)
        _check_option("normalization", self.normalization, (None, "NFC", "NFKC"))
        _check_option("add_cls", self.add_cls, (False, True))
        _check_option("missing", self.missing, ("error", "empty"))
        if self.truncation == "window":
            raise ValueError(
                'truncation="window" belongs to ComposedEmbedder(truncation="window"); '
                'a preprocessor takes "warn" or "error"'
            )
        _check_option("truncation", self.truncation, ("warn", "error"))

    def _training_texts(self, X: Iterable) -> list[str]:
        """Return the normalised texts to learn from."""
        texts = check_texts(X, missing=self.missing, column=self.column, min_texts=1)
        return self.normalize(texts, whole=True)

    def _frequent_characters(self, texts: list[str]) -> str:
        """Return the characters that are frequent enough, in code order."""
        counts = np.zeros(_N_CODE_POINTS, dtype=np.int64)
        for start in range(0, len(texts), _CHUNK):
            points, _ = code_points(texts[start : start + _CHUNK])
            counts += np.bincount(points, minlength=_N_CODE_POINTS)
        kept = np.flatnonzero(counts >= self.min_char_count)
        kept = kept[np.argsort(-counts[kept], kind="stable")]
        return strings(kept, np.array([len(kept)]))[0]

    def _set_vocabulary(self, vocabulary: str) -> None:
        """Store what `fit` learned."""
        self.vocabulary_ = vocabulary
        self.n_chars_ = N_RESERVED + len(vocabulary)


class MLMPreprocessor(CharPreprocessor):
    """Turn texts into codes, and into the tokens that masked language modelling predicts.

    The tokens are a byte-pair encoding [1]_ of the lower-cased words, trained in `fit`.

    Parameters
    ----------
    max_example_len, min_char_count, normalization, add_cls, truncation, missing, column
        As for `CharPreprocessor`.
    vocab_size : int, default=10000
        Most tokens to learn: the unknown token (id 0), the characters and their merges.

    Attributes
    ----------
    vocabulary_, n_chars_
        As for `CharPreprocessor`.
    tokenizer_ : tokenizers.Tokenizer
        The trained tokenizer.
    n_tokens_ : int
        The number of tokens, at most `vocab_size`.

    References
    ----------
    .. [1] R. Sennrich, B. Haddow, A. Birch, "Neural Machine Translation of Rare Words with Subword
       Units", ACL 2016.

    Examples
    --------
    >>> from sklearn_cclm.preprocessing import MLMPreprocessor
    >>> preprocessor = MLMPreprocessor(vocab_size=30).fit(["to be or not to be"])
    >>> token_ids, starts, ends, counts = preprocessor.tokenize(["To be", "be"])
    >>> starts, ends, counts
    (array([0, 3, 0]), array([2, 5, 2]), array([2, 1]))
    """

    def __init__(
        self,
        max_example_len: int = 512,
        *,
        min_char_count: int = 1,
        normalization: str | None = None,
        add_cls: bool = False,
        truncation: str = "warn",
        missing: str = "error",
        column: Hashable = None,
        vocab_size: int = 10_000,
    ):
        super().__init__(
            max_example_len,
            min_char_count=min_char_count,
            normalization=normalization,
            add_cls=add_cls,
            truncation=truncation,
            missing=missing,
            column=column,
        )
        self.vocab_size = vocab_size

    def fit(self, X: Iterable, y: object = None) -> Self:
        """Learn the characters and the tokens of the texts X; y is ignored.

        Raises
        ------
        ValueError, TypeError
            For a parameter out of range, X that is not texts, or more characters than
            `vocab_size` has room for.
        """
        self._check_params()
        texts = self._training_texts(X)
        tokenizer = _train_tokenizer(texts, self.vocab_size)
        self._set_vocabulary(self._frequent_characters(texts))
        self.tokenizer_ = tokenizer
        self.n_tokens_ = tokenizer.get_vocab_size()
        return self

    def tokenize(
        self, texts: Sequence[str]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the tokens of normalised, short enough texts.

        Returns
        -------
        token_ids, starts, ends : int64 (total,)
            The tokens of all texts in a row, and the columns of `encode` each covers (end
            excluded). Letters such as U+0130, two characters in lower case, can be shared by two
            tokens.
        counts : int64 (n,)
            Tokens of each text.
        """
        check_is_fitted(self, "tokenizer_")
        chunks = [
            _tokenize_chunk(self.tokenizer_, texts[start : start + _CHUNK])
            for start in range(0, max(len(texts), 1), _CHUNK)
        ]
        token_ids, starts, ends, counts = map(np.concatenate, zip(*chunks, strict=True))
        shift = int(self.add_cls)
        return token_ids, starts + shift, ends + shift, counts

    def _check_params(self) -> None:
        """Raise ValueError for a parameter out of range."""
        super()._check_params()
        _check_integer("vocab_size", self.vocab_size, 2)


@lru_cache(maxsize=32)
def _code_table(vocabulary: str) -> np.ndarray:
    """Return the code of each code point up to the vocabulary's largest, then UNKNOWN."""
    points, _ = code_points([vocabulary])
    table = np.full(int(points.max(initial=0)) + 2, UNKNOWN, dtype=np.int64)
    table[points] = np.arange(N_RESERVED, N_RESERVED + len(points))
    table.setflags(write=False)
    return table


def _train_tokenizer(texts: Sequence[str], vocab_size: int) -> Tokenizer:
    """Return a byte-pair encoding of the lower-cased words of the texts."""
    tokenizer = Tokenizer(models.BPE(unk_token=_UNKNOWN_TOKEN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=[_UNKNOWN_TOKEN], show_progress=False
    )
    tokenizer.train_from_iterator(map(_replace_surrogates, texts), trainer)
    n_tokens = tokenizer.get_vocab_size()
    if n_tokens > vocab_size:
        raise ValueError(
            f"vocab_size={vocab_size} has no room for the characters of the texts; "
            f"pass at least {n_tokens}"
        )
    return tokenizer


def _tokenize_chunk(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[np.ndarray, ...]:
    """Return the token ids, starts and ends of all texts in a row, and the tokens of each text."""
    encodings = tokenizer.encode_batch(list(map(_replace_surrogates, texts)))
    counts = np.fromiter(map(len, encodings), dtype=np.int64, count=len(encodings))
    total = int(counts.sum())
    ids = chain.from_iterable(encoding.ids for encoding in encodings)
    offsets = chain.from_iterable(encoding.offsets for encoding in encodings)
    starts, ends = np.fromiter(offsets, dtype=np.dtype((np.int64, 2)), count=total).T
    return np.fromiter(ids, dtype=np.int64, count=total), starts, ends, counts


def _replace_surrogates(text: str) -> str:
    """Return the text with U+FFFD for what the tokenizer cannot read."""
    return text if text.isascii() else _LONE_SURROGATE.sub(_UNKNOWN_CHARACTER, text)


def _check_integer(name: str, value: object, least: int) -> None:
    """Raise ValueError unless the value is an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}")


def _check_option(name: str, value: object, options: tuple) -> None:
    """Raise ValueError unless the value is one of the options."""
    if not any(value is option or (type(value), value) == (type(option), option) for option in options):
        raise ValueError(f"{name} must be one of {options}, got {value!r}")
