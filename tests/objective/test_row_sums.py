"""What the rows say before any parameter is known, against NumPy's own sums."""

import numpy as np
import pytest
import scipy.sparse as sp

from backprop_mlp._network.losses import SigmoidLoss, SoftmaxLoss
from backprop_mlp._network.network import Network
from backprop_mlp._objective.blocks import Block, RowBlocks
from backprop_mlp._objective.objective import Objective
from backprop_mlp._objective.row_sums import InputMoments, InputScale, block_input_sums

N_ROWS = 60


@pytest.fixture(name="rng")
def generator():
    return np.random.default_rng(7)


def objective_of(X, weights=None, max_rows=N_ROWS, Y=None, loss=None, weigh=None):
    weights = np.ones(X.shape[0]) if weights is None else weights
    Y = np.ones((X.shape[0], 1)) if Y is None else Y
    network = Network.feedforward((X.shape[1], Y.shape[1]), (), loss or SigmoidLoss())
    encode = lambda codes, dtype: codes.astype(dtype)  # noqa: E731
    return Objective(network, RowBlocks(X, Y, weights, encode, max_rows, weigh=weigh), 1.0)


def scale_of(X, weights=None, max_rows=N_ROWS):
    return objective_of(X, weights, max_rows).input_scale


def expected_scale(X, weights=None):
    """Mean and max(1, deviation), with the offset taken out first; of what is constant its size."""
    rounding = 4.0 * np.finfo(X.dtype).eps
    X = X.astype(np.float64)
    first = X[0].copy()
    X = X - first
    means = np.average(X, axis=0, weights=weights)
    variances = np.average((X - means) ** 2, axis=0, weights=weights)
    means, spreads = first + means, np.sqrt(variances)
    spreads = np.where(spreads <= rounding * np.abs(means), np.abs(means), spreads)
    return InputScale(means, np.maximum(1.0, spreads))


def assert_close(found, expected, rtol):
    np.testing.assert_allclose(found.means, expected.means, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(found.scales, expected.scales, rtol=rtol)


@pytest.mark.parametrize("container", [np.asarray, np.asfortranarray, sp.csr_matrix, sp.csr_array])
@pytest.mark.parametrize("max_rows", [7, N_ROWS])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6, 1e9, 1.6e9])
def test_means_and_deviations_are_those_of_the_rows(container, max_rows, dtype, offset, rng):
    spread = np.array([0.01, 1.0, 7.0, 3e7])
    X = (offset + rng.normal(size=(N_ROWS, 4)) * spread).astype(dtype)
    weights = rng.uniform(0.0, 2.0, N_ROWS) * (rng.random(N_ROWS) < 0.8)
    found = scale_of(container(X), weights, max_rows)
    assert found.means.dtype == found.scales.dtype == np.float64
    np.testing.assert_allclose(found.means, expected_scale(X, weights).means, rtol=1e-14, atol=1e-9)
    np.testing.assert_allclose(found.scales, expected_scale(X, weights).scales, rtol=1e-9)


@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("max_rows", [4, N_ROWS])
@pytest.mark.parametrize(("dtype", "huge"), [(np.float32, 3e38), (np.float64, 1e308)])
def test_numbers_of_rows_of_zero_weight_do_not_count(container, max_rows, dtype, huge, rng):
    X = (5.0 + 7.0 * rng.normal(size=(N_ROWS, 3))).astype(dtype)
    weights = rng.uniform(1.0, 2.0, N_ROWS)
    weights[N_ROWS // 3 :] = 0.0
    expected = scale_of(container(X), weights, max_rows)
    X[N_ROWS // 3 :] = huge
    assert_close(scale_of(container(X), weights, max_rows), expected, 1e-14)


@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("max_rows", [4, N_ROWS])
def test_a_weight_is_a_number_of_rows(container, max_rows, rng):
    X = 100.0 + 5.0 * rng.normal(size=(N_ROWS, 3))
    X[rng.random(X.shape) < 0.3] = 0.0
    counts = rng.integers(0, 4, N_ROWS)
    weighted = scale_of(container(X), counts.astype(float), max_rows)
    assert_close(weighted, scale_of(container(np.repeat(X, counts, axis=0))), 1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_rows_may_hold_zeros_and_parts_of_entries(dtype, rng):
    X = np.round(4.0 * rng.normal(size=(N_ROWS, 5))).astype(dtype)
    X[:, 1] = 0.0
    X[:-1, 2] = 0.0
    X[:, 3] += 1e6
    sparse = sp.csr_matrix(X)
    rows, columns = np.nonzero(np.ones_like(X))
    stored = sp.csr_matrix((X.ravel(), (rows, columns)), X.shape)
    twice = sp.csr_matrix(
        (
            np.repeat(0.5 * sparse.data, 2),
            np.repeat(sparse.indices, 2),
            2 * sparse.indptr,
        ),
        X.shape,
    )
    before = twice.data.copy()
    weights = rng.uniform(0.0, 3.0, N_ROWS)
    n_inputs = np.average(np.count_nonzero(X, axis=1), weights=weights)
    for given in (X, sparse, stored, twice):
        assert_close(scale_of(given, weights), scale_of(X, weights), 1e-12)
        moments = objective_of(given, weights).input_moments
        assert moments.n_inputs == pytest.approx(n_inputs, rel=1e-12)
    assert np.array_equal(twice.data, before)


@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, -1e9, 1.6e9, 1e16, 1e300])
def test_a_constant_column_is_in_units_of_its_size(container, value, rng):
    X = np.full((N_ROWS, 1), value)
    found = scale_of(container(X), rng.uniform(0.0, 2.0, N_ROWS), max_rows=7)
    assert found.scales[0] == pytest.approx(max(1.0, abs(value)), rel=1e-15)
    assert found.means[0] == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("size", [1e-300, 1e100, -1e160, 1e300])
def test_no_square_overflows(container, size, rng):
    X = np.abs(rng.normal(size=(N_ROWS, 2)))
    found = scale_of(container(size * X))
    np.testing.assert_allclose(found.scales, np.maximum(1.0, abs(size) * X.std(axis=0)), rtol=1e-12)


def test_standardised_columns_are_left_alone(rng):
    X = rng.normal(size=(N_ROWS, 3))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    for rows in (X, X.astype(np.float32), 0.5 * X):
        found = scale_of(rows)
        assert np.array_equal(found.means, np.zeros(3))
        assert np.array_equal(found.scales, np.ones(3))


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_what_is_centred_is_counted_in_deviations(unit, rng):
    X = rng.normal(size=(N_ROWS, 2))
    X -= X.mean(axis=0)
    assert not scale_of(unit * X).means.any()
    assert scale_of(unit * (X + 1e-3)).means.all()


def test_parameters_taken_in_see_standardised_inputs(rng):
    X = [1e4, 0.0, -3.0] + [50.0, 0.1, 1.0] * rng.normal(size=(N_ROWS, 3))
    scale = scale_of(X)
    W, b = rng.normal(size=(3, 4)), rng.normal(size=4)
    V, beta = W.copy(), b.copy()
    scale.take_in(W, b)
    expected = (X - scale.means) / scale.scales @ V + beta
    np.testing.assert_allclose(X @ W + b, expected, rtol=1e-10, atol=1e-10)


# Logits of a network that tells no rows apart


@pytest.mark.parametrize("loss", [SigmoidLoss(), SoftmaxLoss()])
@pytest.mark.parametrize("max_rows", [7, N_ROWS])
def test_constant_logits_fit_the_rows_and_half_a_row_on_each_side(loss, max_rows, rng):
    """The gradient of that loss vanishes there: an oracle that knows no logarithm of odds."""
    Y = np.eye(4)[rng.integers(3, size=N_ROWS)]  # The last class has no row.
    weights = rng.uniform(0.0, 2.0, N_ROWS)
    objective = objective_of(np.ones((N_ROWS, 1)), weights, max_rows, Y, loss)
    z = objective.constant_logits
    assert np.isfinite(z).all()
    more = np.eye(4) if loss == SoftmaxLoss() else np.vstack([np.ones(4), np.zeros(4)])
    Y, weights = np.vstack([Y, more]), np.r_[weights, np.full(len(more), 0.5)]
    _, delta = loss.value_and_delta(np.tile(z, (len(Y), 1)), Y, weights)
    np.testing.assert_allclose(delta.sum(axis=0), 0.0, atol=1e-12)


@pytest.mark.parametrize("max_rows", [7, N_ROWS])
def test_weights_per_output_count_for_their_output(max_rows, rng):
    Y = rng.integers(2, size=(N_ROWS, 3)).astype(float)
    weights = rng.uniform(0.0, 2.0, N_ROWS)

    def weigh(codes, w):
        return np.where(codes > 0.0, [2.0, 1.0, 0.0], [1.0, 3.0, 1.0]) * w[:, np.newaxis]

    X = np.ones((N_ROWS, 1))
    together = objective_of(X, weights, max_rows, Y, weigh=weigh).constant_logits
    alone = [
        objective_of(X, weigh(Y, weights)[:, k], max_rows, Y[:, [k]]).constant_logits[0]
        for k in range(3)
    ]
    np.testing.assert_allclose(together, alone, rtol=1e-13)


def test_moments_are_measured_once_for_the_same_rows(rng):
    objective = objective_of(rng.normal(size=(N_ROWS, 3)))
    passes = []

    def counted(function, blocks):
        passes.append(function)
        return map(function, blocks)

    objectives = [Objective(objective.network, objective.blocks, a, counted) for a in (0.1, 1.0)]
    first, second = (objective.input_moments for objective in objectives)
    assert first is second
    assert len(passes) == 2


def test_one_centred_column_leaves_the_others_to_be_centred():
    moments = InputMoments(np.array([0.0, 5.0]), np.ones(2), 2.0)
    np.testing.assert_array_equal(moments.scale(np.float64).means, [0.0, 5.0])


def test_rows_may_be_wider_than_what_is_copied_at_once():
    X = np.ones((2, 30_001))
    block = Block(X, np.zeros((2, 1)), np.ones(2), np.ones(2))
    sums, _, n_inputs = block_input_sums(2.0, block)
    np.testing.assert_array_equal(sums, np.ones(30_001))
    assert n_inputs == 30_001


@pytest.mark.parametrize(("dtype", "is_constant"), [(np.float64, False), (np.float32, True)])
def test_a_column_that_rounding_alone_spreads_is_in_units_of_its_size(dtype, is_constant):
    moments = InputMoments(np.array([1e9, -1e9, 5.0, 0.0]), np.array([100.0, 0.0, 0.0, 0.0]), 4.0)
    expected = [1e9 if is_constant else 100.0, 1e9, 5.0, 1.0]
    np.testing.assert_array_equal(moments.scale(dtype).scales, expected)
