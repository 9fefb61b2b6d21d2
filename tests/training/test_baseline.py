"""The constant model that fits are compared with, next to a search on a fine grid."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from backprop_mlp._network.regression_losses import Gamma, Huber, Poisson, Quantile, SquaredError
from backprop_mlp._targets.continuous import Numbers
from backprop_mlp._targets.moments import Moments
from backprop_mlp._targets.targets import targets_of
from backprop_mlp._training.baseline import (
    best_constant,
    constant_cost,
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


def found_constant(loss, y, normalize_y):
    """Logits and cost of the best constant, and how many passes over the rows it took."""
    moments = Moments.of(y, WEIGHTS)
    targets = Numbers.of(y, loss, normalize_y).scaled_by(moments)
    passes = []

    def sum_losses(z):
        passes.append(z)
        return losses_of_a_constant(targets, loss, z, y, WEIGHTS)

    return targets, *best_constant(targets, loss, moments, sum_losses), len(passes)


@pytest.mark.parametrize("normalize_y", [True, False])
@pytest.mark.parametrize("y", NUMBERS.values(), ids=list(NUMBERS))
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_no_constant_costs_less_than_the_best_one(loss, y, normalize_y):
    targets, _, found, n_passes = found_constant(loss, y, normalize_y)
    Y = targets.encode(y, np.float64)
    expected = sum(lowest(loss, Y[:, k]) for k in range(Y.shape[1]))
    assert found == pytest.approx(expected, rel=2e-5)
    assert n_passes <= (1 if loss.mean_is_best_constant else 25)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_best_constant_takes_as_many_passes_in_any_unit_of_a_normalised_y(unit):
    y = NUMBERS["outliers"]
    *_, expected = found_constant(Quantile(0.01), y, True)
    *_, n_passes = found_constant(Quantile(0.01), unit * y, True)
    assert n_passes == expected


@pytest.mark.parametrize("loss", [SquaredError(), Poisson(), Huber(1.35), Quantile(0.5)], ids=repr)
def test_a_constant_that_overflows_costs_infinity_and_is_not_searched_for(loss):
    y = np.linspace(0.5e308, 1e308, 200)[:, np.newaxis]
    *_, cost, n_passes = found_constant(loss, y, False)
    assert cost == np.inf
    assert n_passes <= 2


def cost_of_rows(y, weights, class_weight, output_activation="logistic"):
    """`constant_cost` of rows of classes or labels."""
    targets = targets_of(y)
    totals = targets.totals(targets.codes(y, weights), weights)
    loss = targets.choose_loss(output_activation)
    return constant_cost(targets, loss, totals, np.array(class_weight), weights.sum())


def test_a_label_that_no_row_has_costs_nothing():
    label = np.array([0, 0, 1, 0])
    labels = np.column_stack([label, np.zeros(4, int), np.ones(4, int)])
    found = cost_of_rows(labels, np.ones(4), np.ones((3, 2)))
    assert found == pytest.approx(-(0.25 * np.log(0.25) + 0.75 * np.log(0.75)))


def test_a_label_without_weight_costs_nothing():
    labels = np.array([[0, 1], [0, 0], [1, 1], [0, 0]])
    found = cost_of_rows(labels, np.ones(4), [[1.0, 1.0], [0.0, 0.0]])
    assert found == pytest.approx(-(0.25 * np.log(0.25) + 0.75 * np.log(0.75)))


@pytest.mark.parametrize(("output_activation", "factor"), [("logistic", 2.0), ("softmax", 1.0)])
def test_a_class_without_weight_costs_nothing(output_activation, factor):
    y = np.array([0, 1, 1, 2, 2])
    found = cost_of_rows(y, np.ones(5), [0.0, 1.0, 1.0], output_activation)
    assert found == pytest.approx(factor * 0.8 * np.log(2.0))


@pytest.mark.parametrize("constant", [0.0, np.inf])
def test_nothing_costs_the_same_as_a_constant_that_costs_nothing_or_overflows(constant):
    assert not costs_the_same(constant, constant)
    assert not costs_the_same(1.0, constant)


@pytest.mark.parametrize(("cost", "same"), [(0.9995, True), (1.0005, True), (0.99, False)])
def test_what_costs_the_same_as_a_constant_differs_by_a_thousandth(cost, same):
    assert costs_the_same(cost, 1.0) is same


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
