"""SciPy's solvers: when they stop, and what they record."""

import re
import warnings
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest
from reference import Follower
from scipy.optimize import OptimizeResult, minimize
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale
from threadpoolctl import threadpool_limits

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._network.activations import ACTIVATIONS
from backprop_mlp._network.losses import SigmoidLoss
from backprop_mlp._network.network import Network
from backprop_mlp._objective.blocks import RowBlocks
from backprop_mlp._objective.objective import Objective
from backprop_mlp._solvers import full_batch
from backprop_mlp._solvers.full_batch import minimize_scipy
from backprop_mlp._training.stopping import Stopping

SOLVERS = ["cg", "lbfgs"]
NEVER = 10**9

X, y = load_iris(return_X_y=True)
X = scale(X)

unconverged = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(params=SOLVERS)
def solver(request):
    return request.param


def problem(activation="tanh", alpha=0.5, seed=0):
    """An objective over a few rows, and where to start."""
    rng = np.random.default_rng(seed)
    network = Network.feedforward((3, 8, 2), (activation,), SigmoidLoss())
    X = rng.normal(size=(12, 3))
    Y = np.eye(2)[rng.integers(2, size=12)]
    theta = rng.normal(size=network.n_params)
    blocks = RowBlocks(X, Y, np.ones(12), lambda codes, dtype: codes.astype(dtype), 12)
    return Objective(network, blocks, alpha), theta


def minimised(
    objective, theta, solver, *, tol=0.0, n_iter_no_change=NEVER, max_iter=300, max_fun=NEVER
):
    """The result, and what the callback was told."""
    follower = Follower(Stopping(tol, n_iter_no_change, max_iter, max_fun))
    result = minimize_scipy(objective, theta, solver=solver, monitor=follower)
    found = SimpleNamespace(
        **result._asdict(),
        n_iter=follower.n_iter,
        costs=[iteration.cost for iteration in follower.iterations],
        success=follower.stopping.converged,
        message=follower.stopping.message,
    )
    return found, follower.iterations


# Methods


def test_a_row_of_methods_is_all_that_another_line_search_method_needs(monkeypatch):
    """As the page on extending says."""
    row = full_batch.Method("BFGS", ({"gtol": 0.0, "maxiter": NEVER},))
    monkeypatch.setitem(full_batch.METHODS, "bfgs", row)
    objective, theta = problem()
    result, _ = minimised(objective, theta, "bfgs", tol=1e-6)
    assert result.success
    assert np.abs(objective.value_and_grad(result.theta)[1]).max() < 1e-6


# When they stop


def test_a_flat_gradient_ends_the_descent(solver):
    result, iterations = minimised(*problem(), solver, tol=1e-4)
    assert result.success
    assert result.message == "the gradient's largest component is below tol=0.0001"
    assert iterations[-1].place.grad_max < 1e-4
    assert all(iteration.place.grad_max >= 1e-4 for iteration in iterations[:-1])


def test_the_gradient_that_counts_is_that_of_theta(solver):
    objective, theta = problem("logistic")
    _, iterations = minimised(objective, theta, solver, max_iter=5)
    for iteration in iterations:
        cost, grad = objective.value_and_grad(iteration.place.theta)
        assert iteration.cost == pytest.approx(cost, rel=1e-13)
        assert iteration.place.grad_max == pytest.approx(np.abs(grad).max(), rel=1e-10)


@pytest.mark.parametrize("span", [1, 2])
def test_some_small_gains_in_a_row_end_the_descent(solver, span):
    objective, theta = problem(seed=4)
    result, _ = minimised(objective, theta, solver, tol=1e-2, n_iter_no_change=span)
    assert result.success
    messages = {
        1: "the last iteration did not lower the cost by tol=0.01",
        2: "none of the last 2 iterations lowered the cost by tol=0.01",
    }
    assert result.message == messages[span]
    costs = np.array([objective.value(theta), *result.costs])
    small = -np.diff(costs) < 1e-2
    assert small[-span:].all()
    assert not any(small[end - span : end].all() for end in range(span, len(small)))


def test_max_iter_ends_the_descent(solver):
    result, iterations = minimised(*problem(), solver, max_iter=7)
    assert len(iterations) == 7
    assert not result.success
    assert result.message == "max_iter=7 iterations are done"


def test_max_fun_ends_the_descent_with_the_iteration_in_which_it_is_reached(solver):
    result, iterations = minimised(*problem(), solver, max_fun=20)
    assert not result.success
    assert result.message == "max_fun=20 evaluations of the cost are done"
    assert iterations[-1].n_fun >= 20
    assert all(iteration.n_fun < 20 for iteration in iterations[:-1])


def test_at_a_minimum_nothing_is_done(solver):
    objective, theta = problem()
    there, _ = minimised(objective, theta, solver, tol=1e-7)
    result, iterations = minimised(objective, there.theta, solver, tol=1e-4)
    assert result.success
    assert len(iterations) == 0
    assert len(result.costs) == 0
    np.testing.assert_allclose(result.theta, there.theta, rtol=1e-12, atol=1e-15)


# What they record


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_the_cost_never_rises(solver, activation):
    objective, theta = problem(activation)
    result, _ = minimised(objective, theta, solver, tol=1e-9, max_iter=60)
    assert (np.diff([objective.value(theta), *result.costs]) <= 0.0).all()


def test_the_record_is_that_of_the_iterations(solver):
    objective, theta = problem()
    evaluations = []
    value_and_grad = objective.value_and_grad
    objective.value_and_grad = lambda theta: evaluations.append(1) or value_and_grad(theta)
    result, iterations = minimised(objective, theta, solver, max_iter=9)
    assert [iteration.number for iteration in iterations] == list(range(1, 10))
    assert result.costs == [iteration.cost for iteration in iterations]
    assert result.cost == result.costs[-1]
    assert result.n_fun == len(evaluations) == iterations[-1].n_fun
    np.testing.assert_array_equal(result.theta, iterations[-1].place.theta)


def test_the_start_is_left_alone(solver):
    objective, theta = problem()
    theta.setflags(write=False)
    minimised(objective, theta, solver, max_iter=3)


def test_both_solvers_find_the_minimum_of_a_convex_problem():
    objective, _ = problem()
    objective.network = Network.feedforward((3, 2), (), SigmoidLoss())
    theta = np.ones(objective.network.n_params)
    found = [minimised(objective, theta, solver, tol=1e-9)[0].theta for solver in SOLVERS]
    np.testing.assert_allclose(found[0], found[1], atol=1e-7)


class Stretches:
    """Runs of SciPy's methods: what each was given and how far it led."""

    def __init__(self, monkeypatch):
        self.options, self.n_evaluations, self.n_iter = [], [], []
        monkeypatch.setattr(full_batch, "minimize", self.note)

    def note(self, function, *args, callback, options, **others):
        before = callback.n_iter, callback.n_fun
        found = minimize(function, *args, callback=callback, options=options, **others)
        self.options.append(options)
        self.n_iter.append(callback.n_iter - before[0])
        self.n_evaluations.append(callback.n_fun - before[1])
        return found


@pytest.fixture
def stretches(monkeypatch):
    return Stretches(monkeypatch)


@pytest.mark.parametrize(("solver", "n_iter"), [("cg", 100), ("lbfgs", 100), ("newton-cg", 10)])
def test_few_rows_leave_a_method_alone_until_the_monitor_ends_it(solver, n_iter, stretches):
    """SciPy's own limits would make it forget the directions it has taken."""
    result, _ = minimised(*problem(alpha=0.01), solver, max_iter=n_iter)
    assert result.n_iter == n_iter
    assert stretches.n_iter == [n_iter]


def larger_problem(activation="tanh", seed=0, n_rows=1200):
    """One whose evaluations take long enough for all coordinates to pay."""
    rng = np.random.default_rng(seed)
    network = Network.feedforward((5, 8, 2), (activation,), SigmoidLoss())
    X = rng.normal(size=(n_rows, 5))
    Y = np.eye(2)[(X[:, 0] * X[:, 1] + rng.normal(scale=0.3, size=n_rows) > 0.0).astype(int)]
    theta = 0.5 * rng.normal(size=network.n_params)
    blocks = RowBlocks(X, Y, np.ones(n_rows), lambda codes, dtype: codes.astype(dtype), n_rows)
    return Objective(network, blocks, 0.5), theta


def test_a_method_starts_again_where_its_coordinates_are_made_again(stretches):
    minimised(*larger_problem(), "cg", max_iter=40)
    # Every 10 iterations of conjugate gradient, and at 0, 7 and 17 with the curvature.
    assert stretches.n_iter == [7, 10, 10, 10, 3]
    stretches.n_iter.clear()
    minimised(*larger_problem(), "lbfgs", max_iter=40)
    assert stretches.n_iter == [7, 10, 23]


def test_a_new_start_costs_no_evaluation(solver, stretches):
    objective, theta = larger_problem()
    seen = []
    value_and_grad = objective.value_and_grad
    objective.value_and_grad = lambda there: seen.append(there) or value_and_grad(there)
    result, _ = minimised(objective, theta, solver, max_iter=60)
    assert len(stretches.n_iter) > 3
    assert result.n_fun == len(seen) == 1 + sum(stretches.n_evaluations)
    assert len({there.tobytes() for there in seen}) == len(seen)


def test_a_stretch_is_given_the_last_steps_and_what_they_did_to_the_gradient(solver, monkeypatch):
    objective, theta = larger_problem()
    points = []
    refresh = full_batch.Composition.refresh

    def noted(coordinates, point):
        points.append(point)
        refresh(coordinates, point)

    monkeypatch.setattr(full_batch.Composition, "refresh", noted)
    _, iterations = minimised(objective, theta, solver, max_iter=40)
    path = np.array([theta, *(iteration.place.theta for iteration in iterations)])
    grads = np.array([objective.value_and_grad(there)[1] for there in path])
    for point in points[1:]:
        last = slice(max(0, point.n_iter - full_batch.N_STEPS), point.n_iter + 1)
        steps, changes = point.steps
        np.testing.assert_array_equal(steps, np.diff(path[last], axis=0))
        np.testing.assert_array_equal(changes, np.diff(grads[last], axis=0))


def plan_for(weights, repeats, solver):
    """What pays for some rows, with weights and repeated: kinds of parts, K's plan, attempts."""
    rng = np.random.default_rng(0)
    network = Network.feedforward((4, 10, 1), ("relu",), SigmoidLoss())
    X, Y = rng.normal(size=(len(weights), 4)), rng.integers(2, size=(len(weights), 1))
    rows = np.repeat(np.arange(len(weights)), repeats)
    blocks = RowBlocks(
        X[rows], Y[rows], weights[rows], lambda codes, dtype: codes.astype(dtype), len(rows)
    )
    objective = Objective(network, blocks, 1.0)
    plan = full_batch.plan_descent(objective, full_batch.METHODS[solver])
    parts = [(type(part), getattr(part, "plan", None)) for part in plan.coordinates.parts]
    return parts, plan.attempts, plan.n_steps


@pytest.mark.parametrize("n_rows", [15, 20, 30, 60, 200, 600])
@pytest.mark.parametrize("counts", [[2], [5], [1, 12], [0, 3, 4]], ids=str)
def test_weights_choose_the_coordinates_of_repeated_rows(solver, counts, n_rows):
    counts = np.random.default_rng(1).choice(counts, n_rows)
    weighted = plan_for(counts.astype(np.float64), np.ones(n_rows, int), solver)
    assert weighted == plan_for(np.ones(n_rows), counts, solver)


@pytest.mark.parametrize("unit", [1e-300, 1e-3, 0.99, 1e4, 1e300])
def test_weights_in_other_units_choose_the_coordinates_of_as_many_rows(solver, unit):
    once = np.ones(60, int)
    weights = np.r_[np.full(60, unit), np.zeros(40)]
    weighted = plan_for(weights, np.ones(100, int), solver)
    assert weighted == plan_for(np.ones(60), once, solver)


def digits_problem(seed):
    """The digits and a network with a random start."""
    X, labels = (part[:600] for part in load_digits(return_X_y=True))
    X, Y = X / 16.0, np.eye(10)[labels]
    blocks = RowBlocks(X, Y, np.ones(len(X)), lambda codes, dtype: codes.astype(dtype), len(X))
    network = Network.feedforward((64, 20, 10), ("relu",), SigmoidLoss())
    rng = np.random.default_rng(seed)
    W, V = rng.normal(scale=64**-0.5, size=(64, 20)), rng.normal(scale=20**-0.5, size=(20, 10))
    return Objective(network, blocks, 1.0), network.pack([W, V], [np.zeros(20), np.zeros(10)])


@pytest.mark.parametrize("seed", [0, 1])
def test_coordinates_that_learn_need_fewer_evaluations(solver, seed, monkeypatch):
    """What all of it is for."""
    objective, theta = digits_problem(seed)
    with threadpool_limits(1):
        _, learning = minimised(objective, theta, solver, max_iter=40)
        monkeypatch.setattr(full_batch.CurvaturePlan, "of", lambda *args: None)
        monkeypatch.setattr(full_batch, "secants_pay", lambda *args: False)
        centred, _ = minimised(objective, theta, solver, max_iter=40)
    needed = next(done.n_fun for done in learning if done.cost <= centred.cost)
    assert needed < 0.7 * centred.n_fun


# Failed line searches


def test_a_failed_line_search_is_a_new_start_from_where_it_failed(stretches):
    result, _ = minimised(*problem("relu"), "cg")
    assert len(stretches.n_iter) > 2
    assert stretches.n_iter[0] > 0
    assert sum(stretches.n_iter) == result.n_iter


@pytest.mark.parametrize("make", [problem, pytest.param(larger_problem, marks=pytest.mark.slow)])
def test_the_same_options_are_tried_again_as_long_as_that_leads_on(make, stretches):
    result, _ = minimised(*make("relu"), "cg", max_iter=30_000)
    assert result.message.startswith("no step")
    first, second = (0.1, 0.4) if make is problem else (0.4, 0.1)
    constants = [options["c2"] for options in stretches.options]
    assert set(constants) == {first, second}
    assert constants == sorted(constants, reverse=first > second)
    # Before the options change, no step is left to forget, nor any curvature.
    last = constants.index(second) - 1
    assert stretches.n_iter[last] == stretches.n_iter[-1] == 0


def test_where_no_step_helps_the_descent_ends_without_convergence(solver):
    objective, theta = problem()
    value_and_grad = objective.value_and_grad
    seen = []

    def in_a_hole(there):
        seen.append(there)
        cost, grad = value_and_grad(there)
        return cost - 100.0 * np.array_equal(there, seen[0]), grad

    objective.value_and_grad = in_a_hole
    result, iterations = minimised(objective, theta, solver)
    assert not result.success
    assert result.message == "no step along the search direction lowers the cost any further"
    assert len(iterations) == 0
    np.testing.assert_allclose(result.theta, theta, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("cost", [np.nan, np.inf, None])
def test_what_a_line_search_takes_for_a_step_need_not_be_one(solver, cost, monkeypatch):
    """A cost that is no number or no lower, or a step of length zero: None."""
    objective, theta = problem()
    value_and_grad = objective.value_and_grad

    def costly(there):
        known = value_and_grad(there)
        return known if np.array_equal(there, theta) else (cost, known[1])

    def success(function, phi, *, callback, **others):
        with suppress(StopIteration):
            callback(OptimizeResult(x=phi if cost is None else phi + 1.0))

    objective.value_and_grad = costly
    monkeypatch.setattr(full_batch, "minimize", success)
    result, iterations = minimised(objective, theta, solver)
    assert iterations == []
    np.testing.assert_array_equal(result.theta, theta)


def test_where_nothing_slopes_no_step_is_looked_for(solver):
    """At zero the hidden units say nothing, and half of the rows belong to each output."""
    objective, theta = problem()
    objective.blocks.codes = np.eye(2)[np.arange(12) % 2]
    result, iterations = minimised(objective, 0.0 * theta, solver)
    assert iterations == []
    assert result.n_fun == 1
    assert not result.success


def test_what_was_learned_is_given_up_piece_by_piece_until_a_step_is_found(monkeypatch):
    """First the steps, then the curvature, then the options; after a step all of it is back."""
    leads_on = iter([True, False, False, True])
    seen = []

    def sometimes(function, *args, callback, options, **others):
        point = points[-1]
        seen.append((options["c2"], point.steps is not None, point.plain))
        if next(leads_on, False):
            minimize(function, *args, callback=callback, options=options, **others)

    points = []
    refresh = full_batch.Composition.refresh

    def noted(coordinates, point):
        points.append(point)
        refresh(coordinates, point)

    monkeypatch.setattr(full_batch, "minimize", sometimes)
    monkeypatch.setattr(full_batch.Composition, "refresh", noted)
    minimised(*larger_problem(), "cg")
    assert seen == [
        (0.4, False, False),
        *[(0.4, True, False), (0.4, False, False), (0.4, False, True)],
        *[(0.4, True, False), (0.4, False, False), (0.4, False, True)],
        (0.1, False, True),
    ]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("size", [1e140, 1e200, 1e300])
def test_a_step_into_overflow_is_not_taken(solver, size):
    objective, theta = problem("relu")
    objective.blocks.X = size * objective.blocks.X
    start = objective.value(theta)
    result, _ = minimised(objective, theta, solver, max_iter=20)
    assert np.isfinite(result.theta).all()
    assert objective.value(result.theta) == pytest.approx(result.cost, rel=1e-9)
    assert (np.diff([start, *result.costs]) <= 0.0).all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_start_that_overflows_is_an_error_that_says_what_to_do(solver):
    objective, theta = problem("relu")
    message = (
        r"The cost at the starting weights is (inf|nan): the numbers overflow\. Scale the features "
        r"\(StandardScaler\) or start from smaller weights \(initializer\)\."
    )
    with pytest.raises(FloatingPointError, match=f"^{message}$"):
        minimised(objective, 1e200 * theta, solver)


# The classifier's record, warnings and lines


@unconverged
@pytest.mark.parametrize("limits", [{"max_iter": 4}, {"max_fun": 9}, {"tol": 0.05}])
def test_loss_curve_has_one_entry_an_iteration(solver, limits):
    model = BackpropMLPClassifier(5, solver=solver, random_state=0, **limits).fit(X, y)
    assert len(model.loss_curve_) == model.n_iter_ > 0
    assert model.loss_curve_[-1] == model.loss_ == model.best_loss_ == min(model.loss_curve_)
    assert model.n_fun_ > model.n_iter_


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ({"max_iter": 3}, "max_iter=3 iterations are done"),
        ({"max_fun": 8}, "max_fun=8 evaluations of the cost are done"),
    ],
)
def test_the_convergence_warning_says_why_and_what_to_do(solver, limit, reason):
    model = BackpropMLPClassifier(5, solver=solver, random_state=0, **limit)
    with pytest.warns(ConvergenceWarning) as record:
        model.fit(X, y)
    assert len(record) == 1
    message = str(record[0].message)
    assert reason in message
    (keyword,) = limit
    for advice in (f"raise {keyword}", "raise tol", "alpha", "warm_start=True"):
        assert advice in message
    assert f"{model.loss_:.6g} after {model.n_iter_} iterations" in message
    assert not model.converged_


def test_a_converged_fit_does_not_warn(solver):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = BackpropMLPClassifier(5, solver=solver, tol=1e-2, random_state=0).fit(X, y)
    assert model.converged_


@pytest.mark.parametrize("name", ["cg", "lbfgs", "newton-cg"])
@pytest.mark.parametrize("hidden", [(), (5,)], ids=str)
def test_a_descent_goes_on_from_next_to_the_minimum(name, hidden):
    """There the gradient is small in any coordinates, and the step is many times as long."""
    limits = {"max_iter": NEVER, "n_iter_no_change": NEVER, "warm_start": True}
    for seed in range(2):
        model = BackpropMLPClassifier(hidden, "tanh", alpha=5.0, solver=name, random_state=seed)
        assert model.set_params(tol=1e-6, **limits).fit(X, y).converged_
        assert model.set_params(tol=1e-8).fit(X, y).converged_


@unconverged
def test_verbose_prints_a_line_an_iteration(solver, capsys):
    model = BackpropMLPClassifier(5, solver=solver, max_iter=6, random_state=0, verbose=True)
    model.fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    pattern = re.compile(
        r"Iteration +(\d+)   cost (\d+\.\d{6})   gradient \d\.\de[+-]\d+   evaluations +(\d+)   "
        r"\d+\.\d\d s"
    )
    matches = [pattern.fullmatch(line) for line in lines]
    assert [int(match[1]) for match in matches] == [1, 2, 3, 4, 5, 6]
    assert [float(match[2]) for match in matches] == pytest.approx(model.loss_curve_, abs=5e-7)
    assert int(matches[-1][3]) == model.n_fun_


@unconverged
def test_a_printed_line_is_written_in_one_piece(monkeypatch):
    """So Ctrl-C comes before it or behind it."""
    written = []
    monkeypatch.setattr("sys.stdout.write", written.append)
    BackpropMLPClassifier(5, max_iter=3, random_state=0, verbose=True).fit(X, y)
    lines = [text for text in written if text]
    assert len(lines) == 3
    assert all(line.endswith("\n") for line in lines)


@unconverged
@pytest.mark.parametrize("solver", [*SOLVERS, "newton-cg"])
def test_a_warm_start_goes_on_counting_what_it_prints(solver, capsys):
    model = BackpropMLPClassifier(
        5, solver=solver, max_iter=4, random_state=0, verbose=True, warm_start=True
    )
    evaluations = [model.fit(X, y).n_fun_, model.fit(X, y).n_fun_]
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [int(line[1]) for line in lines] == list(range(1, 9))
    assert [int(lines[n][lines[n].index("evaluations") + 1]) for n in (3, 7)] == evaluations


def test_verbose_names_the_start(capsys):
    BackpropMLPClassifier(5, max_iter=2, n_init=3, random_state=0, verbose=True).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == [
        f"Start {number}" for number in (1, 1, 2, 2, 3, 3)
    ]


@unconverged
def test_without_verbose_nothing_is_printed(solver, capsys):
    BackpropMLPClassifier(5, solver=solver, max_iter=2, random_state=0).fit(X, y)
    assert capsys.readouterr() == ("", "")
