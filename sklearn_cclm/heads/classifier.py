"""`ComposedClassifier`: composed towers with a classifier on them, trained end to end."""

from __future__ import annotations

from typing import Any, Self

from sklearn_cclm._targets.arrays import label_array
from sklearn_cclm._targets.labels import Given
from sklearn_cclm._training.label_task import some_labels
from sklearn_cclm._training.text_classifier import TextClassifier
from sklearn_cclm.heads._head import ComposedHead
from sklearn_cclm.heads._stored import read_classes


class ComposedClassifier(TextClassifier, ComposedHead):
    """Classify texts by towers that are fine-tuned for it.

    With few labels, or where time counts, a `ComposedEmbedder` and a logistic regression are the
    better choice; see the user guide for what each costs and brings.

    Parameters
    ----------
    towers : list of (str, entry), default=None
        Names and towers; None is the published "en-semantic". An entry is a `Tower`, a name on the
        `Shelf`, a ``FrozenEstimator`` of a fitted pretrainer, "drop", or, with `fit_towers`, a
        pretrainer, which is cloned and trained first. Towers may stand on different bases.
    pooling : str, default="native"
        How a text's characters become one vector: "native", the way each tower was made for;
        "mean", "max", "cls", "attention" (by weights that are learned), or several of these four
        joined by "+" and concatenated.
    combine : {"concat", "gated", "attention"}, default="concat"
        How the towers are mixed, after each feature is standardised: side by side; as a sum of
        projections, each times a gate that all towers decide; or as an average of projections by
        weights that each decides for itself.
    hidden : int, default=0
        Units of a hidden layer between the towers and the output; 0 for none.
    dropout : float, default=0.5
        Share of what the hidden layer and the output layer read that is hidden in training.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, 1 for those not named; names that `y` lacks are ignored. "balanced"
        gives all classes the same weight together. Of several labels, a weight is that of the
        texts that have the label.
    label_smoothing : float, default=0.0
        Share of each target, below 1, that is spread evenly over all classes.
    fit_towers : bool, default=False
        Whether pretrainers among the towers are trained first.
    freeze : {"none", "base", "towers"} or int, default="none"
        What stays as it is: nothing; the bases; or towers and bases, so that the head alone
        learns. A number is after how many epochs the towers thaw; the bases do one later.
    linear_probe : bool, default=False
        Whether the output layer begins as a logistic regression on the frozen features, which
        protects these from the first steps.
    noise : TypoNoise, default=None
        Corrupts the texts that the network sees, anew in each epoch.
    max_epochs : int, default=20
        Passes over the texts.
    batch_size : int, default=32
        Texts per step.
    lr : float, default=1e-3
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
        Share of the texts held out for `history_`: of each label alike, and of none all.
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
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; column numbers where a text may have several.
    multilabel_ : bool
        Whether a text may have several labels.
    towers_ : list of (str, Tower)
        The fine-tuned towers, new values that can be composed again; those given, where frozen.
    embedder_ : ComposedEmbedder
        The fine-tuned towers as features for any estimator, fitted; where `pooling` has
        "attention", that of `ComposedEmbedder`, which is not learned.
    head_weights_ : dict of str to ndarray
        Of what stands on the towers.
    history_ : list of dict
        For each epoch, losses and held-out accuracy.
    n_iter_ : int
        Epochs run.
    seed_ : int
        The seed drawn from `random_state`; `warm_start` and `partial_fit` go on with it.

    See Also
    --------
    ComposedEmbedder : The same towers as frozen features.
    ClassificationPretrainer : Trains a tower of its own.

    References
    ----------
    A. Kumar, A. Raghunathan, R. Jones, T. Ma, P. Liang (2022). Fine-Tuning can Distort Pretrained
    Features and Underperform Out-of-Distribution. ICLR.
    J. Howard, S. Ruder (2018). Universal Language Model Fine-tuning for Text Classification. ACL.

    Examples
    --------
    >>> from sklearn_cclm import CCLMModelBase, ComposedClassifier, MaskedCharacterPretrainer
    >>> texts, labels = ["good film", "bad film", "good book", "bad book"] * 10, [1, 0, 1, 0] * 10
    >>> base = CCLMModelBase(width=16, n_buckets=100)
    >>> chars = MaskedCharacterPretrainer(base, tower="pooled", max_epochs=1, random_state=0)
    >>> model = ComposedClassifier([("chars", chars.fit(texts).tower_)], random_state=0)
    >>> model.fit(texts, labels).predict(["good bok"])
    array([1])
    """

    def __init__(
        self,
        towers: Any = None,
        *,
        pooling: str = "native",
        combine: str = "concat",
        hidden: int = 0,
        dropout: float = 0.5,
        class_weight: Any = None,
        label_smoothing: float = 0.0,
        fit_towers: bool = False,
        freeze: str | int = "none",
        linear_probe: bool = False,
        noise: Any = None,
        max_epochs: int = 20,
        batch_size: int = 32,
        lr: float = 1e-3,
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
        self.pooling = pooling
        self.combine = combine
        self.hidden = hidden
        self.dropout = dropout
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
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

    def fit(
        self, X: Any, y: Any = None, *, sample_weight: Any = None, validation: Any = None
    ) -> Self:
        """Train on texts and their labels.

        Of a text longer than a base's `max_example_len`, each window has the text's label,
        and its part of the text's weight.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts; no stream.
        y : array-like or sparse matrix of shape (n,) or (n, n_classes)
            Labels of any type, or for each text and class, 1 if the text has that label, else 0.
        sample_weight : array-like of shape (n,), default=None
            Weights of the texts, relative to each other, in training and in what is held out.
            Those of weight 0 are left out.
        validation : (X, y), default=None
            What to measure the held-out loss on, instead of `validation_fraction` of `X`.

        Returns
        -------
        ComposedClassifier
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter, a tower, a text, a label or a weight is not allowed.
        FloatingPointError
            If the loss is no longer finite.
        """
        return self._fit(X, Given(y, sample_weight), validation=validation)

    def partial_fit(
        self, X: Any, y: Any = None, classes: Any = None, sample_weight: Any = None
    ) -> Self:
        """Go on training, with one pass over texts at a constant learning rate.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.
        y : array-like of shape (n,) or (n, n_classes)
            Labels, as for `fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come, column numbers where a text may have several; needed
            in the first call.
        sample_weight : array-like of shape (n,), default=None
            Weights of the texts, relative to each other.

        Returns
        -------
        ComposedClassifier
            The fitted estimator; `optimizer_state_` is kept for the next call.

        Raises
        ------
        ValueError, TypeError, FloatingPointError
            As for `fit`.
        """
        return self._partial_fit(X, some_labels(self, y, sample_weight, classes))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.
        y : array-like of shape (n,) or (n, n_classes)
            True labels.
        sample_weight : array-like of shape (n,), default=None
            Weights of the texts.

        Returns
        -------
        float
            Of several labels, a text counts if all are right.
        """
        return super().score(X, label_array(y), sample_weight)

    def _learned(self) -> dict[str, Any]:
        return {"classes": self.classes_.tolist(), "multilabel": self.multilabel_}

    def _take(self, learned: Any) -> None:
        self.classes_, self.multilabel_ = read_classes(learned)
