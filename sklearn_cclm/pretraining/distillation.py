"""Pretrain by matching a teacher's vectors: a big model's meaning in a small tower."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from sklearn_cclm._targets.labels import Labels
from sklearn_cclm._text.streams import TextStream, chunked
from sklearn_cclm._tools.params import check_integer, check_real
from sklearn_cclm._training.cut import Cut
from sklearn_cclm._training.task import Task
from sklearn_cclm._training.views import View
from sklearn_cclm.architectures._registry import name_of
from sklearn_cclm.nn.heads import VectorHead
from sklearn_cclm.nn.task import Head
from sklearn_cclm.noise import TypoNoise
from sklearn_cclm.pretraining._pretrainer import BasePretrainer
from sklearn_cclm.pretraining._teachers import check_teacher, teach, unit


class DistillationPretrainer(BasePretrainer):
    """Match, from a noisy text, what a teacher says of the clean one.

    Hidden: nothing but what the noise spoils.
    Predicted: the direction of the teacher's vector of the clean text, and if asked for how
    similar the texts of a batch are to each other.
    Learned: the teacher's meaning, on the kind of text at hand, from n-grams that survive typos.
    Relation: the other tasks learn from the text alone; this one borrows from a model that has
    read far more, and leaves one that is a hundred times faster.

    Parameters
    ----------
    base : Base, CCLMModelBase, name on the shelf or None, default=None
        A trained base, which stays as it is, or the recipe of one to train. None stands for
        ``CCLMModelBase()``.
    tower : str or config value, default="pooled"
        Architecture of the tower. "pooled" stands for a perceptron with 512 hidden units that is
        as wide as the teacher's vectors; other towers, and values such as
        ``PooledConfig(width=64)``, get a projection to that width, part of their native pooling.
    teacher : callable, transformer, Tower, name on the shelf or None, default=None
        What makes the vectors to match: a callable of a list of texts, such as a sentence
        transformer's ``encode``; a fitted transformer, best as a ``FrozenEstimator``; or a
        `Tower`. It is asked about each text once in `fit`, 1,024 at a time; of a stream
        once in each epoch and a first time about its beginning. None takes the vectors from `y`.
    relational : float, default=0.0
        Weight of the squared error of the batch's cosine similarities, beside the cosine distance.
    matryoshka : sequence of int, default=()
        Lengths at which the first dimensions are to be good alone. The vectors to match are then
        the teacher's in the basis of its principal axes, `rotation_`, which keeps all angles.
    noise : TypoNoise, "auto" or None, default="auto"
        Corrupts the texts that the network sees, anew in each epoch. "auto" stands for slips of
        the keyboard at a rate drawn for each text, ``TypoNoise(rate=(-0.1, 0.3))``.
    init_from : Tower or name on the shelf, default=None
        Begin with the weights of this tower, whose architecture counts instead of `tower`, and of
        its base, which is trained further unless `base` is that base.
    max_epochs : int, default=100
        Passes over the texts: about two minutes for 10,000 short ones. Of more texts fewer passes
        are enough.
    batch_size : int, default=500
        Texts per step.
    lr : float, default=5e-3
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
        Whether to stop when the held-out cosine no longer rises, and return the best weights.
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
        The trained tower; its native vectors are as long as the teacher's.
    preprocessor_ : CharPreprocessor
        The fitted preprocessor that the base reads text with.
    teacher_width_ : int
        Length of the teacher's vectors.
    rotation_ : float32 array of shape (d, d), or None
        With `matryoshka`, what turns the teacher's vectors, of length d, into those that are
        matched.
    head_weights_ : dict of str to ndarray
        Empty: there is nothing on top of the tower.
    history_ : list of dict
        For each epoch, the loss, and held-out loss and cosine.
    n_iter_ : int
        Epochs run.
    seed_ : int
        The seed drawn from `random_state`; `warm_start` and `partial_fit` go on with it.

    References
    ----------
    N. Reimers, I. Gurevych (2020). Making Monolingual Sentence Embeddings Multilingual using
    Knowledge Distillation. EMNLP.
    W. Park, D. Kim, Y. Lu, M. Cho (2019). Relational Knowledge Distillation. CVPR.
    A. Kusupati et al. (2022). Matryoshka Representation Learning. NeurIPS.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import HashingVectorizer
    >>> from sklearn_cclm import CCLMModelBase, DistillationPretrainer
    >>> teacher = HashingVectorizer(n_features=16)
    >>> base = CCLMModelBase(width=16, n_buckets=100)
    >>> pretrainer = DistillationPretrainer(base, teacher=teacher, max_epochs=1, random_state=0)
    >>> pretrainer.fit(["some text", "more text"] * 10).tower_.native_width
    16
    """

    def __init__(
        self,
        base: Any = None,
        *,
        tower: Any = "pooled",
        teacher: Any = None,
        relational: float = 0.0,
        matryoshka: Any = (),
        noise: Any = "auto",
        init_from: Any = None,
        max_epochs: int = 100,
        batch_size: int = 500,
        lr: float = 5e-3,
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
        self.teacher = teacher
        self.relational = relational
        self.matryoshka = matryoshka
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
        """Train a tower on texts and the teacher's vectors of them.

        A text longer than the base's `max_example_len` is read in consecutive windows, each of
        which is to match the vector of the text, and has its part of the text's weight.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts, clean; or a stream of them, as for the other tasks, if there is a `teacher`.
        y : array-like of shape (n, d), default=None
            The vectors to match, if `teacher` is None; else ignored. An array, sparse matrix,
            tensor or frame, or a column of vectors. Texts whose vector is zero are left out.
        validation : iterable of str, or (X, y), default=None
            Texts to measure the held-out loss on, instead of `validation_fraction` of `X`.

        Returns
        -------
        DistillationPretrainer
            The fitted pretrainer.

        Raises
        ------
        ValueError, TypeError
            If a parameter, a text or a vector is not allowed.
        FloatingPointError
            If the loss is no longer finite.
        """
        return super().fit(X, y, validation=validation)

    def _task(self) -> Distillation:
        return Distillation(self.teacher, self.relational, self.matryoshka, self.verbose)

    def _settled(self, *, more: bool) -> Self:
        known = copy(self)
        known.teacher = None if self.teacher is None else check_teacher(self.teacher)
        return super(DistillationPretrainer, known)._settled(more=more)

    def _tower_config(self, task: Distillation) -> Any:
        config = super()._tower_config(task)
        name_of("tower", config)
        width = task.teacher_width or 0
        if self.tower == "pooled":
            return replace(config, width=width or config.width, hidden=512)
        if width in (0, config.width):
            return config
        return replace(config, native_width=width)


@dataclass(frozen=True)
class Distillation(Task):
    """Match a teacher's vectors of the clean texts."""

    name = "distillation"
    learned = ("teacher_width", "rotation")
    of_texts = True
    auto_noise = TypoNoise(rate=(-0.1, 0.3))

    teacher: Any
    relational: float
    matryoshka: Sequence[int]
    verbose: int = field(default=0, repr=False, compare=False)
    teacher_width: int | None = field(default=None, repr=False, compare=False)
    rotation: Any = field(default=None, repr=False, compare=False)

    def check(self, noise: Any) -> None:
        check_real("relational", self.relational, 0, np.inf)
        if not isinstance(self.matryoshka, list | tuple):
            raise TypeError(f"matryoshka={self.matryoshka!r} must be a sequence of integers.")
        for width in self.matryoshka:
            check_integer("each of matryoshka", width, 1)
        if self.teacher is not None:
            check_teacher(self.teacher)

    def read(self, X: Any, y: Any, **how: Any) -> tuple[Any, Any]:
        texts, _ = super().read(X, None, **how)
        stream = isinstance(texts, TextStream)
        if self.teacher is not None:
            return texts, None if stream else self._teach(texts, self.verbose)
        if y is None or stream:
            raise ValueError(
                "teacher=None takes the vectors to match from y, of shape (n, d), one for each "
                f"text of a list; got {'a stream of texts' if stream else 'y=None'}. Pass them, "
                "or a teacher."
            )
        return texts, unit(y, len(texts), "y")

    def targets(self, y: Any) -> np.ndarray | None:
        return None if self.teacher is not None else y

    def _teach(self, texts: Sequence[str], verbose: int = 0) -> np.ndarray:
        """Return the teacher's vectors, of unit length."""
        return teach(check_teacher(self.teacher), texts, verbose=verbose)

    def learn(self, texts: Any, y: Any, preprocessor: Any) -> Self:
        vectors = self._teach(next(chunked(texts)), self.verbose) if y is None else y
        if not vectors.any():
            raise ValueError("All vectors to match are zero: pass those of a model of such texts.")
        width = vectors.shape[1]
        if any(short >= width for short in self.matryoshka):
            raise ValueError(
                f"matryoshka={self.matryoshka!r} must be less than {width}, the length of the "
                "teacher's vectors."
            )
        rotation = None
        if self.matryoshka:
            rotation = np.linalg.eigh(vectors.T @ vectors)[1][:, ::-1].copy()
        return replace(self, teacher_width=width, rotation=rotation)

    def examples(self, cut: Cut, y: Any) -> Labels:
        weights = cut.shared(np.ones(len(cut.texts)))
        if not cut.texts:
            return Labels(np.empty((0, self.teacher_width or 0), dtype=np.float32), weights)
        vectors = (self._teach(cut.texts) if y is None else y)[cut.owners]
        if bool(self.matryoshka) != (self.rotation is not None):
            raise ValueError("matryoshka cannot be changed while a training goes on.")
        if vectors.shape[1] != self.teacher_width:
            raise ValueError(
                f"The vectors to match have length {vectors.shape[1]}, the tower was trained on "
                f"{self.teacher_width}."
            )
        return Labels(vectors if self.rotation is None else vectors @ self.rotation, weights)

    def batch(
        self, view: View, example: Labels, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        # a zero vector has no direction
        filled = view.clean.any(axis=1) & example.values.any(axis=1)
        return view.ids[filled], example.values[filled], {"weights": example.weights[filled]}

    def head(self, width: int, n_chars: int) -> Head:
        if width != self.teacher_width:
            raise ValueError(
                f"init_from is a tower with native vectors of length {width}, the teacher's have "
                f"{self.teacher_width}."
            )
        return VectorHead((*self.matryoshka, width), relational=self.relational)
