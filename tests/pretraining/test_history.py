"""The figure of a training."""

import sys

import pytest
from sklearn.exceptions import NotFittedError

from sklearn_cclm import CCLMModelBase, MaskedCharacterPretrainer, PooledConfig
from sklearn_cclm.pretraining import HistoryDisplay

matplotlib = pytest.importorskip("matplotlib")
HISTORY = [
    {"epoch": 1, "train_loss": 3.0, "valid_loss": 2.9, "valid_accuracy": 0.2, "dur": 0.1},
    {"epoch": 2, "train_loss": 2.0, "valid_loss": 2.2, "valid_accuracy": 0.5, "dur": 0.1},
    {"epoch": 3, "train_loss": 1.5, "dur": 0.1},
]
JOINT = [
    {"epoch": 1, "train_loss": 4.0, "valid_loss": 4.5, "valid_a_loss": 2.0, "valid_a_accuracy": 0.1,
     "valid_b_loss": 2.5, "valid_b_cosine": 0.3},
]  # fmt: skip


@pytest.fixture(autouse=True)
def _no_display():
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    yield
    plt.close("all")


def labels(display):
    return [line.get_label() for line in display.lines_]


def test_losses_are_on_one_axis_and_the_metric_on_the_other():
    display = HistoryDisplay(HISTORY).plot()
    assert labels(display) == ["training loss", "held-out loss", "held-out accuracy"]
    training, held_out, accuracy = display.lines_
    assert training.get_xydata().tolist() == [[1, 3.0], [2, 2.0], [3, 1.5]]
    assert held_out.get_xydata().tolist() == [[1, 2.9], [2, 2.2]]
    assert accuracy.get_xydata().tolist() == [[1, 0.2], [2, 0.5]]
    assert (training.axes, held_out.axes, accuracy.axes) == (
        display.ax_, display.ax_, display.metric_ax_,
    )  # fmt: skip
    assert display.metric_ax_.get_ylabel() == "held-out accuracy"
    assert accuracy.get_color() == held_out.get_color() != training.get_color()


def test_one_call_plots_a_fitted_pretrainer():
    recipe = CCLMModelBase(width=8, n_buckets=50)
    tower = PooledConfig(width=8, hidden=8)
    pretrainer = MaskedCharacterPretrainer(recipe, tower=tower, max_epochs=2)
    with pytest.raises(NotFittedError, match="MaskedCharacterPretrainer"):
        HistoryDisplay.from_estimator(pretrainer)
    figure = matplotlib.pyplot.figure()
    ax = figure.add_subplot()
    pretrainer.fit(["where is my card", "please cancel my order"] * 10)
    display = HistoryDisplay.from_estimator(pretrainer, ax=ax, name="chars")
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert labels(display)[0] == "chars: training loss"
    assert list(display.lines_[0].get_ydata()) == [row["train_loss"] for row in pretrainer.history_]


def test_without_held_out_texts_there_is_one_axis():
    display = HistoryDisplay([{"epoch": 1, "train_loss": 3.0, "dur": 0.1}]).plot()
    assert labels(display) == ["training loss"]
    assert display.metric_ax_ is None
    assert display.figure_.axes == [display.ax_]


def test_displays_share_their_axes():
    first = HistoryDisplay(HISTORY, name="first").plot()
    second = HistoryDisplay(HISTORY[:2]).plot(first.ax_, name="second")
    assert second.ax_ is first.ax_
    assert second.metric_ax_ is first.metric_ax_
    assert len({line.get_color() for line in first.lines_ + second.lines_}) == 4
    legend = [text.get_text() for text in first.ax_.get_legend().get_texts()]
    assert legend == labels(first) + labels(second)


def test_each_task_of_a_joint_training_has_lines_of_its_own():
    display = HistoryDisplay(JOINT).plot()
    assert labels(display) == [
        "training loss", "held-out loss", "held-out a loss", "held-out b loss",
        "held-out a accuracy", "held-out b cosine",
    ]  # fmt: skip
    colors = [line.get_color() for line in display.lines_]
    assert colors[2:4] == colors[4:]
    assert display.metric_ax_.get_ylabel() == "held-out accuracy and cosine"


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "sklearn-cclm\[plot\]"'):
        HistoryDisplay(HISTORY).plot()
