"""`ComposedHead`: towers, what stands on them, and how both are trained together."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._tools.device import resolve_device
from sklearn_cclm._tools.params import check_bool, check_integer, check_option, check_real
from sklearn_cclm._training.batches import Batches
from sklearn_cclm._training.corpus import split
from sklearn_cclm._training.trainer import Trainer
from sklearn_cclm._training.views import View
from sklearn_cclm.heads._probe import probe, standardize
from sklearn_cclm.heads._stored import StoredHead
from sklearn_cclm.models._embedder import ComposedEmbedder
from sklearn_cclm.models._named_towers import check_alike, check_cls, check_pooling
from sklearn_cclm.nn.composed_task import ComposedTask, Trunk
from sklearn_cclm.nn.task import Head
from sklearn_cclm.preprocessing import CharPreprocessor
from sklearn_cclm.values import Base, Tower
from sklearn_cclm.values._value import built

_FROZEN = ("none", "base", "towers")


class ComposedHead(StoredHead, Trainer):
    """Towers by name, a trunk that mixes them, and an output layer, trained as one network.

    A head is a subclass with an explicit ``__init__`` that says what is to be learnt of texts, as
    pretrainers do, and fills `_make_head`.
    """

    pooling: str | None = "native"
    combine: str
    hidden: int
    dropout: float
    freeze: str | int
    linear_probe: bool
    towers_: list[tuple[str, Tower]]
    origins_: dict[str, str]
    mix_: list[Any]

    @property
    def embedder_(self) -> ComposedEmbedder:
        """The fine-tuned towers as features for any estimator."""
        check_is_fitted(self)
        embedder = ComposedEmbedder(self.towers_, pooling=self.pooling or "native")
        return embedder.set_params(
            missing=self.missing, column=self.column, device=self.device
        ).fit([""])

    @abstractmethod
    def _make_head(self, width: int) -> Head:
        """Return the output layer on vectors of this width."""

    def _for_towers(self, y: Any) -> Any:
        """Return what pretrainers among the towers learn from."""
        return y.values

    def _begin(self, texts: Any, y: Any, seed: int) -> None:
        towers = self._trained(texts, self._for_towers(y), seed)
        self._check_towers(towers)
        self._use(towers, texts)
        self.origins_ = {name: tower.digest for name, tower in towers}
        self.mix_ = self._mix()

    def _mix(self) -> list[Any]:
        """Return the parameters that say what stands on the towers."""
        return [self.pooling, self.combine, self.hidden]

    def _check_towers(self, towers: list[tuple[str, Any]]) -> None:
        super()._check_towers(towers)
        check_alike(towers, ("normalization",))  # of texts, which noise then changes for all
        check_cls(self.pooling or "native", towers)

    def _check_transformer(self, name: str, entry: Any) -> None:
        raise TypeError(
            f"Tower {name!r} is a {type(entry).__name__}, which cannot be fine-tuned: use towers "
            "alone here, and put embedder_ beside it, once this is fitted, in a FeatureUnion."
        )

    def _bases(self) -> list[Base]:
        """Return the distinct bases, first the one whose windows are the shortest."""
        bases = dict.fromkeys(tower.base for _, tower in self.towers_)
        return sorted(bases, key=lambda b: b.reading["max_example_len"] - b.reading["add_cls"])

    def _preprocessor(self) -> CharPreprocessor:
        return self._bases()[0].preprocessor()

    def _origin(self, *, more: bool) -> Any:
        return self.towers_ if more else self._entries_ready()

    def _make_batch(
        self, view: View, example: Any, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        ids, targets, extra = super()._make_batch(view, example, rng)  # type: ignore[safe-super]
        further = enumerate(self._bases()[1:], start=1)
        codes = {f"ids_{i}": view.read_by(base.preprocessor()) for i, base in further}
        return ids, targets, {**extra, **codes}

    def _batches(
        self, texts: Any, y: Any, validation: Any, **how: Any
    ) -> tuple[Batches, Batches | None]:
        reader = replace(self._reader(), noise=None)
        fraction = self._held_out(validation, once=how["once"])
        size = {"batch_size": self.batch_size, "seed": how["seed"]}
        self._clean = lambda: split(reader, texts, y, fraction=fraction, **size)[0]
        return super()._batches(texts, y, validation, **how)

    def _builder(self, *, more: bool) -> Callable[[], ComposedTask]:
        def build() -> ComposedTask:
            bases = self._bases()
            module = self._assembled(
                [base.build() for base in bases], [tower.build() for _, tower in self.towers_]
            )
            if more:
                self._check_mix()
                self._load(module, torch.tensor)
                return module
            device, clean = resolve_device(self.device), self._clean()
            module.to(device)
            standardize(module, clean, device)
            if self.linear_probe:
                probe(module, clean, device)
            return module.cpu()

        return build

    def _assembled(self, bases: list[Any], towers: list[Any], freeze: Any = None) -> ComposedTask:
        """Return a network of these parts, with a new trunk and output layer."""
        places = self._bases()
        values = [tower for _, tower in self.towers_]
        trunk = Trunk(
            [tower.width for tower in values],
            [tower.native_width for tower in values],
            pooling=self.pooling,
            combine=self.combine,
            hidden=self.hidden,
            dropout=self.dropout,
        )
        return ComposedTask(
            bases,
            towers,
            [places.index(tower.base) for tower in values],
            trunk=trunk,
            head=self._make_head(trunk.width),
            freeze=self.freeze if freeze is None else freeze,
        )

    def _on_meta(self) -> ComposedTask:
        return self._assembled([], [], freeze="towers")

    def _task_module(self) -> ComposedTask:
        """Return the network, built once for the same weights and towers: never train it."""
        check_is_fitted(self)
        self._check_mix()
        device = resolve_device(self.device)
        parts = [*self.head_weights_.values(), *(tower for _, tower in self.towers_)]
        key = (device, *map(id, parts))
        if self not in _built or _built[self][0] != key:
            bases = [built(base, device) for base in self._bases()]
            towers = [built(tower, device) for _, tower in self.towers_]
            with torch.device("meta"):  # whose weights cost nothing to make
                module = self._assembled(bases, towers, freeze="towers")
            self._load(module, torch.from_dlpack)
            _built[self] = key, parts, module.to(device).eval()
        return _built[self][2]

    def _check_mix(self) -> None:
        if self._mix() != self.mix_:
            raise ValueError(
                f"pooling, combine and hidden are {self._mix()}, and were {self.mix_} in training: "
                "set them back, or clone the estimator to begin anew."
            )

    def _load(self, module: ComposedTask, tensor: Callable) -> None:
        """Put the trained weights of trunk and output layer, as tensors, into a network."""
        state = {name: tensor(weights) for name, weights in self.head_weights_.items()}
        module.load_state_dict(state, strict=False, assign=True)

    def _keep(self, module: ComposedTask, *, more: bool) -> None:
        state = module.state_dict().items()
        self.head_weights_ = {
            name: tensor.detach().numpy().copy()
            for name, tensor in state
            if not name.startswith(("base.", "tower."))
        }
        if self.freeze == "towers":
            return
        old = self._bases()
        new = {base: base.with_module(m) for base, m in zip(old, module.base, strict=True)}
        self.towers_ = [
            (name, tower.with_module(trained, new[tower.base]))
            for (name, tower), trained in zip(self.towers_, module.tower, strict=True)
        ]

    def _text_logits(self, texts: list[str]) -> np.ndarray:
        """Return what the output layer says of texts, windows averaged by their lengths."""
        pieces, owners = self._reader().cut(texts)
        n_outputs = len(self.head_weights_["head.output.bias"])
        found = np.empty((len(pieces), n_outputs), dtype=np.float32)
        for rows, logits in self._logits(pieces, self._anything(len(pieces))):
            found[rows] = logits.float().cpu().numpy()
        weights = np.fromiter(map(len, pieces), dtype=np.float32, count=len(pieces)).clip(min=1)
        total = np.zeros((len(texts), n_outputs), dtype=np.float32)
        np.add.at(total, owners, found * weights[:, None])
        return total / np.bincount(owners, weights, len(texts))[:, None].astype(np.float32)

    def _check_goes_on(self) -> None:
        entries = dict(self._entries_ready())
        others = [
            name
            for name, entry in entries.items()
            if isinstance(entry, Tower) and entry.digest != self.origins_.get(name)
        ]
        if others or list(entries) != list(self.origins_):
            raise ValueError(
                f"towers are {list(entries)}, and those that the training began with "
                f"{list(self.origins_)}; {others} are others. warm_start and partial_fit go on "
                "with what was trained: set them back, or clone the estimator to begin anew."
            )

    def _check_params(self) -> None:
        super()._check_params()
        self._check_names()
        check_bool("fit_towers", self.fit_towers)
        check_bool("linear_probe", self.linear_probe)
        check_option("combine", self.combine, ("concat", "gated", "attention"))
        check_integer("hidden", self.hidden, 0)
        check_real("dropout", self.dropout, 0, 1)
        _check_freeze(self.freeze)
        if type(self).pooling is not None:
            check_pooling(self.pooling)


# What a head's network was built of, which keeps the identities in the key from being used again.
_built: WeakKeyDictionary[ComposedHead, tuple[tuple, list[Any], ComposedTask]] = WeakKeyDictionary()


def _check_freeze(freeze: Any) -> None:
    if isinstance(freeze, str):
        check_option("freeze", freeze, _FROZEN)
    else:
        check_integer("freeze", freeze, 0)
