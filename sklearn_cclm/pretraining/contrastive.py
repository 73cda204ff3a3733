"""Pretrain by telling texts apart: two views of one belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.utils import check_consistent_length
from torch import Tensor, nn

from sklearn_cclm._targets.labels import Labels
from sklearn_cclm._text.read import check_texts
from sklearn_cclm._text.streams import TextStream
from sklearn_cclm._tools.params import check_bool, check_real
from sklearn_cclm._training.batches import Batch
from sklearn_cclm._training.cut import Cut
from sklearn_cclm._training.task import Task
from sklearn_cclm._training.views import View
from sklearn_cclm.nn.embedding import Encoding
from sklearn_cclm.nn.task import Head
from sklearn_cclm.noise import TypoNoise
from sklearn_cclm.pretraining._pretrainer import BasePretrainer


class ContrastivePretrainer(BasePretrainer):
    """Tell which two noisy views are of one text.

    Hidden: which of the views in a batch belong together; each has typos of its own.
    Predicted: for each view the other one of its text, or with `pairs` the text that means the
    same, among all views of the batch, by cosine similarity (InfoNCE).
    Learned: vectors of texts that differ between texts and resist typos; with `pairs`, meaning.
    Relation: works on one vector per text, as `DistillationPretrainer` and
    `ClassificationPretrainer` do, but needs neither a teacher nor classes.

    Parameters
    ----------
    base : Base, CCLMModelBase, name on the shelf or None, default=None
        A trained base, which stays as it is, or the recipe of one to train. None stands for
        ``CCLMModelBase()``.
    tower : str or config value, default="pooled"
        Architecture of the tower, "strided" or "pooled", or a value such as
        ``PooledConfig(width=64)``.
    temperature : float, default=0.05
        Cosines are divided by it: the smaller, the more the nearest wrong views count.
    hardness : float, default=0.5
        How much more than the others the wrong views count that are near already: each is weighted
        in proportion to ``exp(hardness * cosine / temperature)``; 0 weighs all alike.
    pairs : bool, default=False
        Whether `y` holds, for each text of X, one that means the same, such as the paraphrase of a
        question or the title of a query, to be the second view. Of one that is too long the
        beginning is read.
    noise : TypoNoise, "auto" or None, default="auto"
        Corrupts each view by itself, anew in each epoch. "auto" stands for typing errors of seven
        kinds at a rate drawn for each view, ``ContrastivePretrainer.auto_noise``. None leaves the
        texts clean, which takes `pairs`.
    init_from : Tower or name on the shelf, default=None
        Begin with the weights of this tower, whose architecture counts instead of `tower`, and of
        its base, which is trained further unless `base` is that base.
    max_epochs : int, default=10
        Passes over the texts.
    batch_size : int, default=256
        Texts per step, and so the number of views to tell apart, which is twice that.
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
        The trained tower.
    preprocessor_ : CharPreprocessor
        The fitted preprocessor that the base reads text with.
    head_weights_ : dict of str to ndarray
        Empty: there is nothing on top of the tower.
    history_ : list of dict
        For each epoch, losses and held-out accuracy: the share of views whose nearest view is
        their own. Chance is 1 of ``2 * batch_size - 1``, or of those of the texts held out.
    n_iter_ : int
        Epochs run.
    seed_ : int
        The seed drawn from `random_state`; `warm_start` and `partial_fit` go on with it.

    Notes
    -----
    Texts that occur twice in a batch, with all that are paired with them, are not held against
    each other. Held-out losses and `score` know no `hardness`, but depend on `batch_size` and
    `temperature`.

    References
    ----------
    A. van den Oord, Y. Li, O. Vinyals (2018). Representation Learning with Contrastive Predictive
    Coding. arXiv:1807.03748.
    T. Gao, X. Yao, D. Chen (2021). SimCSE. EMNLP.
    J. Robinson, C.-Y. Chuang, S. Sra, S. Jegelka (2021). Contrastive Learning with Hard Negative
    Samples. ICLR.

    Examples
    --------
    >>> from sklearn_cclm import CCLMModelBase, ContrastivePretrainer
    >>> base = CCLMModelBase(width=16, n_buckets=100)
    >>> pretrainer = ContrastivePretrainer(base, max_epochs=1, random_state=0)
    >>> pretrainer.fit(["where is my card", "please cancel my order"] * 10).tower_.task
    'contrastive'
    """

    def __init__(
        self,
        base: Any = None,
        *,
        tower: Any = "pooled",
        temperature: float = 0.05,
        hardness: float = 0.5,
        pairs: bool = False,
        noise: Any = "auto",
        init_from: Any = None,
        max_epochs: int = 10,
        batch_size: int = 256,
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
        self.temperature = temperature
        self.hardness = hardness
        self.pairs = pairs
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

    def _task(self) -> Contrast:
        return Contrast(self.temperature, self.hardness, self.pairs)


@dataclass(frozen=True)
class Contrast(Task):
    """Tell which two noisy views are of one text, or of two that mean the same."""

    name = "contrastive"
    of_texts = True
    auto_noise = TypoNoise(
        ("slip", "swap", "drop", "insert", "repeat", "space", "case"), rate=(0.0, 0.5)
    )

    temperature: float
    hardness: float
    pairs: bool

    def check(self, noise: Any) -> None:
        check_real("temperature", self.temperature, 0, np.inf, ends="neither")
        check_real("hardness", self.hardness, 0, np.inf)
        check_bool("pairs", self.pairs)
        if noise is None and not self.pairs:
            raise ValueError(
                "noise=None makes both views of a text the same. Leave noise='auto', pass a "
                "TypoNoise, or pairs=True with a second text for each as y."
            )

    def read(self, X: Any, y: Any, *, missing: str, column: Any) -> tuple[Any, Any]:
        texts, _ = super().read(X, None, missing=missing, column=column)
        stream = isinstance(texts, TextStream)
        if not stream and len(set(texts)) < 2:
            raise ValueError(
                f"There is one text alone, in {len(texts)} sample(s), and none to tell it from: "
                "at least two that differ are needed."
            )
        if not self.pairs:
            return texts, None
        if y is None or stream:
            raise ValueError(
                "pairs=True takes from y, for each text of a list, one that means the same; got "
                f"{'a stream of texts' if stream else 'y=None'}."
            )
        others = check_texts(y, missing=missing)
        check_consistent_length(texts, others)
        return texts, others

    def characters(self, texts: Any, y: Any) -> Any:
        return texts if y is None else texts + y

    def examples(self, cut: Cut, y: Any) -> Labels | None:
        if y is None:
            return None
        size = cut.preprocessor.max_example_len - cut.preprocessor.add_cls
        others = [text[:size] for text in cut.preprocessor.normalize(y)]
        weights = cut.shared(np.ones(len(others)))
        return Labels(np.array(others, dtype=object)[cut.owners], weights)

    def shown(self, pieces: list[str], example: Labels | None) -> list[str]:
        return pieces + (pieces if example is None else example.values.tolist())

    def batch(
        self, view: View, example: Labels | None, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        others = np.roll(np.arange(len(view.ids)), len(view.ids) // 2)
        out = never_wrong(view.clean)
        rows = np.flatnonzero(~out.all(axis=1))
        out[np.arange(len(out)), others] = False
        extra = {"rows": rows, "out": out[rows]}
        if example is not None:
            extra["weights"] = np.tile(example.weights, 2)[rows]
        return view.ids, others[rows], extra

    def head(self, width: int, n_chars: int) -> Head:
        return ContrastHead(temperature=self.temperature, hardness=self.hardness)


def never_wrong(clean: np.ndarray) -> np.ndarray:
    """Return, for each view, which views cannot be held against it.

    Parameters
    ----------
    clean : int array of shape (2 * n, length)
        Codes of the first views of n texts, then of their second ones, before noise.

    Returns
    -------
    bool ndarray of shape (2 * n, 2 * n)
        Whether one of either's two texts is one of the other's.
    """
    n = len(clean) // 2
    numbers: dict[bytes, int] = {}
    kinds = np.array([numbers.setdefault(row.tobytes(), len(numbers)) for row in clean])
    same = (kinds[:, None] == kinds).reshape(2, n, 2, n).any(axis=(0, 2))
    return np.tile(same, (2, 2))


class ContrastHead(Head):
    """Softmax over the other views of a batch, by cosine similarity of native vectors."""

    def __init__(self, *, temperature: float, hardness: float) -> None:
        super().__init__()
        self.temperature = temperature
        self.hardness = hardness

    def forward(self, tower: nn.Module, encoding: Encoding, batch: Batch) -> Tensor:
        logits = self._logits(tower, encoding, batch)
        if self.hardness:
            logits = weigh_hard(logits, batch.targets, self.hardness)
        losses = F.cross_entropy(logits, batch.targets, reduction="none")
        return (losses * batch.extra.get("weights", 1.0)).mean()

    def evaluate(self, tower: nn.Module, encoding: Encoding, batch: Batch) -> tuple[Tensor, Tensor]:
        logits = self._logits(tower, encoding, batch)
        loss = F.cross_entropy(logits, batch.targets, reduction="none")
        return loss, logits.argmax(1) == batch.targets

    def _logits(self, tower: Any, encoding: Encoding, batch: Batch) -> Tensor:
        vectors = F.normalize(tower.native(encoding), dim=1)
        cosines = vectors[batch.extra["rows"]] @ vectors.T
        return (cosines / self.temperature).masked_fill(batch.extra["out"], -torch.inf)


def weigh_hard(logits: Tensor, targets: Tensor, hardness: float) -> Tensor:
    """Return logits with weights on the wrong classes, larger for the likelier ones.

    Parameters
    ----------
    logits : float Tensor of shape (n, k)
        -inf where a class takes no part; one wrong class of each row does.
    targets : int64 Tensor of shape (n,)
        The right classes.
    hardness : float
        The weights are in proportion to ``exp(hardness * logits)``, with mean 1.

    Returns
    -------
    float Tensor of shape (n, k)
        The logits plus the logarithms of the weights.
    """
    right = F.one_hot(targets, logits.shape[1]).bool()
    steep = hardness * logits.masked_fill(right, -torch.inf)
    n_wrong = torch.isfinite(steep).sum(1, keepdim=True)
    log_weights = steep - steep.logsumexp(1, keepdim=True) + n_wrong.log()
    return torch.where(right, logits, logits + log_weights)
