"""`NamedTowers`: the parameter `towers` of all that is composed, and what its entries become."""

from __future__ import annotations

from typing import Any

import joblib
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import has_fit_parameter

from sklearn_cclm._numpy.pooling import POOLINGS
from sklearn_cclm._tools.named import NamedPartsMixin
from sklearn_cclm.models._blocks import is_transformer
from sklearn_cclm.models._stored_towers import StoredTowers
from sklearn_cclm.shelf._names import resolve
from sklearn_cclm.values import Base, Tower

PUBLISHED = (("en-semantic", "en-semantic"),)  # what ``towers=None`` stands for


class NamedTowers(NamedPartsMixin, StoredTowers):
    """Towers by name: values, names on the shelf, and pretrainers to be trained."""

    _parts = "towers"
    towers: Any
    fit_towers: bool

    def _check_names(self) -> list[str]:
        if self.towers is None:
            return [name for name, _ in PUBLISHED]
        return super()._check_names()

    def _use(self, towers: list[tuple[str, Any]], texts: list[str]) -> None:
        """Set what `fit` has learned."""
        self.towers_ = towers

    def _check_towers(self, towers: list[tuple[str, Any]]) -> None:
        if not towers:
            raise ValueError("Every tower is 'drop'; keep at least one.")

    def _entries_ready(self) -> list[tuple[str, Any]]:
        """Return the entries as `_ready` gives them; "drop" is left out."""
        return [
            (name, self._ready(name, entry))
            for name, entry in self._listed()
            if not (isinstance(entry, str) and entry == "drop")
        ]

    def _trained(
        self, texts: list[str], y: Any, fit: Any, seed: int | None = None, weights: Any = None
    ) -> list[tuple[str, Any]]:
        """Return the towers, training pretrainers and fitting transformers.

        Pretrainers of equal base recipes share a base; those without a seed take this one, and
        those that know `sample_weight` the weights. Each is a task within that of the `fit`, a
        `FitTask`, which may be None where there is nothing to fit.
        """
        bases: dict[str, Base] = {}
        towers = []
        for name, entry in self._entries_ready():
            if not isinstance(entry, Tower):
                entry = clone(entry)
                with fit.part(name, entry):
                    if is_transformer(entry):
                        entry.fit(texts, y)
                    else:
                        known = weights is not None and has_fit_parameter(entry, "sample_weight")
                        how = {"sample_weight": weights} if known else {}
                        entry = self._train_part(entry, texts, y, bases, seed, **how)
            towers.append((name, entry))
        return towers

    def _ready(self, name: str, entry: Any) -> Any:
        """Return a tower, or a transformer or pretrainer that is to be fitted; or raise."""
        if isinstance(entry, str):
            return resolve(entry, "tower")
        if is_transformer(entry):
            self._check_transformer(name, entry)
            return entry
        if isinstance(entry, FrozenEstimator):
            return _frozen_tower(name, entry)
        if isinstance(entry, Tower):
            return entry
        if not all(hasattr(entry, name) for name in ("fit", "base", "tower")):
            raise TypeError(_wrong_entry(name, entry))
        if not self.fit_towers:
            raise ValueError(
                f"Tower {name!r} is a {type(entry).__name__}, which scikit-learn's clone would "
                f"strip of what it learned. Pass its tower_ once it is fitted, or set "
                "fit_towers=True to train it within this fit."
            )
        return entry

    def _check_transformer(self, name: str, entry: Any) -> None:
        """Raise TypeError where a text transformer is of no use."""

    def _listed(self) -> list[tuple[str, Any]]:
        """Return the names and entries that make the features, in order."""
        return list(PUBLISHED if self.towers is None else self.towers)

    def _shown(self) -> list[tuple[str, Any]]:
        return getattr(self, "towers_", None) or self._listed()

    def _n_fits(self) -> int:
        """Return how many entries are to be fitted."""
        return sum(hasattr(entry, "fit") and not is_made(entry) for _, entry in self._listed())

    def _train_part(
        self,
        pretrainer: Any,
        texts: list[str],
        y: Any,
        bases: dict[str, Base],
        seed: int | None,
        **how: Any,
    ) -> Tower:
        """Train a pretrainer, on the base of an earlier one of equal recipe."""
        if seed is not None and pretrainer.random_state is None:
            pretrainer.set_params(random_state=seed)
        key = joblib.hash(pretrainer.base)
        pretrainer.set_params(base=bases.get(key, pretrainer.base)).fit(texts, y, **how)
        bases.setdefault(key, pretrainer.base_)
        return pretrainer.tower_


def is_made(entry: Any) -> bool:
    """Whether an entry is a tower, trained and frozen, or the name of one."""
    frozen = isinstance(entry, FrozenEstimator) and not is_transformer(entry)
    return frozen or isinstance(entry, str | Tower)


def only_towers(parts: list[tuple[str, Any]]) -> list[tuple[str, Tower]]:
    """Return the parts that are towers, and so no text transformers."""
    return [(name, part) for name, part in parts if isinstance(part, Tower)]


def _frozen_tower(name: str, entry: FrozenEstimator) -> Tower:
    if not isinstance(getattr(entry, "tower_", None), Tower):
        raise ValueError(
            f"Tower {name!r} is a frozen {type(entry.estimator).__name__} that has no tower_: "
            "fit it before freezing it."
        )
    return entry.tower_


def _wrong_entry(name: str, entry: Any) -> str:
    return (
        f"Tower {name!r} must be a Tower (a pretrainer's tower_), a name on the shelf, a "
        "FrozenEstimator of a fitted pretrainer, a text transformer, 'drop', or with "
        f"fit_towers=True a pretrainer of one tower; got {entry!r}. Of one that trains several, "
        "pass its towers_ once it is fitted."
    )


def check_pooling(pooling: Any) -> None:
    """Raise ValueError unless this is "native", or names of poolings joined by "+"."""
    parts = pooling.split("+") if isinstance(pooling, str) else [None]
    known = set(parts) <= POOLINGS.keys() and len(set(parts)) == len(parts)
    if parts != ["native"] and not known:
        raise ValueError(
            f"pooling={pooling!r} must be 'native', or one or several of {sorted(POOLINGS)}, once "
            "each, joined by '+'."
        )


def check_cls(pooling: str, towers: list[tuple[str, Any]]) -> None:
    """Raise ValueError if the cls code is to be read and a base has none."""
    without = [name for name, tower in only_towers(towers) if not tower.base.reading["add_cls"]]
    if "cls" in pooling.split("+") and without:
        raise ValueError(
            f"pooling={pooling!r} reads the cls code, but the bases of {without} have none. "
            "Pretrain with CharPreprocessor(add_cls=True), or choose another pooling."
        )


def check_alike(
    towers: list[tuple[str, Tower]], settings: tuple[str, ...] = ("normalization", "add_cls")
) -> None:
    """Raise ValueError if the characters of the towers do not stand at the same places."""
    for setting in settings:
        found = {name: tower.base.reading[setting] for name, tower in towers}
        if len(set(found.values())) > 1:
            raise ValueError(
                f"The towers' bases differ in {setting} ({found}), so their characters do not "
                "stand at the same places. Use ComposedEmbedder, or bases that read alike."
            )
