"""Pretrain by matching vectors: a big model's meaning, or that of one's own text, in a tower."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any, Self

import numpy as np

from sklearn_cclm._tools.params import check_real
from sklearn_cclm._tools.progress import is_shown
from sklearn_cclm._training.schedule import Schedule
from sklearn_cclm.architectures._registry import name_of
from sklearn_cclm.models._named_towers import PUBLISHED
from sklearn_cclm.pretraining._distillation import Distillation
from sklearn_cclm.pretraining._gain import neighbours_kept, show_gain
from sklearn_cclm.pretraining._pretrainer import BasePretrainer
from sklearn_cclm.pretraining._teachers import check_teacher
from sklearn_cclm.shelf import ShelfError
from sklearn_cclm.shelf._names import resolve

_STEPS = 1800  # that a training makes if there is time: 100 passes over 10,000 texts
_PASSES = 500  # at most: few texts are learned by then


class DistillationPretrainer(BasePretrainer):
    """Match, from a noisy text, what a teacher says of the clean one; or adapt to one's own text.

    Hidden: nothing but what the noise spoils.
    Predicted: the direction of the teacher's vector of the clean text, and if asked for how
    similar the texts of a batch are to each other.
    Learned: the teacher's meaning, on the kind of text at hand, from n-grams that survive typos.
    Relation: the other tasks learn from the text alone; this one borrows from a model that has
    read far more, and leaves one that is a hundred times faster.

    With neither `teacher` nor `y`, ``fit(texts)`` adapts to the texts: what it matches are the
    vectors of the published tower beside a latent semantic analysis of the texts.

    Parameters
    ----------
    base : Base, CCLMModelBase, name on the shelf or None, default=None
        A trained base, which stays as it is, or the recipe of one to train. None stands for
        ``CCLMModelBase()``.
    tower : str or config value, default="pooled"
        Architecture of the tower. "pooled" stands for a linear map to vectors as long as
        the teacher's; other towers, and values such as ``PooledConfig(width=64)``, get a
        projection to that length, part of their native pooling.
    teacher : callable, transformer, Tower, name on the shelf or None, default=None
        What makes the vectors to match: a callable of a list of texts, such as a sentence
        transformer's ``encode``; a fitted transformer, best as a ``FrozenEstimator``; or a
        `Tower`. It is asked about each text once in `fit`, 1,024 at a time; of a stream
        once in each epoch and a first time about its beginning. None takes the vectors from `y`,
        and without `y` is the published tower.
    lexical : bool or "auto", default="auto"
        Whether a latent semantic analysis of the texts, 256 numbers each, stands beside the
        vectors to match, each of the two of norm 1. "auto" stands for True where there is neither
        `teacher` nor `y`.
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
    max_epochs : int or "auto", default="auto"
        Passes over the texts. "auto" stands for as many as the number of texts asks for, 100 of
        10,000 and more of fewer, and `max_minutes` allow, which depends on the machine. To repeat
        a training exactly, pass what `max_epochs_` says.
    max_minutes : float, default=2.0
        About how long the passes may take with ``max_epochs="auto"``; one is always made. What a
        teacher takes to answer is not counted, but of a stream.
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
        With 1, a progress bar on a terminal, else a line per epoch; and what was gained.

    Attributes
    ----------
    base_ : Base
        The base: the one given, or the one trained here.
    tower_ : Tower
        The trained tower; its native vectors are as long as those to match.
    preprocessor_ : CharPreprocessor
        The fitted preprocessor that the base reads text with.
    teacher_width_ : int
        Length of the vectors to match.
    analysis_ : Analysis or None
        The latent semantic analysis of the texts.
    rotation_ : float32 array of shape (d, d), or None
        With `matryoshka`, what turns the teacher's vectors, of length d, into those that are
        matched.
    head_weights_ : dict of str to ndarray
        Empty: there is nothing on top of the tower.
    history_ : list of dict
        For each epoch, the loss, and held-out loss and cosine.
    gain_ : dict of float to (float, float)
        What `fit` gained: of the ten held-out texts nearest to one of them, the share that remain
        so when 0.1, or 0.2, of its letters are slips of the keyboard, before and after. Before
        is of `init_from`, or of the published tower. Empty where nothing
        was held out, or the shelf has no such tower.
    max_epochs_ : int
        The passes that `fit` chose, or was told, to make.
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

    To one's own text, without a teacher:

    >>> adapted = DistillationPretrainer(base, max_epochs=1, random_state=0)
    >>> adapted.fit(["some text", "more text"] * 10).analysis_ is None
    False
    """

    def __init__(
        self,
        base: Any = None,
        *,
        tower: Any = "pooled",
        teacher: Any = None,
        lexical: Any = "auto",
        relational: float = 0.0,
        matryoshka: Any = (),
        noise: Any = "auto",
        init_from: Any = None,
        max_epochs: Any = "auto",
        max_minutes: float = 2.0,
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
        self.lexical = lexical
        self.relational = relational
        self.matryoshka = matryoshka
        self.noise = noise
        self.init_from = init_from
        self.max_epochs = max_epochs
        self.max_minutes = max_minutes
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
        """Train a tower on texts and the vectors to match.

        A text longer than the base's `max_example_len` is read in consecutive windows, each of
        which is to match the vector of the text, and has its part of the text's weight.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts, clean; or a stream of them, as for the other tasks, if there is no `y`.
        y : array-like of shape (n, d), default=None
            The vectors to match, if `teacher` is None; else ignored. An array, sparse matrix,
            tensor or frame, or a column of vectors. Texts whose vector is zero are left out.
            None adapts to the texts.
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
        return Distillation(
            self.teacher, self.relational, self.matryoshka, self.lexical, self.verbose
        )

    def _settled(self, *, more: bool) -> Self:
        known = copy(self)
        known.teacher = None if self.teacher is None else check_teacher(self.teacher)
        return super(DistillationPretrainer, known)._settled(more=more)

    def _check_params(self) -> None:
        known = copy(self)
        if isinstance(self.max_epochs, str):
            if self.max_epochs != "auto":
                raise ValueError(
                    f'max_epochs={self.max_epochs!r} must be "auto" or an integer of at least 1.'
                )
            known.max_epochs = 1
        check_real("max_minutes", self.max_minutes, 0, np.inf, ends="neither")
        super(DistillationPretrainer, known)._check_params()

    def _schedule(self, batches: Any, checkpoint: Any, pace: Any) -> Schedule:
        begun = checkpoint.state if checkpoint else None
        self.max_epochs_ = begun["max_epochs"] if begun else self.max_epochs
        if self.max_epochs_ == "auto":
            wanted = min(_PASSES, -(-_STEPS // len(batches)))
            allowed = 60 * self.max_minutes / pace(Schedule.of(self, max_epochs=1))
            self.max_epochs_ = max(1, min(wanted, int(allowed)))
        return Schedule.of(self, max_epochs=self.max_epochs_)

    def _look_back(self, held_out: Any) -> None:
        self.gain_, texts = {}, held_out.given()[0] if held_out else []
        try:
            before = self.init_from or resolve(PUBLISHED[0][1], "tower")
        except ShelfError:  # a shelf of one's own has other names
            return
        both = [neighbours_kept(tower, texts) for tower in (before, self.tower_)]
        self.gain_ = {rate: (both[0][rate], both[1][rate]) for rate in both[0]}
        if is_shown(self.verbose):
            show_gain(self.gain_)

    def _tower_config(self, task: Distillation) -> Any:
        config = super()._tower_config(task)
        name_of("tower", config)
        width = task.teacher_width or 0
        if self.tower == "pooled":
            return replace(config, width=width or config.width, hidden=0)
        if width in (0, config.width):
            return config
        return replace(config, native_width=width)
