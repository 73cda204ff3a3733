"""`Trainer`: the one `fit` of all estimators that train a network, and the hooks they fill."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._text.lengths import length_batches
from sklearn_cclm._text.streams import read_texts
from sklearn_cclm._tools.device import resolve_device
from sklearn_cclm._tools.seeds import draw_seed
from sklearn_cclm._tools.tags import TextTagsMixin
from sklearn_cclm._training.batches import Batch, Batches
from sklearn_cclm._training.checkpoint import Checkpoint
from sklearn_cclm._training.checks import check_trainer
from sklearn_cclm._training.corpus import Reader, as_pair, split, training_digest
from sklearn_cclm._training.loop import train
from sklearn_cclm._training.schedule import Schedule
from sklearn_cclm._training.views import View, view
from sklearn_cclm.noise import TypoNoise
from sklearn_cclm.preprocessing import CharPreprocessor

_ONE_PASS: dict[str, Any] = {"max_epochs": 1, "constant": True, "early_stopping": False}
_BATCH_CHARS = 32768


class Trainer(TextTagsMixin, BaseEstimator, ABC):
    """Texts to batches, batches to a trained network, and that to fitted attributes."""

    auto_noise: TypoNoise | None = None  # what noise="auto" stands for
    needs_y = False  # whether there is nothing to learn without y
    missing: str
    column: Any
    history_: list[dict[str, Any]]
    seed_: int

    def __sklearn_tags__(self) -> Tags:
        """Say whether y is required."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.needs_y or tags.target_tags.required
        return tags

    def _run(
        self, X: Any, y: Any, *, validation: Any = None, more: bool = False, once: bool = False
    ) -> Self:
        """Train a copy of this estimator and take what it learned, so that errors lose nothing."""
        fitted = copy(self)
        fitted._take_from_shelf()
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
        checkpoint = None
        if self.checkpoint is not None and not once:
            training = training_digest(self, texts, y, validation, self._origin(more=more))
            checkpoint = Checkpoint(self.checkpoint, self.checkpoint_every, training, seed)
            seed = checkpoint.seed
        others = None if validation is None else self._check_inputs(*as_pair(validation))
        self.seed_ = seed
        if more:
            self._check_goes_on()
        else:
            self._begin(texts, y, seed)
            self._learn(texts, y)
        batches, held_out = self._batches(texts, y, others, once=once, seed=seed)
        past = self.history_ if more else []
        batches.resume(len(past), 0)
        trained = train(
            self._builder(more=more),
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
        self._keep(trained.module, more=more)

    def _loss(self, X: Any, y: Any) -> float:
        """Return the mean loss on texts, corrupted with a fixed seed."""
        check_is_fitted(self)
        chunk, _ = self._reader().read(*self._check_inputs(X, y))
        batches = Batches.of(chunk, batch_size=self.batch_size, seed=0, fixed=True)
        device = resolve_device(self.device)
        return self._task_module().to(device).evaluate(batches, device)["loss"]

    @torch.no_grad()
    def _logits(self, pieces: list[str], examples: Any) -> Iterator[tuple[np.ndarray, Any]]:
        """Yield rows of texts, short enough and with examples of any value, and their logits."""
        device = resolve_device(self.device)
        module = self._task_module().to(device).eval()
        preprocessor, rng = self._preprocessor(), np.random.default_rng(0)
        lengths = np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces))
        for rows in length_batches(lengths + preprocessor.add_cls, _BATCH_CHARS):
            seen = view([pieces[row] for row in rows], preprocessor, None, rng)
            batch = Batch.from_numpy(*self._make_batch(seen, examples[rows], rng), rng=rng)
            yield rows, module.logits(batch.to(device))

    def _held_out(self, validation: Any, *, once: bool) -> float:
        """Return the share of the texts that is not trained on."""
        return 0 if once or validation is not None else self.validation_fraction

    def _batches(
        self, texts: Any, y: Any, validation: Any, *, once: bool, seed: int
    ) -> tuple[Batches, Batches | None]:
        """Return the batches to train on, and those held out, if there is something to predict."""
        reader = self._reader()
        fraction = self._held_out(validation, once=once)
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

    @abstractmethod
    def _begin(self, texts: Any, y: Any, seed: int) -> None:
        """Set the fitted attributes that a training begins with."""

    @abstractmethod
    def _preprocessor(self) -> CharPreprocessor:
        """Return what texts are read with, once the training has begun."""

    @abstractmethod
    def _builder(self, *, more: bool) -> Callable[[], Any]:
        """Return what builds the network to train: new, or as an earlier training left it."""

    @abstractmethod
    def _keep(self, module: Any, *, more: bool) -> None:
        """Store what was trained as fitted attributes."""

    def _origin(self, *, more: bool) -> Any:
        """Return the trained parts that a training begins with, to tell it from others."""

    def _take_from_shelf(self) -> None:
        """Replace parameters that are names on the shelf by what these stand for."""

    def _check_params(self) -> None:
        """Raise ValueError or TypeError for a parameter that is not allowed."""
        Schedule.of(self)
        check_trainer(self)

    def _check_goes_on(self) -> None:
        """Raise ValueError if what is to be trained further is not what the parameters say."""

    def _task_module(self) -> Any:
        """Return the network as it was trained."""
        raise NotImplementedError

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

    def _check_inputs(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Return checked texts, a list or a `TextStream`, and what is to be learnt of them."""
        return read_texts(X, missing=self.missing, column=self.column), None

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

    def _reader(self) -> Reader:
        """Return how this task reads texts."""
        return Reader(
            preprocessor=self._preprocessor(),
            noise=self.auto_noise if isinstance(self.noise, str) else self.noise,
            shown=self._shown,
            targets=self._targets,
            examples=self._examples,
            make_batch=self._make_batch,
        )
