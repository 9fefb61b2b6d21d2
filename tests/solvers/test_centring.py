"""Coordinates of centred, scaled inputs."""

import numpy as np
import pytest
from objectives import rows_objective
from reference import FUNCTIONS
from scipy.sparse import csr_matrix

from backprop_mlp._network.losses import loss_for
from backprop_mlp._network.network import Network
from backprop_mlp._solvers.centring import Centring


def moments(X, sample_weight):
    """Weighted means and standard deviations."""
    means = np.average(X, axis=0, weights=sample_weight)
    return means, np.sqrt(np.average((X - means) ** 2, axis=0, weights=sample_weight))


def plain_objective(X, sample_weight=None, max_rows=1000):
    """An objective of a network without hidden layers, of rows whose labels do not matter."""
    network = Network.feedforward((X.shape[1], 1), (), loss_for("logistic"))
    sample_weight = np.ones(X.shape[0]) if sample_weight is None else sample_weight
    return rows_objective(network, X, np.zeros((X.shape[0], 1)), sample_weight, max_rows)


def test_phi_are_the_parameters_of_a_network_that_centres_and_scales_its_inputs(
    network, centring, activation, objective, X, rng
):
    phi = rng.normal(size=network.n_params)
    z, _ = network.forward(network.views(centring.to_theta(phi)), X)

    means, deviations = moments(X, objective.blocks.sample_weight)
    assert (deviations > 1.0).any()
    assert (deviations < 1.0).any()
    centre = 0.5 if activation == "logistic" else 0.0
    (W1, b1), (W2, b2), (W3, b3) = network.dense_views(phi)
    a = FUNCTIONS[activation]((X - means) / np.maximum(1.0, deviations) @ W1 + b1)
    a = FUNCTIONS[activation]((a - centre) @ W2 + b2)
    np.testing.assert_allclose(z, (a - centre) @ W3 + b3, rtol=1e-11, atol=1e-12)


def test_without_scales_weights_stay_as_they_are_so_the_penalty_does_too(network, objective, rng):
    centring = Centring(network, objective.input_scale.means)
    phi = rng.normal(size=network.n_params)
    theta = centring.to_theta(phi)
    np.testing.assert_array_equal(theta[: network.n_weights], phi[: network.n_weights])
    assert objective.penalty(theta) == objective.penalty(phi)


def test_without_means_only_logistic_units_are_centred(network, activation, rng):
    centring = Centring(network, np.zeros(3))
    vector = rng.normal(size=network.n_params)
    (_, b1), (W2, b2), (W3, b3) = network.dense_views(vector)
    moved = [b for _, b in network.dense_views(centring.to_theta(vector))]
    np.testing.assert_array_equal(moved[0], b1)
    if activation == "logistic":
        np.testing.assert_allclose(moved[1], b2 - 0.5 * W2.sum(axis=0), atol=1e-14)
        np.testing.assert_allclose(moved[2], b3 - 0.5 * W3.sum(axis=0), atol=1e-14)
    else:
        np.testing.assert_array_equal(moved[1], b2)
        np.testing.assert_array_equal(moved[2], b3)


def test_standardised_inputs_are_left_alone(rng):
    X = rng.normal(3.0, 20.0, size=(50, 4))
    centring = Centring.of(plain_objective((X - X.mean(axis=0)) / X.std(axis=0)))
    assert centring.input_scales is None
    assert centring.centres == []


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_deviations_far_from_zero_are_exact(sparse, dtype, rng):
    """Where a sum of squares minus the square of a sum would be nothing but rounding."""
    X = (1e3 + rng.normal(size=(300, 3)) * [1e-2, 1.0, 30.0]).astype(dtype)
    weight = rng.integers(0, 3, len(X)).astype(float)
    objective = plain_objective(csr_matrix(X) if sparse else X, weight)
    means, deviations = moments(X.astype(float), weight)
    found = objective.input_scale
    np.testing.assert_allclose(found.scales, np.maximum(1.0, deviations), rtol=1e-6)
    np.testing.assert_allclose(found.means, means, rtol=1e-6)


def test_entries_that_are_not_stored_count_as_zeros(rng):
    X = rng.normal(2.0, 3.0, size=(40, 6)) * (rng.random((40, 6)) < 0.4)
    weight = rng.uniform(0.0, 2.0, 40)
    dense = Centring.of(plain_objective(X, weight))
    sparse = Centring.of(plain_objective(csr_matrix(X), weight))
    np.testing.assert_allclose(sparse.input_means, dense.input_means, atol=1e-14)
    np.testing.assert_allclose(sparse.input_scales, dense.input_scales, rtol=1e-13)


def test_an_entry_may_be_stored_in_parts():
    whole = np.array([[3.0, 0.0], [-1.0, 2.0], [8.0, 1.0]])
    parts = csr_matrix(
        ([1.0, 2.0, -1.0, 2.0, 8.0, 1.0], [0, 0, 0, 1, 0, 1], [0, 2, 4, 6]), shape=(3, 2)
    )
    objectives = plain_objective(whole), plain_objective(parts)
    (means, scales), (same_means, same_scales) = (o.input_scale for o in objectives)
    np.testing.assert_allclose(same_means, means, rtol=1e-14)
    np.testing.assert_allclose(same_scales, scales, rtol=1e-14)
    assert parts.nnz == 6


def test_weights_are_repeated_rows_and_blocks_do_not_matter(rng):
    X = rng.normal(5.0, 4.0, size=(30, 3))
    weight = rng.integers(0, 4, 30)
    weighted = Centring.of(plain_objective(X, weight.astype(float), max_rows=7))
    repeated = Centring.of(plain_objective(X.repeat(weight, axis=0)))
    np.testing.assert_allclose(weighted.input_means, repeated.input_means, rtol=1e-13)
    np.testing.assert_allclose(weighted.input_scales, repeated.input_scales, rtol=1e-13)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("value", [0.0, 7.0, 0.1, 1e19, 1e200])
def test_a_constant_column_is_centred_and_scaled_to_1(value, rng):
    X = np.column_stack([np.full(20, value), rng.normal(0.0, 10.0, 20)])
    centring = Centring.of(plain_objective(X))
    assert centring.input_means[0] == pytest.approx(value, rel=1e-12)
    assert centring.input_scales[0] == pytest.approx(max(1.0, value), rel=1e-12)


def test_one_row_is_centred_and_scaled_to_1():
    centring = Centring.of(plain_objective(np.array([[3.0, -4.0]])))
    np.testing.assert_array_equal(centring.input_means, [3.0, -4.0])
    np.testing.assert_array_equal(centring.input_scales, [3.0, 4.0])


def test_a_column_whose_squares_overflow_is_scaled_like_any_other():
    X = np.array([[1e200, 10.0], [-1e200, -10.0]])
    scales = Centring.of(plain_objective(X)).input_scales
    np.testing.assert_allclose(scales, [1e200, 10.0], rtol=1e-14)
