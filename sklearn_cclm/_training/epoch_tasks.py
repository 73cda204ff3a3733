"""Epochs as tasks that scikit-learn's callbacks are told of."""

from __future__ import annotations

from typing import Any

from skorch import NeuralNet
from skorch.callbacks import Callback

from sklearn_cclm._tools.fit_tasks import FitTask


class EpochTasks(Callback):
    """Tell scikit-learn's callbacks of each epoch, and keep whether one wants to stop.

    Parameters
    ----------
    fit : FitTask, default=None
        The fit that they are of; None tells nobody.
    """

    stop = False

    def __init__(self, fit: FitTask | None = None) -> None:
        self.fit = fit

    def on_epoch_begin(self, net: NeuralNet, **params: Any) -> None:
        if self.fit is None:
            return
        self.epoch = self.fit.context.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(estimator=self.fit.estimator, **_data(net))

    def on_epoch_end(self, net: NeuralNet, **params: Any) -> None:
        if self.fit is None:
            return

        def learned() -> dict[str, Any]:
            return {name: value for name, value in vars(net.estimator).items() if name[-1] == "_"}

        self.stop = self.epoch.call_on_fit_task_end(
            estimator=self.fit.estimator, reconstruction_attributes=learned, **_data(net)
        )


def _data(net: NeuralNet) -> dict[str, Any]:
    """Return what makes X and y of the training, for callbacks that ask; of streams nothing."""
    give = net.scored.training
    return {"X": lambda: give()[0], "y": lambda: give()[1]} if give else {}
