"""`Distillation`: matching vectors, as a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from sklearn.preprocessing import normalize

from sklearn_cclm._targets.labels import Labels
from sklearn_cclm._targets.numbers import as_numbers
from sklearn_cclm._text.streams import TextStream, chunked
from sklearn_cclm._tools.params import check_integer, check_option, check_real
from sklearn_cclm._training.cut import Cut
from sklearn_cclm._training.task import Task
from sklearn_cclm._training.views import View
from sklearn_cclm.models._analysis import Analysis
from sklearn_cclm.models._named_towers import PUBLISHED
from sklearn_cclm.nn.heads import VectorHead
from sklearn_cclm.nn.task import Head
from sklearn_cclm.noise import TypoNoise
from sklearn_cclm.pretraining._teachers import check_teacher, teach, unit


@dataclass(frozen=True)
class Distillation(Task):
    """Match a teacher's vectors of the clean texts."""

    name = "distillation"
    learned = ("teacher_width", "rotation", "analysis")
    of_texts = True
    auto_noise = TypoNoise(rate=(-0.1, 0.3))

    teacher: Any
    relational: float
    matryoshka: Sequence[int]
    lexical: bool | str
    verbose: int = field(default=0, repr=False, compare=False)
    teacher_width: int | None = field(default=None, repr=False, compare=False)
    rotation: Any = field(default=None, repr=False, compare=False)
    analysis: Analysis | None = field(default=None, repr=False, compare=False)

    def check(self, noise: Any) -> None:
        check_option("lexical", self.lexical, (True, False, "auto"))
        check_real("relational", self.relational, 0, np.inf)
        if not isinstance(self.matryoshka, list | tuple):
            raise TypeError(f"matryoshka={self.matryoshka!r} must be a sequence of integers.")
        for width in self.matryoshka:
            check_integer("each of matryoshka", width, 1)
        if self.teacher is not None:
            check_teacher(self.teacher)

    def read(self, X: Any, y: Any, **how: Any) -> tuple[Any, Any]:
        texts, _ = super().read(X, None, **how)
        stream = isinstance(texts, TextStream)
        if self.teacher is not None:
            return texts, None if stream else self._teach(texts, self.verbose)
        if y is not None and stream:
            raise ValueError(
                "A stream of texts has no vectors beside it: pass a list of texts with y, or a "
                "teacher, or no y to adapt to the texts."
            )
        if y is not None and np.ndim(as_numbers(y, "y")) == 1:
            raise ValueError(
                "y has one value for each text, as labels are; what is to be matched are vectors, "
                "of shape (n, d). To adapt to the texts where labels come along, as in a pipeline, "
                "set teacher='en-semantic' and lexical=True."
            )
        return texts, None if y is None else unit(y, len(texts), "y")

    def targets(self, y: Any) -> np.ndarray | None:
        return None if self.teacher is not None else y

    def _teach(self, texts: Sequence[str], verbose: int = 0) -> np.ndarray:
        """Return the teacher's vectors, or those of the published tower, of unit length."""
        teacher = PUBLISHED[0][1] if self.teacher is None else self.teacher
        return teach(check_teacher(teacher), texts, verbose=verbose)

    def _analysed(self, texts: Any, y: Any) -> Analysis | None:
        """Return an analysis of texts, if it is to stand beside the vectors to match."""
        adapts = self.teacher is None and y is None
        if not (adapts if self.lexical == "auto" else self.lexical):
            return None
        return Analysis.of(texts, verbose=self.verbose)

    def _beside(self, vectors: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        """Return vectors of texts with what the analysis says of them, of unit length."""
        if self.analysis is None:
            return vectors
        return normalize(np.hstack([vectors, self.analysis.transform(texts)]), copy=False)

    def learn(self, texts: Any, y: Any, preprocessor: Any) -> Self:
        some = next(chunked(texts)) if y is None else texts
        vectors = self._teach(some, self.verbose) if y is None else y
        if not vectors.any():
            raise ValueError("All vectors to match are zero: pass those of a model of such texts.")
        task = replace(self, analysis=self._analysed(texts, y))
        vectors = task._beside(vectors, some)
        width = vectors.shape[1]
        if any(short >= width for short in self.matryoshka):
            raise ValueError(
                f"matryoshka={self.matryoshka!r} must be less than {width}, the length of the "
                "vectors to match."
            )
        rotation = None
        if self.matryoshka:
            rotation = np.linalg.eigh(vectors.T @ vectors)[1][:, ::-1].copy()
        return replace(task, teacher_width=width, rotation=rotation)

    def examples(self, cut: Cut, y: Any) -> Labels:
        weights = cut.shared(np.ones(len(cut.texts)))
        if not cut.texts:
            return Labels(np.empty((0, self.teacher_width or 0), dtype=np.float32), weights)
        taught = self._teach(cut.texts) if y is None else y
        vectors = self._beside(taught, cut.texts)[cut.owners]
        if bool(self.matryoshka) != (self.rotation is not None):
            raise ValueError("matryoshka cannot be changed while a training goes on.")
        if vectors.shape[1] != self.teacher_width:
            raise ValueError(
                f"The vectors to match have length {vectors.shape[1]}, the tower was trained on "
                f"{self.teacher_width}."
            )
        return Labels(vectors if self.rotation is None else vectors @ self.rotation, weights)

    def batch(
        self, view: View, example: Labels, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        # a zero vector has no direction
        filled = view.clean.any(axis=1) & example.values.any(axis=1)
        return view.ids[filled], example.values[filled], {"weights": example.weights[filled]}

    def head(self, width: int, n_chars: int) -> Head:
        if width != self.teacher_width:
            raise ValueError(
                f"init_from is a tower with native vectors of length {width}, those to match have "
                f"{self.teacher_width}. Begin with a tower of that length, or with none"
                f"{', or set lexical=False' if self.analysis else ''}."
            )
        return VectorHead((*self.matryoshka, width), relational=self.relational)
