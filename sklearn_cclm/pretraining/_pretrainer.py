"""`BasePretrainer`: the one `fit` of all pretraining tasks, and the hooks that a task fills."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._batches import Batches
from sklearn_cclm._checkpoint import Checkpoint
from sklearn_cclm._device import resolve_device
from sklearn_cclm._schedule import Schedule
from sklearn_cclm._seeds import draw_seed, isolated_seed
from sklearn_cclm._streams import read_texts
from sklearn_cclm._tags import TextTagsMixin
from sklearn_cclm._training import train
from sklearn_cclm.models._base import CCLMModelBase
from sklearn_cclm.models._values import Base, Tower
from sklearn_cclm.nn import _registry
from sklearn_cclm.nn.task import Head, TaskModule
from sklearn_cclm.noise import TypoNoise
from sklearn_cclm.pretraining._checks import check_common, take_from_shelf
from sklearn_cclm.pretraining._corpus import Reader, as_pair, split, training_digest
from sklearn_cclm.pretraining._views import View

_ONE_PASS: dict[str, Any] = {"max_epochs": 1, "constant": True, "early_stopping": False}


class BasePretrainer(TextTagsMixin, BaseEstimator, ABC):
    """Train a tower, and the first time its base, on one task.

    A task is a subclass with an explicit ``__init__`` that fills two hooks: `_make_batch`
    (what is hidden and what is to be predicted) and `_make_head` (the loss). It may fill
    `_learn` and `_examples` (what it needs to know of the texts) and `_check_task`.

    See Also
    --------
    CausalLanguagePretrainer : Predict the next characters.
    ClassificationPretrainer : Predict the labels of texts.
    ContrastivePretrainer : Tell which two noisy views are of one text.
    DistillationPretrainer : Match the vectors of a big model.
    EntityPretrainer : Tell names apart.
    MaskedLanguagePretrainer : Predict masked tokens.
    MaskedCharacterPretrainer : Predict masked characters.
    MultiTaskPretrainer : Several tasks on one base.
    """

    task: str
    of_texts = False  # whether the head reads native vectors, of texts, or those of characters
    auto_noise: TypoNoise | None = None  # what noise="auto" stands for
    base: Any
    tower: Any
    missing: str
    column: Any
    base_: Base
    tower_: Tower
    history_: list[dict[str, Any]]
    seed_: int

    def fit(self, X: Any, y: Any = None, *, validation: Any = None) -> Self:
        """Train a tower on texts.

        A text longer than the base's `max_example_len` is read in consecutive windows.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts. A path-like of text files, maybe a pattern, or an iterable without a length
            that can be iterated over again, such as `TextFiles` or a Hugging Face IterableDataset,
            is read anew in each epoch, one text a line, and never held in memory.
        y : object, default=None
            What the task is to learn beside the texts, such as labels; most tasks ignore it.
        validation : iterable of str, or (X, y), default=None
            Texts to measure the held-out loss on, instead of `validation_fraction` of `X`.

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
        more = self.warm_start and hasattr(self, "tower_")
        return self._run(X, y, validation=validation, more=more)

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Go on training, with one pass over texts at a constant learning rate.

        The first call learns the characters, and whatever else the task needs to know, from its
        own texts. Nothing is held out, and there are no checkpoints.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.
        y : object, default=None
            What the task is to learn beside the texts, such as labels; most tasks ignore it.

        Returns
        -------
        BasePretrainer
            The fitted pretrainer; `optimizer_state_` is kept for the next call.

        Raises
        ------
        ValueError, TypeError
            As for `fit`.
        FloatingPointError
            If the loss is no longer finite.
        """
        return self._run(X, y, more=hasattr(self, "tower_"), once=True)

    def score(self, X: Any, y: Any = None) -> float:
        """Return minus the mean loss on texts, corrupted with a fixed seed.

        Scores compare only between pretrainers that predict the same things: a parameter that
        changes the number of classes, such as `vocab_size`, changes what the loss means.

        Parameters
        ----------
        X : iterable of str of shape (n,)
            Texts.
        y : object, default=None
            What the task is to learn beside the texts, such as labels; most tasks ignore it.

        Returns
        -------
        float
            Greater is better, as scikit-learn's model selection expects.
        """
        check_is_fitted(self)
        chunk, _ = self._reader().read(*self._check_inputs(X, y))
        batches = Batches.of(chunk, batch_size=self.batch_size, seed=0, fixed=True)
        device = resolve_device(self.device)
        return -self._task_module().to(device).evaluate(batches, device)["loss"]

    @abstractmethod
    def _make_batch(
        self, view: View, example: Any, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Hide something: return the codes the network sees, the targets, and extras.

        Parameters
        ----------
        view : View
            The batch's texts as codes, `view.ids`, and where `noise` took each of them from.
        example : object
            ``self._examples(texts)`` indexed by the batch's rows, or None.
        rng : numpy.random.Generator
            The only source of randomness.
        """

    @abstractmethod
    def _make_head(self, width: int, n_chars: int) -> Head:
        """Return the head for a tower of this width and this many character codes."""

    def _check_inputs(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Return checked texts, a list or a `TextStream`, and what is to be learnt of them."""
        return read_texts(X, missing=self.missing, column=self.column), None

    def _all_texts(self, texts: Any, y: Any) -> Any:
        """Return the texts to learn characters from."""
        return texts

    def _learn(self, texts: Iterable[str], y: Any) -> None:
        """Learn what the task itself needs, before training; sets fitted attributes."""

    def _targets(self, texts: list[str], y: Any) -> Any:
        """Return what is to be learnt of whole texts, where y, as of a stream, does not say."""
        return y

    def _examples(self, texts: list[str], y: Any, owners: np.ndarray) -> Any:
        """Return what goes with each text, indexable by an array of rows; or None.

        `owners` tells of each text, or window of a text, to which row of y it belongs.
        """

    def _shown(self, texts: list[str], example: Any) -> list[str]:
        """Return what a batch shows of its texts: each once, or in several views one by one."""
        return texts

    def _check_task(self) -> None:
        """Raise ValueError for a parameter of the task that is not allowed."""

    def _tower_config(self) -> Any:
        """Return the tower's config value."""
        if isinstance(self.tower, str):
            return _registry.config_class("tower", self.tower)()
        return self.tower

    def _run(
        self, X: Any, y: Any, *, validation: Any = None, more: bool = False, once: bool = False
    ) -> Self:
        """Train a copy of this estimator and take what it learned, so that errors lose nothing."""
        fitted = copy(self)
        take_from_shelf(fitted)
        fitted._check_params()
        texts, y = fitted._check_inputs(X, y)
        fitted._train(texts, y, validation, more=more, once=once)
        if not once:
            self.__dict__.pop("optimizer_state_", None)
            fitted.__dict__.pop("optimizer_state_", None)
        self.__dict__.update({k: v for k, v in vars(fitted).items() if k.endswith("_")})
        return self

    def _train(self, texts: Any, y: Any, validation: Any, *, more: bool, once: bool) -> None:
        seed = self.seed_ if more else draw_seed(self.random_state)
        source = self.tower_ if more else self.init_from
        checkpoint = None
        if self.checkpoint is not None and not once:
            training = training_digest(self, texts, y, validation, source)
            checkpoint = Checkpoint(self.checkpoint, self.checkpoint_every, training, seed)
            seed = checkpoint.seed
        others = None if validation is None else self._check_inputs(*as_pair(validation))
        self.seed_ = seed
        if more:
            self._check_goes_on()
        else:
            self.base_ = self._start(self._all_texts(texts, y), seed)
            self._learn(texts, y)
        batches, held_out = self._batches(texts, y, others, once=once, seed=seed)
        past = self.history_ if more else []
        batches.resume(len(past), 0)
        trained = train(
            self._builder(source, more=more),
            batches,
            held_out,
            Schedule.of(self, **(_ONE_PASS if once else {})),
            seed=seed,
            optimizer=getattr(self, "optimizer_state_", None) if once and more else None,
            checkpoint=checkpoint,
        )
        self.history_ = past + [
            {**row, "epoch": len(past) + row["epoch"]} for row in trained.history
        ]
        self.n_iter_ = len(self.history_)
        if once:
            self.optimizer_state_ = trained.optimizer
        self._keep(trained.module, source)

    def _batches(
        self, texts: Any, y: Any, validation: Any, *, once: bool, seed: int
    ) -> tuple[Batches, Batches | None]:
        """Return the batches to train on, and those held out, if there is something to predict."""
        reader = self._reader()
        fraction = 0 if once or validation is not None else self.validation_fraction
        size: dict[str, Any] = {"batch_size": self.batch_size, "seed": seed}
        batches, held_out = split(reader, texts, y, fraction=fraction, **size)
        if validation is not None:
            chunk, _ = reader.read(*validation)
            held_out = Batches.of(chunk, **size, fixed=True)
        if not held_out.is_empty():
            return batches, held_out
        if self.early_stopping and not once:
            given = f"validation_fraction={self.validation_fraction} of these texts leaves"
            raise ValueError(
                "early_stopping=True needs held-out texts with something to predict, and "
                f"{given if validation is None else 'validation has'} none. Raise "
                "validation_fraction, pass more texts or other ones as validation, or set "
                "early_stopping=False."
            )
        return batches, None

    def _check_goes_on(self) -> None:
        """Raise ValueError if the tower to go on with is not what the parameters ask for."""
        other_base = isinstance(self.base, Base) and self.base != self.base_
        name, config = self._tower_spec(self.init_from)
        if other_base or (name, config) != (self.tower_.architecture, dict(self.tower_.config)):
            raise ValueError(
                "base or tower is another one than that which was trained, and warm_start and "
                "partial_fit go on with that. Set it back, or clone the pretrainer to begin anew."
            )

    def _builder(self, source: Tower | None, *, more: bool) -> Callable[[], TaskModule]:
        """Return what builds the network to train: with the weights of a tower, or new ones."""
        start = self.base_
        train_base = not isinstance(self.base, Base)

        name, config = self._tower_spec(source)

        def build() -> TaskModule:
            tower = (
                _registry.build("tower", name, config, base_width=start.width)
                if source is None
                else source.build()
            )
            head = self._make_head(self._head_width(config), self._n_chars)
            if more:
                head.load_state_dict(_tensors(self.head_weights_))
            return TaskModule(start.build(), tower, head, train_base=train_base)

        return build

    def _tower_spec(self, source: Tower | None) -> tuple[str, dict[str, Any]]:
        """Return the name and the settings of the architecture."""
        if source is not None:
            return source.architecture, dict(source.config)
        config = self._tower_config()
        return _registry.name_of("tower", config), _registry.to_dict(config)

    def _head_width(self, config: Mapping[str, Any]) -> int:
        """Return the width of the vectors that the head is given."""
        return (self.of_texts and config["native_width"]) or config["width"]

    def _keep(self, module: TaskModule, source: Tower | None) -> None:
        """Store what was trained as values."""
        if not isinstance(self.base, Base):
            self.base_ = self.base_.with_module(module.base)
        self._keep_tower(module, source)

    def _keep_tower(self, module: TaskModule, source: Tower | None) -> None:
        name, config = self._tower_spec(source)
        self.tower_ = Tower.from_module(
            module.tower, base=self.base_, architecture=name, config=config, task=self.task
        )
        state = module.head.state_dict()
        self.head_weights_ = {k: v.detach().numpy().copy() for k, v in state.items()}

    def _task_module(self) -> TaskModule:
        """Return the network as it was trained."""
        with isolated_seed(0):
            head = self._make_head(self._head_width(self.tower_.config), self._n_chars)
        head.load_state_dict(_tensors(self.head_weights_))
        return TaskModule(self.base_.build(), self.tower_.build(), head, train_base=False)

    def _start(self, texts: Any, seed: int) -> Base:
        """Return the base to begin with: a given one, or an untrained one of the recipe."""
        given = self.base if self.init_from is None else self.init_from.base
        if isinstance(given, Base):
            self.preprocessor_ = given.preprocessor()
            return given
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

    def _reader(self) -> Reader:
        """Return how this task reads texts."""
        return Reader(
            preprocessor=self.base_.preprocessor(),
            noise=self.auto_noise if isinstance(self.noise, str) else self.noise,
            shown=self._shown,
            targets=self._targets,
            examples=self._examples,
            make_batch=self._make_batch,
        )

    def _check_params(self) -> None:
        """Raise ValueError or TypeError for a parameter that is not allowed."""
        Schedule.of(self)
        check_common(self)
        _registry.name_of("tower", self._tower_config())
        self._check_task()


def _tensors(weights: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in weights.items()}
