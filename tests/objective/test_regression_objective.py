"""J of the losses of numbers: its gradient and its Hessian's products."""

import numpy as np
import pytest

from backprop_mlp._network.network import Network
from backprop_mlp._network.regression_losses import Gamma, Huber, Poisson, Quantile, SquaredError
from backprop_mlp._objective.blocks import RowBlocks
from backprop_mlp._objective.objective import Objective

N_ROWS = 23
# Wide enough that many errors are rounded off, and some are not.
LOSSES = [SquaredError(), Huber(0.7), Poisson(), Gamma(), Quantile(0.3, 0.8)]
BY_NAME = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
WEIGHTS = pytest.mark.parametrize("per_output", [False, True], ids=["per row", "per output"])


def by_outputs(codes, sample_weight):
    return sample_weight[:, np.newaxis] * (0.5 + np.arange(codes.shape[1]))


def problem(loss, per_output=False, alpha=0.7, max_rows=10):
    """An objective over several blocks, and theta."""
    rng = np.random.default_rng(11)
    network = Network.feedforward((4, 6, 2), ("tanh",), loss)
    X = rng.normal(size=(N_ROWS, 4))
    Y = rng.gamma(2.0, 1.0, (N_ROWS, 2))
    weigh = (by_outputs,) if per_output else ()
    blocks = RowBlocks(
        X,
        Y,
        rng.uniform(0.0, 2.0, N_ROWS),
        lambda codes, dtype: codes.astype(dtype),
        max_rows,
        None,
        *weigh,
    )
    return Objective(network, blocks, alpha), rng.normal(scale=0.5, size=network.n_params)


@WEIGHTS
@BY_NAME
def test_the_gradient_is_the_derivative_of_the_value(loss, per_output):
    objective, theta = problem(loss, per_output)
    grad = objective.value_and_grad(theta)[1]
    expected = [
        (objective.value(theta + step) - objective.value(theta - step)) / 2e-6
        for step in 1e-6 * np.eye(len(theta))
    ]
    np.testing.assert_allclose(grad, expected, rtol=1e-6, atol=1e-8)


@WEIGHTS
@BY_NAME
def test_products_with_the_hessian_are_derivatives_of_the_gradient(loss, per_output):
    objective, theta = problem(loss, per_output)
    direction = np.random.default_rng(3).normal(size=len(theta))
    ahead, behind = (
        objective.value_and_grad(theta + step * direction)[1] for step in (1e-6, -1e-6)
    )
    product = objective.hessian_product(theta, direction)
    np.testing.assert_allclose(product, (ahead - behind) / 2e-6, rtol=1e-6, atol=1e-7)


@BY_NAME
def test_products_with_the_hessian_are_symmetric(loss):
    objective, theta = problem(loss)
    one, other = np.random.default_rng(4).normal(size=(2, len(theta)))
    left, right = (a @ objective.hessian_product(theta, b) for a, b in ((one, other), (other, one)))
    assert left == pytest.approx(right, rel=1e-12)


@BY_NAME
def test_the_blocks_do_not_matter(loss):
    (one, theta), (other, _) = (problem(loss, max_rows=rows) for rows in (3, N_ROWS))
    assert one.value(theta) == pytest.approx(other.value(theta), rel=1e-13)
    grads = [objective.value_and_grad(theta)[1] for objective in (one, other)]
    np.testing.assert_allclose(*grads, rtol=1e-11, atol=1e-14)
