"""Pretrain by telling names apart: a tag for each word, or for each character."""

from __future__ import annotations

from typing import Any, Self

from sklearn_cclm._targets.entities import Span
from sklearn_cclm._tools.seeds import draw_seed
from sklearn_cclm._training.entity_task import EntityTask
from sklearn_cclm._training.finding import EntityFinder
from sklearn_cclm.models._base import CCLMModelBase
from sklearn_cclm.pretraining._pretrainer import BasePretrainer
from sklearn_cclm.shelf._names import resolve


class EntityPretrainer(EntityFinder, BasePretrainer):
    """Tell which words, or which characters, belong to which kind of name.

    Hidden: nothing; people have marked the entities.
    Predicted: for each word, or for each character where entities end inside words, whether it
    begins an entity of some label, goes on with one, or is outside; those of a text together.
    Learned: how names look and what stands around them, down to the character.
    Relation: the one task that looks at places within labelled text; `ClassificationPretrainer`
    looks at the whole. Begin with a base from `MaskedLanguagePretrainer` where labels are few.

    Parameters
    ----------
    base : Base, CCLMModelBase, name on the shelf or None, default=None
        A trained base, which stays as it is, or the recipe of one to train. None stands for
        ``CCLMModelBase(ngram_orders=(2, 3), n_buckets=2048)``, which cannot learn many by heart.
    tower : str or config value, default="conv"
        Architecture of the tower, "conv", "strided" or "pooled", or a value such as
        ``ConvConfig(width=64)``.
    entity_weight : float, default=5.0
        What a word, or a character, of an entity counts in the loss, where one outside counts 1:
        more finds more entities, and more that are none. Of words it is a margin.
    noise : TypoNoise, "auto" or None, default="auto"
        Corrupts the texts that the network sees, anew in each epoch. "auto" stands for words of
        which the shape alone is left, ``TypoNoise("scramble", rate=0.3)``, without which names
        are learned by heart.
    init_from : Tower or name on the shelf, default=None
        Begin with the weights of this tower, whose architecture counts instead of `tower`, and of
        its base, which is trained further unless `base` is that base. Of a tower that found
        entities of other labels, "en-entities" for example, what it learned of the words around
        and of what is a name at all goes on, too.
    max_epochs : int, default=8
        Passes over the texts.
    batch_size : int, default=32
        Texts per step.
    lr : float, default=2e-3
        Highest learning rate; it rises linearly and then falls along a cosine.
    base_lr : float, default=None
        That of the base; None stands for `lr`.
    optimizer : {"adamw", "sgd"} or torch.optim.Optimizer subclass, default="adamw"
        Optimizer; a class must take `lr` and `weight_decay`.
    weight_decay : float, default=0.01
        Its weight decay.
    warmup : float, default=0.1
        Share of the steps in which the learning rate rises.
    max_grad_norm : float, default=1.0
        Gradients of a larger norm are scaled down to it.
    validation_fraction : float, default=0.1
        Share of the texts held out for `history_`.
    early_stopping : bool, default=False
        Whether to stop when the held-out loss no longer falls, and return the best weights.
    patience : int, default=3
        Epochs without improvement before stopping.
    warm_start : bool, default=False
        Whether `fit` goes on from what an earlier `fit` learned, characters included.
    checkpoint : path-like, default=None
        A directory to write the state of the training to; `fit` with the same arguments goes on
        from there after a crash, to the same weights, and deletes it at the end.
    checkpoint_every : int, default=100
        Steps from one checkpoint to the next.
    callbacks : list of skorch callbacks, default=None
        Called during training; copied first.
    missing : {"error", "empty"}, default="error"
        Whether None and NaN raise ValueError or are empty texts.
    column : str, default=None
        The column to read from tables and Hugging Face datasets.
    device : str, default="auto"
        Torch device; "auto" takes an accelerator where there is one.
    precision : {"float32", "bfloat16"}, default="float32"
        Of the network's products in training; "bfloat16" is faster on processors that have it.
    random_state : int, RandomState instance or None, default=None
        Seed of weights, order and noise.
    verbose : int, default=0
        With 1, a progress bar on a terminal, else a line per epoch.

    Attributes
    ----------
    base_ : Base
        The base: the one given, or the one trained here.
    tower_ : Tower
        The trained tower, with its output layer.
    preprocessor_ : CharPreprocessor
        The fitted preprocessor that the base reads text with.
    labels_ : tuple of str
        What entities can be, sorted.
    inside_words_ : float
        Share of the ends of entities that lie inside words, in the texts learned from.
    of_words_ : bool
        Whether words are tagged, as where that share is below .01, and not characters.
    tags_ : tuple of str
        "O", and of each label what begins and what goes on: the columns of `predict_proba`.
    head_weights_ : dict of str to ndarray
        The output layer.
    history_ : list of dict
        For each epoch, losses of characters, and the held-out F1 score over entities.
    n_iter_ : int
        Epochs run.
    seed_ : int
        The seed drawn from `random_state`; `warm_start` and `partial_fit` go on with it.

    References
    ----------
    G. Lample et al. (2016). Neural Architectures for Named Entity Recognition. NAACL.
    E. Strubell, P. Verga, D. Belanger, A. McCallum (2017). Fast and Accurate Entity Recognition
    with Iterated Dilated Convolutions. EMNLP.
    O. Kuru, O. A. Can, D. Yuret (2016). CharNER: Character-Level Named Entity Recognition. COLING.

    Examples
    --------
    >>> from sklearn_cclm import CCLMModelBase, EntityPretrainer
    >>> X = [["Ada", "met", "Bob"], ["nobody", "came"]] * 20
    >>> y = [["B-person", "O", "B-person"], ["O", "O"]] * 20
    >>> base = CCLMModelBase(width=16, n_buckets=100)
    >>> names = EntityPretrainer(base, tower="pooled", max_epochs=20, lr=0.01, random_state=0)
    >>> names.fit(X, y).predict(["Ada came"])
    [[Span(start=0, end=3, label='person')]]

    Its tower brings the output layer along:

    >>> EntityPretrainer.from_tower(names.tower_).predict(["Ada came"])
    [[Span(start=0, end=3, label='person')]]
    """

    def __init__(
        self,
        base: Any = None,
        *,
        tower: Any = "conv",
        entity_weight: float = 5.0,
        noise: Any = "auto",
        init_from: Any = None,
        max_epochs: int = 8,
        batch_size: int = 32,
        lr: float = 2e-3,
        base_lr: float | None = None,
        optimizer: Any = "adamw",
        weight_decay: float = 0.01,
        warmup: float = 0.1,
        max_grad_norm: float = 1.0,
        validation_fraction: float = 0.1,
        early_stopping: bool = False,
        patience: int = 3,
        warm_start: bool = False,
        checkpoint: Any = None,
        checkpoint_every: int = 100,
        callbacks: Any = None,
        missing: str = "error",
        column: Any = None,
        device: str = "auto",
        precision: str = "float32",
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.base = base
        self.tower = tower
        self.entity_weight = entity_weight
        self.noise = noise
        self.init_from = init_from
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.base_lr = base_lr
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.warmup = warmup
        self.max_grad_norm = max_grad_norm
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.patience = patience
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every
        self.callbacks = callbacks
        self.missing = missing
        self.column = column
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, *, validation: Any = None) -> Self:
        """Train a tower on texts and the entities in them.

        Parameters
        ----------
        X : iterable of str, iterable of lists of str, or path-like
            Texts, or lists of tokens, which are joined by single spaces, or CoNLL files as
            `read_conll` reads them; if they need its parameters, ``*read_conll(path, tag=2)``.
        y : iterable, default=None
            For each text its entities, ``(start, end, label)`` or mappings with these keys, in
            characters, or a tag for each character; for each list of tokens their tags, BIO or a
            like scheme; of files None. Blanks at the ends of entities are left out, with a warning.
        validation : (X, y) or path-like, default=None
            What to measure the held-out loss on, instead of `validation_fraction` of `X`.

        Returns
        -------
        EntityPretrainer
            The fitted pretrainer.

        Raises
        ------
        ValueError, TypeError
            If a parameter, a text, a tag or an entity is not allowed.
        FloatingPointError
            If the loss is no longer finite.
        """
        return super().fit(X, y, validation=validation)

    @classmethod
    def from_tower(cls, tower: Any, **params: Any) -> Self:
        """Return a pretrainer that is fitted already, from the tower that one has trained.

        Parameters
        ----------
        tower : Tower or name on the shelf
            With the output layer that `fit` gave it, such as "en-entities".
        **params
            Other parameters; `init_from` is the tower, with which `fit` begins.

        Returns
        -------
        EntityPretrainer
            It can `predict` and `score`.

        Raises
        ------
        ValueError, TypeError
            If it is no such tower.
        """
        fitted = cls(init_from=tower, **params)
        loaded = resolve(tower, "tower") if isinstance(tower, str) else tower
        other = getattr(loaded, "task", EntityTask.name) != EntityTask.name
        if other or not getattr(loaded, "labels", ()):
            raise ValueError(
                f"tower={tower!r} must be the tower_ of a fitted {cls.__name__}, or its name on "
                "the shelf: it has no output layer that tells entities apart."
            )
        fitted.base_, fitted.tower_ = loaded.base, loaded
        fitted.preprocessor_ = loaded.base.preprocessor()
        fitted.labels_, fitted.head_weights_ = loaded.labels, loaded.head
        fitted.inside_words_, fitted.of_words_ = loaded.inside_words, loaded.of_words
        fitted.history_, fitted.n_iter_ = [], 0
        fitted.seed_ = draw_seed(fitted.random_state)
        return fitted

    def predict(self, X: Any) -> list[list[Span]]:
        """Return the entities of texts.

        Parameters
        ----------
        X : iterable of str, iterable of lists of str, or path-like
            As for `fit`.

        Returns
        -------
        list of list of Span
            For each text, the entities in order: named tuples of `start`, `end` and `label`, in
            characters of the text, or of the tokens joined by single spaces, and a `score`. They
            begin and end with words, unless some that were learned from do not.
        """
        return self._find(self._texts(X)[0])

    def _recipe(self) -> CCLMModelBase:
        if self.base is not None:
            return self.base
        return CCLMModelBase(ngram_orders=(2, 3), n_buckets=2048)
