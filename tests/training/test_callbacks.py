"""Callbacks of scikit-learn: who is told what, when, and what a wish to stop does."""

import copy
import threading
import warnings
from io import StringIO

import numpy as np
import pytest
from keywords import SOLVERS, read_by
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._objective.objective import Objective

callback = pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


RECORD = (
    "loss_curve_",
    "validation_scores_",
    "validation_loss_curve_",
    "best_validation_score_",
    "n_iter_",
    "n_fun_",
    "t_",
    "converged_",
)

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)


class Recorder:
    """Notes every hook as (hook, task, number); acts after one iteration."""

    def __init__(self, after=None, act=lambda: True, of_start=None):
        self.after = after
        self.act = act
        self.of_start = of_start
        self.events = []
        self.fitted = []
        self.lock = threading.Lock()

    def note(self, hook, context):
        start = context.parent.task_id if context.task_name == "iteration" else None
        with self.lock:
            self.events.append((hook, context.task_name, start, context.task_id))

    def setup(self, estimator, context):
        self.note("setup", context)

    def teardown(self, estimator, context):
        self.note("teardown", context)

    def on_fit_task_begin(self, estimator, context):
        self.note("begin", context)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.note("end", context)
        self.fitted.append(fitted_estimator)
        asked = (
            context.task_name == "iteration"
            and context.task_id + 1 == self.after
            and self.of_start in (None, context.parent.task_id)
        )
        return self.act() if asked else None

    def count(self, hook, task):
        return sum(event[:2] == (hook, task) for event in self.events)


def fail():
    raise LookupError("a defect of the callback")


def interrupt():
    raise KeyboardInterrupt


def network(solver="adam", **params):
    params = {"tol": 0.0, "max_iter": 12, "random_state": 0} | params
    return BackpropMLPClassifier(6, "tanh", solver=solver, **read_by(solver, params))


# What is told


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_iteration_begins_and_ends_once_inside_the_fit(solver):
    recorder = Recorder()
    classifier = network(solver, max_iter=4).set_callbacks(recorder).fit(X, y)
    iterations = [
        (hook, "iteration", 0, number) for number in range(4) for hook in ("begin", "end")
    ]
    assert classifier.n_iter_ == 4
    assert recorder.events == [
        ("setup", "fit", None, 0),
        ("begin", "fit", None, 0),
        *iterations,
        ("end", "fit", None, 0),
        ("teardown", "fit", None, 0),
    ]


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_fitted_estimator_of_an_iteration_is_what_fit_would_return_there(solver):
    recorder = Recorder()
    network(solver, max_iter=3, batch_norm=solver == "sgd").set_callbacks(recorder).fit(X, y)
    for number, fitted in enumerate(recorder.fitted[:-1], start=1):
        ended_there = network(solver, max_iter=number, batch_norm=solver == "sgd").fit(X, y)
        assert np.array_equal(fitted.predict_proba(X), ended_there.predict_proba(X))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("keywords", [{}, {"warm_start": True}, {"early_stopping": True}])
def test_it_has_the_record_that_fit_would_leave_there(solver, keywords):
    recorder = Recorder()
    watched = network(solver, max_iter=3, **keywords).fit(X, y).set_callbacks(recorder).fit(X, y)
    for number, fitted in enumerate(recorder.fitted[:-1], start=1):
        ended_there = network(solver, max_iter=3, **keywords).fit(X, y)
        ended_there.set_params(max_iter=number).fit(X, y)
        for name in RECORD:
            assert getattr(fitted, name) == getattr(ended_there, name), name
        assert fitted.loss_ == fitted.loss_curve_[-1]
    assert watched.n_iter_ == number


def test_callbacks_do_not_change_the_result():
    with_callback = network().set_callbacks(Recorder()).fit(X, y)
    without = network().fit(X, y)
    assert with_callback.loss_curve_ == without.loss_curve_
    assert all(map(np.array_equal, with_callback.coefs_, without.coefs_))


def test_early_stopping_and_scorers_do_not_fire_the_callbacks_twice():
    recorder = Recorder()
    network(early_stopping=True, scoring="f1_macro").set_callbacks(recorder).fit(X, y)
    assert recorder.count("setup", "fit") == recorder.count("teardown", "fit") == 1
    assert recorder.count("begin", "fit") == recorder.count("end", "fit") == 1
    assert recorder.count("begin", "iteration") == recorder.count("end", "iteration") == 12


def test_a_second_fit_begins_a_second_run():
    recorder = Recorder()
    classifier = network(max_iter=2).set_callbacks(recorder)
    classifier.fit(X, y)
    first = list(recorder.events)
    classifier.fit(X, y)
    assert recorder.events == first * 2


def test_a_warm_start_counts_its_own_iterations():
    recorder = Recorder()
    classifier = network(max_iter=2, warm_start=True).set_callbacks(recorder).fit(X, y)
    classifier.fit(X, y)
    assert (classifier.n_iter_, len(classifier.loss_curve_)) == (2, 4)
    ended = [event[3] for event in recorder.events if event[:2] == ("end", "iteration")]
    assert ended == [0, 1, 0, 1]


def test_fit_leaves_no_trace_of_the_callbacks_machinery():
    fitted = network(max_iter=1).set_callbacks(Recorder()).fit(X, y)
    plain = network(max_iter=1).fit(X, y)
    assert vars(fitted).keys() - vars(plain).keys() == {"_skl_callbacks"}


# Wishes to stop


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_callback_that_asks_to_stop_is_obeyed_at_that_iteration(solver):
    recorder = Recorder(after=5)
    classifier = network(solver).set_callbacks(recorder)
    with warnings.catch_warnings():
        # That is no failure to converge.
        warnings.simplefilter("error")
        classifier.fit(X, y)
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 5
    assert recorder.count("begin", "iteration") == recorder.count("end", "iteration") == 5
    assert recorder.count("end", "fit") == 1
    five = network(solver, max_iter=5).fit(X, y)
    assert all(map(np.array_equal, classifier.coefs_, five.coefs_))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("alpha", [1.0, 1e6])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_what_a_callback_ends_has_not_converged(solver, alpha, early_stopping):
    """Above the cost of a constant prediction, too, it is no reason for a warning."""
    classifier = network(solver, alpha=alpha, early_stopping=early_stopping)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier.set_callbacks(Recorder(after=1)).fit(X, y)
    assert classifier.n_iter_ == 1
    assert not classifier.converged_


def test_a_stop_keeps_the_best_parameters_under_early_stopping():
    classifier = network(early_stopping=True, learning_rate_init=0.3, random_state=3)
    classifier.set_callbacks(Recorder(after=8)).fit(X, y)
    scores = classifier.validation_scores_
    best = int(np.argmax(scores))
    assert len(scores) == 8
    assert best < 7  # or the test would show nothing
    there = network(early_stopping=True, learning_rate_init=0.3, random_state=3, max_iter=best + 1)
    assert all(map(np.array_equal, classifier.coefs_, there.fit(X, y).coefs_))


# Restarts


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("solver", ["cg", "adam"])
def test_restarts_are_subtasks_each_with_iterations_of_its_own(solver, n_jobs):
    recorder = Recorder()
    network(solver, max_iter=3, n_init=3, n_jobs=n_jobs).set_callbacks(recorder).fit(X, y)
    assert recorder.events[:2] == [("setup", "fit", None, 0), ("begin", "fit", None, 0)]
    assert recorder.events[-2:] == [("end", "fit", None, 0), ("teardown", "fit", None, 0)]
    for start in range(3):
        events = [
            event
            for event in recorder.events
            if event[2] == start or event[1:] == ("start", None, start)
        ]
        assert events == [
            ("begin", "start", None, start),
            *(
                (hook, "iteration", start, number)
                for number in range(3)
                for hook in ("begin", "end")
            ),
            ("end", "start", None, start),
        ]
    assert len(recorder.events) == 4 + 3 * 8


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_wish_to_stop_ends_its_restart_alone(n_jobs):
    recorder = Recorder(after=2, of_start=1)
    network(max_iter=4, n_init=3, n_jobs=n_jobs).set_callbacks(recorder).fit(X, y)
    ended = [event[2] for event in recorder.events if event[:2] == ("end", "iteration")]
    assert [ended.count(start) for start in range(3)] == [4, 2, 4]
    assert recorder.count("end", "start") == 3


# Failures


@pytest.mark.parametrize("solver", ["lbfgs", "sgd"])
def test_teardown_comes_after_a_failing_fit_too(solver):
    recorder = Recorder()
    classifier = network(solver).set_callbacks(recorder)
    with pytest.raises(ValueError, match="X_val and y_val"):
        classifier.fit(X, y, X_val=X)
    assert recorder.events == [("setup", "fit", None, 0), ("teardown", "fit", None, 0)]
    assert not hasattr(classifier, "coefs_")
    assert not hasattr(classifier, "_callback_fit_ctx")


def test_teardown_comes_after_divergence_too():
    recorder = Recorder()
    classifier = network("sgd", learning_rate_init=1e200).set_callbacks(recorder)
    with pytest.raises(FloatingPointError, match="diverges"):
        classifier.fit(X, y)
    assert recorder.events[-1] == ("teardown", "fit", None, 0)
    assert recorder.count("teardown", "fit") == 1


@pytest.mark.parametrize("n_init", [1, 2])
@pytest.mark.parametrize("solver", SOLVERS)
def test_an_error_in_a_callback_leaves_the_estimator_as_it_was(solver, n_init):
    recorder = Recorder(after=2, act=fail)
    classifier = network(solver, n_init=n_init).fit(X, y)
    before = copy.deepcopy(vars(classifier))
    classifier.set_callbacks(recorder)
    with pytest.raises(LookupError, match="a defect of the callback"):
        classifier.fit(X, y)
    assert recorder.count("end", "iteration") == 2  # the second is not told twice
    assert recorder.events[-1] == ("teardown", "fit", None, 0)
    assert vars(classifier).keys() - before.keys() == {"_skl_callbacks"}
    assert classifier.loss_curve_ == before["loss_curve_"]
    assert all(map(np.array_equal, classifier.coefs_, before["coefs_"]))


@pytest.mark.parametrize("solver", SOLVERS)
def test_ctrl_c_inside_a_callback_keeps_what_was_reached(solver):
    recorder = Recorder(after=3, act=interrupt)
    classifier = network(solver).set_callbacks(recorder)
    with pytest.warns(UserWarning, match="interrupted after 3 iterations"):
        classifier.fit(X, y)
    assert classifier.n_iter_ == 3
    assert recorder.count("end", "iteration") == 3
    assert recorder.count("end", "fit") == recorder.count("teardown", "fit") == 1
    three = network(solver, max_iter=3).fit(X, y)
    assert all(map(np.array_equal, classifier.coefs_, three.coefs_))


# Iterations that never end


class Reader(Recorder):
    """Reads the fitted estimator of every iteration, as that of the guide does."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        super().on_fit_task_end(estimator, context, fitted_estimator=fitted_estimator)
        return context.task_name == "iteration" and fitted_estimator.loss_ < -1.0


@pytest.mark.parametrize("solver", ["cg", "lbfgs", "newton-cg"])
def test_where_there_is_nothing_to_do_no_iteration_ends(solver):
    classifier = network(solver, tol=0.1, max_iter=500, warm_start=True).fit(X, y)
    assert classifier.converged_
    reader = Reader()
    classifier.set_callbacks(reader).fit(X, y)
    assert classifier.n_iter_ == reader.count("end", "iteration") == 0
    assert reader.count("end", "fit") == 1


@pytest.mark.parametrize("solver", ["cg", "lbfgs", "newton-cg"])
def test_where_no_step_lowers_the_cost_the_last_iteration_that_ends_is_the_last(solver):
    reader = Reader()
    classifier = network(solver, alpha=100.0, max_iter=10_000).set_callbacks(reader).fit(X, y)
    assert classifier.n_iter_ == reader.count("end", "iteration") < 10_000


def test_an_epoch_that_diverges_has_no_end():
    reader = Reader()
    with pytest.raises(FloatingPointError, match="diverges"):
        network("sgd", learning_rate_init=1e200).set_callbacks(reader).fit(X, y)
    assert reader.events[-1] == ("teardown", "fit", None, 0)


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_iteration_that_ctrl_c_breaks_off_has_no_end(solver, monkeypatch):
    reader = Reader()
    classifier = network(solver, max_iter=100).set_callbacks(reader)

    def interrupted_in(method):
        undisturbed = getattr(Objective, method)

        def disturbed(self, *args):
            if reader.count("end", "iteration") == 3:
                raise KeyboardInterrupt
            return undisturbed(self, *args)

        monkeypatch.setattr(Objective, method, disturbed)

    for method in ("value_and_grad", "minibatch"):
        interrupted_in(method)
    with pytest.warns(UserWarning, match="interrupted after 3 iterations"):
        classifier.fit(X, y)
    assert classifier.n_iter_ == reader.count("end", "iteration") == 3


def test_after_a_warm_start_the_iterations_that_are_told_are_said_to_be_those_of_the_call():
    classifier = network("cg", warm_start=True, max_iter=5).fit(X, y)
    classifier.set_callbacks(Recorder(after=3, act=interrupt))
    with pytest.warns(UserWarning, match="interrupted after 3 iterations of this call; the best"):
        classifier.fit(X, y)
    assert len(classifier.loss_curve_) == 8


# scikit-learn's own


def test_scoring_monitor_scores_every_iteration():
    monitor = callback.ScoringMonitor(scoring="accuracy")
    classifier = network(max_iter=3, learning_rate_init=0.1).set_callbacks(monitor).fit(X, y)
    rows = monitor.get_logs().data
    scores = {row["task_id"]: row["accuracy"] for row in rows if row["task_name"] == "iteration"}
    expected = [
        network(max_iter=number, learning_rate_init=0.1).fit(X, y).score(X, y)
        for number in (1, 2, 3)
    ]
    assert scores == dict(enumerate(expected))
    assert [row["accuracy"] for row in rows if row["task_name"] == "fit"] == [
        classifier.score(X, y)
    ]


def test_scoring_monitor_counts_the_row_weights():
    monitor = callback.ScoringMonitor(scoring="accuracy")
    sample_weight = np.where(y == 0, 5.0, 1.0)
    classifier = network(max_iter=1).set_callbacks(monitor).fit(X, y, sample_weight)
    rows = monitor.get_logs().data
    expected = classifier.score(X, y, sample_weight)
    assert expected != classifier.score(X, y)
    assert [row["accuracy"] for row in rows] == [expected] * 2


def test_scoring_monitor_inside_a_pipeline():
    monitor = callback.ScoringMonitor(scoring="neg_log_loss")
    pipeline = make_pipeline(StandardScaler(), network("lbfgs", max_iter=3))
    pipeline[-1].set_callbacks(monitor)
    pipeline.fit(X, y)
    rows = monitor.get_logs().data
    assert [row["task_name"] for row in rows].count("iteration") == 3
    scores = [row["neg_log_loss"] for row in rows if row["task_name"] == "iteration"]
    assert scores == sorted(scores)


@pytest.fixture
def progress(monkeypatch):
    """What the progress bars show in the end."""
    rich = pytest.importorskip("rich.console", reason="progress bars need rich")
    pytest.importorskip("rich.progress")
    shown = StringIO()
    console = rich.Console(file=shown, width=200, force_terminal=False)
    monkeypatch.setattr("rich._console", console)
    return shown.getvalue


@pytest.mark.parametrize("solver", SOLVERS)
def test_progress_bar_of_a_fit(progress, solver):
    network(solver, max_iter=3).set_callbacks(callback.ProgressBar()).fit(X, y)
    assert "BackpropMLPClassifier - fit" in progress()
    assert "100%" in progress()


def test_progress_bar_shows_a_line_a_restart(progress):
    classifier = network(max_iter=3, n_init=3, n_jobs=2).set_callbacks(callback.ProgressBar())
    classifier.fit(X, y)
    for number in range(3):
        assert f"BackpropMLPClassifier - start #{number}" in progress()


def test_progress_bar_of_a_pipeline_shows_the_network_inside(progress):
    pipeline = make_pipeline(StandardScaler(), network(max_iter=3))
    pipeline.set_callbacks(callback.ProgressBar()).fit(X, y)
    assert "BackpropMLPClassifier - fit" in progress()


def test_progress_bar_survives_a_failing_fit(progress):
    classifier = network().set_callbacks(callback.ProgressBar())
    with pytest.raises(ValueError, match="X_val and y_val"):
        classifier.fit(X, y, X_val=X)
    classifier.fit(X, y)
    assert "100%" in progress()


def test_clones_share_the_callbacks_and_their_restarts_do_not_mix():
    recorder = Recorder()
    classifier = network(max_iter=2).set_callbacks(recorder)
    clone(classifier).fit(X, y)
    assert recorder.count("end", "iteration") == 2
