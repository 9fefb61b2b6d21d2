"""Losses and outputs, computed from logits."""

import pickle

import numpy as np
import pytest
from reference import loss as reference_loss
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPClassifier, check_gradient
from backprop_mlp._network.losses import SigmoidLoss, SoftmaxLoss, loss_for

CROSS_ENTROPIES = [SigmoidLoss(), SoftmaxLoss()]
LOSSES = [*CROSS_ENTROPIES]
"""All losses of classes: what holds for any of them is tested by this list."""

BY_NAME = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
OF_CROSS_ENTROPIES = pytest.mark.parametrize("loss", CROSS_ENTROPIES, ids=lambda loss: loss.name)


ONE = np.ones(1)


def rows(loss, n_rows=7, n_outputs=4, dtype=np.float64, weights="per row"):
    """Logits, targets and weights; exclusive targets for softmax."""
    rng = np.random.default_rng(5)
    z = 3.0 * rng.normal(size=(n_rows, n_outputs))
    if loss.output_activation == "softmax":
        Y = np.eye(n_outputs)[rng.integers(n_outputs, size=n_rows)]
    else:
        Y = rng.integers(2, size=(n_rows, n_outputs))
    w = rng.uniform(0.5, 2.0, n_rows if weights == "per row" else z.shape)
    return z.astype(dtype), Y.astype(dtype), w


@OF_CROSS_ENTROPIES
def test_value_is_the_weighted_sum_of_the_cross_entropies(loss):
    z, Y, sample_weight = rows(loss)
    expected = reference_loss(loss.output_activation, z, Y, sample_weight)
    assert loss.value(z, Y, sample_weight) == pytest.approx(expected, rel=1e-13)
    assert isinstance(loss.value(z, Y, sample_weight), float)


@BY_NAME
def test_value_is_not_normalised_so_blocks_add(loss):
    z, Y, sample_weight = rows(loss)
    parts = [loss.value(z[part], Y[part], sample_weight[part]) for part in (slice(3), slice(3, 7))]
    assert sum(parts) == pytest.approx(loss.value(z, Y, sample_weight), rel=1e-14)
    doubled = loss.value(z, Y, 2.0 * sample_weight)
    assert doubled == pytest.approx(2.0 * loss.value(z, Y, sample_weight), rel=1e-14)


@OF_CROSS_ENTROPIES
def test_weights_per_output_weigh_its_own_term(loss):
    z, Y, _ = rows(loss)
    w = np.random.default_rng(6).uniform(0.0, 2.0, z.shape)
    if loss.output_activation == "logistic":
        h = 1.0 / (1.0 + np.exp(-z))
        terms = -Y * np.log(h) - (1.0 - Y) * np.log(1.0 - h)
    else:
        terms = -Y * np.log(np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))
    expected = (w * terms).sum()
    assert loss.value(z, Y, w) == pytest.approx(expected, rel=1e-13)
    assert loss.value_and_delta(z, Y, w)[0] == pytest.approx(expected, rel=1e-13)


@BY_NAME
def test_equal_weights_per_output_are_weights_per_row(loss):
    z, Y, w = rows(loss)
    tz = np.random.default_rng(6).normal(size=z.shape)
    many = np.repeat(w[:, np.newaxis], 4, axis=1)
    assert loss.value(z, Y, many) == pytest.approx(loss.value(z, Y, w), rel=1e-14)
    value, delta = loss.value_and_delta(z, Y, many)
    assert value == pytest.approx(loss.value(z, Y, w), rel=1e-14)
    np.testing.assert_allclose(delta, loss.value_and_delta(z, Y, w)[1], rtol=1e-14)
    np.testing.assert_allclose(
        loss.delta_tangent(z, tz, Y, many), loss.delta_tangent(z, tz, Y, w), rtol=1e-14
    )


@pytest.mark.parametrize("weights", ["per row", "per output"])
@BY_NAME
def test_the_tangent_is_the_derivative_of_delta(loss, weights):
    z, Y, w = rows(loss, weights=weights)
    tz = np.random.default_rng(6).normal(size=z.shape)
    plus, minus = (loss.value_and_delta(z + step * tz, Y, w)[1] for step in (1e-5, -1e-5))
    found = loss.delta_tangent(z, tz, Y, w)
    np.testing.assert_allclose(found, (plus - minus) / 2e-5, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("weights", ["per row", "per output"])
@BY_NAME
def test_the_curvature_has_the_tangents_of_the_outputs_for_columns(loss, weights):
    z, Y, w = rows(loss, weights=weights)
    columns = [
        loss.delta_tangent(z, np.broadcast_to(unit, z.shape), Y, w) for unit in np.eye(z.shape[1])
    ]
    total, traces = loss.curvature(z, Y, w)
    np.testing.assert_allclose(total, np.sum(columns, axis=1), atol=1e-14)
    np.testing.assert_allclose(traces, np.trace(columns, axis1=0, axis2=2), atol=1e-14)


@BY_NAME
def test_curvatures_of_float32_logits_are_summed_in_float64(loss):
    z, Y, w = rows(loss, n_rows=100_000, n_outputs=2, dtype=np.float32)
    total, _ = loss.curvature(z, Y, w)
    exact, _ = loss.curvature(z.astype(np.float64), Y.astype(np.float64), w)
    assert total.dtype == np.float64
    np.testing.assert_allclose(total, exact, atol=1e-6 * exact.max())


@pytest.mark.parametrize("weights", ["per row", "per output"])
@BY_NAME
def test_delta_is_weighted_as_the_value(loss, weights):
    z, Y, w = rows(loss, weights=weights)
    delta = loss.value_and_delta(z, Y, w)[1]
    for index in np.ndindex(z.shape):
        plus, minus = z.copy(), z.copy()
        plus[index] += 1e-5
        minus[index] -= 1e-5
        expected = (loss.value(plus, Y, w) - loss.value(minus, Y, w)) / 2e-5
        assert delta[index] == pytest.approx(expected, rel=1e-6, abs=1e-9)


@OF_CROSS_ENTROPIES
def test_delta_is_the_derivative_of_the_cross_entropy(loss):
    z, Y, sample_weight = rows(loss)
    delta = loss.value_and_delta(z, Y, sample_weight)[1]
    for index in np.ndindex(z.shape):
        moved = z.astype(complex)
        moved[index] += 1e-30j
        expected = reference_loss(loss.output_activation, moved, Y, sample_weight).imag / 1e-30
        assert delta[index] == pytest.approx(expected, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_outputs", [1, 2, 3, 7, 64, 65, 1000])
@pytest.mark.parametrize("size", [0.0, 1e-3, 1.0, 30.0])
def test_the_loss_of_many_sigmoids_is_the_sum_of_single_ones(size, n_outputs, dtype):
    rng = np.random.default_rng(8)
    z = np.asfortranarray(size * rng.normal(size=(300, n_outputs)), dtype)
    Y = rng.integers(2, size=z.shape).astype(dtype)
    w = rng.uniform(0.5, 2.0, 300)
    single = [
        SigmoidLoss().value(z[:, [k]].astype(np.float64), Y[:, [k]].astype(np.float64), w)
        for k in range(n_outputs)
    ]
    # Rows are summed in the precision of the logits.
    rel = {np.float32: 1e-6, np.float64: 1e-14}[dtype]
    assert SigmoidLoss().value(z, Y, w) == pytest.approx(sum(single), rel=rel)


@BY_NAME
def test_log_proba_is_the_logarithm_of_proba(loss):
    z, _, _ = rows(loss)
    np.testing.assert_allclose(loss.log_proba(z), np.log(loss.proba(z)), rtol=1e-12)


@pytest.mark.parametrize("distance", [1.0, 40.0, 300.0, 715.0, 740.0])
def test_logarithms_of_softmax_are_accurate_close_to_zero_and_where_exponentials_underflow(
    distance,
):
    """Of a second output that is so far below the first."""
    ((first, second),) = SoftmaxLoss().log_proba(np.array([[0.0, -distance]]))
    rest = np.log1p(np.exp(-distance))
    assert first == pytest.approx(-rest, rel=1e-13, abs=0.0)
    assert second == pytest.approx(-distance - rest, rel=1e-14)


@BY_NAME
def test_inputs_are_left_alone(loss):
    arguments = rows(loss)
    for array in arguments:
        array.setflags(write=False)
    loss.proba(arguments[0])
    loss.log_proba(arguments[0])
    loss.value(*arguments)
    loss.value_and_delta(*arguments)[1]


def extreme_logits(largest, dtype):
    """Every pair of small, large and largest logits, one per row."""
    corners = np.array([-largest, -1e3, 0.0, 1e3, largest], dtype)
    return np.array(np.meshgrid(corners, corners)).reshape(2, -1).T


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@BY_NAME
def test_any_finite_logit_gives_finite_outputs(loss, dtype):
    z = extreme_logits(np.finfo(dtype).max, dtype)
    Y = np.tile(np.array([1.0, 0.0], dtype), (len(z), 1))
    with np.errstate(over="ignore"):  # the sum of all rows' losses
        _, delta = loss.value_and_delta(z, Y, np.ones(len(z)))
    for array in (loss.proba(z), loss.log_proba(z), delta):
        assert array.dtype == dtype
        assert np.isfinite(array).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@BY_NAME
def test_any_finite_logit_gives_a_finite_loss(loss, dtype):
    # Half of the largest number, so that the sum over two outputs is a number.
    for z in extreme_logits(np.finfo(dtype).max / 2, dtype):
        for Y in np.eye(2, dtype=dtype):
            assert np.isfinite(loss.value(z[np.newaxis], Y[np.newaxis], np.ones(1)))


@OF_CROSS_ENTROPIES
def test_confident_mistakes_cost_their_logit(loss):
    z = np.array([[500.0, -500.0]])
    Y = np.array([[0.0, 1.0]])
    assert loss.value(z, Y, np.ones(1)) == pytest.approx(1000.0, rel=1e-15)


# Small numbers, next to the same in higher precision


def exact_terms(loss, z, right):
    """-log h of the right answer and h of the wrong ones, in NumPy's longest precision."""
    z = z.astype(np.longdouble)
    if loss.output_activation == "logistic":
        s = np.where(right, -z, z)
        return np.maximum(s, 0) + np.log1p(np.exp(-np.abs(s))), 1 / (1 + np.exp(-s))
    others = np.exp(z[:, 1] - z[:, 0])
    return np.log1p(others), others / (1 + others)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["right", "wrong"])
@OF_CROSS_ENTROPIES
def test_losses_and_deltas_have_no_cancellation(loss, sign, dtype):
    s = sign * np.linspace(0.1, 80.0, 400).astype(dtype)
    if loss.output_activation == "logistic":
        z, Y = s[:, np.newaxis], np.ones((400, 1), dtype)
    else:
        z = np.column_stack([s, np.zeros_like(s)])
        Y = np.tile(np.array([1.0, 0.0], dtype), (400, 1))
    values, wrong = (column.ravel() for column in exact_terms(loss, z, Y[:, :1] == 1))
    close = 8 * float(np.finfo(dtype).eps)
    for row in range(400):
        here = slice(row, row + 1)
        value, delta = loss.value_and_delta(z[here], Y[here], ONE)
        assert value == pytest.approx(float(values[row]), rel=close)
        assert loss.value(z[here], Y[here], ONE) == pytest.approx(float(values[row]), rel=close)
        assert -delta[0, 0] == pytest.approx(float(wrong[row]), rel=close)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_logistic_loss_is_symmetric_bit_by_bit(dtype):
    z = np.linspace(-30.0, 30.0, 997).astype(dtype)[:, np.newaxis]
    zeros, ones, w = np.zeros_like(z), np.ones_like(z), np.ones(len(z))
    loss = SigmoidLoss()
    assert loss.value(z, ones, w) == loss.value(-z, zeros, w)
    np.testing.assert_array_equal(
        loss.value_and_delta(z, ones, w)[1], -loss.value_and_delta(-z, zeros, w)[1]
    )


def test_softmax_losses_close_to_and_far_from_the_truth_are_accurate():
    z = np.array([[40.0, 0.0, 1.0], [0.0, 40.0, 1.0]])
    Y = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    near, far = (SoftmaxLoss().value(z[[row]], Y[[row]], ONE) for row in (0, 1))
    assert near == pytest.approx(np.exp(-40.0) + np.exp(-39.0), rel=1e-14)
    assert far == pytest.approx(40.0, rel=1e-15)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("output_activation", ["logistic", "softmax"])
@pytest.mark.parametrize("load", [load_wine, load_breast_cancer, load_digits])
def test_the_gradient_of_a_well_trained_network_is_right(load, output_activation):
    X, y = (part[:600] for part in load(return_X_y=True))
    X = scale(X)
    network = BackpropMLPClassifier(
        6,
        activation="tanh",
        output_activation=output_activation,
        alpha=0,
        solver="lbfgs",
        tol=1e-12,
        random_state=0,
    ).fit(X, y)
    check = check_gradient(network, X[::5], y[::5], max_coordinates=100)
    # Where the gradient is no more than rounding there is nothing to decide.
    assert check.passed is not False
    error = np.linalg.norm(check.error[~check.at_kink])
    assert check.relative_difference < 1e-7 or error < check.rounding_floor


def test_float32_losses_of_rows_are_summed_in_float64():
    one = np.zeros((1, 1), np.float32)
    value = SigmoidLoss().value(one, one, np.ones(1))
    # In float32 the sum of equal terms would be rounded.
    many = np.zeros((100_001, 1), np.float32)
    total = SigmoidLoss().value(many, many, np.ones(100_001))
    assert total == pytest.approx(100_001 * value, rel=1e-12)


def test_softmax_depends_on_differences_of_logits_alone():
    z, Y, sample_weight = rows(SoftmaxLoss())
    shifted = z + np.linspace(-50.0, 50.0, len(z))[:, np.newaxis]
    loss = SoftmaxLoss()
    np.testing.assert_allclose(loss.proba(shifted), loss.proba(z), rtol=1e-12)
    np.testing.assert_allclose(loss.proba(z).sum(axis=1), 1.0, rtol=1e-15)
    assert loss.value(shifted, Y, sample_weight) == pytest.approx(
        loss.value(z, Y, sample_weight), rel=1e-12
    )


def test_softmax_of_two_outputs_is_the_logistic_function_of_their_difference():
    z, _, _ = rows(SoftmaxLoss(), n_outputs=2)
    expected = SigmoidLoss().proba(z[:, [1]] - z[:, [0]])
    np.testing.assert_allclose(SoftmaxLoss().proba(z)[:, [1]], expected, rtol=1e-13)


def test_softmax_of_one_output_is_certain():
    z = np.array([[-3.0], [0.0], [700.0]])
    ones = np.ones((3, 1))
    np.testing.assert_array_equal(SoftmaxLoss().proba(z), ones)
    assert SoftmaxLoss().value(z, ones, np.ones(3)) == 0.0
    np.testing.assert_array_equal(SoftmaxLoss().value_and_delta(z, ones, np.ones(3))[1], 0.0)


@BY_NAME
def test_an_infinite_logit_never_gives_a_finite_loss(loss):
    for z in ([[np.inf, 0.0]], [[-np.inf, 0.0]]):
        for Y in np.eye(2):
            with np.errstate(invalid="ignore"):
                value, _ = loss.value_and_delta(np.array(z), Y[np.newaxis], ONE)
                assert not np.isfinite(value)


@OF_CROSS_ENTROPIES
def test_cross_entropies_are_found_by_their_outputs(loss):
    assert loss_for(loss.output_activation) == loss


@BY_NAME
def test_no_two_losses_share_a_name(loss):
    assert [other for other in LOSSES if other.name == loss.name] == [loss]
    assert loss.name != loss.output_activation


def test_outputs_without_a_loss_are_named():
    with pytest.raises(ValueError, match=r"one of \['logistic', 'softmax'\]; got 'relu'"):
        loss_for("relu")


@BY_NAME
def test_losses_pickle_and_compare(loss):
    assert pickle.loads(pickle.dumps(loss)) == loss
    assert hash(pickle.loads(pickle.dumps(loss))) == hash(loss)
    assert LOSSES.count(loss) == 1
