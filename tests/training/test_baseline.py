"""The constant model that fits are compared with, next to a search on a fine grid."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from backprop_mlp._network.regression_losses import Gamma, Huber, Poisson, Quantile, SquaredError
from backprop_mlp._targets.continuous import Numbers
from backprop_mlp._targets.moments import Moments
from backprop_mlp._training.baseline import (
    best_constant,
    costs_more,
    costs_the_same,
    losses_of_a_constant,
)

RNG = np.random.default_rng(0)
WEIGHTS = RNG.integers(0, 3, 200).astype(float)
NUMBERS = {
    "two outputs": RNG.exponential(size=(200, 2)) * [1.0, 1e-3],
    "one that is constant": np.column_stack([RNG.poisson(2.0, 200) + 1.0, np.full(200, 3.0)]),
    "outliers": np.abs(RNG.standard_t(1.2, (200, 1))) * 100.0,
}
LOSSES = [
    SquaredError(),
    Poisson(),
    Gamma(),
    *map(Huber, (1.35, 0.01)),
    *map(Quantile, (0.5, 0.01, 0.99)),
]


def lowest(loss, Y):
    """The least mean loss of a constant for one output, by a grid and a local search."""

    def cost(z):
        return loss.value(np.full((len(Y), 1), z), Y[:, np.newaxis], WEIGHTS) / WEIGHTS.sum()

    numbers = Y if loss.has_identity_link else np.log(Y)
    grid = np.linspace(numbers.min() - 0.1, numbers.max() + 0.1, 2001)
    best = min(grid, key=cost)
    bounds = best + (grid[1] - grid[0]) * np.array([-1.0, 1.0])
    found = minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": 1e-12})
    return min(found.fun, cost(best))


@pytest.mark.parametrize("normalize_y", [True, False])
@pytest.mark.parametrize("y", NUMBERS.values(), ids=list(NUMBERS))
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_no_constant_costs_less_than_the_best_one(loss, y, normalize_y):
    moments = Moments.of(y, WEIGHTS)
    targets = Numbers.of(y, loss, normalize_y).scaled_by(moments)
    Y = targets.encode(y, np.float64)
    passes = []

    def sum_losses(z):
        passes.append(z)
        return losses_of_a_constant(targets, loss, z, y, WEIGHTS)

    _, found = best_constant(targets, loss, moments, sum_losses)
    expected = sum(lowest(loss, Y[:, k]) for k in range(Y.shape[1]))
    assert found == pytest.approx(expected, rel=2e-5)
    assert len(passes) <= (1 if loss.mean_is_best_constant else 25)


def test_nothing_costs_the_same_as_a_constant_that_overflows():
    assert costs_the_same(1.0, 1.0)
    assert not costs_the_same(1.0, np.inf)


@pytest.mark.parametrize(
    ("cost", "constant", "little", "more"),
    [
        (1.0005, 1.0, 0.0, False),
        (1.005, 1.0, 0.0, True),
        (2e-5, 1e-5, 1e-4, False),
        (2e-4, 1e-5, 1e-4, True),
    ],
)
def test_a_cost_is_more_than_a_constants_by_a_thousandth_and_by_what_tol_leaves(
    cost, constant, little, more
):
    assert costs_more(cost, constant, little) is more
