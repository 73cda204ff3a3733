"""`BasePretrainer`: a base and a tower on it, trained on the task that the parameters make."""

from __future__ import annotations

from copy import copy
from typing import Any, Self

import torch
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._tools.device import resolve_device
from sklearn_cclm._training.checks import check_task
from sklearn_cclm._training.reader import Reader
from sklearn_cclm._training.trainer import Trainer
from sklearn_cclm.architectures._registry import config_class, name_of, to_dict
from sklearn_cclm.models import CCLMModelBase
from sklearn_cclm.nn._registry import build
from sklearn_cclm.nn.seeds import isolated_seed
from sklearn_cclm.nn.task import Head, TaskModule
from sklearn_cclm.preprocessing import CharPreprocessor
from sklearn_cclm.pretraining._checks import (
    check_base,
    check_base_kept,
    check_init_from,
    check_sight,
    check_sight_of_base,
    take_from_shelf,
)
from sklearn_cclm.values import Base, Tower
from sklearn_cclm.values._value import built


class BasePretrainer(Trainer):
    """Train a tower, and the first time its base, on one task.

    A pretrainer is a subclass with an explicit ``__init__`` that fills `_task`: which `Task` its
    parameters make. It may fill `_tower_config` and `_recipe`, what the defaults of `tower` and
    `base` stand for.

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

    _result = "tower_"
    _score_name = "minus the loss"
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
        return self._fit(X, y, validation=validation)

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
        return self._partial_fit(X, y)

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

    def _tower_config(self, task: Any) -> Any:
        """Return the tower's config value."""
        if isinstance(self.tower, str):
            return config_class("tower", self.tower)()
        return self.tower

    def _recipe(self) -> CCLMModelBase:
        """Return the recipe of the base, where `base` is not a trained `Base`."""
        return CCLMModelBase() if self.base is None else self.base

    def _settled(self, *, more: bool) -> Self:
        settled = copy(self)
        take_from_shelf(settled)
        settled._check_params()
        if more:
            settled._check_goes_on()
        return settled

    def _check_params(self) -> None:
        super()._check_params()
        task = self._task()
        check_base(self.base)
        check_init_from(self.init_from, self.base)
        check_task(self, task)
        name_of("tower", self._tower_config(task))
        check_sight(task.sees, *self._tower_spec(task, self.init_from))

    def _start(self, task: Any, texts: Any, y: Any) -> CharPreprocessor:
        self.base_, self.preprocessor_ = self._first_base(task.characters(texts, y), self.seed_)
        check_sight_of_base(task.sees, self.base_)
        return self.preprocessor_

    def _first_base(self, texts: Any, seed: int) -> tuple[Base, CharPreprocessor]:
        """Return the base to begin with: a given one, or an untrained one of the recipe."""
        given = self.base if self.init_from is None else self.init_from.base
        if isinstance(given, Base):
            return given, given.preprocessor()
        recipe = clone(self._recipe())
        if recipe.random_state is None:
            recipe.set_params(random_state=seed)
        recipe.fit(texts)
        return recipe.base_, recipe.preprocessor_

    def _check_goes_on(self) -> None:
        """Raise ValueError if the tower to go on with is not what the parameters ask for."""
        other_base = isinstance(self.base, Base) and self.base != self.base_
        name, config = self._tower_spec(self._known(), self.init_from)
        if other_base or (name, config) != (self.tower_.architecture, dict(self.tower_.config)):
            raise ValueError(
                "base or tower is another one than that which was trained, and warm_start and "
                "partial_fit go on with that. Set it back, or clone the pretrainer to begin anew."
            )

    def _reader(self, task: Any) -> Reader:
        noise = task.auto_noise if isinstance(self.noise, str) else self.noise
        return Reader(task, [self.base_.preprocessor()], noise, self.batch_size)

    def _build(self, task: Any, clean: Any, *, more: bool) -> TaskModule:
        return self._network(task, self.tower_ if more else self.init_from, more=more)

    def _network(self, task: Any, source: Tower | None, *, more: bool) -> TaskModule:
        """Return a network with the weights of a tower, or new ones, and the head's if `more`."""
        name, config = self._tower_spec(task, source)
        tower = (
            build("tower", name, config, base_width=self.base_.width)
            if source is None
            else source.build()
        )
        head = self._head(task, config, trained=more)
        if source is not None and not more:
            head.borrow({k: torch.from_numpy(w) for k, w in source.head.items()})
        return TaskModule(
            self.base_.build(), tower, head, train_base=not isinstance(self.base, Base)
        )

    def _head(self, task: Any, config: Any, *, trained: bool) -> Head:
        """Return the head on a tower of these settings, as it was trained or with new weights."""
        width = (task.of_texts and config["native_width"]) or config["width"]
        head = task.head(width, self.base_.preprocessor().n_chars_)
        if trained:
            head.load_state_dict({k: torch.from_numpy(w) for k, w in self.head_weights_.items()})
        return head

    def _predictor(self) -> TaskModule:
        """Return the network as it was trained, its base and tower built once: never train it."""
        check_is_fitted(self)
        device = resolve_device(self.device)
        base, tower = (built(value, device) for value in (self.base_, self.tower_))
        with isolated_seed(0):
            head = self._head(self._known(), self.tower_.config, trained=True)
        return TaskModule(base, tower, head.to(device), train_base=False).eval()

    def _tower_spec(self, task: Any, source: Tower | None) -> tuple[str, dict[str, Any]]:
        """Return the name and the settings of the architecture."""
        if source is not None:
            return source.architecture, dict(source.config)
        config = self._tower_config(task)
        return name_of("tower", config), to_dict(config)

    def _keep(self, task: Any, module: TaskModule, *, more: bool) -> None:
        check_base_kept(self.base, module)
        if not isinstance(self.base, Base):
            self.base_ = self.base_.with_module(module.base)
        self._keep_tower(task, module, self.tower_ if more else self.init_from)

    def _keep_tower(self, task: Any, module: TaskModule, source: Tower | None) -> None:
        """Store the tower that was trained, and its head."""
        name, config = self._tower_spec(task, source)
        tower = Tower.from_module(
            module.tower, base=self.base_, architecture=name, config=config, task=task.name
        )
        state = module.head.state_dict()
        self.head_weights_ = {k: v.detach().numpy().copy() for k, v in state.items()}
        if task.labels:
            head = self.head_weights_, task.labels
            how = {"inside_words": task.inside_words, "of_words": task.of_words}
            tower = tower.with_head(*head, **how)
        self.tower_ = tower
