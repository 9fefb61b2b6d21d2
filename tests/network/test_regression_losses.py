"""Losses of numbers: against scikit-learn's formulas, their derivatives, and their precision."""

from contextlib import nullcontext

import numpy as np
import pytest
from sklearn._loss.loss import (
    HalfGammaLoss,
    HalfPoissonLoss,
    HalfSquaredError,
    HuberLoss,
    PinballLoss,
)

from backprop_mlp._network.regression_losses import (
    REGRESSION_LOSSES,
    Gamma,
    Huber,
    Poisson,
    Quantile,
    SquaredError,
    regression_loss,
)

LOSSES = [SquaredError(), Huber(0.7), Poisson(), Gamma(), Quantile(0.3, 0.2)]
BY_NAME = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])

PEERS = {
    "squared_error": HalfSquaredError(),
    "huber": HuberLoss(delta=0.7),
    "poisson": HalfPoissonLoss(),
    "gamma": HalfGammaLoss(),
    "quantile": PinballLoss(quantile=0.3),
}


def test_every_loss_is_tested():
    assert {loss.name for loss in LOSSES} == set(REGRESSION_LOSSES) == set(PEERS)


def rows(loss, dtype=np.float64, n=40, seed=0):
    """z, Y and weights per row; no error of the quantile's is near its kink."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0.0, 1.0, (n, 2))
    Y = rng.gamma(2.0, 1.0, (n, 2))
    if loss.name == "poisson":
        Y = rng.poisson(1.0, (n, 2)).astype(float)
    if loss.name == "quantile":
        Y = z + np.sign(Y - z) * (0.2 + np.abs(Y - z))
    return z.astype(dtype), Y.astype(dtype), rng.uniform(0.0, 2.0, n)


def terms_of_the_peer(loss, z, Y):
    """What scikit-learn makes of each term, with its constant that depends on Y alone."""
    peer = PEERS[loss.name]
    y, raw = np.ascontiguousarray(Y.ravel()), np.ascontiguousarray(z.ravel())
    terms, gradient = peer.loss_gradient(y, raw)
    return (terms + peer.constant_to_optimal_zero(y)).reshape(z.shape), gradient.reshape(z.shape)


@BY_NAME
@pytest.mark.parametrize("per_output", [False, True])
def test_values_and_deltas_are_those_of_scikit_learn(loss, per_output):
    z, Y, w = rows(loss)
    if per_output:
        w = np.column_stack([w, w[::-1]])
    terms, gradient = terms_of_the_peer(loss, z, Y)
    expected = (terms * (w if per_output else w[:, np.newaxis])).sum()
    value, delta = loss.value_and_delta(z, Y, w)
    assert value == pytest.approx(expected, rel=1e-12)
    assert loss.value(z, Y, w) == pytest.approx(expected, rel=1e-12)
    weighted = gradient * (w if per_output else w[:, np.newaxis])
    np.testing.assert_allclose(delta, weighted, rtol=1e-12, atol=1e-14)


@BY_NAME
def test_delta_is_the_derivative_of_the_value(loss):
    z, Y, w = rows(loss, n=10)
    Y = Y - 0.05 if loss.name == "quantile" else Y  # some errors are in the rounded kink
    delta = loss.value_and_delta(z, Y, w)[1]
    for index in np.ndindex(z.shape):
        step = np.zeros_like(z)
        step[index] = 1e-6
        expected = (loss.value(z + step, Y, w) - loss.value(z - step, Y, w)) / 2e-6
        assert delta[index] == pytest.approx(expected, rel=1e-6, abs=1e-8)


@BY_NAME
def test_the_tangent_is_the_derivative_of_delta(loss):
    z, Y, w = rows(loss)
    Y = np.where(np.arange(2) == 0, z + 0.05, Y) if loss.name == "quantile" else Y
    tz = np.random.default_rng(3).normal(size=z.shape)
    ahead = loss.value_and_delta(z + 1e-6 * tz, Y, w)[1]
    behind = loss.value_and_delta(z - 1e-6 * tz, Y, w)[1]
    tangent = loss.delta_tangent(z, tz, Y, w)
    np.testing.assert_allclose(tangent, (ahead - behind) / 2e-6, rtol=1e-6, atol=1e-7)


SMOOTH = [loss for loss in LOSSES if loss.name not in ("huber", "quantile")]
STRAIGHT = [Huber(0.7), Huber(1e-3), Quantile(0.3, 0.2), Quantile(0.9)]


@pytest.mark.parametrize("loss", SMOOTH, ids=lambda loss: loss.name)
def test_the_curvature_has_the_tangents_of_the_outputs_for_columns(loss):
    z, Y, w = rows(loss)
    columns = [loss.delta_tangent(z, np.broadcast_to(unit, z.shape), Y, w) for unit in np.eye(2)]
    total, traces = loss.curvature(z, Y, w)
    np.testing.assert_allclose(total, np.sum(columns, axis=1), rtol=1e-13)
    np.testing.assert_allclose(traces, np.trace(columns, axis1=0, axis2=2), rtol=1e-13)


@pytest.mark.parametrize("loss", STRAIGHT, ids=repr)
def test_the_curvature_of_straight_tails_is_that_of_the_lowest_parabola_above(loss):
    Y, w = np.zeros((1, 1)), np.ones(1)
    others = np.linspace(-5.0, 5.0, 4001)[:, np.newaxis]
    for z in np.array([-3.0, -0.1, -1e-3, 0.0, 1e-4, 0.5, 2.0]).reshape(-1, 1, 1):
        value, delta = loss.value_and_delta(z, Y, w)
        gaps = loss.terms(others, Y) - value - delta * (others - z)
        parabola = 0.5 * loss.curvature(z, Y, w)[0] * (others - z) ** 2
        assert (gaps <= parabola + 1e-12).all()
        # At the opposite error it touches the loss once more.
        opposite = loss.terms(-z, Y) - value + 2.0 * delta * z
        lowest = 2.0 * loss.curvature(z, Y, w)[1] * z**2
        np.testing.assert_allclose(opposite, lowest, rtol=1e-9, atol=1e-15)


def test_the_curvature_of_a_threshold_too_small_for_the_precision_is_a_number():
    z = np.zeros((2, 1), np.float32)
    assert np.isfinite(Huber(1e-60).curvature(z, z, np.ones(2))[0]).all()


@BY_NAME
def test_equal_weights_per_output_are_a_weight_per_row(loss):
    z, Y, w = rows(loss)
    both = np.column_stack([w, w])
    assert loss.value(z, Y, both) == pytest.approx(loss.value(z, Y, w), rel=1e-14)
    np.testing.assert_array_equal(
        loss.value_and_delta(z, Y, both)[1], loss.value_and_delta(z, Y, w)[1]
    )


@BY_NAME
def test_inputs_are_left_alone(loss):
    arguments = rows(loss)
    for array in arguments:
        array.setflags(write=False)
    z, Y, w = arguments
    loss.value(z, Y, w)
    loss.value_and_delta(z, Y, w)
    loss.delta_tangent(z, z, Y, w)
    loss.predict(z)
    loss.check_range(Y)


@BY_NAME
def test_a_loss_declares_whether_it_refuses_negative_numbers(loss):
    refused = pytest.raises(ValueError, match=r"^y must be >")
    with refused if loss.refuses_negative_numbers else nullcontext():
        loss.check_range(np.array([-1.0]))


@DTYPES
@BY_NAME
def test_results_have_the_precision_of_the_outputs(loss, dtype):
    z, Y, w = rows(loss, dtype)
    assert loss.value_and_delta(z, Y, w)[1].dtype == dtype
    assert loss.delta_tangent(z, z, Y, w).dtype == dtype
    assert loss.predict(z).dtype == dtype
    expected = loss.value(z.astype(float), Y.astype(float), w)
    assert loss.value(z, Y, w) == pytest.approx(expected, rel=1e-6 if dtype == np.float32 else 0)


@pytest.mark.parametrize("loss", [SquaredError(), Huber(), Poisson(), Gamma()], ids=str)
@DTYPES
def test_what_is_right_costs_nothing(loss, dtype):
    Y = np.array([[0.5, 1.0, 3.0, 1e4]], dtype)
    z = Y if loss.has_identity_link else np.log(Y)
    value, delta = loss.value_and_delta(z, Y, np.ones(1))
    assert 0.0 <= value < 1e4 * np.finfo(dtype).eps
    np.testing.assert_allclose(delta, 0.0, atol=20.0 * np.finfo(dtype).eps * Y.max())


@pytest.mark.parametrize("loss", [Poisson(), Gamma()], ids=str)
@pytest.mark.parametrize("u", [1e-7, -1e-4, 0.3, -0.499, 0.501, 3.0])
def test_small_deviances_have_no_cancellation(loss, u):
    long = np.longdouble
    z = np.array([[u]])
    u = long(u)
    exact = np.expm1(u) - u if loss.name == "poisson" else np.expm1(-u) + u
    if abs(u) < 0.5:
        exact = (
            u**2
            / 2
            * sum(
                2 * (u if loss.name == "poisson" else -u) ** (n - 2) / _factorial(n)
                for n in range(2, 30)
            )
        )
    assert loss.value(z, np.ones((1, 1)), np.ones(1)) == pytest.approx(float(exact), rel=1e-14)


def _factorial(n):
    return np.prod(np.arange(1, n + 1, dtype=np.longdouble))


def test_counts_of_zero_cost_their_prediction():
    z = np.array([[-3.0], [0.0], [2.0]])
    value, delta = Poisson().value_and_delta(z, np.zeros((3, 1)), np.ones(3))
    assert value == pytest.approx(np.exp(z).sum(), rel=1e-15)
    np.testing.assert_allclose(delta, np.exp(z), rtol=1e-15)


@pytest.mark.parametrize("quantile", [0.05, 0.5, 0.9])
def test_the_rounded_pinball_loss_is_at_most_a_quarter_of_its_width_above(quantile):
    z = np.linspace(-1.0, 1.0, 2001)[:, np.newaxis]
    rounded, sharp = Quantile(quantile, 0.1), PinballLoss(quantile=quantile)
    above = [
        rounded.value(row, np.zeros((1, 1)), np.ones(1))
        - sharp.loss(np.zeros(1), np.ascontiguousarray(row[0]))[0]
        for row in z[:, np.newaxis]
    ]
    assert min(above) >= -1e-15
    assert max(above) == pytest.approx(0.1 / 4, rel=1e-12)
    np.testing.assert_allclose(np.array(above)[np.abs(z[:, 0]) > 0.1], 0.0, atol=1e-15)


def test_the_best_constant_of_the_quantile_loss_is_the_quantile():
    Y = np.random.default_rng(0).gamma(2.0, 1.0, (5001, 1))
    constants = np.linspace(0.0, 8.0, 4001)
    loss = Quantile(0.8, 0.01)
    costs = [loss.value(np.full_like(Y, z), Y, np.ones(len(Y))) for z in constants]
    assert constants[np.argmin(costs)] == pytest.approx(np.quantile(Y, 0.8), abs=0.01)


@BY_NAME
def test_the_constant_is_where_training_may_begin(loss):
    _, Y, w = rows(loss)
    z = loss.constant_logits(w @ Y, np.full(2, w.sum()))
    np.testing.assert_allclose(loss.predict(z), np.average(Y, axis=0, weights=w), rtol=1e-12)


@pytest.mark.parametrize("loss", [Poisson(), Gamma()], ids=lambda loss: loss.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_prediction_of_zero_has_a_finite_logarithm(loss, dtype):
    """Predictions underflow."""
    mu = np.array([0.0, 3.0], dtype)
    z = loss.link(mu)
    assert z.dtype == dtype
    assert np.isfinite(z).all()
    np.testing.assert_allclose(loss.predict(z), mu, rtol=1e-6, atol=2.0 * np.finfo(dtype).tiny)


def test_zeros_alone_begin_as_if_half_a_row_counted_one():
    z = Poisson().constant_logits(np.zeros(1), np.full(1, 10.0))
    np.testing.assert_allclose(z, np.log(0.05), rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_zero_in_the_precision_alone_is_refused_with_the_precision(dtype):
    too_small = dtype is np.float32
    message = r"y must be > 0 with loss='gamma', rounded to float32, too; got 1e-50\."
    with pytest.raises(ValueError, match=message) if too_small else nullcontext():
        Gamma().check_range(np.array([1.0, 1e-50]), dtype)


def test_what_overflows_is_infinite_and_never_nan():
    z = np.array([[800.0], [-800.0]])
    with np.errstate(over="ignore", invalid="ignore"):
        for loss in (Poisson(), Gamma()):
            value, delta = loss.value_and_delta(z, np.ones((2, 1)), np.ones(2))
            assert value == np.inf
            assert not np.isnan(delta).any()


@pytest.mark.parametrize("quantile", [0.5, 0.2, 0.9, 0.01])
def test_a_quantile_counts_tol_in_the_mean_size_of_its_derivative(quantile):
    """At the best constant, next to that of the median."""
    Y = np.sort(np.random.default_rng(0).normal(size=(100_000, 1)), axis=0)
    found = {}
    for q in (0.5, quantile):
        z = np.full_like(Y, np.quantile(Y, q))
        _, delta = Quantile(q).value_and_delta(z, Y, np.ones(len(Y)))
        found[q] = np.abs(delta).mean()
    expected = found[quantile] / found[0.5]
    assert Quantile(quantile).cost_unit(np.zeros(1)) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("threshold", [1e-3, 0.5, 1.0, 5.0])
def test_huber_counts_tol_in_its_largest_derivative_up_to_one(threshold):
    _, delta = Huber(threshold).value_and_delta(np.full((1, 1), 9.0), np.zeros((1, 1)), np.ones(1))
    assert Huber(threshold).cost_unit(np.zeros(1)) == min(1.0, delta.item())


def test_counts_count_tol_in_their_mean_up_to_one():
    assert Poisson().cost_unit(np.log([0.1, 0.3])) == pytest.approx(0.2)
    assert Poisson().cost_unit(np.log([0.1, 300.0])) == 1.0


@pytest.mark.parametrize("name", REGRESSION_LOSSES)
def test_keywords_choose_the_loss(name):
    loss = regression_loss(name, threshold=2, quantile=0.25)
    assert loss.name == name
    assert hash(loss) == hash(regression_loss(name, threshold=2, quantile=0.25))
    if name == "huber":
        assert loss.threshold == 2.0
    if name == "quantile":
        assert loss.quantile == 0.25
