"""When networks count as constant, and what rows cost that a fold leaves out."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import xlogy

from backprop_mlp._network.regression_losses import Poisson, SquaredError
from backprop_mlp._search.held_out import HeldOutNumbers, HeldOutProbabilities, are_constant
from backprop_mlp._targets.continuous import Numbers
from backprop_mlp._targets.moments import Moments
from backprop_mlp._targets.targets import targets_of

RNG = np.random.default_rng(0)
ROWS = np.zeros((40, 1))
LABELS = RNG.integers(2, size=(40, 3))


def numbers(y, loss, normalize_y=True):
    columns = y.reshape(len(y), -1)
    targets = Numbers.of(y, loss, normalize_y)
    return HeldOutNumbers(targets.scaled_by(Moments.of(columns, np.ones(len(y)))))


def saying(outputs):
    """A network that says the same of any rows, whether they are asked as numbers or classes."""
    return SimpleNamespace(
        predict=lambda X: outputs, predict_proba=lambda X: outputs, classes_=np.arange(2)
    )


@pytest.mark.parametrize("normalize_y", [True, False])
@pytest.mark.parametrize(("share", "constant"), [(9e-4, True), (1.1e-3, False)])
@pytest.mark.parametrize("unit", [1e-4, 1e4])
def test_predictions_that_deviate_by_less_than_a_thousandth_of_y_are_constant(
    share, constant, unit, normalize_y
):
    y = unit * RNG.normal(size=40)
    held_out = numbers(y, SquaredError(), normalize_y)
    assert are_constant(held_out, [saying(7.0 * unit + share * y)], ROWS, y) is constant


def test_an_output_in_a_large_unit_that_does_not_vary_does_not_hide_one_that_does():
    y = RNG.normal(size=(40, 2)) * [1.0, 1e6]
    assert not are_constant(numbers(y, SquaredError()), [saying(y * [1.0, 0.0])], ROWS, y)


@pytest.mark.parametrize(("share", "constant"), [(9e-4, True), (1.1e-3, False)])
def test_probabilities_that_deviate_by_less_than_a_thousandth_of_labels_are_constant(
    share, constant
):
    held_out = HeldOutProbabilities(targets_of(LABELS))
    network = saying(0.3 + share * LABELS)
    assert are_constant(held_out, [network], ROWS, LABELS) is constant


def test_a_single_network_that_varies_is_enough():
    y = RNG.normal(size=40)
    networks = [saying(np.ones(40)), saying(y)]
    assert are_constant(numbers(y, SquaredError()), networks[:1], ROWS, y)
    assert not are_constant(numbers(y, SquaredError()), networks, ROWS, y)


@pytest.mark.parametrize("kind", ["classes", "labels"])
def test_the_variance_of_classes_is_that_of_zeros_and_ones(kind):
    weights = RNG.uniform(size=40)
    y = LABELS if kind == "labels" else LABELS.sum(axis=1)
    ones = LABELS if kind == "labels" else np.eye(4)[y]
    mean = np.average(ones, axis=0, weights=weights)
    expected = np.average((ones - mean) ** 2, axis=0, weights=weights).sum()
    held_out = HeldOutProbabilities(targets_of(y))
    assert held_out.variance(y, weights) == pytest.approx(expected, rel=1e-12)


def test_rows_of_a_log_link_cost_what_the_loss_of_their_predictions_is():
    y, predictions = RNG.poisson(3.0, 40).astype(float), RNG.uniform(1.0, 5.0, 40)
    losses = numbers(y, Poisson()).row_losses(y, predictions)
    half_deviances = predictions - y + xlogy(y, y / predictions)
    np.testing.assert_allclose(losses, half_deviances, rtol=1e-9, atol=1e-12)
