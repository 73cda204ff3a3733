"""Pretrain several tasks at once on one base."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any, Self

import numpy as np
from sklearn.base import clone

from sklearn_cclm._tools.named import NamedPartsMixin
from sklearn_cclm._tools.params import check_real
from sklearn_cclm._training.joint import JointReader, JointTask
from sklearn_cclm._training.trainer import Trainer
from sklearn_cclm.nn.task import MultiTaskModule
from sklearn_cclm.preprocessing import CharPreprocessor
from sklearn_cclm.pretraining._checks import (
    check_base,
    check_base_kept,
    check_init_from,
    check_sight_of_base,
    read_sources,
    take_from_shelf,
)
from sklearn_cclm.pretraining._pretrainer import BasePretrainer
from sklearn_cclm.values import Base, Tower


class MultiTaskPretrainer(NamedPartsMixin, Trainer):
    """Train one base with several towers jointly, a task each.

    Hidden and predicted: what each task says; the batches of the tasks alternate at random.
    Learned: a base that serves all tasks, and a tower for each of them.
    Relation: trained one after the other, the first task alone forms the base, and the later
    towers make do with it. There is no `partial_fit`: to go on, pass `towers_` as `init_from`.

    Parameters
    ----------
    tasks : list of (str, pretrainer)
        Named pretrainers, which are cloned. Their own parameters say what is hidden, the `tower`,
        `noise` and `batch_size`; those of the training are these here. They have no `base` and no
        `init_from`.
    base : Base, CCLMModelBase, name on the shelf or None, default=None
        A trained base, which stays as it is, or the recipe of one to train. None stands for the
        recipe of the first task.
    weights : mapping of str to float, default=None
        What each task's loss is multiplied by; 1 where nothing is said.
    init_from : list of (str, Tower or name on the shelf), or mapping of these, default=None
        Begin these tasks with the weights of these towers, such as `towers_` of an earlier fit,
        whose architectures count instead of the tasks' own, and with those of their common base,
        which is trained further unless `base` is that base.
    max_epochs : int, default=10
        Passes of every task over the texts.
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
        Seed of weights, order and masks.
    verbose : int, default=0
        With 1, a progress bar on a terminal, else a line per epoch.

    Attributes
    ----------
    base_ : Base
        The base: the one given, or the one trained here.
    towers_ : list of (str, Tower)
        The trained towers, all on `base_`.
    tasks_ : list of (str, pretrainer)
        The tasks as fitted here, with their own `tower_`.
    history_ : list of dict
        For each epoch, the loss, the weighted sum of the held-out losses, and each task's
        held-out loss and metric.
    n_iter_ : int
        Epochs run.

    References
    ----------
    R. Caruana (1997). Multitask Learning. Machine Learning 28.

    Examples
    --------
    >>> from sklearn_cclm import CCLMModelBase, ComposedEmbedder
    >>> from sklearn_cclm import MaskedCharacterPretrainer, MultiTaskPretrainer
    >>> base = CCLMModelBase(width=16, n_buckets=100)
    >>> tasks = [("gaps", MaskedCharacterPretrainer(tower="pooled", span_length=0)),
    ...          ("runs", MaskedCharacterPretrainer(tower="pooled", mask_rate=0))]
    >>> both = MultiTaskPretrainer(tasks, base, max_epochs=1, random_state=0)
    >>> both = both.fit(["some text", "more text"] * 10)
    >>> ComposedEmbedder(both.towers_).fit_transform(["some text"]).shape
    (1, 256)
    """

    _parts = "tasks"
    _result = "towers_"
    base_: Base
    tasks_: list[tuple[str, BasePretrainer]]
    towers_: list[tuple[str, Tower]]

    def __init__(
        self,
        tasks: Any,
        base: Any = None,
        *,
        weights: Any = None,
        init_from: Any = None,
        max_epochs: int = 10,
        lr: float = 2e-3,
        base_lr: float | None = None,
        optimizer: Any = "adamw",
        weight_decay: float = 0.01,
        warmup: float = 0.1,
        max_grad_norm: float = 1.0,
        validation_fraction: float = 0.1,
        early_stopping: bool = False,
        patience: int = 3,
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
        self.tasks = tasks
        self.base = base
        self.weights = weights
        self.init_from = init_from
        self.max_epochs = max_epochs
        self.lr = lr
        self.base_lr = base_lr
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.warmup = warmup
        self.max_grad_norm = max_grad_norm
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.patience = patience
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
        """Train a base and a tower for each task on texts.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts, or a stream of them, as for the tasks.
        y : object or mapping of str to object, default=None
            What the tasks are to learn of the texts, where they need it: a mapping by their
            names, or anything else for all of them.
        validation : iterable of str, or (X, y), default=None
            Texts to measure the held-out loss on, instead of `validation_fraction` of `X`.

        Returns
        -------
        MultiTaskPretrainer
            The fitted pretrainer.

        Raises
        ------
        ValueError, TypeError
            If a parameter or a text is not allowed, or a task has nothing to predict.
        FloatingPointError
            If the loss is no longer finite.
        """
        return self._fit(X, y, validation=validation)

    def score(self, X: Any, y: Any = None) -> float:
        """Return minus the weighted sum of the tasks' mean losses, corrupted with a fixed seed.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.
        y : object or mapping of str to object, default=None
            As for `fit`.

        Returns
        -------
        float
            Greater is better, as scikit-learn's model selection expects.
        """
        return -self._loss(X, y)

    def _task(self) -> JointTask:
        return JointTask(
            {name: p._task() for name, p in self._entries() if isinstance(p, BasePretrainer)}
        )

    def _known(self) -> JointTask:
        return JointTask({name: pretrainer._known() for name, pretrainer in self.tasks_})

    def _settled(self, *, more: bool) -> Self:
        settled = copy(self)
        take_from_shelf(settled)
        settled.init_from = read_sources(self.init_from, self._check_names())
        settled._check_params()
        tasks = [(name, clone(task).set_params(verbose=self.verbose)) for name, task in self.tasks]
        settled.tasks = [(name, task._settled(more=False)) for name, task in tasks]
        return settled

    def _check_params(self) -> None:
        super()._check_params()
        check_base(self.base)
        names = [name for name, _ in self.tasks]
        for name, task in self.tasks:
            _check_pretrainer(name, task)
        for tower in self.init_from.values():
            check_init_from(tower, self.base)
        if not isinstance(self.weights, Mapping | None):
            raise TypeError(f"weights={self.weights!r} must be a mapping of task names, or None.")
        for name, weight in (self.weights or {}).items():
            if name not in names:
                raise ValueError(f"weights names {name!r}, but the tasks are {names}.")
            check_real(f"weights[{name!r}]", weight, 0, np.inf, ends="neither")

    def _start(self, task: JointTask, texts: Any, y: Any) -> CharPreprocessor:
        _, first = self.tasks[0]
        sources = list(self.init_from.values())
        first.base = sources[0].base if sources else self.base
        self.base_, preprocessor = first._first_base(task.characters(texts, y), self.seed_)
        for name, pretrainer in self.tasks:
            check_sight_of_base(task.tasks[name].sees, self.base_)
            pretrainer.base, pretrainer.base_ = self.base, self.base_
            pretrainer.preprocessor_ = preprocessor
        self.tasks_ = self.tasks
        return preprocessor

    def _know(self, task: JointTask) -> None:
        for name, pretrainer in self.tasks_:
            pretrainer._know(task.tasks[name])

    def _reader(self, task: JointTask) -> JointReader:
        return JointReader({name: p._reader(task.tasks[name]) for name, p in self.tasks_})

    def _build(self, task: JointTask, clean: Any, *, more: bool) -> MultiTaskModule:
        modules = {}
        for name, pretrainer in self.tasks_:
            source = pretrainer.tower_ if more else self.init_from.get(name)
            modules[name] = pretrainer._network(task.tasks[name], source, more=more)
        base = next(iter(modules.values())).base
        return MultiTaskModule(base, modules, self._weights())

    def _keep(self, task: JointTask, module: MultiTaskModule, *, more: bool) -> None:
        check_base_kept(self.base, module)
        if not isinstance(self.base, Base):
            self.base_ = self.base_.with_module(module.base)
        self.tasks_ = [(name, copy(pretrainer)) for name, pretrainer in self.tasks_]
        for name, pretrainer in self.tasks_:
            pretrainer.base_, pretrainer.seed_ = self.base_, self.seed_
            pretrainer.history_, pretrainer.n_iter_ = self.history_, self.n_iter_
            source = self.init_from.get(name)
            pretrainer._keep_tower(task.tasks[name], module.tasks[name], source)
        self.towers_ = [(name, pretrainer.tower_) for name, pretrainer in self.tasks_]

    def _weights(self) -> dict[str, float]:
        return {name: (self.weights or {}).get(name, 1.0) for name, _ in self.tasks}


def _check_pretrainer(name: str, task: Any) -> None:
    if not isinstance(task, BasePretrainer):
        raise TypeError(f"Task {name!r} must be a pretrainer, got {task!r}.")
    if task.base is not None or task.init_from is not None:
        raise ValueError(
            f"Task {name!r} has a base or an init_from of its own; all tasks share the base of the "
            "MultiTaskPretrainer: pass it there."
        )
