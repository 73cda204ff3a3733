"""`ComposedTagger`: composed towers with a tag for each character, trained end to end."""

from __future__ import annotations

from typing import Any, Self

from sklearn_cclm._persistence._config import check_keys
from sklearn_cclm._targets.entities import Span, token_tags
from sklearn_cclm._targets.rows import Rows
from sklearn_cclm._training.entity_task import Entities, Named
from sklearn_cclm._training.finding import EntityFinder
from sklearn_cclm.heads._head import ComposedHead
from sklearn_cclm.models._named_towers import check_alike
from sklearn_cclm.values._tower import NO_FINDINGS, check_findable


class ComposedTagger(EntityFinder, ComposedHead):
    """Tag the characters of texts, or their tokens, by towers that are fine-tuned for it.

    Parameters
    ----------
    towers : list of (str, entry), default=None
        Names and towers; None is the published "en-semantic". An entry is a `Tower`, a name on the
        `Shelf`, a ``FrozenEstimator`` of a fitted pretrainer, "drop", or, with `fit_towers`, a
        pretrainer, which is cloned and trained first. Towers may stand on different bases, if
        these read text alike. What the first that found entities, "en-entities" for example,
        learned of the words around and of what is a name at all goes on, unless `combine` or
        `hidden` changes what is read.
    combine : {"concat", "gated", "attention"}, default="concat"
        How the towers are mixed, after each feature is standardised: side by side; as a sum of
        projections, each times a gate that all towers decide; or as an average of projections by
        weights that each decides for itself.
    hidden : int, default=0
        Units of a hidden layer between the towers and the output; 0 for none.
    dropout : float, default=0.5
        Share of what the hidden layer and the output layer read that is hidden in training.
    entity_weight : float, default=5.0
        What a word, or a character, of an entity counts in the loss, where one outside counts 1:
        more finds more entities, and more that are none. Of words it is a margin.
    fit_towers : bool, default=False
        Whether pretrainers among the towers are trained first.
    freeze : {"none", "base", "towers"} or int, default="none"
        What stays as it is: nothing; the bases; or towers and bases, so that the head alone
        learns. A number is after how many epochs the towers thaw; the bases do one later.
    linear_probe : bool, default=False
        Whether the output layer begins as a logistic regression on the frozen features, which
        protects these from the first steps.
    noise : TypoNoise, "auto" or None, default=None
        Corrupts the texts that the network sees, anew in each epoch; "auto" stands for what it does
        for `EntityPretrainer`.
    max_epochs : int, default=20
        Passes over the texts.
    batch_size : int, default=32
        Texts per step.
    lr : float, default=2e-3
        Highest learning rate, that of the head; it rises linearly and then falls along a cosine.
    tower_lr : float, default=5e-4
        That of the towers; None stands for `lr`.
    base_lr : float, default=5e-4
        That of the bases; None stands for `lr`.
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
        Whether `fit` goes on from what an earlier `fit` learned.
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
    labels_ : tuple of str
        What entities can be, sorted.
    inside_words_ : float
        Share of the ends of entities that lie inside words, in the texts learned from.
    of_words_ : bool
        Whether words are tagged, as where that share is below .01, and not characters.
    tags_ : tuple of str
        "O", and of each label what begins and what goes on: the columns of `predict_proba`.
    towers_ : list of (str, Tower)
        The fine-tuned towers, new values that can be composed again; those given, where frozen.
    embedder_ : ComposedEmbedder
        The fine-tuned towers as features for any estimator, fitted; where `pooling` has
        "attention", that of `ComposedEmbedder`, which is not learned.
    head_weights_ : dict of str to ndarray
        Of what stands on the towers.
    history_ : list of dict
        For each epoch, losses of characters, and the held-out F1 score over entities.
    n_iter_ : int
        Epochs run.
    seed_ : int
        The seed drawn from `random_state`; `warm_start` and `partial_fit` go on with it.

    See Also
    --------
    EntityPretrainer : Trains one tower on tags, from the start.

    References
    ----------
    A. Kumar, A. Raghunathan, R. Jones, T. Ma, P. Liang (2022). Fine-Tuning can Distort Pretrained
    Features and Underperform Out-of-Distribution. ICLR.
    J. Howard, S. Ruder (2018). Universal Language Model Fine-tuning for Text Classification. ACL.

    Examples
    --------
    >>> from sklearn_cclm import CCLMModelBase, ComposedTagger, MaskedCharacterPretrainer
    >>> X = [["Ada", "met", "Bob"], ["nobody", "came"]] * 20
    >>> y = [["B-person", "O", "B-person"], ["O", "O"]] * 20
    >>> base = CCLMModelBase(width=16, n_buckets=100)
    >>> chars = MaskedCharacterPretrainer(base, tower="pooled", max_epochs=1, random_state=0)
    >>> chars = chars.fit([" ".join(tokens) for tokens in X])
    >>> tagger = ComposedTagger([("chars", chars.tower_)], lr=0.01, random_state=0).fit(X, y)
    >>> tagger.predict([["Ada", "came"]])
    [['B-person', 'O']]
    >>> tagger.predict_spans(["Ada came"])
    [[Span(start=0, end=3, label='person')]]
    """

    pooling = None

    def __init__(
        self,
        towers: Any = None,
        *,
        combine: str = "concat",
        hidden: int = 0,
        dropout: float = 0.5,
        entity_weight: float = 5.0,
        fit_towers: bool = False,
        freeze: str | int = "none",
        linear_probe: bool = False,
        noise: Any = None,
        max_epochs: int = 20,
        batch_size: int = 32,
        lr: float = 2e-3,
        tower_lr: float | None = 5e-4,
        base_lr: float | None = 5e-4,
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
        self.towers = towers
        self.combine = combine
        self.hidden = hidden
        self.dropout = dropout
        self.entity_weight = entity_weight
        self.fit_towers = fit_towers
        self.freeze = freeze
        self.linear_probe = linear_probe
        self.noise = noise
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.tower_lr = tower_lr
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
        """Train on texts and the entities in them.

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
        ComposedTagger
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter, a tower, a text, a tag or an entity is not allowed.
        FloatingPointError
            If the loss is no longer finite.
        """
        return self._fit(X, y, validation=validation)

    def predict(self, X: Any) -> list[list[str]]:
        """Return a tag for each token, or for each character.

        Parameters
        ----------
        X : iterable of str, iterable of lists of str, or path-like
            As for `fit`.

        Returns
        -------
        list of list of str
            BIO tags: of each list of tokens one a token, of each text one a character.
        """
        texts, tokens = self._texts(X)
        found = self._find(texts)
        return Rows(
            token_tags(texts, found, gap=0) if tokens is None else token_tags(tokens, found, gap=1)
        )

    def predict_spans(self, X: Any) -> list[list[Span]]:
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

    def _check_towers(self, towers: list[tuple[str, Any]]) -> None:
        super()._check_towers(towers)
        check_alike(towers)

    def _for_towers(self, y: Entities) -> Any:
        return Named(y.spans, y.labels or None) if y.to_go_on else y.spans

    def _learned(self) -> dict[str, Any]:
        inside = {"inside_words": self.inside_words_} if self.inside_words_ else {}
        words = {"of_words": True} if self.of_words_ else {}
        return {"labels": list(self.labels_), **inside, **words}

    def _take(self, learned: Any) -> None:
        learned = {**NO_FINDINGS, **learned}
        check_keys("learned", learned, ("labels", *NO_FINDINGS))
        check_findable(learned)
        self.labels_, self.inside_words_ = tuple(learned["labels"]), learned["inside_words"]
        self.of_words_ = learned["of_words"]
