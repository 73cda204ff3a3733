"""Pretrain by predicting labels: a supervised tower."""

from __future__ import annotations

from typing import Any, Self

from sklearn_cclm._targets.labels import Given
from sklearn_cclm._training.label_task import some_labels
from sklearn_cclm._training.text_classifier import TextClassifier
from sklearn_cclm.pretraining._pretrainer import BasePretrainer


class ClassificationPretrainer(TextClassifier, BasePretrainer):
    """Predict the labels of texts.

    Hidden: the label of each text, or which of several labels it has.
    Predicted: the label, by a softmax over the classes, or each label by a sigmoid of its own.
    Learned: what in a text decides its label; other labels of such texts profit from it.
    Relation: the only task that needs labels, and the one to take where many texts have some.
    `ContrastivePretrainer` learns from pairs, `DistillationPretrainer` from a teacher.

    What it trains is a tower, for a `ComposedEmbedder`; it predicts as well, by the output layer
    that the training leaves, and is a classifier to scikit-learn.

    Parameters
    ----------
    base : Base, CCLMModelBase, name on the shelf or None, default=None
        A trained base, which stays as it is, or the recipe of one to train. None stands for
        ``CCLMModelBase()``.
    tower : str or config value, default="pooled"
        Architecture of the tower, "strided" or "pooled", or a value such as
        ``PooledConfig(width=64)``.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, 1 for those not named; names that `y` lacks are ignored. "balanced"
        gives all classes the same weight together. Of several labels, a weight is that of the
        texts that have the label; "balanced" gives those with and those without it the same weight
        together.
    label_smoothing : float, default=0.0
        Share of each target, below 1, that is spread evenly over all classes, or over having and
        not having a label.
    noise : TypoNoise, default=None
        Corrupts the texts that the network sees, anew in each epoch.
    init_from : Tower or name on the shelf, default=None
        Begin with the weights of this tower, whose architecture counts instead of `tower`, and of
        its base, which is trained further unless `base` is that base.
    max_epochs : int, default=10
        Passes over the texts.
    batch_size : int, default=128
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
        Share of the texts held out for `history_`: of each label alike, and of none all.
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
        The trained tower.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; column numbers where a text may have several.
    multilabel_ : bool
        Whether a text may have several labels.
    preprocessor_ : CharPreprocessor
        The fitted preprocessor that the base reads text with.
    head_weights_ : dict of str to ndarray
        The output layer, which predictions and `score` need.
    history_ : list of dict
        For each epoch, losses and held-out accuracy; of several labels, all must be right.
    n_iter_ : int
        Epochs run.
    seed_ : int
        The seed drawn from `random_state`; `warm_start` and `partial_fit` go on with it.

    Notes
    -----
    Held-out losses are the cross-entropy without smoothing, weighed as in training, of several
    labels the mean over the labels. `score` is minus that without `class_weight`; for a measure of
    predictions pass one, such as ``scoring="accuracy"``, to a search.

    References
    ----------
    A. Joulin, E. Grave, P. Bojanowski, T. Mikolov (2017). Bag of Tricks for Efficient Text
    Classification. EACL.
    C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna (2016). Rethinking the Inception
    Architecture for Computer Vision. CVPR.

    Examples
    --------
    >>> from sklearn_cclm import CCLMModelBase, ClassificationPretrainer
    >>> base = CCLMModelBase(width=16, n_buckets=100)
    >>> pretrainer = ClassificationPretrainer(base, max_epochs=1, random_state=0)
    >>> pretrainer.fit(["good film", "bad film"] * 10, ["+", "-"] * 10).classes_
    array(['+', '-'], dtype='<U1')
    """

    def __init__(
        self,
        base: Any = None,
        *,
        tower: Any = "pooled",
        class_weight: Any = None,
        label_smoothing: float = 0.0,
        noise: Any = None,
        init_from: Any = None,
        max_epochs: int = 10,
        batch_size: int = 128,
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
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
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

    def fit(
        self, X: Any, y: Any = None, *, sample_weight: Any = None, validation: Any = None
    ) -> Self:
        """Train a tower on texts and their labels.

        Of a text longer than the base's `max_example_len`, each window has the text's label,
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
            Texts and labels to measure the held-out loss on, instead of `validation_fraction` of
            `X`.

        Returns
        -------
        ClassificationPretrainer
            The fitted pretrainer.

        Raises
        ------
        ValueError, TypeError
            If a parameter, a text, a label or a weight is not allowed.
        FloatingPointError
            If the loss is no longer finite.
        """
        return super().fit(X, Given(y, sample_weight), validation=validation)

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
        ClassificationPretrainer
            The fitted pretrainer; `optimizer_state_` is kept for the next call.

        Raises
        ------
        ValueError, TypeError
            As for `fit`.
        FloatingPointError
            If the loss is no longer finite.
        """
        return super().partial_fit(X, some_labels(self, y, sample_weight, classes))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the mean cross-entropy on texts, corrupted with a fixed seed.

        It knows no `class_weight` and no smoothing, so that searches may vary them. For the share
        of right labels pass ``scoring="accuracy"`` to a search.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.
        y : array-like of shape (n,) or (n, n_classes)
            True labels, as for `fit`.
        sample_weight : array-like of shape (n,), default=None
            Weights of the texts.

        Returns
        -------
        float
            Greater is better, 0 at best.
        """
        return -self._loss(X, Given(y, sample_weight))
