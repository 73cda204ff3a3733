"""Pretrain on a task of one's own, as a value."""

from __future__ import annotations

from typing import Any

from sklearn_cclm.pretraining._pretrainer import BasePretrainer


class TaskPretrainer(BasePretrainer):
    """Learn what a task of yours says, without an estimator of its own.

    Hidden and predicted: what the `Task` says.
    Learned: what it takes to do so.
    Relation: each of the other pretrainers names the settings of one task as its parameters, and
    so can be searched over; this one takes any task whole.

    Parameters
    ----------
    task : Task
        What is to be learnt: an object of a subclass of yours, which is never changed.
    base : Base, CCLMModelBase, name on the shelf or None, default=None
        A trained base, which stays as it is, or the recipe of one to train. None stands for
        ``CCLMModelBase()``.
    tower : str or config value, default="pooled"
        Architecture of the tower, "strided" or "pooled", or a value such as
        ``StridedConfig(width=64)``.
    noise : TypoNoise, "auto" or None, default=None
        Corrupts the texts that the network sees, anew in each epoch; "auto" stands for the task's
        `auto_noise`, if it has one.
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
        Seed of weights, order and what the task draws.
    verbose : int, default=0
        With 1, a progress bar on a terminal, else a line per epoch.

    Attributes
    ----------
    base_ : Base
        The base: the one given, or the one trained here.
    tower_ : Tower
        The trained tower.
    preprocessor_ : CharPreprocessor
        The fitted preprocessor that the base reads text with.
    head_weights_ : dict of str to ndarray
        The output layer, which `score` needs.
    history_ : list of dict
        For each epoch, losses and held-out accuracy.
    n_iter_ : int
        Epochs run. What the task names in `learned` is here too, with an underscore behind it.
    seed_ : int
        The seed drawn from `random_state`; `warm_start` and `partial_fit` go on with it.

    Examples
    --------
    >>> from sklearn_cclm import CCLMModelBase, TaskPretrainer
    >>> from sklearn_cclm.pretraining.masked_character import MaskedCharacters
    >>> task = MaskedCharacters(mask_rate=0.2, span_length=0)
    >>> base = CCLMModelBase(width=16, n_buckets=100)
    >>> pretrainer = TaskPretrainer(task, base, max_epochs=1, random_state=0)
    >>> pretrainer.fit(["some text", "more text"] * 10).tower_.task
    'masked_character'
    """

    def __init__(
        self,
        task: Any,
        base: Any = None,
        *,
        tower: Any = "pooled",
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
        self.task = task
        self.base = base
        self.tower = tower
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

    def _task(self) -> Any:
        return self.task
