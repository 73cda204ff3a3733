"""`ComposedHead`: towers, what stands on them, and how both are trained together."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

from sklearn.utils.validation import check_is_fitted

from sklearn_cclm._engines import by_numpy, engine
from sklearn_cclm._numpy.head import Predictor
from sklearn_cclm._tools.params import check_bool, check_integer, check_option, check_real
from sklearn_cclm._training.checks import check_task
from sklearn_cclm._training.reader import Reader
from sklearn_cclm.heads._live_trainer import LiveTrainer
from sklearn_cclm.heads._stored import StoredHead
from sklearn_cclm.models._embedder import ComposedEmbedder
from sklearn_cclm.models._named_towers import check_alike, check_cls, check_pooling
from sklearn_cclm.preprocessing import CharPreprocessor
from sklearn_cclm.values import Base, Tower
from sklearn_cclm.values._value import built

if TYPE_CHECKING:
    from sklearn_cclm._training.batches import Batches
    from sklearn_cclm.nn.composed_task import ComposedTask

_FROZEN = ("none", "base", "towers")


class ComposedHead(StoredHead, LiveTrainer):
    """Towers by name, a trunk that mixes them, and an output layer, trained as one network.

    A head is a subclass with an explicit ``__init__`` that fills `_task`, as pretrainers do.
    """

    _result = "towers_"
    pooling: str | None = "native"
    combine: str
    hidden: int
    dropout: float
    freeze: str | int
    linear_probe: bool
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

    def _for_towers(self, y: Any) -> Any:
        """Return what pretrainers among the towers learn from."""
        return y.values

    def _start(self, task: Any, texts: Any, y: Any) -> CharPreprocessor:
        weights = getattr(y, "weights", None)
        values = self._for_towers(y)
        towers = self._trained(texts, values, self._fit_task, self.seed_, weights)
        self._check_towers(towers)
        self._use(towers, texts)
        self.origins_ = {name: tower.digest for name, tower in towers}
        self.mix_ = self._mix()
        return self._bases()[0].preprocessor()

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
        bases = dict.fromkeys(tower.base for _, tower in self._kept_towers())
        return sorted(bases, key=lambda b: b.reading["max_example_len"] - b.reading["add_cls"])

    def _reader(self, task: Any) -> Reader:
        noise = task.auto_noise if isinstance(self.noise, str) else self.noise
        preprocessors = [base.preprocessor() for base in self._bases()]
        return Reader(task, preprocessors, noise, self.batch_size)

    def _build(self, task: Any, clean: Callable[[], Batches] | None, *, more: bool) -> ComposedTask:
        from sklearn_cclm.heads import _network

        if more or clean is None:
            return _network.trained(self, task)
        return _network.begun(self, task, clean())

    def _predictor(self) -> Any:
        check_is_fitted(self)
        self._check_mix()
        if engine() is not by_numpy:
            from sklearn_cclm.heads import _network

            return _network.built_once(self)
        if self._known().of_words:
            raise ImportError(by_numpy.needs_torch("A tagger that reads words"), name="torch")
        device, bases = by_numpy.resolve_device(self.device), self._bases()
        return Predictor(
            [built(base, device) for base in bases],
            [built(tower, device) for _, tower in self.towers_],
            [bases.index(tower.base) for _, tower in self.towers_],
            self.head_weights_,
            pooling=self.pooling,
            combine=self.combine,
        )

    def _check_mix(self) -> None:
        if self._mix() != self.mix_:
            raise ValueError(
                f"pooling, combine and hidden are {self._mix()}, and were {self.mix_} in training: "
                "set them back, or clone the estimator to begin anew."
            )

    def _keep(self, task: Any, module: ComposedTask, *, more: bool) -> None:
        state = module.state_dict().items()
        self.head_weights_ = {
            name: tensor.detach().numpy().copy()
            for name, tensor in state
            if not name.startswith(("base.", "tower."))
        }
        parts = chain(module.base.parameters(), module.tower.parameters())
        thawed = any(parameter.requires_grad for parameter in parts)
        if self.freeze == "towers" and not thawed:
            return
        old = self._bases()
        goes_on = "optimizer_state_" in vars(self)
        trained = Base.with_changes if goes_on else Base.with_module
        new = {base: trained(base, m) for base, m in zip(old, module.base, strict=True)}
        self.towers_ = [
            (name, tower.with_module(m, new[tower.base]))
            for (name, tower), m in zip(self.towers_, module.tower, strict=True)
        ]

    def _settled(self, *, more: bool) -> Self:
        settled = self._alike()
        settled._hold(self._live, self._ahead)
        settled._check_params()
        settled.towers = settled._entries_ready()
        if more:
            settled._check_goes_on()
        return settled

    def _check_goes_on(self) -> None:
        self._check_mix()
        entries = dict(self.towers)
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
        check_task(self, self._task())
        self._check_names()
        check_bool("fit_towers", self.fit_towers)
        check_bool("linear_probe", self.linear_probe)
        check_option("combine", self.combine, ("concat", "gated", "attention"))
        check_integer("hidden", self.hidden, 0)
        check_real("dropout", self.dropout, 0, 1)
        _check_freeze(self.freeze)
        if type(self).pooling is not None:
            check_pooling(self.pooling)


def _check_freeze(freeze: Any) -> None:
    if isinstance(freeze, str):
        check_option("freeze", freeze, _FROZEN)
    else:
        check_integer("freeze", freeze, 0)
