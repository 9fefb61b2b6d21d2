"""Ctrl-C and errors in the middle of training: what is kept, and that nothing is left behind."""

import copy
import functools
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
import sklearn
from joblib import parallel_config
from keywords import FULL_BATCH, MINI_BATCH, SOLVERS, read_by
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import scale
from threadpoolctl import threadpool_info, threadpool_limits

import backprop_mlp
from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV
from backprop_mlp._objective.objective import Objective
from backprop_mlp._training.interruption import Interruption
from backprop_mlp._training.run import Monitor

PATIENCE = 120.0
"""Seconds after which a thread that does not end fails the test."""

X, y = load_iris(return_X_y=True)
X = scale(X)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.skipif(
        not hasattr(signal, "pthread_kill"), reason="no signal can be sent to a thread here"
    ),
]


def network(solver="adam", **params):
    defaults = {"activation": "tanh", "batch_size": 40, "tol": 0.0, "max_iter": 8}
    return BackpropMLPClassifier(
        (5,), solver=solver, **read_by(solver, defaults | {"random_state": 0} | params)
    )


def parameters(classifier):
    return classifier.coefs_ + classifier.intercepts_


def assert_same_fit(one, other):
    for ours, theirs in zip(parameters(one), parameters(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for name in ("loss_", "loss_curve_", "n_iter_", "n_fun_", "t_", "validation_scores_"):
        assert getattr(one, name) == getattr(other, name), name


def assert_as_it_was(classifier, before):
    """Also what nobody sees: the solver's own state."""
    assert vars(classifier).keys() == before.keys()
    for name, value in before.items():
        assert same(vars(classifier)[name], value), name


def same(one, other):
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other or one is other


# Ctrl-C and errors, where they are wanted


def press_ctrl_c():
    """As the terminal does: the main thread is the one that hears it."""
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def fail():
    raise LookupError("a defect beside the solver")


@pytest.fixture(autouse=True)
def ctrl_c_is_heard():
    """Even where the tests run in the background, with SIGINT ignored."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    """Every test begins and ends with the same BLAS limits, and ends without new threads."""
    # A monitor of joblib's processes lives as long as they.
    threads = set(threading.enumerate())
    with threadpool_limits(2, user_api="blas"):
        limits = threadpool_info()
        yield
        end = time.monotonic() + PATIENCE
        while left := set(threading.enumerate()) - threads:
            assert time.monotonic() < end, left
            time.sleep(0.01)
        assert threadpool_info() == limits


@pytest.fixture
def disturb(monkeypatch):
    """Let something happen in one evaluation of an objective; gives what they were called with."""

    def at(number, act=press_ctrl_c):
        evaluations = []
        lock = threading.Lock()
        for method in ("value_and_grad", "hessian_product", "minibatch"):
            undisturbed = getattr(Objective, method)

            @functools.wraps(undisturbed)
            def disturbed(self, theta, *args, undisturbed=undisturbed):
                with lock:
                    evaluations.append(theta.copy())
                    now = len(evaluations) == number
                if now:
                    act()
                return undisturbed(self, theta, *args)

            monkeypatch.setattr(Objective, method, disturbed)
        return evaluations

    yield at
    monkeypatch.undo()


@contextmanager
def interrupted_after(message=r"\d+ iterations?"):
    with pytest.warns(
        UserWarning, match=f"interrupted after {message}(?: of this call)?; the best"
    ) as record:
        yield record


# One start


@pytest.mark.parametrize("number", [15, 27])
@pytest.mark.parametrize("solver", FULL_BATCH)
def test_ctrl_c_keeps_the_last_finished_iteration_of_all_rows(solver, number, disturb):
    classifier = network(solver, max_iter=30)
    undisturbed = clone(classifier).fit(X, y).loss_curve_
    disturb(number)
    with interrupted_after() as record:
        classifier.fit(X, y)
    assert 0 < classifier.n_iter_ < 30
    assert not classifier.converged_
    assert classifier.loss_curve_ == undisturbed[: classifier.n_iter_]
    assert classifier.loss_ == classifier.best_loss_ == classifier.loss_curve_[-1]
    there = network(solver, max_iter=classifier.n_iter_).fit(X, y)
    for ours, theirs in zip(parameters(classifier), parameters(there), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len(record) == 1


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_ctrl_c_in_an_epoch_keeps_the_last_whole_one(solver, disturb, monkeypatch):
    classifier = network(solver)
    disturb(2 * 4 + 3)
    with interrupted_after("2 iterations"):
        classifier.fit(X, y)
    assert not classifier.converged_
    monkeypatch.undo()
    assert_same_fit(classifier, network(solver, max_iter=2).fit(X, y))


@pytest.mark.parametrize("solver", FULL_BATCH)
def test_ctrl_c_in_the_first_iteration_keeps_the_start(solver, disturb):
    evaluations = disturb(2)
    classifier = network(solver)
    with interrupted_after("0 iterations"):
        classifier.fit(X, y)
    assert classifier.loss_curve_ == []
    assert len(evaluations) == 2
    assert classifier.loss_ == classifier.best_loss_ == pytest.approx(classifier.cost(X, y))


BEFORE_THERE_IS_A_COST = [(solver, 1) for solver in FULL_BATCH] + [
    (solver, number) for solver in MINI_BATCH for number in (1, 3)
]


@pytest.mark.parametrize("n_init", [1, 3])
@pytest.mark.parametrize(("solver", "number"), BEFORE_THERE_IS_A_COST)
def test_ctrl_c_before_there_is_a_cost_goes_through(solver, number, n_init, disturb):
    disturb(number)
    classifier = network(solver, n_init=n_init)
    before = copy.deepcopy(vars(classifier))
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(X, y)
    assert_as_it_was(classifier, before)


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize(("solver", "number"), BEFORE_THERE_IS_A_COST)
def test_and_leaves_a_fitted_estimator_as_it_was(solver, number, warm_start, disturb):
    classifier = network(solver, warm_start=warm_start).fit(X, y)
    before = copy.deepcopy(vars(classifier))
    disturb(number)
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(X, y)
    assert_as_it_was(classifier, before)


@pytest.mark.parametrize("n_init", [1, 3])
@pytest.mark.parametrize("solver", SOLVERS)
def test_an_error_leaves_a_fitted_estimator_as_it_was(solver, n_init, disturb):
    classifier = network(solver, n_init=n_init).fit(X, y)
    before = copy.deepcopy(vars(classifier))
    disturb(7, act=fail)
    with pytest.raises(LookupError):
        classifier.fit(X, y)
    assert_as_it_was(classifier, before)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("act", [press_ctrl_c, fail])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_second_fit_is_as_if_there_had_been_no_first(solver, act, n_jobs, disturb, monkeypatch):
    classifier = network(solver, n_init=3, n_jobs=n_jobs)
    fresh = clone(classifier).fit(X, y)
    disturb(12, act)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            classifier.fit(X, y)
        except (KeyboardInterrupt, LookupError):
            assert not hasattr(classifier, "coefs_")
    monkeypatch.undo()
    assert_same_fit(classifier.fit(X, y), fresh)


@pytest.mark.parametrize(
    ("act", "raised"), [(press_ctrl_c, KeyboardInterrupt), (fail, LookupError)]
)
@pytest.mark.parametrize("kind", ["fit", "early stopping", "partial_fit", "search"])
def test_a_generator_gives_again_what_a_failure_drew(kind, act, raised, disturb, monkeypatch):
    def begin(random_state):
        if kind == "search":
            return search(random_state=random_state).fit(X, y)
        classifier = network(random_state=random_state, early_stopping=kind == "early stopping")
        if kind == "partial_fit":
            return classifier.partial_fit(X, y, classes=[0, 1, 2])
        return classifier.fit(X, y)

    rng = np.random.RandomState(3)
    disturb(1, act)
    with pytest.raises(raised):
        begin(rng)
    monkeypatch.undo()
    assert same(rng.get_state(), np.random.RandomState(3).get_state())
    again, fresh = begin(rng), begin(np.random.RandomState(3))
    if kind == "search":
        again, fresh = again.best_estimator_, fresh.best_estimator_
    assert_same_fit(again, fresh)


@pytest.mark.parametrize("solver", MINI_BATCH)
@pytest.mark.parametrize(
    ("act", "raised"), [(press_ctrl_c, KeyboardInterrupt), (fail, LookupError)]
)
def test_partial_fit_leaves_the_estimator_as_it_was(solver, act, raised, disturb):
    classifier = network(solver).partial_fit(X, y, classes=[0, 1, 2])
    once_more = copy.deepcopy(classifier).partial_fit(X, y)
    before = copy.deepcopy(vars(classifier))
    disturb(3, act)
    with pytest.raises(raised):
        classifier.partial_fit(X, y)
    assert_as_it_was(classifier, before)
    assert_same_fit(classifier.partial_fit(X, y), once_more)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_warm_start_goes_on_from_where_ctrl_c_came(solver, disturb, monkeypatch):
    classifier = network(solver, warm_start=True, learning_rate_init=0.01, max_iter=30)
    disturb(15)
    with interrupted_after():
        classifier.fit(X, y)
    monkeypatch.undo()
    first = list(classifier.loss_curve_)
    classifier.fit(X, y)
    assert classifier.loss_curve_[: len(first)] == first
    assert 0 < classifier.n_iter_ == len(classifier.loss_curve_) - len(first) <= 30
    assert classifier.loss_ < first[-1]


@pytest.mark.parametrize("solver", SOLVERS)
def test_ctrl_c_in_a_warm_start_keeps_what_both_fits_reached(solver, disturb):
    classifier = network(solver, warm_start=True, learning_rate_init=0.01).fit(X, y)
    first = list(classifier.loss_curve_)
    disturb(15)
    with interrupted_after() as record:
        classifier.set_params(max_iter=30).fit(X, y)
    assert classifier.loss_curve_[:8] == first
    assert classifier.n_iter_ == len(classifier.loss_curve_) - 8 > 0
    assert classifier.loss_ <= first[-1]
    # The warning speaks of this fit alone.
    n_iter = classifier.n_iter_
    counted = f"{n_iter} iteration{'s' if n_iter > 1 else ''} of this call"
    assert counted in str(record[0].message)


# Ctrl-C between the updates


class Scorer:
    """Accuracy, and something that happens in the n-th call."""

    def __init__(self, number, act=press_ctrl_c):
        self.number = number
        self.act = act
        self.lock = threading.Lock()

    def __call__(self, estimator, X, y):
        with self.lock:
            self.number -= 1
            now = self.number == 0
        if now:
            self.act()
        return get_scorer("accuracy")(estimator, X, y)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
def test_an_iteration_that_is_not_validated_is_not_recorded(solver, early_stopping):
    params = {"early_stopping": early_stopping, "n_iter_no_change": 100}
    classifier = network(solver, scoring=Scorer(3), **params)
    with interrupted_after("2 iterations"):
        classifier.fit(X, y, X_val=X[::5], y_val=y[::5])
    two = network(solver, scoring="accuracy", **params | {"max_iter": 2})
    two.fit(X, y, X_val=X[::5], y_val=y[::5])
    assert classifier.n_iter_ == 2
    assert classifier.loss_curve_ == two.loss_curve_
    assert classifier.validation_scores_ == two.validation_scores_
    assert classifier.validation_loss_curve_ == two.validation_loss_curve_
    assert classifier.loss_ == two.loss_
    if early_stopping or solver in FULL_BATCH:
        assert all(map(np.array_equal, parameters(classifier), parameters(two)))


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_an_epoch_that_is_not_validated_is_no_first_epoch(solver):
    classifier = network(solver, early_stopping=True, scoring=Scorer(1))
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(X, y)
    assert not hasattr(classifier, "coefs_")


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_iteration_that_is_being_printed_counts(solver, monkeypatch, capsys):
    def slow_terminal(line, **how):
        if line.split()[1] == "3":
            press_ctrl_c()

    monkeypatch.setattr("backprop_mlp._training.monitor.print", slow_terminal, raising=False)
    classifier = network(solver, verbose=True)
    with interrupted_after("3 iterations"):
        classifier.fit(X, y)
    assert_same_fit(classifier, network(solver, max_iter=3).fit(X, y))


def test_ctrl_c_under_early_stopping_keeps_the_best_parameters(disturb, monkeypatch):
    params = {"early_stopping": True, "random_state": 1, "learning_rate_init": 0.3}
    disturb(31)
    classifier = network(max_iter=50, **params)
    with interrupted_after():
        classifier.fit(X, y)
    monkeypatch.undo()
    best = int(np.argmax(classifier.validation_scores_))
    assert best < classifier.n_iter_ - 1  # or the test would show nothing
    there = network(max_iter=best + 1, **params).fit(X, y)
    assert all(map(np.array_equal, parameters(classifier), parameters(there)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("solver", "n_steps"),
    [("rmsprop", 1), *((solver, 2) for solver in MINI_BATCH)],
    ids=lambda value: {1: "weights alone", 2: "cost, too"}.get(value, value),
)
def test_ctrl_c_keeps_nothing_that_is_not_finite(solver, n_steps, disturb):
    """Training diverges in the third epoch, whose end would have shown it: two are kept."""

    def schedule(step):
        return 1e-3 if step < 2 * 4 else 1e308

    disturb(2 * 4 + n_steps + 1)
    classifier = network(solver, activation="identity", learning_rate=schedule)
    with interrupted_after("2 iterations"):
        classifier.fit(1e3 * X, y)
    assert all(np.isfinite(values).all() for values in parameters(classifier))
    assert np.isfinite(classifier.loss_)


# Restarts


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("solver", SOLVERS)
def test_ctrl_c_ends_all_starts_and_keeps_the_best(solver, n_jobs, disturb):
    classifier = network(solver, n_init=4, n_jobs=n_jobs, max_iter=100_000, n_iter_no_change=10**9)
    evaluations = disturb(30)
    with interrupted_after() as record:
        classifier.fit(X, y)
    n_evaluations = len(evaluations)
    assert classifier.n_iter_ == len(classifier.loss_curve_) < n_evaluations
    assert not classifier.converged_
    assert classifier.loss_ == classifier.loss_curve_[-1]
    if solver in FULL_BATCH:
        assert classifier.loss_ == pytest.approx(classifier.cost(X, y), rel=1e-12)
    # Those that are side by side, and none that begins later.
    assert len(record) <= n_jobs
    time.sleep(0.05)
    assert len(evaluations) <= n_evaluations + 1


@pytest.mark.parametrize("later", [1, 3, 7])
@pytest.mark.parametrize("solver", SOLVERS)
def test_ctrl_c_in_a_later_start_keeps_an_earlier_one(solver, later, disturb):
    """In the first evaluation, in the first iteration or epoch, and where it is still behind."""
    evaluations = disturb(0)
    alone = network(solver).fit(X, y)
    number = len(evaluations) + later
    evaluations = disturb(number)
    classifier = network(solver, n_init=2)
    with interrupted_after(r"\d (of 2 starts|iterations?)"):
        classifier.fit(X, y)
    assert len(evaluations) == number
    assert_same_fit(classifier, alone)


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_error_in_one_start_ends_those_beside_it(solver, disturb):
    """Otherwise they would go on behind the user's back."""
    classifier = network(solver, n_init=4, n_jobs=2, max_iter=100_000, n_iter_no_change=10**9)
    before = copy.deepcopy(vars(classifier))
    evaluations = disturb(100, act=fail)
    with warnings.catch_warnings():
        # The others have nothing to tell.
        warnings.simplefilter("error")
        with pytest.raises(LookupError, match="a defect"):
            classifier.fit(X, y)
    n_evaluations = len(evaluations)
    assert_as_it_was(classifier, before)
    time.sleep(0.05)
    assert len(evaluations) == n_evaluations


def test_a_start_without_a_score_is_the_last_choice():
    """Costs and scores are no numbers of the same kind."""

    class Losing(Scorer):
        def __call__(self, estimator, X, y):
            return super().__call__(estimator, X, y) - 1e6

    params = {"early_stopping": True, "max_iter": 3, "n_init": 2}
    classifier = network("cg", scoring=Losing(4), **params)
    with interrupted_after("0 iterations"):
        classifier.fit(X, y)
    assert_same_fit(
        classifier, network("cg", scoring=Losing(-1), **params | {"n_init": 1}).fit(X, y)
    )


# Blocks on threads


@pytest.fixture(scope="module")
def many_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2600, 120))
    return X, (X[:, :3] > 0.5).sum(axis=1)


@pytest.mark.parametrize("act", [press_ctrl_c, fail])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_block_on_a_thread_is_no_other_place(solver, act, many_rows, monkeypatch):
    """Ctrl-C comes while the main thread waits for blocks; errors come from them."""
    X, y = many_rows
    block_pass = backprop_mlp._objective.objective.block_pass
    seen = []

    def disturbed(network, theta, block):
        seen.append(threading.current_thread())
        if len(seen) == 20:
            act()
        return block_pass(network, theta, block)

    params = read_by(solver, {"batch_size": 2600, "max_iter": 30, "tol": 0.0})
    classifier = BackpropMLPClassifier(40, solver=solver, random_state=0, **params)
    monkeypatch.setattr("backprop_mlp._objective.objective.block_pass", disturbed)
    if act is fail:
        with pytest.raises(LookupError):
            classifier.fit(X, y)
        assert not hasattr(classifier, "coefs_")
    else:
        with interrupted_after():
            classifier.fit(X, y)
        assert 0 < classifier.n_iter_ < 30
    assert threading.main_thread() not in seen


# Any line of ours


class AtLine:
    """Raises KeyboardInterrupt before the n-th line of the package that a thread runs.

    But for the lines that hold and release BLAS: nothing that is written in Python can make
    these safe.
    """

    ROOT = str(Path(backprop_mlp.__file__).parent)

    def __init__(self, number, files=""):
        self.number = number
        self.files = files
        """Names of the files whose lines count, if not all do."""
        self.count = 0

    def _enter(self, frame, event, arg):
        path = frame.f_code.co_filename
        inside = path.startswith(self.ROOT) and not path.endswith("threads.py")
        inside = inside and (not self.files or Path(path).name in self.files)
        return self._step if inside else None

    def _step(self, frame, event, arg):
        if event == "line":
            self.count += 1
            if self.count == self.number:
                raise KeyboardInterrupt
        return self._step

    def __enter__(self):
        self._before = sys.gettrace()
        sys.settrace(self._enter)
        return self

    def __exit__(self, *error):
        sys.settrace(self._before)


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
def test_at_any_line_ctrl_c_keeps_all_or_nothing(solver, fitted):
    """Either it goes through, and nothing has happened; or what is kept is in order."""
    data = {"X_val": X[::5], "y_val": y[::5]}
    classifier = network(solver, max_iter=3, n_init=2)
    whole = clone(classifier).fit(X, y, **data)
    if fitted:
        classifier.set_params(random_state=1).fit(X, y).set_params(random_state=0)
    undisturbed = copy.deepcopy(classifier)
    with AtLine(-1) as lines:
        undisturbed.fit(X, y, **data)
    rng = np.random.default_rng(0)
    n_kept = 0
    for number in np.sort(rng.choice(lines.count, 40, replace=False)) + 1:
        disturbed = copy.deepcopy(classifier)
        before = copy.deepcopy(vars(disturbed))
        with warnings.catch_warnings(record=True) as record:
            warnings.simplefilter("always")
            try:
                with AtLine(number):
                    disturbed.fit(X, y, **data)
            except KeyboardInterrupt:
                if getattr(disturbed, "loss_curve_", None) != whole.loss_curve_:
                    # Otherwise all was done but the return from `fit`.
                    assert_as_it_was(disturbed, before)
                continue
        n_kept += 1
        assert any("interrupted" in str(warning.message) for warning in record)
        assert all(np.isfinite(array).all() for array in parameters(disturbed))
        n_iter = disturbed.n_iter_
        assert len(disturbed.loss_curve_) == n_iter <= 3
        assert len(disturbed.validation_scores_ or []) == n_iter
        assert len(disturbed.validation_loss_curve_ or []) == n_iter
        if n_iter:
            assert disturbed.loss_ == disturbed.loss_curve_[-1]
        assert np.isfinite(disturbed.loss_)
        if solver in FULL_BATCH:
            assert disturbed.loss_ == pytest.approx(disturbed.cost(X, y), rel=1e-12)
    assert n_kept > 5
    assert_same_fit(clone(classifier).fit(X, y, **data), whole)


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "adam", "tol": 1e-3},
        {"solver": "adam", "early_stopping": True},
        {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 10.0},
    ],
)
def test_what_the_rules_remember_belongs_to_the_last_epoch_that_counts(params):
    """At whatever line Ctrl-C comes: a warm start goes on as after a fit of so many epochs."""
    params = {"n_iter_no_change": 5, "max_iter": 3} | params
    files = ("history.py", "monitor.py", "stopping.py")
    with AtLine(-1, files) as lines:
        network(**params).fit(X, y)
    shorter = {n: network(**params | {"max_iter": n}).fit(X, y) for n in (1, 2, 3)}
    n_kept = 0
    for number in range(1, lines.count + 1, 2):
        classifier = network(**params)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with suppress(KeyboardInterrupt), AtLine(number, files):
                classifier.fit(X, y)
        if hasattr(classifier, "coefs_"):
            n_kept += 1
            expected = shorter[classifier.n_iter_]
            assert_same_fit(classifier, expected)
            assert same(classifier._memory, expected._memory), number
            assert classifier.best_validation_score_ == expected.best_validation_score_
    assert n_kept > 20


# The search for alpha


def search(**params):
    estimator = network("cg", max_iter=100, tol=0.0)
    return BackpropMLPClassifierCV(estimator, alphas=[0.1, 1.0, 10.0], cv=4, **params)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("number", [1, 30, 200])
def test_ctrl_c_ends_a_search_and_leaves_it_as_it_was(
    n_jobs, number, disturb, monkeypatch, recwarn
):
    fitted = search(n_jobs=n_jobs).fit(X, y)
    before = vars(fitted).copy()
    recwarn.clear()
    evaluations = disturb(number)
    with pytest.raises(KeyboardInterrupt):
        fitted.fit(X[::2], y[::2])
    assert vars(fitted) == before
    # The whole search has more than 2000; the signal takes a while to reach the main thread.
    assert len(evaluations) < 1500
    # A network that is thrown away has nothing to tell.
    assert not recwarn.list
    monkeypatch.undo()
    again, fresh = fitted.fit(X, y), search().fit(X, y)
    np.testing.assert_array_equal(again.scores_, fresh.scores_)
    assert_same_fit(again.best_estimator_, fresh.best_estimator_)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_in_one_fold_ends_the_others(n_jobs):
    scorer = Scorer(4, act=fail)
    failing = search(n_jobs=n_jobs, scoring=scorer)
    failing.estimator.set_params(max_iter=200, tol=0.0)
    with pytest.raises(LookupError, match="a defect"):
        failing.fit(X, y)
    assert not hasattr(failing, "alpha_")


def test_a_search_over_processes_takes_errors_too():
    """What ends threads can't be shared with processes."""
    with parallel_config("multiprocessing", n_jobs=2):
        assert search(scoring="accuracy").fit(X, y).best_score_ > 0.9
        with pytest.raises(LookupError, match="a defect"):
            search(scoring=fails).fit(X, y)


def fails(estimator, X, y):
    fail()


def test_ctrl_c_in_the_last_fit_of_a_search_ends_that_alone(monkeypatch):
    complete = search().fit(X, y)
    call = Monitor.__call__
    n_left = int(complete.n_iter_.sum()) + 5

    def count(self, iteration):
        nonlocal n_left
        n_left -= 1
        if n_left == 0:
            press_ctrl_c()
        return call(self, iteration)

    monkeypatch.setattr(Monitor, "__call__", count)
    with interrupted_after("4 iterations"):
        interrupted = search().fit(X, y)
    np.testing.assert_array_equal(interrupted.scores_, complete.scores_)
    assert interrupted.alpha_ == complete.alpha_
    assert interrupted.best_estimator_.n_iter_ == 4


def test_ctrl_c_at_any_line_of_a_search_keeps_all_or_nothing():
    estimator = network("cg", max_iter=2, n_init=2)
    model = BackpropMLPClassifierCV(estimator, alphas=[0.1, 1.0], cv=2)
    whole = clone(model).fit(X, y)
    undisturbed = clone(model)
    with AtLine(-1) as lines:
        undisturbed.fit(X, y)
    numbers = np.random.default_rng(0).choice(lines.count, 40, replace=False) + 1
    n_ended = 0
    for number in np.sort(numbers):
        disturbed = clone(model)
        before = vars(disturbed).copy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            try:
                with AtLine(number):
                    disturbed.fit(X, y)
            except KeyboardInterrupt:
                n_ended += 1
                assert hasattr(disturbed, "alpha_") or vars(disturbed) == before
                continue
        # It came in the last fit.
        np.testing.assert_array_equal(disturbed.scores_, whole.scores_)
    assert n_ended > 5
    # Nothing of a run is left in the context of this thread.
    assert not Interruption().nested
    np.testing.assert_array_equal(model.fit(X, y).scores_, whole.scores_)


# Groups inside groups


def test_a_group_ends_with_the_group_of_its_run_and_not_the_other_way_round():
    outer = Interruption()

    def run(_):
        inner = Interruption()
        assert inner.nested
        assert not inner.is_set()
        inner.set()
        assert inner.is_set()
        assert not outer.is_set()
        other = Interruption()
        assert not other.is_set()
        outer.set()
        assert other.is_set()

    with pytest.raises(KeyboardInterrupt):
        outer.run_all(run, [None])
    assert not outer.nested
    assert not Interruption().nested


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_failing_run_ends_those_of_its_own_group_alone(n_jobs):
    """The error goes up by itself: whoever catches it goes on."""
    outer = Interruption()

    def run(number):
        inner = Interruption()
        with pytest.raises(LookupError):
            inner.run_all(lambda _: fail(), range(3), n_jobs=n_jobs, prefer="threads")
        assert inner.is_set()
        return number

    assert outer.run_all(run, range(3), n_jobs=n_jobs, prefer="threads") == [0, 1, 2]
    assert not outer.is_set()


def test_a_pickled_group_is_a_new_one():
    group = Interruption()
    group.set()
    assert not pickle.loads(pickle.dumps(group)).is_set()


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("n_init", [1, 3])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_fit_inside_a_run_that_is_interrupted_keeps_nothing(solver, n_init, n_jobs):
    """Half-trained parameters would go into a score as if they were trained."""
    outer = Interruption()
    classifier = network(solver, n_init=n_init, n_jobs=n_jobs, scoring=Scorer(3, act=outer.set))
    before = set(vars(classifier))
    went_through = []

    def run(_):
        try:
            classifier.fit(X, y, X_val=X, y_val=y)
        except KeyboardInterrupt:
            went_through.append(True)

    with pytest.raises(KeyboardInterrupt):
        outer.run_all(run, range(2), n_jobs=1)
    assert went_through == [True]
    assert set(vars(classifier)) == before


@pytest.mark.parametrize("solver", ["cg", "lbfgs", "adam"])
def test_ctrl_c_ends_one_fit_of_a_grid_or_all_if_warnings_are_errors(solver, disturb):
    """The lines of the classifier's notes."""
    grid = GridSearchCV(
        network(solver), {"alpha": [0.1, 1.0]}, cv=2, error_score="raise", refit=False
    )
    disturb(6)
    with interrupted_after() as record:
        grid.fit(X, y)
    assert sum("interrupted" in str(warning.message) for warning in record) == 1
    assert np.isfinite(grid.cv_results_["mean_test_score"]).all()
    evaluations = disturb(6)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Training was interrupted")
        with pytest.raises(UserWarning, match="Training was interrupted"):
            clone(grid).fit(X, y)
    assert len(evaluations) < 30


def test_ctrl_c_in_a_network_that_a_scorer_trains_ends_the_fit_around_it(disturb):
    class Training(Scorer):
        def __call__(self, estimator, X, y):
            network("cg", max_iter=2).fit(X, y)
            return super().__call__(estimator, X, y)

    evaluations = disturb(0)
    classifier = network("lbfgs", scoring=Training(-1), max_iter=6)
    classifier.fit(X, y, X_val=X, y_val=y)
    disturb(len(evaluations) - 1)
    with interrupted_after("5 iterations") as record:
        classifier.fit(X, y, X_val=X, y_val=y)
    assert classifier.n_iter_ == 5
    assert ["interrupted" in str(warning.message) for warning in record].count(True) == 1


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("kind", ["starts", "folds"])
def test_the_configuration_of_scikit_learn_reaches_the_threads(kind, n_jobs):
    seen = []

    def initializer(rng, n_in, n_out):
        seen.append(sklearn.get_config()["assume_finite"])
        return rng.normal(size=(n_in, n_out))

    model = network(initializer=initializer, max_iter=1)
    if kind == "starts":
        model.set_params(n_init=3, n_jobs=n_jobs)
    else:
        model = BackpropMLPClassifierCV(model, alphas=[1.0], cv=3, n_jobs=n_jobs, refit=False)
    with sklearn.config_context(assume_finite=True):
        model.fit(X, y)
    assert seen == [True] * 6  # two layers each


FAILING = """
import sys, time, warnings
import numpy as np
import backprop_mlp
from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X, y = rng.normal(size=(400, 20)), rng.integers(0, 3, 400)
kind = sys.argv[1]

def wrong_shape(rng, n_in, n_out):
    time.sleep(0.01)
    return np.zeros((n_in + 2, n_out))

class Failing:
    def __call__(self, estimator, X, y):
        time.sleep(0.01)
        raise LookupError("a defect beside the solver")

    def setup(self, estimator, context): pass
    def teardown(self, estimator, context): pass
    def on_fit_task_begin(self, estimator, context): pass
    def on_fit_task_end(self, estimator, context):
        if context.task_name == "iteration":
            self(None, None, None)

params, scoring = {
    "diverges": ({"solver": "sgd", "learning_rate_init": 1e200}, None),
    "initializer": ({"initializer": wrong_shape}, None),
    "callback": ({}, None),
    "scorer": ({}, Failing()),
}[kind]
for n_init, init_jobs in ((1, 1), (3, 1), (3, 2)):
    for n_jobs in (1, 2, 4):
        network = BackpropMLPClassifier(
            30, "identity", max_iter=30, tol=0.0, random_state=0, n_init=n_init,
            n_jobs=init_jobs, **params
        )
        if kind == "callback":
            network.set_callbacks(Failing())
        search = BackpropMLPClassifierCV(
            network, alphas=[0.1, 1.0], cv=4, n_jobs=n_jobs, scoring=scoring
        )
        try:
            search.fit(X, y)
        except Exception as error:
            assert vars(search).keys() == BackpropMLPClassifierCV().get_params().keys()
            print(type(error).__name__, flush=True)
"""


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("diverges", "FloatingPointError"),
        ("initializer", "ValueError"),
        ("callback", "LookupError"),
        ("scorer", "LookupError"),
    ],
)
def test_folds_that_fail_side_by_side_do_not_wait_for_each_other(kind, error):
    if kind == "callback":
        pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    done = subprocess.run(
        [sys.executable, "-c", FAILING, kind],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout.split() == [error] * 9


NESTED = """
import sys
from joblib import parallel_config
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale
from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV

X, y = load_iris(return_X_y=True)
solver, backend, n_jobs, n_init, init_jobs = *sys.argv[1:3], *map(int, sys.argv[3:])
network = BackpropMLPClassifier(
    5, "tanh", solver=solver, n_init=n_init, n_jobs=init_jobs, tol=0.0, max_iter=10**9,
    n_iter_no_change=10**9, max_fun=10**9, random_state=0, verbose=True,
)
search = BackpropMLPClassifierCV(network, alphas=[0.1, 1.0], cv=4, n_jobs=n_jobs)
before = vars(search).copy()
try:
    with parallel_config(backend):
        search.fit(scale(X), y)
except KeyboardInterrupt:
    assert vars(search) == before
    print("ended", flush=True)
"""


@pytest.mark.parametrize(
    ("backend", "n_jobs", "n_init", "init_jobs"),
    [
        ("threading", 1, 1, 1),
        ("threading", 2, 1, 1),
        ("threading", 4, 3, 1),
        ("threading", 1, 2, 2),
        ("threading", 2, 2, 2),
        ("loky", 2, 2, 2),
        ("multiprocessing", 2, 2, 2),
    ],
)
@pytest.mark.parametrize("solver", ["lbfgs", pytest.param("adam", marks=pytest.mark.slow)])
def test_ctrl_c_ends_a_search_however_it_is_nested(solver, backend, n_jobs, n_init, init_jobs):
    numbers = map(str, (n_jobs, n_init, init_jobs))
    child = subprocess.Popen(
        [sys.executable, "-c", NESTED, solver, backend, *numbers],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=hear_ctrl_c,
    )
    try:
        for line in child.stdout:
            if " 20 " in line:
                break
        # To all processes, as the terminal does.
        os.killpg(child.pid, signal.SIGINT)
        out, _ = child.communicate(timeout=PATIENCE)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    assert child.returncode == 0
    assert out.splitlines()[-1] == "ended"


# From outside

PROGRAM = """
import sys, warnings
from sklearn.datasets import load_iris
from backprop_mlp import BackpropMLPClassifier

X, y = load_iris(return_X_y=True)
classifier = BackpropMLPClassifier(
    5, "tanh", solver=sys.argv[1], n_init=2, n_jobs=int(sys.argv[2]), tol=0.0, max_iter=10**9,
    n_iter_no_change=10**9, max_fun=10**9, random_state=0, verbose=True,
)
with warnings.catch_warnings(record=True) as record:
    warnings.simplefilter("always")
    classifier.fit((X - X.mean(axis=0)) / X.std(axis=0), y)
assert any("interrupted" in str(warning.message) for warning in record)
assert classifier.n_iter_ == len(classifier.loss_curve_) > 1
print("kept", classifier.score(X, y))
"""


@pytest.mark.parametrize(
    ("solver", "n_jobs"), [("newton-cg", 1), ("adam", 1), ("cg", 2), ("sgd", 2)]
)
def test_a_program_that_is_interrupted_goes_on_with_what_it_has(solver, n_jobs):
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, solver, str(n_jobs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_ctrl_c,
    )
    try:
        for line in child.stdout:
            if " 20 " in line:
                break
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=PATIENCE)
    finally:
        child.kill()
    assert (child.returncode, err) == (0, "")
    assert out.splitlines()[-1].startswith("kept")


def hear_ctrl_c():
    """Programs in the background are born deaf."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
