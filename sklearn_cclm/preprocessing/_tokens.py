"""`MLMPreprocessor`: the output tokens of masked language modelling, with character offsets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._persistence._config import check_keys
from sklearn_cclm._text.codes import CHUNK, UNKNOWN_CHARACTER
from sklearn_cclm._text.streams import chunked, read_texts
from sklearn_cclm._tools.extras import needs_train
from sklearn_cclm._tools.params import check_integer
from sklearn_cclm.preprocessing._characters import CharPreprocessor

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_UNKNOWN_TOKEN = "[UNK]"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class MLMPreprocessor(CharPreprocessor):
    """Turn texts into codes, and into the tokens that masked language modelling predicts.

    The tokens are a byte-pair encoding [1]_ of the lower-cased words, trained in `fit`.

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
    vocab_size : int, default=10000
        Most tokens to learn: the unknown token (id 0), the characters and their merges.

    Attributes
    ----------
    vocabulary_ : str
        The characters by descending count, then by code point; the first has code 4.
    n_chars_ : int
        The number of codes, the 4 reserved ones included.
    tokenizer_ : tokenizers.Tokenizer
        The trained tokenizer.
    n_tokens_ : int
        The number of tokens, at most `vocab_size`.
    column_ : str
        The name of the column that `fit` read, if it has one; the features' names begin with it.

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
        normalization: Any = None,
        add_cls: bool = False,
        truncation: str = "warn",
        missing: str = "error",
        column: Any = None,
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

    def __copy__(self) -> Self:
        other = object.__new__(type(self))
        other.__dict__.update(vars(self))
        return other

    def __getstate__(self) -> dict[str, Any]:
        """Return the tokenizer as text: skops knows no tokenizers."""
        state = dict(super().__getstate__())
        if "tokenizer_" in state:
            state["tokenizer_"] = state["tokenizer_"].to_str()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the tokenizer from its text."""
        if "tokenizer_" in state:
            state = {**state, "tokenizer_": _tokenizers().Tokenizer.from_str(state["tokenizer_"])}
        super().__setstate__(state)

    def fit(self, X: Iterable, y: object = None) -> Self:
        """Learn the characters and the tokens of texts.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.
        y : None
            Ignored.

        Returns
        -------
        MLMPreprocessor
            The fitted preprocessor.

        Raises
        ------
        ValueError, TypeError
            For a parameter out of range, X that is not texts, or more characters than
            `vocab_size` has room for.
        """
        self._check_params()
        texts = read_texts(X, missing=self.missing, column=self.column)
        normalized = (self.normalize(chunk, whole=True) for chunk in chunked(texts))
        tokenizer = train_tokenizer(chain.from_iterable(normalized), self.vocab_size)
        self._learn_vocabulary(texts)
        self.tokenizer_ = tokenizer
        self.n_tokens_ = tokenizer.get_vocab_size()
        self._set_column(X)
        return self

    def tokenize(
        self, texts: Sequence[str]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the tokens of texts that are normalised and short enough.

        Parameters
        ----------
        texts : sequence of str
            Texts.

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
        token_ids, starts, ends, counts = tokenize(self.tokenizer_, texts)
        shift = int(self.add_cls)
        return token_ids, starts + shift, ends + shift, counts

    def _check_params(self) -> None:
        """Raise ValueError for a parameter out of range."""
        super()._check_params()
        check_integer("vocab_size", self.vocab_size, 2)

    def _learned(self) -> dict[str, Any]:
        return {**super()._learned(), "tokens": _stored_tokens(getattr(self, "tokenizer_", None))}

    def _set_learned(self, learned: dict[str, Any]) -> None:
        check_keys("learned", learned, ("vocabulary", "tokens"))
        if learned["tokens"] is not None:
            self.tokenizer_ = _restored_tokenizer(learned["tokens"])
            self.n_tokens_ = self.tokenizer_.get_vocab_size()


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Return a byte-pair encoding of the lower-cased words of the texts."""
    tokenizer = _tokenizer(unk_token=_UNKNOWN_TOKEN)
    trainer = _tokenizers().trainers.BpeTrainer(
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


def _tokenizers() -> Any:
    """Return the package that holds the tokens, which loading an embedder needs not."""
    with needs_train("MLMPreprocessor"):
        import tokenizers
    return tokenizers


def _tokenizer(**model: Any) -> Tokenizer:
    """Return a tokenizer of lower-cased words, by a byte-pair encoding."""
    package = _tokenizers()
    tokenizer = package.Tokenizer(package.models.BPE(**model))
    tokenizer.normalizer = package.normalizers.Lowercase()
    tokenizer.pre_tokenizer = package.pre_tokenizers.Whitespace()
    return tokenizer


def _stored_tokens(tokenizer: Tokenizer | None) -> dict[str, Any] | None:
    """Return the tokens by id, and the merges, which say all of a tokenizer that `fit` made."""
    if tokenizer is None:
        return None
    model = json.loads(tokenizer.to_str())["model"]
    stored = {"names": sorted(model["vocab"], key=model["vocab"].get), "merges": model["merges"]}
    if _restored_tokenizer(stored).to_str() != tokenizer.to_str():
        raise TypeError(
            "tokenizer_ is not one that fit makes, and cannot be saved: use joblib.dump."
        )
    return stored


def _restored_tokenizer(stored: Any) -> Tokenizer:
    """Return the tokenizer of stored tokens, or raise ValueError if `fit` makes none like it."""
    check_keys("tokens", stored, ("names", "merges"))
    names, merges = stored["names"], stored["merges"]
    known = {name: place for place, name in enumerate(names) if isinstance(name, str)}
    if len(known) < len(names) or known.get(_UNKNOWN_TOKEN) != 0:
        raise ValueError(
            f"the names of tokens must be different strings, the first of them {_UNKNOWN_TOKEN!r}."
        )
    if not all(
        len(merge) == 2 and {*merge, merge[0] + merge[1]} <= known.keys() for merge in merges
    ):
        raise ValueError("each merge must be two tokens that make a third one.")
    model = {"vocab": known, "merges": list(map(tuple, merges)), "unk_token": _UNKNOWN_TOKEN}
    tokenizer = _tokenizer(**model)
    tokenizer.add_special_tokens([_UNKNOWN_TOKEN])
    return tokenizer


def tokenize(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[np.ndarray, ...]:
    """Return token ids, starts and ends of all texts in a row, and the tokens of each text."""
    chunks = [
        _tokenize_chunk(tokenizer, texts[start : start + CHUNK])
        for start in range(0, max(len(texts), 1), CHUNK)
    ]
    return tuple(map(np.concatenate, zip(*chunks, strict=True)))


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
    return text if text.isascii() else _LONE_SURROGATE.sub(UNKNOWN_CHARACTER, text)
