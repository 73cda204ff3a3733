"""Pretrain by predicting masked tokens: masked language modelling from characters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.base import clone
from torch import Tensor, nn

from sklearn_cclm._targets.token_spans import TokenSpans
from sklearn_cclm._text.codes import MASK
from sklearn_cclm._text.streams import chunked
from sklearn_cclm._tools.params import check_integer, check_option, check_real
from sklearn_cclm._training.batches import Batch
from sklearn_cclm._training.cut import Cut
from sklearn_cclm._training.task import Task
from sklearn_cclm._training.views import View
from sklearn_cclm.models._base import CCLMModelBase
from sklearn_cclm.nn import StridedConfig
from sklearn_cclm.nn.embedding import Encoding
from sklearn_cclm.nn.losses import negative_sampling_loss, sampled_softmax_loss, softmax_loss
from sklearn_cclm.nn.task import Head
from sklearn_cclm.preprocessing import MLMPreprocessor
from sklearn_cclm.pretraining._pretrainer import BasePretrainer
from sklearn_cclm.values._base import READING

LOSSES = ("sampled_softmax", "negative_sampling", "softmax")


class MaskedLanguagePretrainer(BasePretrainer):
    """Predict the tokens whose characters were masked.

    Hidden: all characters of some tokens of a byte-pair encoding.
    Predicted: which token each was, from the mean of the tower's vectors over its characters,
    beside the native vector of the text.
    Learned: what a word means where it stands, in vectors that still read single characters.
    Relation: as BERT's task, but the input stays characters, as in CANINE; the first thing to
    pretrain. `MaskedCharacterPretrainer` predicts characters instead.

    Parameters
    ----------
    base : Base, CCLMModelBase, name on the shelf or None, default=None
        A trained base, which stays as it is, or the recipe of one to train. None stands for
        ``CCLMModelBase(preprocessor)``.
    tower : str or config value, default="strided"
        Architecture of the tower, "strided" or "pooled", or a value such as
        ``StridedConfig(width=64)``.
    downsample_factor : int, default=16
        Characters per position of the "strided" tower's transformer; must be
        ``stride ** n_strided_convs``. Used with ``tower="strided"`` alone, as are the next two.
    n_strided_convs : int, default=4
        Number of its strided convolutions.
    stride : int, default=2
        Their stride.
    preprocessor : MLMPreprocessor, default=None
        Defines the tokens to predict; cloned and fitted. None takes the base recipe's, if that is
        an `MLMPreprocessor`, else ``MLMPreprocessor()``. Beside a `base`, the base decides how
        text is read (`max_example_len`, `normalization`, `add_cls`).
    loss : {"sampled_softmax", "negative_sampling", "softmax"}, default="sampled_softmax"
        Training loss over the tokens. Held-out losses are always the full softmax's.
    num_negatives : int, default=100
        Tokens drawn per step for the first two losses.
    mask_rate : float, default=0.15
        Probability with which each token is hidden; at least one token of a text is.
    min_mask_len : int, default=3
        Tokens of fewer characters are never hidden.
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
    preprocessor_ : MLMPreprocessor
        The fitted preprocessor, whose tokens are predicted.
    token_ranks_ : int64 array of shape (n_tokens,)
        Class of each token id: tokens of sufficient length by descending frequency, -1 for others.
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
    J. Clark, D. Garrette, I. Turc, J. Wieting (2022). CANINE. Transactions of the ACL 10.

    Examples
    --------
    >>> from sklearn_cclm import CCLMModelBase, MaskedLanguagePretrainer, MLMPreprocessor
    >>> base = CCLMModelBase(MLMPreprocessor(vocab_size=50), width=16, n_buckets=100)
    >>> mlm = MaskedLanguagePretrainer(base, tower="pooled", max_epochs=1, random_state=0)
    >>> mlm.fit(["some text", "more text"] * 10).tower_.task
    'masked_language'
    """

    def __init__(
        self,
        base: Any = None,
        *,
        tower: Any = "strided",
        downsample_factor: int = 16,
        n_strided_convs: int = 4,
        stride: int = 2,
        preprocessor: Any = None,
        loss: str = "sampled_softmax",
        num_negatives: int = 100,
        mask_rate: float = 0.15,
        min_mask_len: int = 3,
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
        self.downsample_factor = downsample_factor
        self.n_strided_convs = n_strided_convs
        self.stride = stride
        self.preprocessor = preprocessor
        self.loss = loss
        self.num_negatives = num_negatives
        self.mask_rate = mask_rate
        self.min_mask_len = min_mask_len
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

    def _task(self) -> MaskedTokens:
        return MaskedTokens(
            self.preprocessor, self.loss, self.num_negatives, self.mask_rate, self.min_mask_len
        )

    def _check_params(self) -> None:
        super()._check_params()
        for name in ("downsample_factor", "n_strided_convs", "stride"):
            check_integer(name, getattr(self, name), 1)

    def _tower_config(self, task: MaskedTokens) -> Any:
        if self.tower != "strided":
            return super()._tower_config(task)
        return StridedConfig(
            downsample_factor=self.downsample_factor,
            n_strided_convs=self.n_strided_convs,
            stride=self.stride,
        )

    def _recipe(self) -> CCLMModelBase:
        if self.base is not None:
            return self.base
        return CCLMModelBase(MLMPreprocessor() if self.preprocessor is None else self.preprocessor)


@dataclass(frozen=True)
class MaskedTokens(Task):
    """Predict the tokens that were masked; the preprocessor knows them once it is fitted."""

    name = "masked_language"
    learned = ("preprocessor", "token_ranks")

    preprocessor: Any
    loss: str
    num_negatives: int
    mask_rate: float
    min_mask_len: int
    token_ranks: Any = field(default=None, repr=False, compare=False)

    def check(self, noise: Any) -> None:
        check_option("loss", self.loss, LOSSES)
        for name in ("num_negatives", "min_mask_len"):
            check_integer(name, getattr(self, name), 1)
        check_real("mask_rate", self.mask_rate, 0, 1, ends="both")
        if not (self.preprocessor is None or isinstance(self.preprocessor, MLMPreprocessor)):
            raise TypeError(
                "preprocessor must be an MLMPreprocessor or None, got "
                f"{type(self.preprocessor).__name__}."
            )

    def learn(self, texts: Iterable[str], y: Any, preprocessor: Any) -> Self:
        preprocessor = self._tokens(texts, preprocessor)
        counts = np.zeros(preprocessor.n_tokens_, dtype=np.int64)
        for chunk in chunked(texts):
            normalized = preprocessor.normalize(chunk, whole=True)
            token_ids, starts, ends, _ = preprocessor.tokenize(normalized)
            token_ids = token_ids[ends - starts >= self.min_mask_len]
            counts += np.bincount(token_ids, minlength=len(counts))
        order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
        if not len(order):
            raise ValueError(
                f"No token has min_mask_len={self.min_mask_len} characters, so nothing can be "
                "masked. Pass longer texts or lower min_mask_len."
            )
        ranks = np.full(len(counts), -1)
        ranks[order] = np.arange(len(order))
        return replace(self, preprocessor=preprocessor, token_ranks=ranks)

    def _tokens(self, texts: Iterable[str], preprocessor: Any) -> MLMPreprocessor:
        """Return a fitted preprocessor with the wanted tokens, which reads as the given one."""
        recipe = MLMPreprocessor() if self.preprocessor is None else clone(self.preprocessor)
        if isinstance(preprocessor, MLMPreprocessor):
            same = preprocessor.get_params() == recipe.get_params()
            if self.preprocessor is None or same:
                return preprocessor
        reading = {name: getattr(preprocessor, name) for name in READING}
        return recipe.set_params(**reading).fit(texts)

    def examples(self, cut: Cut, y: Any) -> TokenSpans:
        token_ids, starts, ends, counts = self.preprocessor.tokenize(cut.pieces)
        classes = self.token_ranks[token_ids]
        keep = (classes >= 0) & (ends - starts >= self.min_mask_len)
        rows = np.repeat(np.arange(len(cut.pieces)), counts)[keep]
        first = np.searchsorted(rows, np.arange(len(cut.pieces) + 1))
        return TokenSpans(first, starts[keep], ends[keep], classes[keep])

    def batch(
        self, view: View, example: TokenSpans, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        rows = np.repeat(np.arange(len(view.ids)), np.diff(example.first))
        draws = rng.random(len(rows))
        lowest = np.full(len(view.ids), np.inf)
        np.minimum.at(lowest, rows, draws)
        chosen = (draws < self.mask_rate) | (draws == lowest[rows])
        spans = np.zeros_like(view.clean)
        rows, columns, numbers = example.places(rows, chosen)
        spans[rows, columns] = numbers + 1
        spans = view.of_origin(spans)
        positions = np.flatnonzero(spans)
        positions = positions[np.argsort(spans.ravel()[positions], kind="stable")]
        left, offsets = np.unique(spans.ravel()[positions], return_index=True)
        where = {"positions": positions, "offsets": offsets}
        return np.where(spans > 0, MASK, view.ids), example.classes[chosen][left - 1], where

    def head(self, width: int, n_chars: int) -> Head:
        n_classes = int(self.token_ranks.max()) + 1
        return TokenHead(width, n_classes, loss=self.loss, num_negatives=self.num_negatives)


class TokenHead(Head):
    """Softmax over tokens from each masked span's mean vector beside its text's native vector.

    The native vector is what `ComposedEmbedder` returns; here it learns to tell what a text is
    about, and a tower that sees no further than its base can be trained at all.
    """

    def __init__(self, width: int, n_tokens: int, *, loss: str, num_negatives: int) -> None:
        super().__init__()
        self.loss = loss
        self.num_negatives = min(num_negatives, n_tokens)
        self.project = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), nn.LayerNorm(width))
        self.output = nn.Linear(width, n_tokens)

    def forward(self, tower: nn.Module, encoding: Encoding, batch: Batch) -> Tensor:
        spans = self._spans(tower, encoding, batch)
        weight, bias = self.output.weight, self.output.bias
        if self.loss == "softmax":
            return softmax_loss(spans, batch.targets, weight, bias)
        losses = {
            "sampled_softmax": sampled_softmax_loss,
            "negative_sampling": negative_sampling_loss,
        }
        generator = torch.Generator().manual_seed(batch.seed)
        return losses[self.loss](
            spans, batch.targets, weight, bias,
            n_negatives=self.num_negatives, generator=generator,
        )  # fmt: skip

    def evaluate(self, tower: nn.Module, encoding: Encoding, batch: Batch) -> tuple[Tensor, Tensor]:
        logits = self.output(self._spans(tower, encoding, batch))
        loss = F.cross_entropy(logits, batch.targets, reduction="none")
        return loss, logits.argmax(1) == batch.targets

    def _spans(self, tower: Any, encoding: Encoding, batch: Batch) -> Tensor:
        """Mean over each span's characters beside its text's native vector, (n, width)."""
        features = tower(encoding)  # (B, L, width)
        positions, offsets = batch.extra["positions"], batch.extra["offsets"]
        mean = F.embedding_bag(positions, features.flatten(0, 1), offsets, mode="mean")
        rows = positions[offsets] // features.shape[1]
        return self.project(torch.cat([mean, tower.pool(encoding, features)[rows]], dim=1))
