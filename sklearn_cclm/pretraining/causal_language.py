"""Pretrain by predicting the next characters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sklearn_cclm._text.codes import CLS, PAD
from sklearn_cclm._tools.params import check_integer, check_option
from sklearn_cclm._training.batches import Batch
from sklearn_cclm._training.task import Task
from sklearn_cclm._training.views import View
from sklearn_cclm.nn import ConvConfig
from sklearn_cclm.nn.embedding import Encoding
from sklearn_cclm.nn.task import Head
from sklearn_cclm.pretraining._pretrainer import BasePretrainer


class CausalLanguagePretrainer(BasePretrainer):
    """Predict the next characters.

    Hidden: all that follows a character; "backward", all that stands before it.
    Predicted: at each character the next `n_predict` ones; the first of a text only where the
    base's preprocessor has ``add_cls=True``. With `noise`, the clean ones.
    Learned: how words and sentences go on; each character is a prediction, so texts are used well.
    Relation: `MaskedCharacterPretrainer` sees both sides and predicts few places. A forward and a
    backward tower composed see both sides as well, as in contextual string embeddings.

    Parameters
    ----------
    base : Base, CCLMModelBase, name on the shelf or None, default=None
        A trained base, which stays as it is, or the recipe of one to train. None stands for
        ``CCLMModelBase()``. Its ``n_blocks`` must be 0, since blocks look both ways.
    tower : str or config value, default="conv"
        Architecture of the tower, "conv" or, forward, "pooled", or a value such as
        ``ConvConfig(width=64, direction="forward")``.
    n_predict : int, default=1
        Characters to predict at each place; more ask for more than the current word.
    direction : {"forward", "backward"}, default="forward"
        Whether to predict what follows or what stands before; sets that of ``tower="conv"``.
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
    A. Akbik, D. Blythe, R. Vollgraf (2018). Contextual String Embeddings for Sequence Labeling.
    COLING.
    W. Qi et al. (2020). ProphetNet. Findings of EMNLP.

    Examples
    --------
    >>> from sklearn_cclm import CausalLanguagePretrainer, CCLMModelBase, ConvConfig
    >>> base = CCLMModelBase(width=16, n_buckets=100)
    >>> tower = ConvConfig(width=16, n_layers=2, direction="backward")
    >>> pretrainer = CausalLanguagePretrainer(
    ...     base, tower=tower, direction="backward", max_epochs=1, random_state=0
    ... )
    >>> pretrainer.fit(["some text", "more text"] * 10).tower_.task
    'causal_language'
    """

    def __init__(
        self,
        base: Any = None,
        *,
        tower: Any = "conv",
        n_predict: int = 1,
        direction: str = "forward",
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
        self.n_predict = n_predict
        self.direction = direction
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

    def _task(self) -> NextCharacters:
        return NextCharacters(self.n_predict, self.direction)

    def _tower_config(self, task: NextCharacters) -> Any:
        if self.tower != "conv":
            return super()._tower_config(task)
        return ConvConfig(direction=self.direction)


@dataclass(frozen=True)
class NextCharacters(Task):
    """Predict the characters that follow each place, or come before it."""

    name = "causal_language"

    n_predict: int
    sees: str

    def check(self, noise: Any) -> None:
        check_integer("n_predict", self.n_predict, 1)
        check_option("direction", self.sees, ("forward", "backward"))
        kinds = getattr(noise, "kinds", ())
        if "typos" in ([kinds] if isinstance(kinds, str) else kinds):
            raise ValueError(
                'noise of kind "typos" replaces whole words and so shows what is to be predicted: '
                "pass other kinds."
            )

    def batch(
        self, view: View, example: None, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        n, length = self.n_predict, view.clean.shape[1]
        around = np.pad(np.where(view.clean == CLS, PAD, view.clean), ((0, 0), (n, n)))
        ahead = np.arange(1, n + 1)
        sign = 1 if self.sees == "forward" else -1
        steps = (sign * ahead).tolist()
        targets = [view.of_origin(around[:, n + k : n + k + length]) for k in steps]
        hidden = [self._hidden(view, k) for k in steps]
        wanted = np.where(hidden, targets, PAD)  # (steps, B, L), 0 where nothing is asked for
        wanted = np.moveaxis(wanted, 0, -1).ravel()
        predictions = np.flatnonzero(wanted)
        places, step = np.divmod(predictions, n)
        return view.ids, wanted[predictions], {"places": places, "steps": step}

    def _hidden(self, view: View, k: int) -> np.ndarray:
        """Whether each place has yet to see the character `k` places from its origin.

        Noise that moves characters shows some before their turn, and one that merges two shows
        both at once.
        """
        rows, places = np.nonzero(view.origin >= 0)
        shown = np.zeros((len(view.clean), view.clean.shape[1] + 2 * abs(k)), dtype=bool)
        shown[rows, view.origin[rows, places] + abs(k)] = True
        columns = np.maximum(view.origin, 0) + k
        later = shown[np.arange(len(shown))[:, None], columns + abs(k)]
        if k > 0:
            return later & (columns > np.maximum.accumulate(view.origin, axis=1))
        behind = np.where(view.origin >= 0, view.origin, view.clean.shape[1])
        return later & (columns < np.minimum.accumulate(behind[:, ::-1], axis=1)[:, ::-1])

    def head(self, width: int, n_chars: int) -> Head:
        return NextCharactersHead(width, n_chars, n_predict=self.n_predict)


class NextCharactersHead(Head):
    """Softmax over characters at each place, one for each step ahead."""

    def __init__(self, width: int, n_chars: int, *, n_predict: int) -> None:
        super().__init__()
        self.n_chars = n_chars
        self.output = nn.Linear(width, n_predict * n_chars)

    def forward(self, tower: nn.Module, encoding: Encoding, batch: Batch) -> Tensor:
        return F.cross_entropy(self._logits(tower, encoding, batch), batch.targets)

    def evaluate(self, tower: nn.Module, encoding: Encoding, batch: Batch) -> tuple[Tensor, Tensor]:
        logits = self._logits(tower, encoding, batch)
        loss = F.cross_entropy(logits, batch.targets, reduction="none")
        return loss, logits.argmax(1) == batch.targets

    def _logits(self, tower: nn.Module, encoding: Encoding, batch: Batch) -> Tensor:
        places, steps = batch.extra["places"], batch.extra["steps"]
        logits = self.output(tower(encoding).flatten(0, 1)[places])
        rows = torch.arange(len(places), device=places.device)
        return logits.view(len(places), -1, self.n_chars)[rows, steps]
