"""theta = T(phi): better coordinates, the same objective."""

import numpy as np
import pytest
from reference import FUNCTIONS
from scipy.optimize import approx_fprime, check_grad

from backprop_mlp._network.losses import SigmoidLoss
from backprop_mlp._network.network import Network
from backprop_mlp._objective.blocks import RowBlocks
from backprop_mlp._objective.objective import Objective
from backprop_mlp._solvers.coordinates import Centring

SIZES = (3, 5, 4, 2)


@pytest.fixture(params=["logistic", "tanh", "relu", "identity"])
def activation(request):
    return request.param


@pytest.fixture
def network(activation):
    return Network.feedforward(SIZES, (activation, activation), SigmoidLoss())


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture(name="X")
def inputs(rng):
    return rng.normal(loc=[2.0, -1.0, 0.0], size=(9, 3))


@pytest.fixture
def objective(network, X, rng):
    Y = rng.integers(2, size=(9, 2)).astype(float)
    sample_weight = rng.uniform(0.5, 2.0, 9)
    blocks = RowBlocks(X, Y, sample_weight, lambda codes, dtype: codes.astype(dtype), 9)
    return Objective(network, blocks, 0.7)


@pytest.fixture(params=["centred", "scaled"])
def centring(request, network, objective):
    scales = np.array([0.5, 20.0, 3.0]) if request.param == "scaled" else None
    return Centring(network, objective.input_scale.means, scales)


def test_to_phi_is_the_inverse_of_to_theta(network, centring, rng):
    vector = rng.normal(size=network.n_params)
    np.testing.assert_allclose(centring.to_phi(centring.to_theta(vector)), vector, atol=1e-14)
    np.testing.assert_allclose(centring.to_theta(centring.to_phi(vector)), vector, atol=1e-14)


def test_the_map_is_linear(network, centring, rng):
    u, v = rng.normal(size=(2, network.n_params))
    np.testing.assert_allclose(
        centring.to_theta(2.0 * u - 3.0 * v),
        2.0 * centring.to_theta(u) - 3.0 * centring.to_theta(v),
        atol=1e-13,
    )


def test_pull_back_is_the_adjoint(network, centring, rng):
    grad, v = rng.normal(size=(2, network.n_params))
    assert centring.pull_back(grad) @ v == pytest.approx(grad @ centring.to_theta(v), rel=1e-13)


def test_without_scales_weights_and_penalty_stay_as_they_are(network, objective, rng):
    centring = Centring(network, objective.input_scale.means)
    phi = rng.normal(size=network.n_params)
    theta = centring.to_theta(phi)
    np.testing.assert_array_equal(theta[: network.n_weights], phi[: network.n_weights])
    assert objective.penalty(theta) == objective.penalty(phi)


def test_arguments_are_left_alone(network, centring, rng):
    vector = rng.normal(size=network.n_params)
    vector.setflags(write=False)
    for function in (centring.to_theta, centring.to_phi, centring.pull_back):
        assert not np.shares_memory(function(vector), vector)


def test_phi_are_the_parameters_of_a_network_that_centres_its_inputs(
    network, centring, activation, objective, X, rng
):
    phi = rng.normal(size=network.n_params)
    z, _ = network.forward(network.views(centring.to_theta(phi)), X)

    means = np.average(X, axis=0, weights=objective.blocks.sample_weight)
    centre = 0.5 if activation == "logistic" else 0.0
    (W1, b1), (W2, b2), (W3, b3) = network.dense_views(phi)
    scales = 1.0 if centring.input_scales is None else centring.input_scales
    a = FUNCTIONS[activation]((X - means) / scales @ W1 + b1)
    a = FUNCTIONS[activation]((a - centre) @ W2 + b2)
    np.testing.assert_allclose(z, (a - centre) @ W3 + b3, rtol=1e-11, atol=1e-12)


def test_the_cost_is_that_of_the_theta_we_started_from(network, centring, objective, rng):
    theta = rng.normal(size=network.n_params)
    there_and_back = centring.to_theta(centring.to_phi(theta))
    assert objective.value(there_and_back) == pytest.approx(objective.value(theta), rel=1e-14)


def test_pull_back_gives_the_gradient_with_respect_to_phi(network, centring, objective, rng):
    def cost(phi):
        return objective.value(centring.to_theta(phi))

    def grad(phi):
        return centring.pull_back(objective.value_and_grad(centring.to_theta(phi))[1])

    phi = rng.normal(size=network.n_params)
    size = np.linalg.norm(grad(phi))
    assert check_grad(cost, grad, phi, seed=0) < 1e-6 * size
    assert np.linalg.norm(approx_fprime(phi, cost) - grad(phi)) < 1e-6 * size


def test_without_means_only_logistic_units_are_centred(network, activation, rng):
    centring = Centring(network, np.zeros(3))
    vector = rng.normal(size=network.n_params)
    (W1, b1), (W2, b2), (W3, b3) = network.dense_views(vector)
    moved = [b for _, b in network.dense_views(centring.to_theta(vector))]
    np.testing.assert_array_equal(moved[0], b1)
    if activation == "logistic":
        np.testing.assert_allclose(moved[1], b2 - 0.5 * W2.sum(axis=0), atol=1e-14)
        np.testing.assert_allclose(moved[2], b3 - 0.5 * W3.sum(axis=0), atol=1e-14)
    else:
        np.testing.assert_array_equal(moved[1], b2)
        np.testing.assert_array_equal(moved[2], b3)
    assert W1.shape == (3, 5)


def test_the_coordinates_of_an_objective_have_the_scale_of_its_inputs(objective, network):
    means, scales = objective.input_scale
    centring = Centring.of(objective)
    assert centring.network is network
    np.testing.assert_array_equal(centring.input_means, means)
    np.testing.assert_array_equal(centring.input_scales, scales)
    objective.blocks.X[:] *= 0.1
    small = Centring.of(Objective(network, objective.blocks, 0.7))
    assert small.input_scales is None


def test_a_stationary_point_in_phi_is_one_in_theta(network, centring, rng):
    # T is invertible, so its adjoint is: only a zero gradient is pulled back to zero.
    matrix = np.array([centring.pull_back(unit) for unit in np.eye(network.n_params)])
    assert np.linalg.matrix_rank(matrix) == network.n_params
