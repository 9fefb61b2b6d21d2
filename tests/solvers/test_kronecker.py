"""Coordinates made of the curvature of each layer."""

from functools import partial

import numpy as np
import pytest
from objectives import full_plan, rows_objective
from scipy.sparse import csr_matrix
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from backprop_mlp._network.losses import loss_for
from backprop_mlp._network.network import Network
from backprop_mlp._solvers import kronecker
from backprop_mlp._solvers.centring import Centring
from backprop_mlp._solvers.coordinates import Point
from backprop_mlp._solvers.kronecker import CurvaturePlan, Kronecker, block_curvature

X_IRIS, y_iris = load_iris(return_X_y=True)
X_IRIS = scale(X_IRIS)
Y_IRIS = np.eye(3)[y_iris]


def shallow(output="softmax", sizes=(4, 3)):
    return Network.feedforward(sizes, ("tanh",) * (len(sizes) - 2), loss_for(output))


def built(objective, theta, plan=None, centring=None):
    """Coordinates made at theta."""
    centring = Centring.of(objective) if centring is None else centring
    plan = full_plan(objective.network) if plan is None else plan
    coordinates = Kronecker(objective, centring, plan)
    coordinates.refresh(Point(1000, theta, 1.0, theta))
    return coordinates


def as_matrix(function, size):
    return np.array([function(unit) for unit in np.eye(size)]).T


def test_a_linear_model_with_independent_factors_gets_the_inverse_hessian(monkeypatch):
    """At theta = 0 every row has the same curvature, so that the Hessian is A (x) B exactly."""
    monkeypatch.setattr(kronecker, "DAMPING", 0.0)
    network = shallow("logistic")
    objective = rows_objective(network, X_IRIS, Y_IRIS, np.ones(150), alpha=5.0)
    coordinates = built(objective, np.zeros(network.n_params))
    size = network.n_params
    H = as_matrix(partial(objective.hessian_product, np.zeros(size)), size)
    T = as_matrix(coordinates.to_theta, size)
    met = T.T @ H @ T
    # The penalty leaves biases out; for weights the product is exact.
    n = network.n_weights
    np.testing.assert_allclose(met[:n, :n], np.eye(n), atol=1e-10)
    np.testing.assert_allclose(met[:n, n:], 0.0, atol=1e-10)


def test_without_bases_each_weight_alone_meets_a_curvature_of_one(monkeypatch):
    """Its input counts by the variance, wherever its mean is."""
    monkeypatch.setattr(kronecker, "DAMPING", 0.0)
    network = shallow("logistic")
    objective = rows_objective(network, 3.0 + X_IRIS, Y_IRIS, np.ones(150), alpha=5.0)
    plan = CurvaturePlan((False,), (False,), False)
    coordinates = built(objective, network.blank(), plan, Centring(network, np.zeros(4)))
    size = network.n_params
    H = as_matrix(partial(objective.hessian_product, np.zeros(size)), size)
    T = as_matrix(coordinates.to_theta, size)
    np.testing.assert_allclose(np.diag(T.T @ H @ T)[: network.n_weights], 1.0, rtol=1e-10)


@pytest.mark.parametrize("bases", [True, False])
@pytest.mark.parametrize("activation", ["tanh", "logistic"])
def test_inputs_in_other_units_lead_to_the_coordinates_of_those_that_are_standardised(
    bases, activation, rng
):
    """They are the composition of centring and of what the centred network would get."""
    network = Network.feedforward((4, 6, 3), (activation,), loss_for("softmax"))
    plan = CurvaturePlan((bases, bases), (True, True), bases)
    moved = rows_objective(network, 50.0 + 7.0 * X_IRIS, Y_IRIS, np.ones(150))
    standard = rows_objective(network, X_IRIS, Y_IRIS, np.ones(150))
    first_layer = Centring(network, np.full(4, 50.0), np.full(4, 7.0))
    first_layer.centres = first_layer.centres[:1]
    beta = rng.normal(size=network.n_params)
    found = built(moved, first_layer.to_theta(beta), plan)
    expected = built(standard, beta, plan)
    vector = rng.normal(size=network.n_params)
    np.testing.assert_allclose(
        first_layer.to_phi(found.to_theta(vector)), expected.to_theta(vector), rtol=1e-8, atol=1e-10
    )
    np.testing.assert_allclose(
        found.pull_back(vector),
        expected.pull_back(first_layer.pull_back(vector)),
        rtol=1e-8,
        atol=1e-9,
    )


@pytest.mark.parametrize("output", ["logistic", "softmax"])
def test_they_bring_the_curvatures_of_a_network_closer_together(output, rng):
    network = shallow(output, (4, 6, 3))
    X = X_IRIS * [1.0, 0.05, 0.05, 1.0]
    objective = rows_objective(network, X, Y_IRIS, np.ones(150), alpha=0.1)
    theta = rng.normal(size=network.n_params)
    T = as_matrix(built(objective, theta).to_theta, theta.size)
    H = as_matrix(partial(objective.hessian_product, theta), theta.size)

    def spread(hessian):
        values = np.abs(np.linalg.eigvalsh(hessian))
        return values.max() / np.median(values)

    assert spread(T.T @ H @ T) < 0.7 * spread(H)


def sums(network, X, Y, weight, theta, max_rows=1000, plan=None):
    objective = rows_objective(network, X, Y, weight, max_rows)
    function = partial(
        block_curvature,
        network,
        theta,
        objective.total_weight,
        X_IRIS.mean(axis=0) + 0.3,
        np.array([1.0, 2.0, 1.0, 3.0]),
        full_plan(network) if plan is None else plan,
    )
    return objective.sum_over_blocks(function)


def flat(values):
    return np.concatenate([flat(v) if isinstance(v, tuple) else v.ravel() for v in values])


@pytest.mark.parametrize("pairs", [True, False])
def test_the_sums_are_those_of_any_blocks_of_sparse_rows_and_of_repeated_rows(pairs, rng):
    network = shallow(sizes=(4, 6, 3))
    plan = CurvaturePlan((pairs, pairs), (True, True), pairs)
    theta = rng.normal(size=network.n_params)
    weight = rng.integers(0, 4, 150)
    whole = flat(sums(network, X_IRIS, Y_IRIS, weight.astype(float), theta, plan=plan))
    X = X_IRIS.repeat(weight, axis=0)
    ways = {
        "blocks": (X_IRIS, Y_IRIS, weight.astype(float), theta, 17),
        "sparse": (csr_matrix(X_IRIS), Y_IRIS, weight.astype(float), theta),
        "repeated": (X, Y_IRIS.repeat(weight, axis=0), np.ones(len(X)), theta),
    }
    for way in ways.values():
        np.testing.assert_allclose(
            flat(sums(network, *way, plan=plan)), whole, rtol=1e-12, atol=1e-12
        )


@pytest.mark.parametrize("container", [np.asarray, csr_matrix])
@pytest.mark.parametrize("pairs", [True, False])
@pytest.mark.parametrize(("dtype", "huge"), [(np.float32, 1e30), (np.float64, 1e200)])
def test_rows_of_zero_weight_do_not_count(container, pairs, dtype, huge, rng):
    network = shallow(sizes=(4, 6, 3))
    plan = CurvaturePlan((pairs, pairs), (True, True), pairs)
    theta = rng.normal(size=network.n_params).astype(dtype)
    weight, X = np.ones(150), X_IRIS.astype(dtype)
    weight[40:] = 0.0
    expected = flat(sums(network, container(X), Y_IRIS, weight, theta, 17, plan))
    X[40:] = huge
    found = flat(sums(network, container(X), Y_IRIS, weight, theta, 17, plan))
    np.testing.assert_array_equal(found, expected)


def test_inputs_far_from_zero_keep_their_covariance_in_single_precision(rng):
    network = shallow("logistic", (4, 3))
    weight = np.ones(150)
    theta = np.zeros(network.n_params)
    far = (1e3 + X_IRIS).astype(np.float32)
    near = (far.astype(float) - 1e3).astype(np.float32)
    single = rows_objective(network, far, Y_IRIS, weight)
    double = rows_objective(network, near.astype(float), Y_IRIS, weight)
    found, expected = (built(o, theta.astype(o.dtype))._factors[0].D for o in (single, double))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_rows_that_are_fitted_have_no_curvature_and_leave_no_trace(rng):
    """Nothing is left to divide by: only the inputs are centred, here around zero."""
    network = shallow("softmax")
    theta = network.blank()
    (W, _), *_ = network.dense_views(theta)
    W[0] = [1e4, 0.0, -1e4]
    objective = rows_objective(network, np.ones((5, 4)), Y_IRIS[:5], np.ones(5))
    coordinates = built(objective, theta, centring=Centring(network, np.zeros(4)))
    assert not coordinates.learned
    vector = rng.normal(size=theta.size)
    np.testing.assert_array_equal(coordinates.to_theta(vector), vector)


@pytest.mark.parametrize("X", [np.ones((1, 4)), np.full((9, 4), 7.0)], ids=["one row", "constant"])
def test_inputs_without_variance_are_no_obstacle(X, rng):
    network = shallow(sizes=(4, 5, 3))
    objective = rows_objective(network, X, Y_IRIS[: len(X)], np.ones(len(X)), alpha=0.0)
    coordinates = built(objective, rng.normal(size=network.n_params))
    vector = rng.normal(size=network.n_params)
    assert np.isfinite(coordinates.to_theta(vector)).all()
    there_and_back = coordinates.to_phi(coordinates.to_theta(vector))
    np.testing.assert_allclose(there_and_back, vector, atol=1e-6)


def test_units_without_a_slope_are_no_obstacle(rng):
    network = Network.feedforward((4, 5, 3), ("relu",), loss_for("softmax"))
    objective = rows_objective(network, X_IRIS, Y_IRIS, np.ones(150), alpha=0.0)
    theta = rng.normal(size=network.n_params)
    (_, b), _ = network.dense_views(theta)
    b[:] = -1e3
    assert built(objective, theta).learned


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_curvature_that_overflows_is_left_out(rng):
    network = Network.feedforward((4, 5, 3), ("identity",), loss_for("softmax"))
    objective = rows_objective(network, X_IRIS, Y_IRIS, np.ones(150))
    theta = rng.normal(size=network.n_params)
    (W, b), (V, _) = network.dense_views(theta)
    for hidden in (W, b):
        hidden *= 1e200
    V *= 1e-200
    assert not built(objective, theta).learned


def test_they_are_made_at_given_iterations_and_dropped_where_they_led_to_no_step(rng):
    network = shallow(sizes=(4, 5, 3))
    objective = rows_objective(network, X_IRIS, Y_IRIS, np.ones(150))
    coordinates = Kronecker(objective, Centring.of(objective), full_plan(network))
    theta = rng.normal(size=network.n_params)
    built_at = []
    n_iter = 0
    while n_iter < 100:
        before = coordinates._factors
        coordinates.refresh(Point(n_iter, theta, 1.0, theta))
        if coordinates._factors is not before:
            built_at.append(n_iter)
        n_iter = min(coordinates.due(n_iter), n_iter + 10)
    assert built_at == [0, 7, 17, 47, 97]
    assert coordinates.learned
    coordinates.refresh(Point(100, theta, 1.0, theta, plain=True))
    assert not coordinates.learned
    coordinates.refresh(Point(197, theta, 1.0, theta))
    assert coordinates.learned


def test_logistic_units_are_measured_later():
    network = Network.feedforward((4, 5, 3), ("logistic",), loss_for("softmax"))
    objective = rows_objective(network, X_IRIS, Y_IRIS, np.ones(150))
    coordinates = Kronecker(objective, Centring.of(objective), full_plan(network))
    assert coordinates.due(0) == 12
    theta = network.blank()
    coordinates.refresh(Point(0, theta, 1.0, theta))
    assert not coordinates.learned


# What pays


def plan_of(sizes, n_rows, most=0.6):
    network = shallow(sizes=sizes)
    return CurvaturePlan.of(network, n_rows, 6.0 * n_rows * network.n_weights, most)


def test_few_rows_do_not_pay_for_any_curvature_and_more_pay_for_more():
    plans = [plan_of((20, 100, 3), n_rows) for n_rows in range(10, 1000, 10)]
    orders = [
        None,
        CurvaturePlan((False, False), (True, True), False),
        CurvaturePlan((True, False), (True, True), False),
        CurvaturePlan((True, True), (True, True), True),
    ]
    ranks = [orders.index(plan) for plan in plans]
    assert ranks == sorted(ranks)
    assert set(ranks) == {0, 1, 2, 3}


def test_the_more_evaluations_are_saved_the_more_they_may_take():
    n_rows = next(n for n in range(10, 10_000, 10) if plan_of((20, 100, 3), n, most=2.0))
    assert plan_of((20, 100, 3), n_rows, most=0.6) is None


def test_wide_inputs_are_only_scaled_and_wide_layers_too():
    assert plan_of((20_000, 100, 3), 10_000).input_bases[0] is False
    plan = plan_of((20, 3000, 3), 1_000_000)
    assert plan.output_bases == (False, True)
    assert plan.input_bases == (True, False)


def test_beyond_the_largest_basis_no_rows_are_enough_for_one():
    largest = kronecker.LARGEST_BASIS
    assert [plan_of((n, 100, 3), 10**9).input_bases[0] for n in (largest, largest + 1)] == [
        True,
        False,
    ]


def test_many_classes_cost_too_much_curvature():
    assert plan_of((20, 100, 1000), 1000) is None


@pytest.mark.parametrize("activation", ["tanh", "logistic"])
def test_a_hidden_layer_is_centred_at_its_mean_over_the_rows_that_have_curvature(activation, rng):
    network = Network.feedforward((4, 6, 3), (activation,), loss_for("softmax"))
    objective = rows_objective(network, X_IRIS, Y_IRIS, np.ones(150))
    theta = rng.normal(size=network.n_params)
    (W, b), (V, c) = network.dense_views(theta)
    hidden = X_IRIS @ W + b
    hidden = np.tanh(hidden) if activation == "tanh" else 1.0 / (1.0 + np.exp(-hidden))
    P = np.exp(hidden @ V + c)
    P /= P.sum(axis=1, keepdims=True)
    weight = np.sqrt((P * (1.0 - P)).sum(axis=1))
    found = built(objective, theta)._factors[1].mean
    np.testing.assert_allclose(found, np.average(hidden, axis=0, weights=weight), rtol=1e-9)


@pytest.mark.parametrize("bases", [True, False])
def test_there_and_back_is_the_same_where_inputs_are_scaled(bases, rng):
    network = Network.feedforward((4, 6, 3), ("tanh",), loss_for("softmax"))
    objective = rows_objective(network, 50.0 + [1.0, 3.0, 7.0, 40.0] * X_IRIS, Y_IRIS, np.ones(150))
    theta, vector = rng.normal(size=(2, network.n_params))
    found = built(objective, 0.01 * theta, CurvaturePlan((bases, bases), (True, True), bases))
    np.testing.assert_allclose(found.to_phi(found.to_theta(vector)), vector, rtol=1e-8, atol=1e-8)
