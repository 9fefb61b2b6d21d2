"""Penalties: each method is the derivative of the one before."""

import numpy as np
import pytest

from backprop_mlp._network.losses import SigmoidLoss
from backprop_mlp._network.network import Network
from backprop_mlp._objective import pieces
from backprop_mlp._objective.blocks import RowBlocks
from backprop_mlp._objective.objective import Objective
from backprop_mlp._objective.penalty import L2Penalty

STEP = 1e-6


@pytest.fixture(params=[L2Penalty(0.0), L2Penalty(0.7)], ids=str)
def penalty(request):
    return request.param


@pytest.fixture
def weights():
    return np.random.default_rng(0).normal(size=9)


@pytest.fixture
def direction():
    return np.random.default_rng(1).normal(size=9)


def grad(penalty, weights):
    total = np.zeros_like(weights)
    penalty.add_grad(total, weights)
    return total


def test_the_gradient_is_that_of_the_value(penalty, weights, direction):
    change = penalty.value(weights + STEP * direction) - penalty.value(weights - STEP * direction)
    assert grad(penalty, weights) @ direction == pytest.approx(change / (2 * STEP), abs=1e-8)


def test_the_product_with_the_hessian_is_the_change_of_the_gradient(penalty, weights, direction):
    product = np.zeros_like(direction)
    penalty.add_hessian_product(product, weights, direction)
    change = grad(penalty, weights + STEP * direction) - grad(penalty, weights - STEP * direction)
    np.testing.assert_allclose(product, change / (2 * STEP), atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_and_products_are_added_in_place(penalty, weights, dtype):
    weights = weights.astype(dtype)
    for add, given in (
        (penalty.add_grad, [weights]),
        (penalty.add_hessian_product, [np.zeros_like(weights), weights]),
    ):
        total = np.ones_like(weights)
        add(total, *given)
        np.testing.assert_array_equal(total, 1 + dtype(penalty.strength) * weights)
        assert total.dtype == dtype


class Fourth(L2Penalty):
    """A quarter of the squared length, squared: its Hessian depends on the weights."""

    def value(self, weights):
        return self.strength / 4.0 * float(weights @ weights) ** 2

    def add_grad(self, grad, weights):
        grad += self.strength * float(weights @ weights) * weights

    def add_hessian_product(self, product, weights, direction):
        product += self.strength * float(weights @ weights) * direction
        product += self.strength * 2.0 * float(weights @ direction) * weights


def test_the_hessian_of_an_objective_is_that_of_its_penalty_at_its_weights():
    rng = np.random.default_rng(2)
    X, Y = rng.normal(size=(7, 3)), rng.integers(2, size=(7, 1)).astype(float)
    network = Network.feedforward((3, 4, 1), ("tanh",), SigmoidLoss())
    theta, direction = rng.normal(size=(2, network.n_params))
    blocks = RowBlocks(X, Y, np.ones(7), lambda codes, dtype: codes.astype(dtype), 3)
    objective = Objective(network, blocks, 5.0, penalty=Fourth)
    ahead, behind = (
        objective.value_and_grad(theta + step * direction)[1] for step in (STEP, -STEP)
    )
    product = objective.hessian_product(theta, direction)
    np.testing.assert_allclose(product, (ahead - behind) / (2 * STEP), rtol=1e-6, atol=1e-7)


def test_no_weights_have_no_penalty(penalty):
    assert penalty.value(np.zeros(3)) == 0.0
    assert penalty.value(np.empty(0)) == 0.0


def test_every_weight_of_a_long_vector_is_penalised(penalty, weights, monkeypatch):
    whole = grad(penalty, weights)
    monkeypatch.setattr(pieces, "ENTRIES_AT_ONCE", 4)
    np.testing.assert_array_equal(grad(penalty, weights), whole)
