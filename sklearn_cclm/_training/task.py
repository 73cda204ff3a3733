"""`Task`: what is to be learnt of texts, as a value that a training holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy.sparse import csr_array

from sklearn_cclm._text.streams import read_texts
from sklearn_cclm._training.cut import Cut
from sklearn_cclm._training.views import View
from sklearn_cclm.noise import TypoNoise

if TYPE_CHECKING:
    from sklearn_cclm.nn.task import Head


class Task(ABC):
    """What is to be learnt of texts; it knows neither estimators nor how a network is trained.

    A task is a frozen dataclass of its settings that fills `batch`, what is hidden and what is to
    be predicted, and `head`, the loss. One that must know the texts first fills `learn` and names
    in `learned` the fields that it sets; one that needs something beside each text fills
    `examples`. Pretrainers, heads and joint trainings hold the same tasks.

    Attributes
    ----------
    name : str
        What a tower says it was trained on.
    learned : tuple of str
        Fields that `learn` sets: the fitted attributes of an estimator, without the underscore.
    labels : tuple of str
        What the output layer tells apart, where a tower is to keep it.
    inside_words : float
        How often what it finds begins or ends inside a word.
    of_words : bool
        Whether the head reads the vectors of words, not of characters.
    of_texts : bool
        Whether the head reads native vectors, of texts, or those of characters.
    needs_y : bool
        Whether there is nothing to learn without y.
    sees : {"both", "forward", "backward"}
        Which way a network may look, lest it see what is to be predicted.
    auto_noise : TypoNoise or None
        What noise="auto" stands for.
    """

    name: ClassVar[str]
    learned: ClassVar[tuple[str, ...]] = ()
    of_texts: ClassVar[bool] = False
    needs_y: ClassVar[bool] = False
    auto_noise: ClassVar[TypoNoise | None] = None
    labels: tuple[str, ...] = ()
    inside_words: float = 0.0
    of_words: bool = False
    sees: str = "both"

    def check(self, noise: Any) -> None:
        """Raise ValueError or TypeError for a setting, or a noise, that is not allowed."""
        return None

    def read(self, X: Any, y: Any, *, missing: str, column: Any) -> tuple[Any, Any]:
        """Return checked texts, a list or a `TextStream`, and what is to be learnt of them."""
        return read_texts(X, missing=missing, column=column), None

    def targets(self, y: Any) -> np.ndarray | None:
        """Return, of what `read` returned, what `score` takes as y."""
        return None

    def characters(self, texts: Any, y: Any) -> Any:
        """Return the texts to learn characters from."""
        return texts

    def learn(self, texts: Any, y: Any, preprocessor: Any) -> Self:
        """Return the task as it is once it knows the texts, which `preprocessor` reads."""
        return self

    def learn_more(self, texts: Any, y: Any, preprocessor: Any) -> Self:
        """Return the task as it is once it knows other texts too, to go on with."""
        return self

    def examples(self, cut: Cut, y: Any) -> Any:
        """Return what goes with each window of texts, indexable by an array of rows; or None."""
        return None

    def kinds(self, y: Any) -> csr_array | None:
        """Return which kinds each text is of, (n, n_kinds), for all to be in both parts; or None.

        A part of the texts of each kind is held out, and a kind of one text is trained on.
        """
        return None

    def scored(self) -> Self:
        """Return the task that `score` measures, in which nothing counts more than the rest."""
        return self

    def shown(self, pieces: list[str], example: Any) -> list[str]:
        """Return what a batch shows of its texts: each once, or in several views one by one."""
        return pieces

    @abstractmethod
    def batch(
        self, view: View, example: Any, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Hide something: return the codes the network sees, the targets, and extras.

        Parameters
        ----------
        view : View
            The batch's texts as codes, `view.ids`, and where noise took each of them from.
        example : object
            What `examples` returned, indexed by the batch's rows, or None.
        rng : numpy.random.Generator
            The only source of randomness.
        """

    def measure(self, reader: Any, module: Any, y: Any, rows: np.ndarray) -> dict[str, float]:
        """Return what `history_` is to show of a network, beside what its head evaluates.

        Parameters
        ----------
        reader : Reader
            What reads texts for this task.
        module : TaskModule
            The network as it is after an epoch.
        y : object
            What `read` returned.
        rows : int array
            The texts that are held out.
        """
        return {}

    @abstractmethod
    def head(self, width: int, n_chars: int) -> Head:
        """Return the head for vectors of this width, and this many character codes."""
