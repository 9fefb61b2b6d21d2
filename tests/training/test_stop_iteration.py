"""A StopIteration of the caller's, as of a bare next(), comes out of a fit like any other error."""

import copy
import pickle
from contextlib import nullcontext

import numpy as np
import pytest
from joblib import parallel_config
from keywords import MINI_BATCH, SOLVERS
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV
from backprop_mlp._stop_iteration import CarriedError, carry, deliver

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
X = scale(X)
MESSAGE = "nothing is left"


class Exhausted:
    """A scorer that is used up after some scores."""

    def __init__(self, n_scores=2):
        self.n_scores = n_scores

    def __call__(self, estimator, X, y):
        if self.n_scores == 0:
            raise StopIteration(MESSAGE)
        self.n_scores -= 1
        return 0.5


class ExhaustedCallback:
    """A callback that fails in one kind of hook: for iterations in the third."""

    def __init__(self, hook, task):
        self.at = hook, task
        self.n_hooks = 2 if task == "iteration" else 0

    def act(self, hook, context):
        if (hook, context.task_name) == self.at:
            if self.n_hooks == 0:
                raise StopIteration(MESSAGE)
            self.n_hooks -= 1

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.act("begin", context)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.act("end", context)


def network(solver="lbfgs", **keywords):
    return BackpropMLPClassifier(5, solver=solver, max_iter=6, random_state=0, **keywords)


def assert_raises(fit):
    """Not one that stands for it: callers tell errors apart by their class."""
    with pytest.raises(StopIteration, match=MESSAGE) as caught:
        fit()
    assert type(caught.value) is StopIteration


@pytest.mark.parametrize(("n_init", "n_jobs"), [(1, None), (3, None), (3, 2)])
@pytest.mark.parametrize("solver", SOLVERS)
def test_that_of_a_scorer_comes_out_and_leaves_the_estimator_as_it_was(solver, n_init, n_jobs):
    classifier = network(solver, early_stopping=True, n_init=n_init, n_jobs=n_jobs).fit(X, y)
    classifier.set_params(scoring=Exhausted())
    before = copy.copy(vars(classifier))
    coefs = copy.deepcopy(classifier.coefs_)
    assert_raises(lambda: classifier.fit(X, y))
    assert vars(classifier).keys() == before.keys()
    assert all(value is before[name] for name, value in vars(classifier).items())
    assert all(map(np.array_equal, classifier.coefs_, coefs))


@pytest.mark.parametrize("n_init", [1, 2])
@pytest.mark.parametrize("hook", [("begin", "iteration"), ("end", "iteration"), ("end", "fit")])
@pytest.mark.parametrize("solver", SOLVERS)
def test_that_of_a_callback_comes_out(solver, hook, n_init):
    pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    classifier = network(solver, n_init=n_init).set_callbacks(ExhaustedCallback(*hook))
    assert_raises(lambda: classifier.fit(X, y))


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_that_of_a_callback_comes_out_of_partial_fit(solver):
    pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    classifier = network(solver).partial_fit(X, y, classes=[0, 1, 2])
    classifier.set_callbacks(ExhaustedCallback("end", "partial_fit"))
    t = classifier.t_
    assert_raises(lambda: classifier.partial_fit(X, y))
    assert classifier.t_ == t


@pytest.mark.parametrize(("n_init", "n_jobs"), [(1, None), (2, None), (2, 2)])
@pytest.mark.parametrize("solver", MINI_BATCH)
def test_that_of_a_schedule_comes_out(solver, n_init, n_jobs):
    def schedule(step):
        if step == 2:
            raise StopIteration(MESSAGE)
        return 0.01

    classifier = network(solver, learning_rate=schedule, n_init=n_init, n_jobs=n_jobs)
    assert_raises(lambda: classifier.fit(X, y))


@pytest.mark.parametrize(
    "workers", [None, "threads", pytest.param("processes", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("refit", ["folds", True])
def test_that_of_a_scorer_comes_out_of_a_search(refit, workers):
    search = BackpropMLPClassifierCV(
        network(), alphas=[0.1, 1.0], cv=3, refit=refit, scoring=Exhausted(1), n_jobs=workers and 2
    )
    with parallel_config("loky") if workers == "processes" else nullcontext():
        assert_raises(lambda: search.fit(X, y))
    assert not hasattr(search, "alpha_")


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("n_init", [1, 2])
@pytest.mark.parametrize("hook", ["begin", "end"])
@pytest.mark.parametrize("task", ["iteration", "search", "fold", "alpha", "refit"])
def test_that_of_a_callback_comes_out_of_a_search(task, hook, n_init, n_jobs):
    pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    estimator = network(n_init=n_init)
    search = BackpropMLPClassifierCV(estimator, alphas=[0.1, 1.0], cv=3, refit=True, n_jobs=n_jobs)
    told = estimator if task == "iteration" else search
    told.set_callbacks(ExhaustedCallback(hook, task))
    assert_raises(lambda: search.fit(X, y))
    assert not hasattr(search, "alpha_")


def test_it_keeps_its_value_and_what_it_came_from():
    def end():
        try:
            {}["key"]
        except KeyError:
            raise StopIteration(3)  # noqa: B904

    with pytest.raises(CarriedError):
        carry(end)
    with pytest.raises(StopIteration) as caught:
        deliver(carry, end)
    assert caught.value.value == 3
    assert isinstance(caught.value.__context__, KeyError)
    assert caught.value.__cause__ is None


def test_it_travels_between_processes():
    def arrive():
        try:
            carry(next, iter(()))
        except CarriedError as error:
            raise pickle.loads(pickle.dumps(error)) from None

    with pytest.raises(StopIteration):
        deliver(arrive)


def test_what_is_returned_and_other_errors_pass():
    assert deliver(carry, max, 2, 3) == 3
    with pytest.raises(ZeroDivisionError):
        deliver(carry, divmod, 1, 0)
