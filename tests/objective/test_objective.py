"""J and its gradient: the formula, and what must not change them."""

import re
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp
from reference import Follower
from reference import cost as reference_cost
from reference import gradient as reference_gradient
from threadpoolctl import threadpool_limits

from backprop_mlp._network.losses import SigmoidLoss, SoftmaxLoss
from backprop_mlp._network.network import Network
from backprop_mlp._objective.blocks import (
    FLOPS_WORTH_CUTTING,
    RowBlocks,
    flops,
    rows_per_block,
)
from backprop_mlp._objective.objective import Objective
from backprop_mlp._objective.threads import block_map
from backprop_mlp._solvers.full_batch import minimize_scipy
from backprop_mlp._training.stopping import Stopping

N_ROWS = 23
ALPHA = 0.7
KINDS = {
    "logistic": (SigmoidLoss(), ("tanh", "logistic")),
    "softmax": (SoftmaxLoss(), ("leaky_relu", "relu")),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.fixture
def network(kind):
    loss, activations = KINDS[kind]
    return Network.feedforward((4, 6, 5, 3), activations, loss)


@pytest.fixture
def theta(network, rng):
    return rng.normal(scale=0.7, size=network.n_params)


@pytest.fixture(name="X")
def inputs(rng):
    X = rng.normal(loc=0.5, size=(N_ROWS, 4))
    X[rng.random(X.shape) < 0.4] = 0.0
    return X


@pytest.fixture(name="Y")
def targets(rng):
    return np.eye(3)[rng.integers(3, size=N_ROWS)]


@pytest.fixture
def counts(rng):
    """Integer row weights, some of them zero."""
    return rng.integers(0, 4, size=N_ROWS).astype(float)


def objective_of(network, X, Y, sample_weight=None, *, alpha=ALPHA, max_rows=10, **options):
    if sample_weight is None:
        sample_weight = np.ones(X.shape[0])
    blocks = RowBlocks(X, Y, sample_weight, lambda codes, dtype: codes.astype(dtype), max_rows)
    return Objective(network, blocks, alpha, **options)


def assert_same(one, other, theta, relative=1e-12):
    """Cost and gradient agree, relative to the cost and to the gradient's norm."""
    cost, grad = one.value_and_grad(theta)
    other_cost, other_grad = other.value_and_grad(theta)
    assert other_cost == pytest.approx(cost, rel=relative)
    assert np.linalg.norm(other_grad - grad) <= relative * np.linalg.norm(grad)
    assert other.value(theta) == pytest.approx(one.value(theta), rel=relative)


# The formula


@pytest.mark.parametrize("alpha", [0.0, ALPHA])
@pytest.mark.parametrize("weighted", [False, True])
def test_value_and_gradient_are_those_of_the_formula(
    network, kind, theta, X, Y, rng, weighted, alpha
):
    sample_weight = rng.uniform(0.0, 3.0, N_ROWS) if weighted else np.ones(N_ROWS)
    coefs, intercepts = zip(*network.dense_views(theta), strict=True)
    arguments = (KINDS[kind][1], kind, X, Y, sample_weight, alpha)
    cost, grad = objective_of(network, X, Y, sample_weight, alpha=alpha).value_and_grad(theta)
    assert cost == pytest.approx(reference_cost(coefs, intercepts, *arguments), rel=1e-13)
    expected = network.pack(*reference_gradient(coefs, intercepts, *arguments))
    assert np.linalg.norm(grad - expected) <= 1e-12 * np.linalg.norm(grad)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_value_alone_is_the_value_beside_the_gradient(network, theta, X, Y, dtype):
    objective = objective_of(network, X.astype(dtype), Y)
    assert objective.value(theta) == objective.value_and_grad(theta)[0]


def test_value_alone_normalises_batches_as_the_value_beside_the_gradient_does(X, Y, counts):
    network = Network.feedforward((4, 6, 3), ("tanh",), SoftmaxLoss(), batch_norm=True)
    theta = np.random.default_rng(0).normal(size=network.n_params)
    objective = objective_of(network, X, Y, counts, max_rows=N_ROWS)
    assert objective.value(theta) == objective.value_and_grad(theta)[0]


def test_biases_are_not_penalised(network, theta, X, Y):
    free, bound = (objective_of(network, X, Y, alpha=alpha) for alpha in (0.0, 5.0))
    difference = bound.value_and_grad(theta)[1] - free.value_and_grad(theta)[1]
    weights, biases = np.split(difference, [network.n_weights])
    np.testing.assert_array_equal(biases, 0.0)
    np.testing.assert_allclose(weights, 5.0 / N_ROWS * theta[: network.n_weights], atol=1e-14)


def test_theta_and_the_rows_are_left_alone(network, theta, X, Y):
    for array in (theta, X, Y):
        array.setflags(write=False)
    objective_of(network, X, Y).value_and_grad(theta)


def test_input_means_are_weighted(network, X, Y, counts):
    means = objective_of(network, X, Y, counts).input_scale.means
    np.testing.assert_allclose(means, np.average(X, axis=0, weights=counts), rtol=1e-13)


# Weights


def test_integer_weights_are_repeated_rows(network, theta, X, Y, counts):
    repeated = np.repeat(np.arange(N_ROWS), counts.astype(int))
    assert_same(
        objective_of(network, X, Y, counts),
        objective_of(network, X[repeated], Y[repeated]),
        theta,
    )


def test_rows_of_weight_zero_are_removed_rows(network, theta, X, Y, rng):
    sample_weight = rng.uniform(0.5, 2.0, N_ROWS)
    kept = np.arange(N_ROWS) % 3 > 0
    sample_weight[~kept] = 0.0
    assert_same(
        objective_of(network, X, Y, sample_weight),
        objective_of(network, X[kept], Y[kept], sample_weight[kept]),
        theta,
    )


@pytest.mark.parametrize("factor", [8.0, 2.0**-20])
def test_the_scale_of_the_weights_is_that_of_the_penalty(network, theta, X, Y, counts, factor):
    assert_same(
        objective_of(network, X, Y, counts),
        objective_of(network, X, Y, factor * counts, alpha=factor * ALPHA),
        theta,
    )


@pytest.mark.parametrize("total", [0.0, -1.0, np.inf, np.nan])
def test_the_rows_need_a_finite_weight(network, total):
    message = "sample_weight, times class_weight, must have a finite sum above 0; got"
    rows = SimpleNamespace(dtype=np.dtype(float), total_weight=total, largest_weight=1.0)
    with pytest.raises(ValueError, match=rf"^{message} {total}\.$"):
        Objective(network, rows, ALPHA)


def test_the_weights_that_the_loss_gets_may_not_all_be_zero(network):
    rows = SimpleNamespace(dtype=np.dtype(float), total_weight=1.0, largest_weight=0.0)
    with pytest.raises(ValueError, match=r"must have a finite sum above 0; got 0\.0\.$"):
        Objective(network, rows, ALPHA)


@pytest.mark.parametrize(
    ("dtype", "bounds", "remedy", "largest"),
    [
        (np.float32, "1e-20 to 1e+20", " or take X in float64", [1e-21, 1e21, np.inf]),
        (np.float64, "1e-300 to 1e+305", "", [1e-310, 1e306, np.inf]),
    ],
)
def test_the_largest_weight_is_one_that_the_gradient_can_hold(
    network, dtype, bounds, remedy, largest
):
    """In float64 subnormal weights have few digits, and alpha divided by them overflows."""
    for weight in largest:
        message = (
            f"must have a largest value from {bounds} where X is {np.dtype(dtype)}; got "
            f"{weight:g}. Scale the weights{remedy}."
        )
        rows = SimpleNamespace(
            dtype=np.dtype(dtype), total_weight=1.0, largest_weight=weight, n_rows=1
        )
        with pytest.raises(ValueError, match=re.escape(message)):
            Objective(network, rows, ALPHA)
        rows.largest_weight = 1e-150 if dtype is np.float64 else 1e-15
        Objective(network, rows, ALPHA)


def test_the_order_of_the_rows_does_not_matter(network, theta, X, Y, counts, rng):
    order = rng.permutation(N_ROWS)
    assert_same(
        objective_of(network, X, Y, counts),
        objective_of(network, X[order], Y[order], counts[order]),
        theta,
    )


# Weights per output


class OutputWeighted(SigmoidLoss):
    """A loss that takes weights per row, or per row and output."""

    def _factors(self, sample_weight):
        return sample_weight[:, None] if sample_weight.ndim == 1 else sample_weight

    def value(self, z, Y, sample_weight):
        values = np.logaddexp(0.0, z) - Y * z
        return float((self._factors(sample_weight) * values).sum())

    def value_and_delta(self, z, Y, sample_weight):
        delta = (self.proba(z) - Y) * self._factors(sample_weight)
        return self.value(z, Y, sample_weight), delta

    def delta_tangent(self, z, tz, Y, w):
        h = self.proba(z)
        return h * (1.0 - h) * tz * self._factors(w)


@pytest.fixture
def output_weighted():
    return Network.feedforward((4, 6, 3), ("tanh",), OutputWeighted())


def weigh_outputs(codes, sample_weight):
    return sample_weight[:, np.newaxis] * (1.0 + 2.0 * codes)


def weighed_objective(network, X, Y, sample_weight, weigh, max_rows=10):
    blocks = RowBlocks(
        X, Y, sample_weight, lambda codes, dtype: codes.astype(dtype), max_rows, None, weigh
    )
    return Objective(network, blocks, ALPHA)


def test_weights_of_the_outputs_weigh_their_losses_alone(output_weighted, rng, X, Y, counts):
    """m, and the means of the inputs, are those of the row weights."""
    theta = rng.normal(size=output_weighted.n_params)
    coefs, _ = zip(*output_weighted.dense_views(theta), strict=True)
    h = output_weighted.loss.proba(output_weighted.forward(output_weighted.views(theta), X)[0])
    losses = -Y * np.log(h) - (1.0 - Y) * np.log(1.0 - h)
    expected = (weigh_outputs(Y, counts) * losses).sum() / counts.sum()
    expected += ALPHA / (2.0 * counts.sum()) * sum((W**2).sum() for W in coefs)
    objective = weighed_objective(output_weighted, X, Y, counts, weigh_outputs)
    assert objective.value(theta) == pytest.approx(expected, rel=1e-13)
    assert objective.total_weight == counts.sum()
    means = objective.input_scale.means
    np.testing.assert_allclose(means, np.average(X, axis=0, weights=counts), rtol=1e-13)


def test_derivatives_with_weights_of_the_outputs_are_those_of_the_value(
    output_weighted, rng, X, Y, counts
):
    theta, direction = rng.normal(size=(2, output_weighted.n_params))
    objective = weighed_objective(output_weighted, X, Y, counts, weigh_outputs)
    value, grad = objective.value_and_grad(theta)
    assert value == objective.value(theta)
    step = 1e-5
    (above, grad_above), (below, grad_below) = (
        objective.value_and_grad(theta + sign * step * direction) for sign in (1.0, -1.0)
    )
    assert grad @ direction == pytest.approx((above - below) / (2 * step), rel=1e-7)
    product = objective.hessian_product(theta, direction)
    np.testing.assert_allclose(product, (grad_above - grad_below) / (2 * step), atol=1e-7)
    batch_value, batch_grad, _ = objective.minibatch(theta, slice(0, N_ROWS), None)
    assert batch_value == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(batch_grad, grad, atol=1e-13)


@pytest.mark.parametrize("max_rows", [7, N_ROWS])
def test_one_weight_for_all_outputs_is_a_row_weight(output_weighted, rng, X, Y, counts, max_rows):
    theta = rng.normal(size=output_weighted.n_params)
    assert_same(
        weighed_objective(output_weighted, X, Y, counts, None, max_rows),
        weighed_objective(
            output_weighted, X, Y, counts, lambda Y, w: np.outer(w, np.ones(3)), max_rows
        ),
        theta,
    )


@pytest.mark.parametrize("factor", [0.0, 1e-25, 1e25, np.inf])
def test_weights_of_the_outputs_are_refused_as_row_weights_are(output_weighted, X, Y, factor):
    ones = np.ones(N_ROWS)
    with pytest.raises(ValueError, match=r"^sample_weight, times class_weight, must have a"):
        weighed_objective(
            output_weighted, X.astype(np.float32), Y, ones, lambda Y, w: np.outer(w, [factor] * 3)
        )


# Sums over blocks


def statistics(block):
    """A number, a matrix and a tuple of a block."""
    weighted = block.X * block.sample_weight[:, np.newaxis]
    return block.sample_weight.sum(), weighted.T @ block.X, (len(block.Y), weighted.sum(axis=0))


@pytest.mark.parametrize("max_rows", [1, 7, N_ROWS])
def test_a_function_of_blocks_is_summed_over_all_rows(network, X, Y, counts, max_rows):
    objective = objective_of(network, X.astype(np.float32), Y, counts, max_rows=max_rows)
    X = X.astype(np.float32).astype(np.float64)
    total, products, (n_rows, sums) = objective.sum_over_blocks(statistics)
    assert total == counts.sum()
    assert n_rows == np.count_nonzero(counts)
    assert products.dtype == sums.dtype == np.float64
    np.testing.assert_allclose(products, (X * counts[:, np.newaxis]).T @ X, rtol=1e-12)
    np.testing.assert_allclose(sums, counts @ X, rtol=1e-12)


@pytest.mark.parametrize("max_rows", [5, N_ROWS])
def test_a_sum_over_blocks_is_not_a_part_of_the_rows(network, X, Y, max_rows):
    before = X.copy()
    total = objective_of(network, X, Y, max_rows=max_rows).sum_over_blocks(
        lambda block: block.X[:2]
    )
    total += 1.0
    np.testing.assert_array_equal(X, before)


# What overflows


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_overflow_gives_a_cost_that_is_not_finite_and_no_warning(network, theta, X, Y, dtype):
    huge = np.full_like(theta, 1e300)
    objective = objective_of(network, X.astype(dtype), Y)
    largest = np.full_like(theta, np.finfo(dtype).max, dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not np.isfinite(objective.value(huge))
        assert not np.isfinite(objective.value_and_grad(huge)[0])
        objective.hessian_product(huge, huge)
        objective.minibatch(largest, slice(0, 5), None)


def test_overflow_is_refused_where_the_cost_is_to_be_finite(network, theta, X, Y):
    objective = objective_of(network, X, Y)
    assert objective.finite_value(theta) == objective.value(theta)
    value, grad = objective.finite_value_and_grad(theta)
    assert value == objective.value(theta)
    np.testing.assert_array_equal(grad, objective.value_and_grad(theta)[1])
    for method in (objective.finite_value, objective.finite_value_and_grad):
        with pytest.raises(FloatingPointError, match=r"^The cost for these rows of X can't be"):
            method(np.full_like(theta, 1e300))


# Blocks, containers and precision


@pytest.mark.parametrize("max_rows", [1, 2, 7, 22, 1000])
def test_the_size_of_the_blocks_does_not_matter(network, theta, X, Y, counts, max_rows):
    assert_same(
        objective_of(network, X, Y, counts),
        objective_of(network, X, Y, counts, max_rows=max_rows),
        theta,
    )


@pytest.mark.parametrize("max_rows", [4, 100])
def test_chosen_rows_are_a_data_set_of_these_rows(network, theta, X, Y, counts, max_rows):
    chosen = np.array([20, 3, 4, 5, 11, 0, 17])
    options = {"encode": lambda codes, dtype: codes.astype(dtype), "max_rows": max_rows}
    blocks = RowBlocks(X, Y, counts, chosen=chosen, **options)
    alone = RowBlocks(X[chosen], Y[chosen], counts[chosen], **options)
    assert blocks.n_rows == alone.n_rows == 7
    assert blocks.total_weight == alone.total_weight == counts[chosen].sum()
    assert_same(
        *(Objective(network, rows, ALPHA) for rows in (blocks, alone)),
        theta,
    )


@pytest.mark.parametrize("extra", [-1000, 0, 1, 1000])
def test_a_batch_of_all_rows_has_the_cost_and_the_gradient(network, theta, rng, extra):
    """However many blocks it is computed in."""
    n_rows = rows_per_block(network, np.empty((1, 4))) + extra
    X, Y = rng.normal(size=(n_rows, 4)), np.eye(3)[rng.integers(3, size=n_rows)]
    objective = objective_of(network, X, Y, rng.uniform(0.0, 2.0, n_rows), max_rows=700)
    cost, grad = objective.value_and_grad(theta)
    for rows in (slice(0, n_rows), rng.permutation(n_rows)):
        batch_cost, batch_grad, _ = objective.minibatch(theta, rows, None)
        assert batch_cost == pytest.approx(cost, rel=1e-12)
        assert np.linalg.norm(batch_grad - grad) <= 1e-12 * np.linalg.norm(grad)


@pytest.mark.parametrize("container", [sp.csr_matrix, sp.csr_array])
def test_sparse_rows_are_dense_rows(network, theta, X, Y, counts, container):
    dense = objective_of(network, X, Y, counts)
    sparse = objective_of(network, container(X), Y, counts)
    assert_same(dense, sparse, theta)
    np.testing.assert_allclose(sparse.input_scale.means, dense.input_scale.means, rtol=1e-13)


@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix])
def test_float32_agrees_with_float64(network, theta, X, Y, counts, container):
    X = X.astype(np.float32)
    single = objective_of(network, container(X), Y, counts)
    assert_same(objective_of(network, X.astype(np.float64), Y, counts), single, theta, 1e-5)
    cost, grad = single.value_and_grad(theta)
    assert isinstance(cost, float)
    assert grad.dtype == np.float64


def test_float32_rows_are_computed_in_float32(network, theta, X, Y):
    seen = set()

    def spy(function, blocks):
        for block in blocks:
            value, grad = function(block)
            seen.update({block.X.dtype, block.Y.dtype, grad.dtype})
            yield value, grad

    objective_of(network, X.astype(np.float32), Y, map=spy).value_and_grad(theta)
    assert seen == {np.dtype(np.float32)}


def test_products_with_the_hessian_of_float32_rows_are_computed_in_float32(theta, X, Y):
    seen = set()

    class Witness(SoftmaxLoss):
        def delta_tangent(self, z, tz, Y, w):
            seen.update({z.dtype, tz.dtype})
            return super().delta_tangent(z, tz, Y, w)

    network = Network.feedforward((4, 6, 5, 3), ("tanh", "logistic"), Witness())
    objective = objective_of(network, X.astype(np.float32), Y)
    assert objective.hessian_product(theta, theta).dtype == np.float64
    assert seen == {np.dtype(np.float32)}


@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
@pytest.mark.parametrize(("n_rows", "n_blocks"), [(148, 1), (150, 2), (1249, 2), (1251, 2)])
def test_a_single_block_is_cut_in_two_where_the_halves_are_worth_a_thread(
    container, n_rows, n_blocks
):
    """And so is a mini-batch. What counts of sparse rows are the numbers that are there."""
    wide = Network.feedforward((1000, 100, 2), ("tanh",), SoftmaxLoss())
    assert flops(wide, np.empty((1, 1000)), 74) < FLOPS_WORTH_CUTTING
    assert flops(wide, np.empty((1, 1000)), 75) >= FLOPS_WORTH_CUTTING
    X, y = np.ones((n_rows, 1000)), np.arange(n_rows) % 2
    X = container(X)
    blocks = RowBlocks.of(wide, X, y, np.ones(n_rows), lambda codes, dtype: np.eye(2)[codes])
    assert len(blocks) == n_blocks
    handed_out = []

    def spy(function, pieces):
        handed_out.append(len(pieces))
        return map(function, pieces)

    objective = Objective(wide, blocks, ALPHA, spy)
    objective.minibatch(wide.blank(), slice(0, n_rows), None)
    assert handed_out == [2] * (n_blocks - 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_only_a_batch_of_several_blocks_is_handed_out(network, theta, dtype):
    """A single one is not worth a thread's while."""
    handed_out = []

    def spy(function, pieces):
        handed_out.append([rows.stop - rows.start for rows, _ in pieces])
        return map(function, pieces)

    max_rows = rows_per_block(network, np.empty((1, 4), dtype))
    X, Y = np.zeros((2 * max_rows, 4), dtype), np.zeros((2 * max_rows, 3))
    objective = objective_of(network, X, Y, map=spy)
    for n_rows in (1, max_rows, max_rows + 1):
        objective.minibatch(theta.astype(dtype), slice(0, n_rows), None)
    assert handed_out == [[(max_rows + 1) // 2, (max_rows + 2) // 2]]


def test_the_same_objective_of_another_network_cuts_mini_batches_as_suits_that_one():
    """Batch normalisation needs a mini-batch in one piece, the plain network does not."""
    handed_out = []

    def spy(function, pieces):
        handed_out.append(len(pieces))
        return map(function, pieces)

    whole = Network.feedforward((4, 6, 3), ("tanh",), SoftmaxLoss(), batch_norm=True)
    n_rows = 2 * rows_per_block(whole.plain, np.empty((1, 4)))
    objective = objective_of(whole, np.zeros((n_rows, 4)), np.zeros((n_rows, 3)), map=spy)
    objective.minibatch(whole.blank(), slice(0, n_rows), None)
    plain = objective.of(whole.plain)
    plain.minibatch(whole.plain.blank(), slice(0, n_rows), None)
    objective.minibatch(whole.blank(), slice(0, n_rows), None)
    assert handed_out == [2]


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_read_only_memory_map_gives_the_same_bits(network, theta, X, Y, tmp_path, order):
    stored = np.memmap(tmp_path / "X", X.dtype, "w+", shape=X.shape, order=order)
    stored[:] = X
    stored.flush()
    mapped = np.memmap(tmp_path / "X", X.dtype, "r", shape=X.shape, order=order)
    in_memory = objective_of(network, np.array(X, order=order), Y).value_and_grad(theta)
    on_disk = objective_of(network, mapped, Y).value_and_grad(theta)
    assert on_disk[0] == in_memory[0]
    np.testing.assert_array_equal(on_disk[1], in_memory[1])


def test_rows_are_read_block_by_block(network, theta, X, Y):
    """No pass holds more than a block's rows: memory maps and sparse rows stay as they are."""

    class Rows:
        shape, dtype = X.shape, X.dtype
        max_rows = 0

        def __getitem__(self, rows):
            Rows.max_rows = max(Rows.max_rows, rows.stop - rows.start)
            return X[rows]

    objective = objective_of(network, Rows(), Y, np.ones(N_ROWS), max_rows=4)
    objective.value_and_grad(theta)
    assert objective.input_scale.means.shape == (X.shape[1],)
    assert Rows.max_rows == 4


@pytest.mark.parametrize(("max_rows", "per_pass"), [(N_ROWS, 0), (N_ROWS - 1, 2)])
def test_a_single_block_is_cut_out_once_and_several_are_never_kept(
    network, theta, X, Y, max_rows, per_pass
):
    cut = []

    def encode(codes, dtype):
        cut.append(codes)
        return codes.astype(dtype)

    blocks = RowBlocks(X, Y, np.ones(N_ROWS), encode, max_rows)
    objective = Objective(network, blocks, ALPHA)
    first = objective.value_and_grad(theta)
    cut.clear()
    again = objective.value_and_grad(theta)
    assert len(cut) == per_pass
    assert again[0] == first[0]
    assert np.array_equal(again[1], first[1])


def test_threads_change_no_bit(network, theta, X, Y, counts):
    serial = objective_of(network, X, Y, counts, max_rows=2)
    cost, grad = serial.value_and_grad(theta)
    with threadpool_limits(2, user_api="blas"), block_map(1e12) as threads:
        threaded = objective_of(network, X, Y, counts, max_rows=2, map=threads)
        threaded_cost, threaded_grad = threaded.value_and_grad(theta)
        assert threaded.value(theta) == serial.value(theta) == threaded_cost == cost
        np.testing.assert_array_equal(threaded_grad, grad)
        np.testing.assert_array_equal(threaded.input_scale.means, serial.input_scale.means)


# Fits


def probabilities_after_ten_iterations(objective, theta, X):
    stopping = Stopping(tol=0.0, n_iter_no_change=10, max_iter=10, max_fun=10_000)
    follower = Follower(stopping)
    result = minimize_scipy(objective, theta, solver="cg", monitor=follower)
    assert follower.n_iter == 10
    network = objective.network
    return network.loss.proba(network.forward(network.views(result.theta), X)[0])


@pytest.fixture
def assert_same_fit(theta, X):
    def check(one, other):
        first, second = (
            probabilities_after_ten_iterations(objective, theta, X) for objective in (one, other)
        )
        np.testing.assert_allclose(second, first, rtol=0.0, atol=1e-9)

    return check


def test_a_fit_with_integer_weights_is_one_with_repeated_rows(
    network, X, Y, counts, assert_same_fit
):
    repeated = np.repeat(np.arange(N_ROWS), counts.astype(int))
    assert_same_fit(
        objective_of(network, X, Y, counts),
        objective_of(network, X[repeated], Y[repeated]),
    )


def test_a_fit_with_weights_of_zero_is_one_without_those_rows(network, X, Y, rng, assert_same_fit):
    kept = rng.random(N_ROWS) < 0.6
    assert_same_fit(
        objective_of(network, X, Y, kept.astype(float)),
        objective_of(network, X[kept], Y[kept]),
    )


def test_a_fit_does_not_depend_on_the_size_of_the_blocks(network, X, Y, assert_same_fit):
    assert_same_fit(objective_of(network, X, Y), objective_of(network, X, Y, max_rows=3))


def test_a_fit_does_not_depend_on_sparse_storage(network, X, Y, assert_same_fit):
    assert_same_fit(objective_of(network, X, Y), objective_of(network, sp.csr_matrix(X), Y))
