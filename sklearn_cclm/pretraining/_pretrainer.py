"""`BasePretrainer`: the one `fit` of all pretraining tasks, and the hooks that a task fills."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._batches import Batch, Batches
from sklearn_cclm._device import resolve_device
from sklearn_cclm._params import check_integer, check_real
from sklearn_cclm._seeds import draw_seed, isolated_seed
from sklearn_cclm._tags import TextTagsMixin
from sklearn_cclm._texts import check_texts
from sklearn_cclm._training import Schedule, train
from sklearn_cclm._windows import windows
from sklearn_cclm.models._base import CCLMModelBase
from sklearn_cclm.models._values import Base, Tower
from sklearn_cclm.nn import _registry
from sklearn_cclm.nn.task import Head, TaskModule


class BasePretrainer(TextTagsMixin, BaseEstimator, ABC):
    """Train a tower, and the first time its base, on one task.

    A task is a subclass with an explicit ``__init__`` that fills two hooks: `_make_batch`
    (what is hidden and what is to be predicted) and `_make_head` (the loss). It may fill
    `_learn` and `_examples` (what it needs to know of the texts) and `_check_task`.

    See Also
    --------
    MaskedLanguagePretrainer : Predict masked tokens.
    MaskedCharacterPretrainer : Predict masked characters.
    """

    task: str
    base: Any
    tower: Any
    missing: str
    column: Any

    def fit(self, X: Any, y: Any = None) -> Self:
        """Train a tower on texts.

        A text longer than the base's `max_example_len` is read in consecutive windows.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.
        y : None
            Ignored.

        Returns
        -------
        BasePretrainer
            The fitted pretrainer, with `base_`, `tower_`, `history_` and `n_iter_`.

        Raises
        ------
        ValueError, TypeError
            If a parameter or a text is not allowed, or there is nothing to predict.
        FloatingPointError
            If the loss is no longer finite.
        """
        self._check_params()
        texts = check_texts(X, missing=self.missing, column=self.column, min_texts=1)
        fitted = copy(self)  # so that a fit that fails leaves this estimator as it was
        fitted._fit(texts, y)
        self.__dict__.update({k: v for k, v in vars(fitted).items() if k.endswith("_")})
        return self

    def score(self, X: Any, y: Any = None) -> float:
        """Return minus the mean loss on texts, corrupted with a fixed seed.

        Scores compare only between pretrainers that predict the same things: a parameter that
        changes the number of classes, such as `vocab_size`, changes what the loss means.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.
        y : None
            Ignored.

        Returns
        -------
        float
            Greater is better, as scikit-learn's model selection expects.
        """
        check_is_fitted(self)
        texts = check_texts(X, missing=self.missing, column=self.column, min_texts=1)
        pieces, _, examples = self._read(texts, y)
        batches = self._batches(pieces, examples, np.arange(len(pieces)), seed=0, fixed=True)
        device = resolve_device(self.device)
        return -self._task_module().to(device).evaluate(batches, device)["loss"]

    @abstractmethod
    def _make_batch(
        self, ids: np.ndarray, example: Any, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Hide something: return the codes the network sees, the targets, and extras.

        Parameters
        ----------
        ids : int64 array of shape (B, L)
            Codes of the batch's texts, padded with 0; may be overwritten.
        example : object
            ``self._examples(texts)`` indexed by the batch's rows, or None.
        rng : numpy.random.Generator
            The only source of randomness.
        """

    @abstractmethod
    def _make_head(self, width: int, n_chars: int) -> Head:
        """Return the head for a tower of this width and this many character codes."""

    def _learn(self, texts: list[str], y: Any) -> None:
        """Learn what the task itself needs, before training; sets fitted attributes."""

    def _examples(self, texts: list[str], y: Any, owners: np.ndarray) -> Any:
        """Return what goes with each text, indexable by an array of rows; or None.

        `owners` tells of each text, or window of a text, to which row of y it belongs.
        """

    def _check_task(self) -> None:
        """Raise ValueError for a parameter of the task that is not allowed."""

    def _tower_config(self) -> Any:
        """Return the tower's config value."""
        if isinstance(self.tower, str):
            return _registry.config_class("tower", self.tower)()
        return self.tower

    def _fit(self, texts: list[str], y: Any) -> None:
        """Train on a copy of the estimator, whose fitted attributes `fit` then takes."""
        seed = draw_seed(self.random_state)
        start = self._start(texts, seed)
        self.base_ = start
        self._learn(texts, y)
        pieces, owners, examples = self._read(texts, y)
        rows, others = self._split(owners, seed)
        held_out = self._batches(pieces, examples, others, seed=seed, fixed=True)
        if self.early_stopping and held_out.is_empty():
            raise ValueError(
                f"early_stopping=True needs held-out texts with something to predict, and "
                f"validation_fraction={self.validation_fraction} of {len(texts)} texts leaves "
                "none. Raise validation_fraction, pass more texts, or set early_stopping=False."
            )
        config = self._tower_config()
        name = _registry.name_of("tower", config)
        plain = _registry.to_dict(config)

        def build() -> TaskModule:
            tower = _registry.build("tower", name, plain, base_width=start.width)
            head = self._make_head(config.width, self._n_chars)
            return TaskModule(start.build(), tower, head, train_base=start is not self.base)

        module, self.history_ = train(
            build,
            self._batches(pieces, examples, rows, seed=seed),
            None if held_out.is_empty() else held_out,
            self._schedule(),
            seed=seed,
        )
        self.n_iter_ = len(self.history_)
        if start is not self.base:
            self.base_ = start.with_module(module.base)
        self.tower_ = Tower.from_module(
            module.tower, base=self.base_, architecture=name, config=plain, task=self.task
        )
        state = module.head.state_dict()
        self.head_weights_ = {k: v.detach().numpy().copy() for k, v in state.items()}

    def _task_module(self) -> TaskModule:
        """Return the network as it was trained."""
        with isolated_seed(0):
            head = self._make_head(self.tower_.width, self._n_chars)
        head.load_state_dict({k: torch.from_numpy(v) for k, v in self.head_weights_.items()})
        return TaskModule(self.base_.build(), self.tower_.build(), head, train_base=False)

    def _start(self, texts: list[str], seed: int) -> Base:
        """Return the base to begin with: the given one, or an untrained one of the recipe."""
        if isinstance(self.base, Base):
            self.preprocessor_ = self.base.preprocessor()
            return self.base
        recipe = clone(self._recipe())
        if recipe.random_state is None:
            recipe.set_params(random_state=seed)
        self.preprocessor_ = recipe.fit(texts).preprocessor_
        return recipe.base_

    def _recipe(self) -> CCLMModelBase:
        """Return the recipe of the base, where `base` is not a trained `Base`."""
        return CCLMModelBase() if self.base is None else self.base

    @property
    def _n_chars(self) -> int:
        return self.base_.preprocessor().n_chars_

    def _read(self, texts: list[str], y: Any) -> tuple[list[str], np.ndarray, Any]:
        """Return the windows of the texts, normalised, whose they are, and what goes with each."""
        preprocessor = self.base_.preprocessor()
        size = preprocessor.max_example_len - preprocessor.add_cls
        pieces, owners = windows(preprocessor.normalize(texts, whole=True), size)
        return pieces, owners, self._examples(pieces, y, owners)

    def _split(self, owners: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the windows to train on and those held out: of other texts."""
        n = owners[-1] + 1
        order = np.random.default_rng([seed, 0, 1]).permutation(n)
        held_out = np.isin(owners, order[: int(self.validation_fraction * n)])
        return np.flatnonzero(~held_out), np.flatnonzero(held_out)

    def _batches(
        self, pieces: list[str], examples: Any, rows: np.ndarray, *, seed: int, fixed: bool = False
    ) -> Batches:
        """Return the batches of these rows."""
        preprocessor = self.base_.preprocessor()

        def make_batch(chosen: np.ndarray, rng: np.random.Generator) -> Batch:
            ids = preprocessor.encode([pieces[row] for row in chosen])
            example = None if examples is None else examples[chosen]
            return Batch.from_numpy(*self._make_batch(ids, example, rng), rng=rng)

        lengths = np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces))
        return Batches(
            rows, lengths, make_batch, batch_size=self.batch_size, seed=seed, fixed=fixed
        )

    def _schedule(self) -> Schedule:
        return Schedule(
            max_epochs=self.max_epochs,
            lr=self.lr,
            optimizer=self.optimizer,
            weight_decay=self.weight_decay,
            warmup=self.warmup,
            max_grad_norm=self.max_grad_norm,
            early_stopping=self.early_stopping,
            patience=self.patience,
            callbacks=self.callbacks,
            device=self.device,
            verbose=self.verbose,
        )

    def _check_params(self) -> None:
        """Raise ValueError or TypeError for a parameter that is not allowed."""
        self._schedule()  # checks the training parameters
        check_integer("batch_size", self.batch_size, 1)
        check_real("validation_fraction", self.validation_fraction, 0, 1)
        if not (self.base is None or isinstance(self.base, Base | CCLMModelBase)):
            raise TypeError(
                f"base must be a Base, a CCLMModelBase or None, got "
                f"{type(self.base).__name__}. Of a fitted pretrainer pass its base_."
            )
        _registry.name_of("tower", self._tower_config())
        self._check_task()
