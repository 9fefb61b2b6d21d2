"""Mini-batch solvers: the rules against textbook loops, and what a batch stands for."""

from copy import copy

import numpy as np
import pytest
from keywords import MINI_BATCH, RATES, read_by
from reference import Follower
from scipy.sparse import csr_array, csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.neural_network import MLPClassifier
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer
from sklearn.preprocessing import scale
from threadpoolctl import threadpool_limits

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._estimator.assembly import open_objective
from backprop_mlp._estimator.pose import pose_fitted
from backprop_mlp._network.losses import SoftmaxLoss
from backprop_mlp._network.network import Network
from backprop_mlp._objective import pieces
from backprop_mlp._objective.blocks import RowBlocks
from backprop_mlp._objective.objective import Objective
from backprop_mlp._solvers.mini_batch import (
    Clock,
    MiniBatches,
    initial_state,
    minimize_mini_batch,
)
from backprop_mlp._solvers.rules import SGD, Adam, RMSprop, clip_by_norm, take_step
from backprop_mlp._training.stopping import Stopping

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


X, y = load_iris(return_X_y=True)
X = scale(X)
WEIGHTS = np.random.default_rng(5).integers(0, 4, len(X)).astype(float)


def network(solver="adam", hidden=(6,), **params):
    defaults = {"activation": "tanh", "tol": 0.0, "max_iter": 5, "batch_size": 40}
    params = defaults | {"random_state": 0} | params
    return BackpropMLPClassifier(hidden, solver=solver, **read_by(solver, params))


def parameters(classifier):
    return np.concatenate([theta.ravel() for theta in classifier.thetas_])


# The rules, step by step: theta for given gradients and rates


def textbook_sgd(theta, gradients, rates, momentum):
    velocity = np.zeros_like(theta)
    for gradient, rate in zip(gradients, rates, strict=True):
        velocity = momentum * velocity - rate * gradient(theta)
        theta = theta + velocity
        yield theta


def textbook_nesterov(theta, gradients, rates, momentum):
    """The gradient is that at the place where the momentum leads to."""
    velocity = np.zeros_like(theta)
    for gradient, rate in zip(gradients, rates, strict=True):
        velocity = momentum * velocity - rate * gradient(theta + momentum * velocity)
        theta = theta + velocity
        yield theta + momentum * velocity


def textbook_adam(theta, gradients, rates, beta_1, beta_2, epsilon):
    m = v = np.zeros_like(theta)
    for t, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        g = gradient(theta)
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
        # The epsilon of Kingma & Ba, section 2, is that of algorithm 1 times this root.
        theta = theta - rate * m_hat / (np.sqrt(v_hat) + epsilon / np.sqrt(1 - beta_2**t))
        yield theta


def textbook_rmsprop(theta, gradients, rates, beta_2, epsilon):
    v = np.zeros_like(theta)
    for gradient, rate in zip(gradients, rates, strict=True):
        g = gradient(theta)
        v = beta_2 * v + (1 - beta_2) * g**2
        theta = theta - rate * g / (np.sqrt(v) + epsilon)
        yield theta


RULES = [
    (SGD(0.0, False), textbook_sgd, (0.0,)),
    (SGD(0.9, False), textbook_sgd, (0.9,)),
    (SGD(0.9, True), textbook_nesterov, (0.9,)),
    (SGD(0.0, True), textbook_nesterov, (0.0,)),
    (Adam(0.9, 0.999, 1e-8), textbook_adam, (0.9, 0.999, 1e-8)),
    (Adam(0.5, 0.8, 0.1), textbook_adam, (0.5, 0.8, 0.1)),
    (Adam(0.0, 0.0, 1e-3), textbook_adam, (0.0, 0.0, 1e-3)),
    (RMSprop(0.9, 1e-8), textbook_rmsprop, (0.9, 1e-8)),
    (RMSprop(0.0, 0.1), textbook_rmsprop, (0.0, 0.1)),
]


@pytest.mark.parametrize(
    ("rule", "textbook", "constants"), RULES, ids=[repr(rule) for rule, _, _ in RULES]
)
def test_rule_walks_as_the_textbook_says(rule, textbook, constants):
    rng = np.random.default_rng(0)
    matrices = [A @ A.T for A in rng.normal(size=(30, 5, 5))]
    gradients = [lambda theta, A=A: A @ theta - 1.0 for A in matrices]
    rates = rng.uniform(0.001, 0.02, size=30)
    theta = rng.normal(size=5)
    state = rule.init(theta)
    # Nesterov's rule keeps the place ahead, which at the start is the start.
    expected = textbook(theta.copy(), gradients, rates, *constants)
    for gradient, rate, place in zip(gradients, rates, expected, strict=True):
        theta += rule.step(gradient(theta), rate, state)
        np.testing.assert_allclose(theta, place, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("rule", [rule for rule, _, _ in RULES], ids=repr)
def test_no_bit_of_a_step_depends_on_the_pieces_it_is_taken_in(rule, monkeypatch):
    def walk(entries_at_once):
        monkeypatch.setattr(pieces, "ENTRIES_AT_ONCE", entries_at_once)
        rng = np.random.default_rng(0)
        theta = rng.normal(size=7)
        state = rule.init(theta)
        for _ in range(4):
            take_step(rule, theta, rng.normal(size=7), 0.01, state)
        return theta, state

    (whole, whole_state), (cut, cut_state) = walk(7), walk(3)
    np.testing.assert_array_equal(cut, whole)
    assert cut_state.keys() == whole_state.keys()
    for name, value in whole_state.items():
        np.testing.assert_array_equal(cut_state[name], value)


@pytest.mark.parametrize(
    ("rule", "optimizer"),
    [
        (SGD(0.8, False), lambda params: SGDOptimizer(params, 0.05, momentum=0.8, nesterov=False)),
        (SGD(0.8, True), lambda params: SGDOptimizer(params, 0.05, momentum=0.8, nesterov=True)),
        (Adam(0.8, 0.95, 1e-6), lambda params: AdamOptimizer(params, 0.05, 0.8, 0.95, 1e-6)),
    ],
    ids=["momentum", "nesterov", "adam"],
)
def test_rule_walks_as_scikit_learns_optimizer(rule, optimizer):
    rng = np.random.default_rng(1)
    theta = rng.normal(size=7)
    theirs = [theta.copy()]
    optimizer = optimizer(theirs)
    state = rule.init(theta)
    for _ in range(40):
        gradient = rng.normal(size=7)
        optimizer.update_params(theirs, [gradient.copy()])
        theta += rule.step(gradient, 0.05, state)
        np.testing.assert_allclose(theta, theirs[0], rtol=1e-12, atol=1e-14)


# Whole trainings against other programs


def logistic_regression(rule, epochs, batch_size, rate, alpha, weights):
    """Mini-batch training of one logistic unit, written out: W, b, costs an epoch."""
    targets = (y == 2).astype(float)
    theta = np.zeros(1 + X.shape[1])
    state = rule.init(theta)
    rows_with_one = np.column_stack([np.ones(len(X)), X])
    penalised = np.array([0.0, 1.0, 1.0, 1.0, 1.0])
    total = weights.sum()
    costs = []
    for _ in range(epochs):
        cost = 0.0
        for start in range(0, len(X), batch_size):
            batch = slice(start, start + batch_size)
            A, t, w = rows_with_one[batch], targets[batch], weights[batch]
            h = 1 / (1 + np.exp(-A @ theta))
            to_all = len(X) / len(A) / total
            loss = -(w * (t * np.log(h) + (1 - t) * np.log(1 - h))).sum() * to_all
            penalty = alpha / (2 * total) * (penalised * theta**2).sum()
            gradient = A.T @ (w * (h - t)) * to_all + alpha / total * penalised * theta
            cost += (loss + penalty) * len(A) / len(X)
            theta = theta + rule.step(gradient, rate, state)
        costs.append(cost)
    return theta[1:], theta[0], costs


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("batch_size", [1, 25, 150])
@pytest.mark.parametrize(
    ("solver", "rule"),
    [
        ("sgd", SGD(0.9, True)),
        ("adam", Adam(0.9, 0.999, 1e-8)),
        ("rmsprop", RMSprop(0.999, 1e-8)),
    ],
)
def test_training_is_the_plain_loop_over_batches(solver, rule, batch_size, weighted):
    classifier = network(
        solver,
        hidden=(),
        alpha=3.0,
        batch_size=batch_size,
        shuffle=False,
        learning_rate_init=0.01,
        initializer=lambda rng, fan_in, fan_out: np.zeros((1 + fan_in, fan_out)),
    )
    classifier.fit(X, y == 2, WEIGHTS if weighted else None)
    weights = WEIGHTS if weighted else np.ones(len(X))
    W, b, costs = logistic_regression(rule, 5, batch_size, 0.01, 3.0, weights)
    np.testing.assert_allclose(classifier.coefs_[0][:, 0], W, rtol=1e-10)
    np.testing.assert_allclose(classifier.intercepts_[0], [b], rtol=1e-10)
    np.testing.assert_allclose(classifier.loss_curve_, costs, rtol=1e-12)


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "sgd", "learning_rate_init": 0.1},
        {"solver": "sgd", "learning_rate_init": 0.1, "nesterovs_momentum": False},
        {"solver": "sgd", "learning_rate_init": 0.1, "momentum": 0.0},
        {"solver": "sgd", "learning_rate_init": 0.5, "learning_rate": "invscaling"},
        {
            "solver": "sgd",
            "learning_rate_init": 0.5,
            "learning_rate": "invscaling",
            "power_t": 0.25,
            "momentum": 0.5,
        },
        {"solver": "adam", "learning_rate_init": 0.01},
        {"solver": "adam", "learning_rate_init": 0.01, "beta_1": 0.5, "beta_2": 0.9},
        {"solver": "adam", "learning_rate_init": 0.01, "epsilon": 0.1},
    ],
    ids=str,
)
@pytest.mark.parametrize(("batch_size", "alpha"), [(150, 2.0), (25, 0.0)])
def test_training_equals_mlp_classifiers_from_the_same_start(params, batch_size, alpha):
    # MLPClassifier's penalty changes with the batch size: alpha is 0 where that matters.
    common = params | {"batch_size": batch_size, "alpha": alpha, "shuffle": False, "tol": 0.0}
    theirs = MLPClassifier(5, "tanh", max_iter=1, warm_start=True, random_state=0, **common)
    theirs.fit(X, y)
    thetas = [np.vstack([b, W]).T for W, b in zip(theirs.coefs_, theirs.intercepts_, strict=True)]
    theirs.t_ = 0  # a warm start makes a new optimiser, but counts on
    theirs.set_params(max_iter=6).fit(X, y)
    ours = BackpropMLPClassifier.from_thetas(
        thetas,
        activation="tanh",
        output_activation="softmax",
        max_iter=6,
        warm_start=True,
        **common,
    ).fit(X, y)
    for mine, other in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_[-6:], rtol=1e-10)


# What a batch stands for


@pytest.mark.parametrize("batch_size", [1, 7, 40, 150])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_an_epoch_without_steps_measures_the_cost(batch_size, weights):
    classifier = network(batch_size=batch_size, learning_rate=lambda step: 0.0, max_iter=3)
    classifier.fit(X, y, weights)
    cost = classifier.cost(X, y, weights)
    np.testing.assert_allclose(classifier.loss_curve_, cost, rtol=1e-13)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_the_batches_gradients_average_to_the_gradient(weights):
    classifier = network().fit(X, y, weights)
    problem, theta = pose_fitted(classifier, X, y, weights)
    with open_objective(problem, classifier.alpha) as objective:
        cost, grad = objective.value_and_grad(theta)
        order = np.random.default_rng(0).permutation(len(X))
        parts = [
            (len(rows) / len(X), *objective.minibatch(theta, rows, None)[:2])
            for rows in np.split(order, [3, 50, 51, 120])
        ]
    assert sum(share * value for share, value, _ in parts) == pytest.approx(cost, rel=1e-13)
    mean = sum(share * gradient for share, _, gradient in parts)
    np.testing.assert_allclose(mean, grad, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_a_batch_size_above_the_rows_is_batch_gradient_descent(solver):
    whole = network(solver, batch_size=len(X)).fit(X, y)
    larger = network(solver, batch_size=10 * len(X)).fit(X, y)
    assert whole.n_fun_ == larger.n_fun_ == 5
    assert np.array_equal(parameters(whole), parameters(larger))


def test_auto_means_200_rows_or_all():
    assert network(batch_size="auto").fit(X, y).n_fun_ == 5
    X_long, y_long = np.tile(X, (3, 1)), np.tile(y, 3)
    automatic = network(batch_size="auto").fit(X_long, y_long)
    assert automatic.n_fun_ == 5 * 3
    two_hundred = network(batch_size=200).fit(X_long, y_long)
    assert np.array_equal(parameters(automatic), parameters(two_hundred))


@pytest.fixture
def visited(monkeypatch):
    """The rows of each batch, as they are visited."""
    batches = []
    minibatch = Objective.minibatch

    def note(objective, theta, rows, rng):
        batches.append(np.arange(len(X))[rows])
        return minibatch(objective, theta, rows, rng)

    monkeypatch.setattr(Objective, "minibatch", note)
    return batches


def test_rows_are_divided_evenly(visited):
    network(batch_size=40, max_iter=1).fit(X, y)
    assert [len(rows) for rows in visited] == [37, 38, 37, 38]


@pytest.mark.parametrize("batch_size", [1, 40, 150])
def test_shuffled_epochs_visit_every_row_once_in_an_order_of_their_own(visited, batch_size):
    network(batch_size=batch_size, max_iter=3).fit(X, y)
    epochs = np.concatenate(visited).reshape(3, len(X))
    assert np.array_equal(np.sort(epochs), np.tile(np.arange(len(X)), (3, 1)))
    assert len(np.unique(epochs, axis=0)) == 3


def test_epochs_without_shuffling_visit_the_rows_in_order(visited):
    network(shuffle=False, max_iter=2).fit(X, y)
    assert np.array_equal(np.concatenate(visited), np.tile(np.arange(len(X)), 2))


# Weights, kinds of input, precision


def test_rows_of_weight_zero_give_no_gradient():
    """With one batch an epoch they might as well not be there."""
    keep = WEIGHTS > 0
    params = {"batch_size": len(X), "learning_rate_init": 0.01, "max_iter": 20}
    weighted = network(**params).fit(X, y, WEIGHTS)
    without = network(**params).fit(X[keep], y[keep], WEIGHTS[keep])
    np.testing.assert_allclose(parameters(weighted), parameters(without), rtol=1e-9)


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_weights_equal_repeated_rows_in_batch_gradient_descent(solver):
    repeat = WEIGHTS.astype(int)
    params = {"batch_size": 10**6, "learning_rate_init": 0.01, "max_iter": 20}
    weighted = network(solver, **params).fit(X, y, WEIGHTS)
    repeated = network(solver, **params).fit(X.repeat(repeat, axis=0), y.repeat(repeat))
    np.testing.assert_allclose(parameters(weighted), parameters(repeated), rtol=1e-8)


def test_a_batch_without_weight_pulls_by_the_penalty_alone():
    weights = np.r_[np.zeros(75), np.ones(75)]
    classifier = network("sgd", batch_size=75, shuffle=False, momentum=0.0, max_iter=1, alpha=5.0)
    start = clone(classifier).set_params(learning_rate=lambda step: 0.0).fit(X, y, weights)
    one_step = clone(classifier).set_params(learning_rate=lambda step: 0.1 * (step == 0))
    one_step.fit(X, y, weights)
    for before, after in zip(start.coefs_, one_step.coefs_, strict=True):
        np.testing.assert_allclose(after, before * (1 - 0.1 * 5.0 / 75), rtol=1e-13)
    for before, after in zip(start.intercepts_, one_step.intercepts_, strict=True):
        assert np.array_equal(before, after)


@pytest.mark.parametrize("container", [csr_matrix, csr_array])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("params", [{}, {"batch_norm": True, "dropout": 0.3}], ids=str)
def test_sparse_rows_train_as_dense_ones(container, shuffle, params):
    dense = network(shuffle=shuffle, **params).fit(X, y)
    sparse = network(shuffle=shuffle, **params).fit(container(X), y)
    np.testing.assert_allclose(parameters(sparse), parameters(dense), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_memory_map_trains_as_an_array_and_is_not_written_to(tmp_path, dtype):
    np.save(tmp_path / "X.npy", X.astype(dtype))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    from_disk = network(dropout=0.2, batch_norm=True).fit(mapped, y)
    from_memory = network(dropout=0.2, batch_norm=True).fit(X.astype(dtype), y)
    assert np.array_equal(parameters(from_disk), parameters(from_memory))
    assert np.array_equal(np.load(tmp_path / "X.npy"), X.astype(dtype))


SCALARS = {
    "learning_rate_init": 0.0123,
    "momentum": 0.87,
    "beta_1": 0.87,
    "beta_2": 0.987,
    "epsilon": 1e-7,
    "max_grad_norm": 0.3,
    "alpha": 0.7,
    "dropout": 0.3,
}


@pytest.mark.parametrize("solver", MINI_BATCH)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_float32_stays_float32_whatever_the_parameters_are_made_of(solver, batch_norm):
    """Numbers drawn by NumPy are no reason to compute in double precision."""
    X32 = X.astype(np.float32)
    python = network(solver, batch_norm=batch_norm, **read_by(solver, SCALARS)).fit(X32, y)
    drawn = {name: np.float64(value) for name, value in read_by(solver, SCALARS).items()}
    numpy = network(solver, batch_norm=batch_norm, **drawn).fit(X32, y)
    assert {coef.dtype for coef in numpy.coefs_ + numpy.intercepts_} == {np.dtype(np.float32)}
    assert numpy.loss_curve_ == python.loss_curve_
    assert np.array_equal(parameters(numpy), parameters(python))


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_the_state_in_float32_holds_nothing_in_double_precision(solver):
    params = read_by(solver, SCALARS)
    state = network(solver, batch_norm=True, **params).fit(X.astype(np.float32), y)._memory
    arrays = [state["beyond"]["theta"], *state["state"]["rule"].values()]
    arrays += [array for moments in state["state"]["moments"] for array in moments]
    assert {a.dtype for a in arrays if isinstance(a, np.ndarray)} == {np.dtype(np.float32)}


def test_single_precision_trains_like_double():
    double = network(max_iter=20, learning_rate_init=0.01).fit(X, y)
    single = network(max_iter=20, learning_rate_init=0.01).fit(X.astype(np.float32), y)
    np.testing.assert_allclose(single.loss_curve_, double.loss_curve_, rtol=1e-5)


# Clipping


def test_long_gradients_are_shortened_to_the_norm_and_keep_their_direction():
    params = {"momentum": 0.0, "batch_size": len(X), "max_iter": 1}
    start = parameters(network("sgd", learning_rate=lambda step: 0.0, **params).fit(X, y))
    params["learning_rate_init"] = 0.1
    free = parameters(network("sgd", **params).fit(X, y)) - start
    length = np.linalg.norm(free) / 0.1
    clipped = parameters(network("sgd", max_grad_norm=length / 3, **params).fit(X, y)) - start
    np.testing.assert_allclose(clipped, free / 3, rtol=1e-10, atol=1e-15)


def test_short_gradients_are_left_alone():
    clipped = network(max_grad_norm=1e3).fit(X, y)
    free = network().fit(X, y)
    assert np.array_equal(parameters(clipped), parameters(free))


def test_the_norm_is_that_of_all_layers_together():
    gradient = np.array([3.0, 4.0, 12.0])
    clip_by_norm(gradient, 6.5)
    np.testing.assert_allclose(gradient, [1.5, 2.0, 6.0])


@pytest.mark.parametrize(("dtype", "huge"), [(np.float32, 1e30), (np.float64, 1e200)])
def test_gradients_whose_squares_overflow_are_clipped_too(dtype, huge):
    gradient = np.full(4, huge, dtype)
    clip_by_norm(gradient, 1.0)
    np.testing.assert_allclose(gradient, 0.5, rtol=1e-6)


@pytest.mark.parametrize("broken", [np.inf, -np.inf, np.nan])
def test_clipping_makes_no_number_of_what_is_none(broken):
    """Nor an error: that training diverges is found at the end of the epoch."""
    gradient = np.array([1.0, broken])
    with np.errstate(invalid="ignore"):
        clip_by_norm(gradient, 1.0)
    assert not np.isfinite(gradient).all()


def test_clipping_saves_a_training_that_would_diverge():
    params = {"activation": "identity", "learning_rate_init": 0.1, "max_iter": 200}
    far_apart = 1e4 * X**3
    with pytest.raises(FloatingPointError, match="max_grad_norm"):
        network("sgd", **params).fit(far_apart, y)
    classifier = network("sgd", max_grad_norm=0.01, **params).fit(far_apart, y)
    assert classifier.loss_ < 0.5 * classifier.loss_curve_[0]


# One objective for every solver


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("output_activation", ["logistic", "softmax"])
@pytest.mark.parametrize("batch_size", [50, 150])
def test_all_solvers_reach_the_same_cost_in_a_convex_problem(
    batch_size, output_activation, weights
):
    params = {"output_activation": output_activation, "batch_size": batch_size, "alpha": 3.0}
    costs = {}
    for solver in ("cg", "lbfgs", "newton-cg"):
        classifier = network(solver, hidden=(), tol=1e-6, max_iter=500, **params)
        costs[solver] = classifier.fit(X, y, weights).loss_
    params |= {"learning_rate": "cosine", "max_iter": batch_size, "n_iter_no_change": 1000}
    for solver in MINI_BATCH:
        classifier = network(solver, hidden=(), learning_rate_init=RATES[solver], **params)
        costs[solver] = classifier.fit(X, y, weights).cost(X, y, weights)
    assert max(costs.values()) < min(costs.values()) * (1 + 1e-3), costs


@pytest.mark.slow
def test_the_weights_do_not_drift_with_the_batch_size():
    X, y = load_digits(return_X_y=True)
    X = X / 16
    params = {"activation": "logistic", "alpha": 1.0, "tol": 0.0, "random_state": 0}
    full = BackpropMLPClassifier(25, solver="lbfgs", max_iter=2000, **params).fit(X, y)
    norms = [np.linalg.norm(np.concatenate([W.ravel() for W in full.coefs_]))]
    for batch_size in (50, 200, 1797):
        epochs = round(300 * max(1, batch_size / 200))
        classifier = BackpropMLPClassifier(
            25,
            solver="adam",
            learning_rate_init=0.003,
            batch_size=batch_size,
            max_iter=epochs,
            n_iter_no_change=epochs,
            **params,
        ).fit(X, y)
        norms.append(np.linalg.norm(np.concatenate([W.ravel() for W in classifier.coefs_])))
    print("norms of the weights:", norms)
    assert max(norms) < 1.1 * min(norms)


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_a_fit_may_be_gone_on_from_more_than_once(solver):
    """Training from a state does not change it."""
    start = network(solver, warm_start=True, batch_norm=True, dropout=0.2).fit(X, y)
    once, again = copy(start).fit(X, y), copy(start).fit(X, y)
    assert once.loss_curve_ == again.loss_curve_
    assert np.array_equal(parameters(once), parameters(again))


# Failures


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_divergence_is_an_error_that_leaves_the_estimator_as_it_was(solver):
    classifier = network(solver).fit(X, y)
    before = dict(vars(classifier))
    coefs = [coef.copy() for coef in classifier.coefs_]
    with pytest.raises(FloatingPointError, match=r"diverges.*learning_rate_init"):
        classifier.set_params(learning_rate_init=1e200, activation="identity").fit(X, y)
    classifier.set_params(learning_rate_init=0.001, activation="tanh")
    assert vars(classifier) == before
    assert all(map(np.array_equal, classifier.coefs_, coefs))


def test_a_last_step_that_overflows_is_divergence_too():
    """The cost is that before the step: finite."""
    classifier = network("sgd", batch_size=len(X), max_iter=1, learning_rate=lambda step: 1e308)
    with pytest.raises(FloatingPointError, match="diverges: in epoch 1 the"):
        classifier.fit(1e3 * X, y)
    assert not hasattr(classifier, "coefs_")


def test_what_is_remembered_of_gradients_may_overflow_alone():
    """Squares do: then Adam's steps are zero, and nothing is trained any more."""
    classifier = network("adam", (), max_iter=1)
    with pytest.raises(FloatingPointError, match="diverges: in epoch 1 the"):
        classifier.fit(1e200 * X, y)


@pytest.mark.parametrize("params", [{}, {"max_grad_norm": 1.0}, {"batch_norm": True}], ids=str)
@pytest.mark.parametrize("solver", MINI_BATCH)
def test_divergence_is_told_by_the_error_alone(solver, params, recwarn):
    classifier = network(solver, learning_rate_init=1e200, activation="relu", **params)
    message = (
        r"Training diverges: in epoch \d the weights, their cost, \S+, or what is remembered of "
        r"gradients and moments are no longer finite\. Lower learning_rate_init, scale the "
        r"features \(StandardScaler\), and y if it holds large numbers, or limit the gradient with "
        r"max_grad_norm\."
    )
    with pytest.raises(FloatingPointError, match=f"^{message}$"):
        classifier.fit(1e3 * X, y)
    assert not recwarn.list


def test_divergence_is_told_by_the_error_alone_in_threads_too(recwarn):
    """Large batches are computed in blocks, side by side."""
    rng = np.random.default_rng(0)
    X_long, y_long = 1e3 * rng.normal(size=(5000, 200)), rng.integers(3, size=5000)
    params = {"activation": "identity", "learning_rate_init": 1e200, "batch_size": 5000}
    with threadpool_limits(2), pytest.raises(FloatingPointError, match="diverges"):
        network("sgd", hidden=(100,), **params).fit(X_long, y_long)
    assert not recwarn.list


def test_one_restart_that_diverges_is_an_error():
    classifier = network("sgd", n_init=3, learning_rate_init=1e200, activation="identity")
    with pytest.raises(FloatingPointError, match="diverges"):
        classifier.fit(X, y)


# The record


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_counts_of_a_fit(solver):
    classifier = network(solver, batch_size=40).fit(X, y)
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 5
    assert classifier.n_fun_ == 5 * 4
    assert classifier.t_ == 5 * len(X)
    assert classifier.loss_ == classifier.loss_curve_[-1]
    assert classifier.best_loss_ == min(classifier.loss_curve_)


def test_a_run_counts_its_own_epochs_and_updates():
    layers = Network.feedforward((4, 3), (), SoftmaxLoss())
    blocks = RowBlocks(
        X, y, np.ones(len(X)), lambda codes, dtype: np.eye(3, dtype=dtype)[codes], len(X)
    )
    objective = Objective(layers, blocks, 0.1)
    rule = SGD(0.9, False)
    how = MiniBatches(rule, lambda step: 0.1, "updates", 40, True, None)
    theta = layers.blank()
    state = initial_state(layers, theta, rule, np.random.default_rng(0))
    for n_calls in (1, 2):
        follower = Follower(Stopping(tol=0.0, n_iter_no_change=10, max_iter=3))
        result = minimize_mini_batch(objective, theta, state, how, follower)
        theta, state = result.theta, result.state
        assert (result.n_passes, result.n_fun) == (3, 12)
        assert state["clock"] == {
            "updates": 12 * n_calls,
            "epochs": 3 * n_calls,
            "rows": 3 * n_calls * len(X),
        }


def test_verbose_prints_a_line_an_epoch(capsys):
    network(verbose=True, max_iter=3).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["Iteration", str(n)] for n in (1, 2, 3)]
    assert all("cost" in line and "evaluations" in line for line in lines)


def test_a_second_fit_goes_on_counting_iterations_and_evaluations(capsys):
    classifier = network(verbose=True, warm_start=True, max_iter=2).fit(X, y).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.split()[1]) for line in lines] == [1, 2, 3, 4]
    printed = [int(line.split("evaluations")[1].split()[0]) for line in lines]
    assert printed == [4, 8, 12, 16]
    assert classifier.n_fun_ == 16
    assert len(classifier.loss_curve_) == 4


# Interruption


def interrupting(n_updates):
    """A schedule during which Ctrl-C comes."""

    def rate(update):
        if update == n_updates:
            raise KeyboardInterrupt
        return 0.01

    return rate


@pytest.mark.parametrize("solver", MINI_BATCH)
@pytest.mark.parametrize(
    "params", [{}, {"batch_norm": True, "dropout": 0.2}], ids=["plain", "with noise"]
)
@pytest.mark.parametrize("n_updates", [4, 9, 11, 12])
def test_an_interrupted_fit_is_one_of_the_whole_epochs(solver, params, n_updates):
    """Four batches an epoch: it goes on as if it had never been interrupted."""
    given = {"n_iter_no_change": 100, "warm_start": True, **params}
    interrupted = network(solver, learning_rate=interrupting(n_updates), **given)
    with pytest.warns(UserWarning, match="interrupted"):
        interrupted.fit(X, y)
    n_epochs = n_updates // 4
    whole = network(solver, learning_rate=interrupting(-1), **given, max_iter=n_epochs).fit(X, y)
    for on in (False, True):
        if on:
            interrupted.set_params(learning_rate=interrupting(-1), max_iter=2).fit(X, y)
            whole.set_params(max_iter=2).fit(X, y)
        np.testing.assert_array_equal(parameters(interrupted), parameters(whole))
        for name in ("n_iter_", "n_fun_", "t_", "loss_", "loss_curve_"):
            assert getattr(interrupted, name) == getattr(whole, name)


def test_the_rows_of_an_epoch_are_on_the_clock_when_it_has_ended():
    clock = Clock(updates=8, epochs=2, rows=300)
    assert {clock.read("rows", batch, 4) for batch in range(4)} == {300}
    assert clock.after_epoch(4, 150).read("rows", 0, 4) == 450
