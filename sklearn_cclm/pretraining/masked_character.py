"""Pretrain by predicting masked characters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch.nn.functional as F
from torch import Tensor, nn

from sklearn_cclm._text.codes import MASK
from sklearn_cclm._tools.params import check_integer, check_real
from sklearn_cclm._training.batches import Batch
from sklearn_cclm._training.task import Task
from sklearn_cclm._training.views import View
from sklearn_cclm.nn.embedding import Encoding
from sklearn_cclm.nn.task import Head
from sklearn_cclm.noise import mask_characters, mask_span
from sklearn_cclm.pretraining._pretrainer import BasePretrainer


class MaskedCharacterPretrainer(BasePretrainer):
    """Predict the characters that were masked.

    Hidden: each character with a small probability, and one run of consecutive characters.
    Predicted: the original character at each hidden place, and only there.
    Learned: spelling and word forms; the run asks for more of the context than single gaps do.
    With `noise`, the clean character is predicted at each changed place as well: denoising.
    Relation: `MaskedLanguagePretrainer` hides whole tokens and predicts words, so it learns more
    of meaning; this task needs no tokenizer and suits codes, names and mixed languages.

    Parameters
    ----------
    base : Base, CCLMModelBase, name on the shelf or None, default=None
        A trained base, which stays as it is, or the recipe of one to train. None stands for
        ``CCLMModelBase()``.
    tower : str or config value, default="strided"
        Architecture of the tower, "strided" or "pooled", or a value such as
        ``StridedConfig(width=64)``.
    mask_rate : float, default=0.15
        Probability with which each character is hidden.
    span_length : int, default=8
        Length, in characters, of the run that is hidden in each text; 0 for none.
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
        Seed of weights, order and masks.
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
        Epochs run.
    seed_ : int
        The seed drawn from `random_state`; `warm_start` and `partial_fit` go on with it.

    References
    ----------
    J. Devlin, M.-W. Chang, K. Lee, K. Toutanova (2019). BERT. NAACL.
    M. Joshi et al. (2020). SpanBERT. Transactions of the ACL 8.

    Examples
    --------
    >>> from sklearn_cclm import CCLMModelBase, MaskedCharacterPretrainer
    >>> base = CCLMModelBase(width=16, n_buckets=100)
    >>> pretrainer = MaskedCharacterPretrainer(base, tower="pooled", max_epochs=1, random_state=0)
    >>> pretrainer.fit(["some text", "more text"] * 10).tower_.task
    'masked_character'
    """

    def __init__(
        self,
        base: Any = None,
        *,
        tower: Any = "strided",
        mask_rate: float = 0.15,
        span_length: int = 8,
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
        self.mask_rate = mask_rate
        self.span_length = span_length
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

    def _task(self) -> MaskedCharacters:
        return MaskedCharacters(self.mask_rate, self.span_length)


@dataclass(frozen=True)
class MaskedCharacters(Task):
    """Predict the characters that were masked, and those that noise changed."""

    name = "masked_character"

    mask_rate: float
    span_length: int

    def check(self, noise: Any) -> None:
        check_real("mask_rate", self.mask_rate, 0, 1, ends="both")
        check_integer("span_length", self.span_length, 0)
        if not self.mask_rate and not self.span_length:
            raise ValueError("mask_rate=0 and span_length=0 hide nothing; raise one of them.")

    def batch(
        self, view: View, example: None, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        hidden = mask_characters(view.ids, self.mask_rate, rng)
        hidden |= mask_span(view.ids, self.span_length, rng)
        clean = view.of_origin(view.clean)
        predicted = hidden
        if view.is_noisy:  # some unchanged ones too, lest the rest be taken for wrong
            kept = mask_characters(view.ids, self.mask_rate, rng)
            predicted = hidden | (view.ids != clean) | kept
        positions = np.flatnonzero(predicted)
        ids = np.where(hidden, MASK, view.ids)
        return ids, clean.ravel()[positions], {"positions": positions}

    def head(self, width: int, n_chars: int) -> Head:
        return CharacterHead(width, n_chars)


class CharacterHead(Head):
    """Softmax over characters at the masked positions."""

    def __init__(self, width: int, n_chars: int) -> None:
        super().__init__()
        self.output = nn.Linear(width, n_chars)

    def forward(self, tower: nn.Module, encoding: Encoding, batch: Batch) -> Tensor:
        return F.cross_entropy(self._logits(tower, encoding, batch), batch.targets)

    def evaluate(self, tower: nn.Module, encoding: Encoding, batch: Batch) -> tuple[Tensor, Tensor]:
        logits = self._logits(tower, encoding, batch)
        loss = F.cross_entropy(logits, batch.targets, reduction="none")
        return loss, logits.argmax(1) == batch.targets

    def _logits(self, tower: nn.Module, encoding: Encoding, batch: Batch) -> Tensor:
        features = tower(encoding).flatten(0, 1)[batch.extra["positions"]]
        return self.output(features)
