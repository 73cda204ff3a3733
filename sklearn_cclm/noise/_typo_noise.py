"""`TypoNoise`: noise as a transformer of texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags, check_random_state

from sklearn_cclm._text.codes import code_points, strings
from sklearn_cclm._text.column import OneReadMixin
from sklearn_cclm._text.read import check_texts
from sklearn_cclm._tools.params import check_option, check_real
from sklearn_cclm._tools.tags import TextTagsMixin
from sklearn_cclm.noise._flat import Edit, Kernel, run, run_padded
from sklearn_cclm.noise.confusions import case, look
from sklearn_cclm.noise.edits import drop, repeat, space, swap
from sklearn_cclm.noise.keyboard import LAYOUTS, insert, slip
from sklearn_cclm.noise.words import scramble, substitute, typo_list

_KINDS = (
    "typos", "scramble", "swap", "drop", "insert", "repeat", "space", "slip", "case", "lookalike",
)  # fmt: skip
_CHARACTERS = 2**18  # read at once: bounds the memory beside texts and result


class TypoNoise(  # type: ignore[call-arg]
    TextTagsMixin, OneReadMixin, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Corrupt texts as typing, scanning and spelling do.

    For training on noisy texts, for tests of robustness, and as `noise` of pretrainers. There is
    nothing to learn: `transform` works without `fit`.

    Parameters
    ----------
    kinds : str, sequence of str or mapping of str to float, default="slip"
        Kinds of noise; a mapping gives each its share, others have equal ones. Each kind happens
        with probability share x rate to each place where it can: "slip" to letters that have a
        key (`slip_keys`), "drop", "insert" and "repeat" to characters (`drop_characters`,
        `insert_characters`, `repeat_characters`), "swap" to pairs of neighbours that differ
        (`swap_neighbours`), "case" to letters (`change_case`), "space" to spaces
        (`change_spaces`), "lookalike" to characters that look like others (`confuse_lookalikes`),
        "typos" to words in `typos` (`substitute_words`) and "scramble" to words
        (`scramble_words`). What replaces words comes first, then what moves characters, then what
        replaces them, whatever the order here.
    rate : float or (float, float), default=0.1
        From 0 to 1, or bounds from -1 to 1 between which the rate of each text is drawn, where
        what is below 0 counts as 0: (-0.1, 0.2) leaves a third of the texts as they are.
    layout : {"qwerty", "qwertz", "azerty"}, default="qwerty"
        The keyboard of "slip" and "insert".
    typos : mapping of str to str or sequence of str, or sequence of (str, str), default=None
        For "typos": the typo or typos of each correct word, ``{"the": ["teh", "hte"]}``, or pairs
        of a typo and the correct word, ``[("teh", "the"), ("hte", "the")]``.
    missing : {"error", "empty"}, default="error"
        Whether None, NaN and NA raise ValueError or are empty texts.
    column : str or int, default=None
        The column to read from tables and Hugging Face datasets.
    random_state : int, RandomState instance or None, default=None
        An int gives the same noise at each call with the same texts, None another one each time.

    See Also
    --------
    sklearn_cclm.noise.slip_keys : One kind, on arrays of code points.

    Notes
    -----
    The noise of a text depends on its place and on the texts before it: a text that occurs twice
    is corrupted in two ways. Texts are read in chunks of 2**18 characters, one text at least,
    which bounds the memory. Parameters that are lists or mappings are read when first used, and
    in `fit`.

    Examples
    --------
    >>> from sklearn_cclm import TypoNoise
    >>> TypoNoise(rate=0.3, random_state=0).transform(["keyboard"])
    array(['ksgvoard'], dtype=object)
    >>> TypoNoise({"swap": 2, "drop": 1}, rate=0.3, random_state=0).transform(["keyboard"])
    array(['kebyad'], dtype=object)
    """

    def __init__(
        self,
        kinds: Any = "slip",
        *,
        rate: Any = 0.1,
        layout: str = "qwerty",
        typos: Any = None,
        missing: str = "error",
        column: Any = None,
        random_state: Any = None,
    ):
        self.kinds = kinds
        self.rate = rate
        self.layout = layout
        self.typos = typos
        self.missing = missing
        self.column = column
        self.random_state = random_state

    def fit(self, X: Iterable, y: object = None) -> Self:
        """Check the parameters and the texts; nothing is learned.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.
        y : None
            Ignored.

        Returns
        -------
        TypoNoise
            The transformer.

        Raises
        ------
        ValueError, TypeError
            If a parameter or a text is not allowed.
        """
        _prepared.pop(self, None)
        self._prepare()
        _generator(self.random_state)
        check_texts(X, missing=self.missing, column=self.column, min_texts=1)
        return self

    def transform(self, X: Iterable) -> np.ndarray:
        """Return corrupted texts.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.

        Returns
        -------
        object ndarray of shape (n,)
            Texts, of type str.

        Raises
        ------
        ValueError, TypeError
            If a parameter or a text is not allowed.
        """
        texts = [t for _, edit in self._edits(X) for t in strings(edit.points, edit.lengths)]
        noisy = np.empty(len(texts), dtype=object)
        noisy[:] = texts
        return noisy

    def corrupt_texts(self, X: Iterable) -> tuple[list[str], list[np.ndarray]]:
        """Return corrupted texts as `transform` does, and where each character comes from.

        So that spans, or whatever else tells places, can follow.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.

        Returns
        -------
        texts : list of str
            The corrupted texts.
        origins : list of int64 ndarray
            For each text, the place in the clean one that each character comes from, for an
            inserted one that of the character before it.

        Raises
        ------
        ValueError, TypeError
            If a parameter or a text is not allowed.

        Examples
        --------
        >>> from sklearn_cclm import TypoNoise
        >>> TypoNoise("drop", rate=0.3, random_state=0).corrupt_texts(["keyboard"])
        (['koard'], [array([0, 4, 5, 6, 7])])
        """
        texts: list[str] = []
        origins: list[np.ndarray] = []
        for lengths, edit in self._edits(X):
            source = np.arange(len(edit.points)) if edit.source is None else edit.source
            begins = np.cumsum(lengths) - lengths
            places = source - begins.repeat(edit.lengths)
            texts += strings(edit.points, edit.lengths)
            origins += np.split(places, np.cumsum(edit.lengths)[:-1])
        return texts, origins

    def corrupt(self, ids: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return corrupted code points, and where each comes from.

        For each batch of a training: fast, and with a generator instead of `random_state`.

        Parameters
        ----------
        ids : uint32 array of shape (n, length)
            Unicode code points, padded with 0 on the right.
        rng : numpy.random.Generator
            The only source of randomness.

        Returns
        -------
        ids : uint32 ndarray of shape (n, new_length)
            The corrupted code points; `new_length` is at least `length`.
        origin : int64 ndarray of shape (n, new_length)
            The column of `ids` that each character comes from, for an inserted one that of the
            character before it; -1 for padding.

        Raises
        ------
        ValueError
            If a parameter is not allowed.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_cclm import TypoNoise
        >>> ids = np.array([[97, 98, 99, 0]], dtype=np.uint32)
        >>> TypoNoise("swap", rate=0.5).corrupt(ids, np.random.default_rng(0))
        (array([[97, 99, 98,  0]], dtype=uint32), array([[ 0,  2,  1, -1]]))
        """
        kernels = self._prepare()
        rate = self._draw_rate(len(ids), rng)
        return run_padded(ids, [(kernel, share * rate) for kernel, share in kernels], rng)

    def __sklearn_tags__(self) -> Tags:
        """Say that there is nothing to fit, and that equal texts may get unequal noise."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.non_deterministic = True
        return tags

    def check_params(self) -> None:
        """Check the parameters, without a look at texts.

        Raises
        ------
        ValueError, TypeError
            If a parameter is not allowed.
        """
        self._prepare()

    def _prepare(self) -> list[tuple[Kernel, float]]:
        """Return the kernels with their shares, made anew where a parameter is another one."""
        params = (self.kinds, self.rate, self.layout, self.typos)
        known, kernels = _prepared.get(self, ((), []))
        if not known or any(new is not old for new, old in zip(params, known, strict=True)):
            _check_rate(self.rate)
            check_option("layout", self.layout, LAYOUTS)
            shares = _shares(self.kinds)
            if "typos" in shares and self.typos is None:
                raise ValueError('kinds names "typos" but typos=None: pass a list of typos.')
            made: dict[str, Kernel] = {
                "scramble": scramble, "swap": swap, "drop": drop, "repeat": repeat,
                "space": space, "case": case,
                "lookalike": look, "insert": partial(insert, layout=self.layout),
                "slip": partial(slip, layout=self.layout),
            }  # fmt: skip
            if self.typos is not None:
                made["typos"] = partial(substitute, typos=typo_list(self.typos))
            kernels = [(made[kind], shares[kind]) for kind in _KINDS if kind in shares]
            _prepared[self] = params, kernels
        return kernels

    def _edits(self, X: Iterable) -> Iterator[tuple[np.ndarray, Edit]]:
        """Yield the lengths of some texts, and what becomes of these."""
        kernels = self._prepare()
        texts = check_texts(X, missing=self.missing, column=self.column)
        rng = _generator(self.random_state)
        for chunk in _chunks(texts):
            points, lengths = code_points(texts[chunk])
            rate = self._draw_rate(len(lengths), rng)
            yield lengths, run(points, lengths, [(k, share * rate) for k, share in kernels], rng)

    def _draw_rate(self, n: int, rng: np.random.Generator) -> Any:
        """Return the rate of all texts, or draw one for each."""
        if isinstance(self.rate, Real):
            return self.rate
        low, high = self.rate
        return np.maximum(rng.uniform(low, high, n), 0)


# kernels beside the estimators, which stay as they are
_prepared: WeakKeyDictionary[TypoNoise, tuple[tuple, list]] = WeakKeyDictionary()


def _check_rate(rate: Any) -> None:
    """Raise ValueError unless a rate is a share, or bounds of one."""
    if isinstance(rate, Real):
        check_real("rate", rate, 0, 1, ends="both")
        return
    pair = isinstance(rate, list | tuple | np.ndarray) and np.shape(rate) == (2,)
    numbers = pair and all(isinstance(r, Real) and not isinstance(r, bool) for r in rate)
    if not (numbers and -1 <= rate[0] < rate[1] <= 1):
        raise ValueError(
            f"rate={rate!r} must be a number in [0, 1], or a pair (low, high) with -1 <= low < "
            "high <= 1 to draw the rate of each text."
        )


def _shares(kinds: Any) -> dict[str, float]:
    """Return each kind's share of the rate."""
    if isinstance(kinds, str):
        kinds = [kinds]
    if not isinstance(kinds, Mapping | Sequence) or not len(kinds):
        raise ValueError(
            f"kinds={kinds!r} must be one of {_KINDS}, a list of them, or a mapping of them to "
            "shares."
        )
    for kind in kinds:
        check_option("kinds", kind, _KINDS)
    if len(set(kinds)) < len(kinds):
        raise ValueError(f"kinds={kinds!r} names a kind twice: pass a mapping to weigh kinds.")
    shares = kinds if isinstance(kinds, Mapping) else dict.fromkeys(kinds, 1.0)
    for kind, share in shares.items():
        check_real(f"kinds[{kind!r}]", share, 0, np.inf, ends="neither")
    total = sum(shares.values())
    return {kind: float(share / total) for kind, share in shares.items()}


def _generator(random_state: Any) -> np.random.Generator:
    """Return a generator; None, unlike in scikit-learn, stands for fresh entropy."""
    if random_state is not None and not isinstance(random_state, Integral):
        random_state = check_random_state(random_state).randint(2**31 - 1)
    return np.random.default_rng(random_state)


def _chunks(texts: Sequence[str]) -> list[slice]:
    """Cut texts into chunks, each of few characters or of one long text."""
    sizes = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1
    numbers = (np.cumsum(sizes) - sizes) // _CHARACTERS
    cuts = np.flatnonzero(np.diff(numbers, prepend=-1, append=-1)).tolist()
    return [slice(start, end) for start, end in pairwise(cuts)]
