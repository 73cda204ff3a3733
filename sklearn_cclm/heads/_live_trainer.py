"""`LiveTrainer`: `partial_fit` goes on with the network as it is, and makes values later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from sklearn_cclm._training.trainer import Trainer
from sklearn_cclm.values import Tower

if TYPE_CHECKING:
    from sklearn_cclm._training.live import Live
    from sklearn_cclm._training.loop import Trained


class Late:
    """A fitted attribute that is made of the network, if that has learned more, once asked for."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, head: Any, owner: type) -> Any:
        if head is None:
            return self
        head._catch_up()
        if self.name not in vars(head):
            raise AttributeError(f"{owner.__name__!r} object has no attribute {self.name!r}")
        return vars(head)[self.name]

    def __set__(self, head: Any, value: Any) -> None:
        head._let_go()  # the network knows nothing of what is set
        vars(head)[self.name] = value


class LiveTrainer(Trainer):
    """A trainer of towers whose network stays from one `partial_fit` to the next.

    To make values of a large table, and their digests, takes longer than a step: they are made
    when they are asked for, or the estimator is pickled or copied.
    """

    towers_: Any = Late()
    head_weights_: Any = Late()
    optimizer_state_: Any = Late()
    freeze: str | int
    dropout: float
    optimizer: Any
    _live: Live | None = None
    _ahead = False  # whether the network knows more than the fitted attributes do

    def __getstate__(self) -> dict[str, Any]:
        self._catch_up()
        return {k: v for k, v in vars(self).items() if k not in ("_live", "_ahead")}

    def _run(self, *args: Any, once: bool = False, **how: Any) -> Self:
        live = self._live
        if live is not None and not (once and live.made_of == self._made_of()):
            self._let_go()
        return super()._run(*args, once=once, **how)

    def _adopt(self, fitted: Self) -> None:
        super()._adopt(fitted)
        self._hold(fitted._live, fitted._ahead)

    def _hold(self, live: Live | None, ahead: bool = False) -> None:
        """Go on with a network, or with none, which then leaves no attribute behind."""
        if live is None:
            for name in ("_live", "_ahead"):
                self.__dict__.pop(name, None)
        else:
            self._live, self._ahead = live, ahead

    def _alike(self) -> Self:
        alike = super()._alike()
        alike._hold(None)  # one estimator alone goes on with a network
        return alike

    def _kept_towers(self) -> list[tuple[str, Tower]]:
        """Return the towers, whose weights may be older than the network's."""
        return vars(self)["towers_"]

    def _made_of(self) -> Any:
        """Return the parameters that a network in training is made of."""
        return self._task(), self.freeze, self.dropout, self.optimizer

    @contextmanager
    def _going_on(self, *args: Any, **how: Any) -> Iterator[tuple[Callable, Callable | None]]:
        if self._live is None:
            with super()._going_on(*args, **how) as found:
                yield found
        else:
            live = self._live
            with live.or_as_before():
                yield lambda: live.module, live.goes_on

    def _keep_all(self, task: Any, trained: Trained, *, more: bool, once: bool) -> None:
        from sklearn_cclm._training.live import Live
        from sklearn_cclm.nn.optim import LazyAdamW

        if once and isinstance(trained.optimizer, LazyAdamW):
            self._live = Live(trained.module, trained.optimizer, self._made_of(), self.towers)
            self._ahead = True
        else:
            super()._keep_all(task, trained, more=more, once=once)

    def _catch_up(self) -> None:
        """Make fitted attributes of what the network has learned since they were made."""
        live = self._live
        if live is not None and self._ahead:
            from sklearn_cclm._training.optimizer_state import named_state

            fitted = self._alike()
            fitted.optimizer_state_ = named_state(live.module, live.optimizer)
            fitted._keep(self._known(), live.module, more=True)
            super()._adopt(fitted)
            self._ahead = False

    def _let_go(self) -> None:
        """Go on from the fitted attributes, not from the network."""
        self._catch_up()
        self._hold(None)
