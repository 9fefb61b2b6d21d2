"""Callbacks of scikit-learn on a search: its tasks, and what it hands on to its fits."""

import threading

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV

callback = pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
ALPHAS = [0.1, 1.0]


class Recorder:
    """Notes every hook as (hook, path of task names and numbers)."""

    def __init__(self, fails_at=None):
        self.fails_at = fails_at
        self.events = []
        self.given = []
        self.lock = threading.Lock()

    def note(self, hook, context):
        path, task = [], context
        while task is not None:
            path.insert(0, (task.source_task_name or task.task_name, task.task_id))
            task = task.parent
        with self.lock:
            self.events.append((hook, *path))
        if hook == "end" and path[-1][0] == self.fails_at:
            raise LookupError("a defect of the callback")

    def setup(self, estimator, context):
        self.note("setup", context)

    def teardown(self, estimator, context):
        self.note("teardown", context)

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.given.append((context.task_name, X, y, metadata))
        self.note("begin", context)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.fitted = fitted_estimator
        self.note("end", context)

    def of(self, *path):
        """The hooks of a task."""
        return [hook for hook, *where in self.events if where == [*path]]


class Propagated(Recorder):
    """For a search and for all that it fits."""

    max_propagation_depth = None


def search(**params):
    network = BackpropMLPClassifier(4, "tanh", max_iter=3, tol=0.0, random_state=0)
    return BackpropMLPClassifierCV(network, alphas=ALPHAS, cv=3, **params)


FIT = ("fit", 0)
TASKS = [
    (FIT, ("search", 0)),
    *((FIT, ("search", 0), ("fold", fold)) for fold in range(3)),
    *(
        (FIT, ("search", 0), ("fold", fold), ("alpha", alpha))
        for fold in range(3)
        for alpha in range(2)
    ),
    (FIT, ("refit", 1)),
]
N_ITER = 3 * (3 + 1) + 3
"""The first fit of each of three paths, the second, and the last on all rows."""


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("kind", [Recorder, Propagated])
def test_every_task_begins_and_ends_once(kind, n_jobs):
    recorder = kind()
    search(n_jobs=n_jobs).set_callbacks(recorder).fit(X, y)
    assert recorder.of(FIT) == ["setup", "begin", "end", "teardown"]
    for task in TASKS:
        assert recorder.of(*task) == ["begin", "end"], task
    iterations = [event for event in recorder.events if event[-1][0] == "iteration"]
    assert len(iterations) == (0 if kind is Recorder else 2 * N_ITER)


def test_a_grid_that_is_found_has_a_task_for_each_walk():
    recorder = Recorder()
    fitted = search(refit="folds").set_params(alphas="auto").set_callbacks(recorder).fit(X, y)
    n_walks = 1 + len(fitted.alphas_) - 3
    for number in range(n_walks):
        assert recorder.of(FIT, ("search", number)) == ["begin", "end"]
    assert recorder.of(FIT, ("search", n_walks)) == []
    assert recorder.of(FIT, ("refit", n_walks)) == []


def test_the_iterations_of_a_propagated_callback_lie_inside_the_fits():
    recorder = Propagated()
    fitted = search().set_callbacks(recorder).fit(X, y)
    for fold in range(3):
        for alpha in range(2):
            inside = (FIT, ("search", 0), ("fold", fold), ("alpha", alpha))
            n_iter = sum(
                recorder.of(*inside, ("iteration", number)) == ["begin", "end"]
                for number in range(3)
            )
            assert n_iter == fitted.n_iter_[alpha, fold]


def test_callbacks_of_the_estimator_know_where_they_are():
    recorder = Recorder()
    model = search()
    model.estimator.set_callbacks(recorder)
    model.fit(X, y)
    for task in TASKS:
        if task[-1][0] in ("alpha", "refit"):
            assert recorder.of(*task) == ["setup", "begin", "end", "teardown"]
        else:
            assert recorder.of(*task) == []
    assert not hasattr(model.best_estimator_, "_parent_callback_ctx")


def test_propagated_callbacks_belong_on_the_search():
    model = search()
    model.estimator.set_callbacks(Propagated())
    with pytest.raises(TypeError, match="Register them directly on the meta-estimator"):
        model.fit(X, y)


def test_callbacks_do_not_change_the_result_and_are_not_left_behind():
    without = search().fit(X, y)
    model = search().set_callbacks(Propagated())
    fitted = model.fit(X, y)
    np.testing.assert_array_equal(fitted.scores_, without.scores_)
    np.testing.assert_array_equal(fitted.predict_proba(X), without.predict_proba(X))
    assert vars(fitted).keys() - vars(without).keys() == {"_skl_callbacks"}
    assert not hasattr(fitted.best_estimator_, "_skl_callbacks")
    assert clone(model)._skl_callbacks == model._skl_callbacks


def test_the_hooks_are_given_the_rows_of_their_task():
    recorder = Recorder()
    weights = np.linspace(0.5, 1.5, len(X))
    fitted = search().set_callbacks(recorder).fit(X, y, weights)
    given = {name: (X, y, metadata) for name, X, y, metadata in recorder.given}
    np.testing.assert_array_equal(given["fit"][0], X)
    np.testing.assert_array_equal(given["fit"][2]["sample_weight"], weights)
    assert given["fold"][0].shape == (100, 4)
    assert given["alpha"][1].shape == given["alpha"][2]["sample_weight"].shape == (100,)
    assert given["refit"][0].shape == (150, 4)
    np.testing.assert_array_equal(recorder.fitted.predict(X), fitted.predict(X))


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("task", ["fold", "alpha", "refit", "iteration"])
def test_teardown_comes_after_an_error_too(task, n_jobs):
    recorder = Propagated(fails_at=task)
    model = search(n_jobs=n_jobs).set_callbacks(recorder)
    with pytest.raises(LookupError, match="a defect"):
        model.fit(X, y)
    assert recorder.of(FIT) == ["setup", "begin", "teardown"]
    assert not hasattr(model, "alpha_")
    assert not hasattr(model, "_callback_fit_ctx")


def test_wrong_input_sets_up_and_tears_down():
    recorder = Recorder()
    with pytest.raises(ValueError, match="alphas must be"):
        search().set_params(alphas=[-1.0]).set_callbacks(recorder).fit(X, y)
    assert recorder.of(FIT) == ["setup", "teardown"]
