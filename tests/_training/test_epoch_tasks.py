"""scikit-learn's callbacks: they are told of each fit and epoch, score, and end a training."""

import copy
import pickle
import runpy
import sys

import numpy as np
import pytest
from callbacks_tools import KINDS, TEXTS, Y, made, towers
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback, EpochScoring

from sklearn_cclm import ComposedEmbedder
from sklearn_cclm._tools import fit_tasks
from sklearn_cclm._training.trainer import Trainer

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from 1.9 on")
TRAINERS = sorted(name for name, kind in KINDS.items() if issubclass(kind, Trainer))


class Diary:
    """Keeps what it is told, and says stop at the end of an epoch."""

    max_propagation_depth = None

    def __init__(self, last=None):
        self.last = last
        self.rows = []

    def setup(self, estimator, context):
        self.rows.append(("setup", context.estimator_name))

    def teardown(self, estimator, context):
        self.rows.append(("teardown", context.estimator_name))

    def on_fit_task_begin(self, estimator, context):
        self.rows.append(("begin", context.estimator_name, context.task_name))

    def on_fit_task_end(self, estimator, context):
        self.rows.append(("end", context.estimator_name, context.task_name))
        return self.rows.count(self.rows[-1]) == self.last


class LastEpoch(Callback):
    def __init__(self, last):
        self.last = last

    def on_epoch_end(self, net, **params):
        if len(net.history) == self.last:
            raise KeyboardInterrupt


def fit(estimator, name):
    ys = {"ComposedRegressor": np.arange(len(TEXTS)) / 10}
    return estimator.fit(TEXTS, ys.get(name, Y))


@pytest.mark.parametrize("name", TRAINERS)
def test_each_epoch_is_a_task_and_nothing_else_changes(name):
    diary = Diary()
    fitted = fit(made(name).set_callbacks(diary), name)
    own = [row for row in diary.rows if row[1] == type(fitted).__name__]
    assert own[:2] == [("setup", own[0][1]), ("begin", own[0][1], "fit")]
    assert own[-2:] == [("end", own[0][1], "fit"), ("teardown", own[0][1])]
    assert [row[0] for row in own if row[-1] == "epoch"] == ["begin", "end"] * fitted.n_iter_
    plain = fit(made(name), name)
    assert towers(plain) == towers(fitted)
    assert vars(fitted).keys() - vars(plain).keys() == {"_skl_callbacks"}


@pytest.mark.parametrize("name", ["ClassificationPretrainer", "ComposedClassifier"])
def test_true_ends_the_training_as_skorch_does(name):
    diary = Diary(last=2)
    stopped = made(name).set_callbacks(diary).fit(TEXTS, Y)
    assert stopped.n_iter_ == len(stopped.history_) == 2
    assert towers(stopped) == towers(made(name, LastEpoch(2)).fit(TEXTS, Y))
    assert diary.rows[-1][0] == "teardown"


def test_the_best_weights_are_kept_where_a_callback_stops_early():
    params = {"early_stopping": True, "lr": 0.05, "max_epochs": 6, "patience": 6}
    stopped = made("ClassificationPretrainer", **params).set_callbacks(Diary(last=4))
    by_skorch = made("ClassificationPretrainer", LastEpoch(4), **params)
    assert towers(stopped.fit(TEXTS, Y)) == towers(by_skorch.fit(TEXTS, Y))
    diary = Diary()
    early = made("ClassificationPretrainer", **{**params, "patience": 1}).set_callbacks(diary)
    n_ended = early.fit(TEXTS, Y).n_iter_
    assert [row[0] for row in diary.rows if row[-1] == "epoch"] == ["begin", "end"] * n_ended


def test_an_error_tears_down_and_leaves_the_estimator_as_it_was():
    diary = Diary()
    pretrainer = made("ClassificationPretrainer").set_callbacks(diary)
    with pytest.raises(ValueError, match="y"):
        pretrainer.fit(TEXTS, None)
    assert diary.rows[-1][0] == "teardown"
    assert not any(name.endswith("_") or "context" in name for name in vars(pretrainer))


def test_the_monitor_scores_what_was_learned_so_far():
    monitor = callback.ScoringMonitor(scoring="neg_log_loss")
    skorch = EpochScoring("neg_log_loss", name="own", on_train=True, lower_is_better=False)
    fitted = made("ComposedClassifier", skorch, lr=0.02).set_callbacks(monitor).fit(TEXTS, Y)
    scores = [row["neg_log_loss"] for row in monitor.get_logs().data]
    assert scores == [row["own"] for row in fitted.history_]
    assert scores[0] < scores[-1]
    assert pickle.loads(pickle.dumps(fitted)).predict(TEXTS).tolist()
    assert copy.deepcopy(fitted).n_iter_ == 3


def test_streams_have_no_texts_to_score(tmp_path):
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS))
    monitor = callback.ScoringMonitor(scoring=None)
    pretrainer = made("MaskedCharacterPretrainer").set_callbacks(monitor)
    pretrainer.fit(tmp_path / "texts.txt")
    assert [row["task_name"] for row in monitor.get_logs().data] == ["epoch"] * 3


def test_towers_are_parts_of_the_fit_of_a_composition():
    entries = [("chars", made("MaskedCharacterPretrainer")), ("words", TfidfVectorizer())]
    diary = Diary()
    embedder = ComposedEmbedder(entries, fit_towers=True).set_callbacks(diary)
    with pytest.warns(UserWarning, match="TfidfVectorizer does not support callbacks"):
        embedder.fit(TEXTS)
    begun = [row[1:] for row in diary.rows if row[0] == "begin"]
    assert begun == [
        ("ComposedEmbedder", "fit"),
        ("MaskedCharacterPretrainer", "fit"),
        *[("MaskedCharacterPretrainer", "epoch")] * 3,
        ("ComposedEmbedder", "fit-words"),
    ]


@pytest.mark.slow
def test_epochs_show_through_pipelines_and_searches(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    features = ComposedEmbedder([("chars", made("MaskedCharacterPretrainer"))], fit_towers=True)
    model = make_pipeline(features, LogisticRegression())
    grid = {"composedembedder__chars__lr": [1e-3, 1e-2]}
    bar = callback.ProgressBar(max_propagation_depth=None)
    GridSearchCV(model, grid, cv=2, n_jobs=2).set_callbacks(bar).fit(TEXTS, Y)
    lines = [line for line in capsys.readouterr().out.splitlines() if "Pretrainer - fit" in line]
    assert len(lines) == 5
    assert all("fit-chars" in line and "100%" in line for line in lines)


def test_before_scikit_learn_1_9_nobody_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.callback", None)
    old = runpy.run_path(fit_tasks.__file__)

    class Estimator(old["CallbackSupportMixin"]):
        @old["with_callbacks"]
        def fit(self):
            with old["fit_task"](self, 2) as task:
                with task.part("part", object()):
                    pass
                assert not task.context.subcontext(task_name="epoch").call_on_fit_task_end()
            return vars(self)

    assert Estimator().fit() == {}
    assert not hasattr(Estimator(), "set_callbacks")
