"""`BasePretrainer`: the one `fit` of all pretraining tasks, and the hooks that a task fills."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import clone

from sklearn_cclm._tools.seeds import isolated_seed
from sklearn_cclm._training.trainer import Trainer
from sklearn_cclm.models._base import CCLMModelBase
from sklearn_cclm.nn import _registry
from sklearn_cclm.nn.task import Head, TaskModule
from sklearn_cclm.preprocessing import CharPreprocessor
from sklearn_cclm.pretraining._checks import check_base, check_init_from, take_from_shelf
from sklearn_cclm.values import Base, Tower


class BasePretrainer(Trainer):
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
    base: Any
    tower: Any
    base_: Base
    tower_: Tower

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
        return -self._loss(X, y)

    @abstractmethod
    def _make_head(self, width: int, n_chars: int) -> Head:
        """Return the head for a tower of this width and this many character codes."""

    def _all_texts(self, texts: Any, y: Any) -> Any:
        """Return the texts to learn characters from."""
        return texts

    def _check_task(self) -> None:
        """Raise ValueError for a parameter of the task that is not allowed."""

    def _tower_config(self) -> Any:
        """Return the tower's config value."""
        if isinstance(self.tower, str):
            return _registry.config_class("tower", self.tower)()
        return self.tower

    def _check_goes_on(self) -> None:
        """Raise ValueError if the tower to go on with is not what the parameters ask for."""
        other_base = isinstance(self.base, Base) and self.base != self.base_
        name, config = self._tower_spec(self.init_from)
        if other_base or (name, config) != (self.tower_.architecture, dict(self.tower_.config)):
            raise ValueError(
                "base or tower is another one than that which was trained, and warm_start and "
                "partial_fit go on with that. Set it back, or clone the pretrainer to begin anew."
            )

    def _begin(self, texts: Any, y: Any, seed: int) -> None:
        self.base_ = self._start(self._all_texts(texts, y), seed)

    def _preprocessor(self) -> CharPreprocessor:
        return self.base_.preprocessor()

    def _origin(self, *, more: bool) -> Tower | None:
        return self.tower_ if more else self.init_from

    def _take_from_shelf(self) -> None:
        take_from_shelf(self)

    def _builder(self, *, more: bool) -> Callable[[], TaskModule]:
        return self._network(self._origin(more=more), more=more)

    def _network(self, source: Tower | None, *, more: bool) -> Callable[[], TaskModule]:
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

    def _keep(self, module: TaskModule, *, more: bool) -> None:
        if not isinstance(self.base, Base):
            self.base_ = self.base_.with_module(module.base)
        self._keep_tower(module, self._origin(more=more))

    def _keep_tower(self, module: TaskModule, source: Tower | None) -> None:
        """Store the tower that was trained, and its head."""
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

    def _check_params(self) -> None:
        """Raise ValueError or TypeError for a parameter that is not allowed."""
        super()._check_params()
        check_base(self.base)
        check_init_from(self.init_from, self.base)
        _registry.name_of("tower", self._tower_config())
        self._check_task()


def _tensors(weights: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in weights.items()}
