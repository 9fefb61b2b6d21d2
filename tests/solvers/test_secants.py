"""Coordinates made of the last steps."""

import numpy as np
import pytest

from backprop_mlp._solvers.coordinates import Point, stack_steps
from backprop_mlp._solvers.secants import Secants


def matrix(size, rng):
    """A Hessian: symmetric, positive definite."""
    root = rng.normal(size=(size, size))
    return root @ root.T + 0.1 * np.eye(size)


def made(steps, grad, cost=1e9):
    secants = Secants()
    secants.refresh(Point(5, np.zeros(grad.size), cost, grad, stack_steps(steps)))
    return secants


def inverse_hessian(secants, size):
    """S S', without the factor r."""
    S = np.array([secants.to_theta(unit) for unit in np.eye(size)]).T
    return S @ S.T


def bfgs(steps, size):
    """The inverse Hessian that L-BFGS has after these steps (Nocedal & Wright, eq. 6.17)."""
    s, y = steps[-1]
    H = s @ y / (y @ y) * np.eye(size)
    for s, y in steps:
        rho = 1.0 / (s @ y)
        V = np.eye(size) - rho * np.outer(y, s)
        H = V.T @ H @ V + rho * np.outer(s, s)
    return H


@pytest.mark.parametrize("n_steps", [1, 2, 5, 10])
def test_they_are_the_square_root_of_the_inverse_hessian_of_l_bfgs(n_steps, rng):
    size = 7
    A = matrix(size, rng)
    steps = [(s, A @ s) for s in rng.normal(size=(n_steps, size))]
    grad = rng.normal(size=size)
    secants = made(steps, grad)
    H = bfgs(steps, size)
    # r^2 = g'H g
    np.testing.assert_allclose(
        inverse_hessian(secants, size), H * (grad @ H @ grad), rtol=1e-9, atol=1e-9
    )


def test_the_gradient_has_length_r_squared_so_that_the_first_step_is_the_newton_step(rng):
    size = 6
    A = matrix(size, rng)
    steps = [(s, A @ s) for s in rng.normal(size=(3, size))]
    grad = rng.normal(size=size)
    secants = made(steps, grad)
    pulled = secants.pull_back(grad)
    # SciPy's first step has length one in phi.
    step = secants.to_theta(-pulled / np.linalg.norm(pulled))
    np.testing.assert_allclose(step, -bfgs(steps, size) @ grad, rtol=1e-9)


def test_steps_without_positive_curvature_are_left_out(rng):
    s, y = rng.normal(size=(2, 5))
    y = y if s @ y > 0.0 else -y
    grad = rng.normal(size=5)
    alone, among = made([(s, y)], grad), made([(y, -s), (s, y), (s, -y), (s, 0.0 * y)], grad)
    np.testing.assert_allclose(inverse_hessian(among, 5), inverse_hessian(alone, 5), rtol=1e-12)


def test_steps_nearly_at_right_angles_to_what_they_change_are_not_left_out(rng):
    """As in a long and narrow valley."""
    s, A = np.array([1.0, 0.0, 1e-4]), np.diag([1e-4, 1.0, 1e4])
    steps, grad = [(s, A @ s)], rng.normal(size=3)
    H = bfgs(steps, 3)
    found = inverse_hessian(made(steps, grad), 3)
    np.testing.assert_allclose(found, H * (grad @ H @ grad), rtol=1e-9, atol=1e-9)


def test_where_all_steps_are_left_out_there_are_none(rng):
    s, grad = rng.normal(size=(2, 5))
    secants = made([(s, -s), (s, 0.0 * s)], grad)
    assert not secants.learned
    np.testing.assert_array_equal(secants.to_theta(s), made([], grad).to_theta(s))


def test_without_steps_they_are_a_number(rng):
    grad = rng.normal(size=4)
    secants = made([], grad)
    assert not secants.learned
    np.testing.assert_allclose(secants.to_theta(grad), np.linalg.norm(grad) * grad)
    np.testing.assert_allclose(secants.to_phi(grad), grad / np.linalg.norm(grad))


def test_the_first_step_promises_no_more_than_the_whole_cost(rng):
    grad = 1e4 * rng.normal(size=4)
    secants = made([], grad, cost=3.0)
    step = secants.to_theta(-grad / np.linalg.norm(grad))
    assert grad @ step == pytest.approx(-2.0 * 3.0)


@pytest.mark.parametrize("cost", [0.0, -5.0])
def test_a_loss_that_may_be_negative_promises_anything(cost, rng):
    grad = rng.normal(size=4)
    np.testing.assert_array_equal(
        made([], grad, cost).to_theta(grad), made([], grad).to_theta(grad)
    )


def test_without_a_gradient_they_stay_invertible():
    vector = np.ones(3)
    np.testing.assert_array_equal(made([], np.zeros(3)).to_phi(vector), vector)


def test_they_forget_the_steps_that_a_point_no_longer_has(rng):
    grad = rng.normal(size=4)
    secants = made([(grad, grad)], grad)
    assert secants.learned
    secants.refresh(Point(9, grad, 1e9, grad))
    assert not secants.learned


def test_they_are_due_at_the_end_of_a_stretch():
    assert Secants(10).due(23) == 33
    assert Secants().due(23) == np.inf


def test_a_first_step_that_promises_a_little_more_than_the_whole_cost_is_shortened():
    grad = np.array([3.0, 4.0])  # promises 25 / 2
    for cost, promised in ((13.0, 25.0), (12.0, 24.0), (6.0, 12.0)):
        step = made([], grad, cost).to_theta(-grad / 5.0)
        assert grad @ step == pytest.approx(-promised)
