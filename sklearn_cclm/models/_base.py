"""`CCLMModelBase`: the recipe of the common embedding."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import BaseEstimator, clone

from sklearn_cclm._tools.extras import needs_train
from sklearn_cclm._tools.seeds import draw_seed
from sklearn_cclm._tools.tags import TextTagsMixin
from sklearn_cclm.architectures import NgramConfig
from sklearn_cclm.architectures._registry import to_dict
from sklearn_cclm.preprocessing import CharPreprocessor
from sklearn_cclm.values._base import Base, folded_codes


class CCLMModelBase(TextTagsMixin, BaseEstimator):
    """Recipe of a base: an embedding of each character with the n-grams that end there.

    A base sums a character embedding, which knows case, and the embeddings of hashed character
    n-grams of the case-folded text, after the subword sums of Bojanowski et al. (2017), and
    passes them through residual convolutions. `fit` learns the characters and leaves an
    untrained `Base`; a pretrainer takes the recipe itself and trains one.

    Parameters
    ----------
    preprocessor : CharPreprocessor, default=None
        How text becomes codes; cloned and fitted. None stands for ``CharPreprocessor()``.
    width : int, default=128
        Length of each character's vector.
    ngram_orders : tuple of int, default=(2, 3, 4, 5)
        Lengths, in characters, of the n-grams.
    n_buckets : int, default=65536
        Rows of the hashed n-gram table; 0 switches the n-grams off.
    n_blocks : int, default=0
        Residual convolution blocks on top of the sum.
    kernel_size : int, default=5
        Characters that a block's convolution sees; odd.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights. With None, a pretrainer uses its own.

    Attributes
    ----------
    preprocessor_ : CharPreprocessor
        The fitted preprocessor.
    base_ : Base
        The untrained base.

    See Also
    --------
    MaskedLanguagePretrainer : Trains a base and a tower.

    References
    ----------
    P. Bojanowski, E. Grave, A. Joulin, T. Mikolov (2017). Enriching Word Vectors with Subword
    Information. Transactions of the ACL 5.

    Examples
    --------
    >>> from sklearn_cclm import CCLMModelBase
    >>> recipe = CCLMModelBase(width=16, n_buckets=100, random_state=0)
    >>> recipe.fit(["some text", "more text"]).base_.width
    16
    """

    def __init__(
        self,
        preprocessor: CharPreprocessor | None = None,
        *,
        width: int = 128,
        ngram_orders: tuple[int, ...] = (2, 3, 4, 5),
        n_buckets: int = 65536,
        n_blocks: int = 0,
        kernel_size: int = 5,
        random_state: Any = None,
    ) -> None:
        self.preprocessor = preprocessor
        self.width = width
        self.ngram_orders = ngram_orders
        self.n_buckets = n_buckets
        self.n_blocks = n_blocks
        self.kernel_size = kernel_size
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the characters and draw initial weights.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.
        y : None
            Ignored.

        Returns
        -------
        CCLMModelBase
            The fitted recipe.

        Raises
        ------
        ValueError
            If a parameter or a text is not allowed.
        """
        if not (self.preprocessor is None or isinstance(self.preprocessor, CharPreprocessor)):
            raise TypeError(
                "preprocessor must be a CharPreprocessor or None, got "
                f"{type(self.preprocessor).__name__}."
            )
        config = NgramConfig(
            width=self.width,
            ngram_orders=self.ngram_orders,
            n_buckets=self.n_buckets,
            n_blocks=self.n_blocks,
            kernel_size=self.kernel_size,
        )
        seed = draw_seed(self.random_state)
        recipe = CharPreprocessor() if self.preprocessor is None else self.preprocessor
        preprocessor = clone(recipe).fit(X)
        self.base_ = _initial_base(config, preprocessor, seed)
        self.preprocessor_ = preprocessor
        return self


def _initial_base(config: NgramConfig, preprocessor: CharPreprocessor, seed: int) -> Base:
    """Make an untrained base for a fitted preprocessor."""
    with needs_train("A base to train"):
        from sklearn_cclm.nn import NgramBase
        from sklearn_cclm.nn.seeds import isolated_seed
    vocabulary = preprocessor.vocabulary_
    with isolated_seed(seed):
        module = NgramBase(config, folded=folded_codes(vocabulary))
    return Base.from_module(
        module,
        architecture="ngram",
        config=to_dict(config),
        vocabulary=vocabulary,
        reading={
            "max_example_len": int(preprocessor.max_example_len),
            "normalization": preprocessor.normalization,
            "add_cls": bool(preprocessor.add_cls),
        },
    )
