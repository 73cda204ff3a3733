"""The tasks of a fit, of which scikit-learn's callbacks are told; before version 1.9, nobody is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class _Unheard:
        """What stands for a `sklearn.callback.CallbackContext`."""

        def subcontext(self, **task: Any) -> _Unheard:
            return self

        def call_on_fit_task_begin(self, **known: Any) -> _Unheard:
            return self

        def call_on_fit_task_end(self, **known: Any) -> bool:
            return False

        def propagate_callback_context(self, part: Any) -> nullcontext:
            return nullcontext()

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing to set: there are no callbacks."""

        def _init_callback_context(self, **task: Any) -> _Unheard:
            return _Unheard()

    def with_callbacks(method: Callable) -> Callable:
        """Return the method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "FitTask", "fit_task", "with_callbacks"]


@dataclass(frozen=True)
class FitTask:
    """The fit of an estimator.

    Attributes
    ----------
    estimator : estimator
        Whose callbacks are told.
    context : sklearn.callback.CallbackContext
        What tells them.
    """

    estimator: Any
    context: Any

    @contextmanager
    def part(self, name: str, part: Any) -> Iterator[None]:
        """Make what is done the fit of a part, which is told of to the callbacks of both."""
        task = self.context.subcontext(task_name=f"fit-{name}")
        with task.propagate_callback_context(part):
            task.call_on_fit_task_begin(estimator=self.estimator)
            yield
            task.call_on_fit_task_end(estimator=self.estimator)


@contextmanager
def fit_task(estimator: Any, n_tasks: int | None) -> Iterator[FitTask]:
    """Make what is done the fit of an estimator, of at most so many tasks where that is known."""
    context = estimator._init_callback_context(max_subtasks=n_tasks)
    context.call_on_fit_task_begin(estimator=estimator)
    yield FitTask(estimator, context)
    context.call_on_fit_task_end(estimator=estimator)
