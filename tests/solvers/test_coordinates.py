"""theta = T(phi): what every kind of coordinates fulfils, alone and composed."""

import math

import numpy as np
import pytest
from scipy.optimize import approx_fprime, check_grad

from backprop_mlp._solvers.coordinates import Composition, Point, pass_flops
from backprop_mlp._solvers.secants import Secants


def test_to_phi_is_the_inverse_of_to_theta(network, coordinates, rng):
    vector = rng.normal(size=network.n_params)
    for there, back in (
        (coordinates.to_theta, coordinates.to_phi),
        (coordinates.to_phi, coordinates.to_theta),
    ):
        size = max(1.0, np.abs(there(vector)).max())
        np.testing.assert_allclose(back(there(vector)), vector, atol=1e-11 * size)


def test_the_map_is_linear(network, coordinates, rng):
    u, v = rng.normal(size=(2, network.n_params))
    together = coordinates.to_theta(2.0 * u - 3.0 * v)
    apart = 2.0 * coordinates.to_theta(u) - 3.0 * coordinates.to_theta(v)
    np.testing.assert_allclose(together, apart, atol=1e-12 * np.abs(apart).max())


def test_pull_back_is_the_adjoint(network, coordinates, rng):
    grad, v = rng.normal(size=(2, network.n_params))
    pulled = coordinates.pull_back(grad)
    assert pulled @ v == pytest.approx(grad @ coordinates.to_theta(v), rel=1e-10)


@pytest.mark.parametrize("name", ["to_theta", "to_phi", "pull_back"])
def test_outer_parts_map_many_vectors_as_they_map_each(network, coordinates, rng, name):
    parts = getattr(coordinates, "parts", [coordinates])
    vectors = rng.normal(size=(3, network.n_params))
    for part in parts:
        if not isinstance(part, Secants):
            function = getattr(part, name)
            each = [function(vector) for vector in vectors]
            np.testing.assert_allclose(function(vectors), each, rtol=1e-10, atol=1e-12)


def test_arguments_are_left_alone(network, coordinates, rng):
    vector = rng.normal(size=network.n_params)
    vector.setflags(write=False)
    for function in (coordinates.to_theta, coordinates.to_phi, coordinates.pull_back):
        assert not np.shares_memory(function(vector), vector)


def test_the_cost_is_that_of_the_theta_we_started_from(network, coordinates, objective, rng):
    theta = rng.normal(size=network.n_params)
    there_and_back = coordinates.to_theta(coordinates.to_phi(theta))
    assert objective.value(there_and_back) == pytest.approx(objective.value(theta), rel=1e-11)


def test_pull_back_gives_the_gradient_with_respect_to_phi(network, coordinates, objective, rng):
    def cost(phi):
        return objective.value(coordinates.to_theta(phi))

    def grad(phi):
        return coordinates.pull_back(objective.value_and_grad(coordinates.to_theta(phi))[1])

    phi = coordinates.to_phi(rng.normal(size=network.n_params))
    size = np.linalg.norm(grad(phi))
    step = 1.5e-8 * max(1.0, np.abs(phi).max())
    assert check_grad(cost, grad, phi, epsilon=step, seed=0) < 1e-5 * size
    assert np.linalg.norm(approx_fprime(phi, cost, step) - grad(phi)) < 1e-5 * size


def test_a_stationary_point_in_phi_is_one_in_theta(network, coordinates):
    # T is invertible, so its adjoint is: only a zero gradient is pulled back to zero.
    matrix = np.array([coordinates.pull_back(unit) for unit in np.eye(network.n_params)])
    assert np.linalg.matrix_rank(matrix, tol=1e-14) == network.n_params


# Composition


class Scaling:
    """Coordinates theta = factor * phi that note where they were refreshed."""

    learned = False

    def __init__(self, factor, due=math.inf):
        self.factor = factor
        self.next = due
        self.points = []

    def to_theta(self, phi):
        return self.factor * phi

    def to_phi(self, theta):
        return theta / self.factor

    pull_back = to_theta

    def refresh(self, point):
        self.points.append(point)

    def due(self, n_iter):
        return self.next


def test_the_first_part_is_the_outermost():
    outer, inner = Scaling(2.0), Secants()
    inner.scale = 5.0
    both = Composition([outer, inner])
    vector = np.array([1.0, -2.0])
    np.testing.assert_array_equal(both.to_theta(vector), 10.0 * vector)
    np.testing.assert_array_equal(both.pull_back(vector), 10.0 * vector)
    np.testing.assert_array_equal(both.to_phi(vector), vector / 10.0)


def test_each_part_sees_the_point_in_the_coordinates_that_are_left():
    outer, middle, inner = Scaling(2.0), Scaling(4.0), Scaling(1.0)
    s, y, grad = np.ones((1, 2)), np.full((1, 2), 3.0), np.full(2, 5.0)
    theta = np.zeros(2)
    Composition([outer, middle, inner]).refresh(Point(3, theta, 1.0, grad, (s, y)))
    for part, factor in ((outer, 1.0), (middle, 2.0), (inner, 8.0)):
        (point,) = part.points
        assert point.n_iter == 3
        assert point.theta is theta
        np.testing.assert_array_equal(point.grad, factor * grad)
        np.testing.assert_array_equal(point.steps[0], s / factor)
        np.testing.assert_array_equal(point.steps[1], factor * y)


def test_a_composition_is_due_when_its_first_part_is():
    parts = [Scaling(1.0), Scaling(1.0, due=7), Scaling(1.0, due=5)]
    assert Composition(parts).due(3) == 5
    assert Composition(parts[:1]).due(3) == math.inf


def test_a_composition_has_learned_what_any_part_has():
    learned = Scaling(1.0)
    learned.learned = True
    assert Composition([Scaling(1.0), learned]).learned
    assert not Composition([Scaling(1.0), Scaling(1.0)]).learned


def test_vectors_that_leave_the_cache_take_longer_to_read():
    assert pass_flops(200_000) / 200_000 > pass_flops(1000) / 1000
