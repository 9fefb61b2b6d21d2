"""Losses and outputs, computed from logits."""

import pickle

import numpy as np
import pytest
from reference import loss as reference_loss

from backprop_mlp._network.losses import SigmoidLoss, SoftmaxLoss

LOSSES = [SigmoidLoss(), SoftmaxLoss()]
BY_NAME = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)


def rows(loss, n_rows=7, n_outputs=4, dtype=np.float64):
    """Logits, targets and weights; exclusive targets for softmax."""
    rng = np.random.default_rng(5)
    z = 3.0 * rng.normal(size=(n_rows, n_outputs))
    if loss == SoftmaxLoss():
        Y = np.eye(n_outputs)[rng.integers(n_outputs, size=n_rows)]
    else:
        Y = rng.integers(2, size=(n_rows, n_outputs))
    return z.astype(dtype), Y.astype(dtype), rng.uniform(0.5, 2.0, n_rows)


@BY_NAME
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


@BY_NAME
def test_delta_is_the_derivative_of_the_value(loss):
    z, Y, sample_weight = rows(loss)
    delta = loss.value_and_delta(z, Y, sample_weight)[1]
    for index in np.ndindex(z.shape):
        moved = z.astype(complex)
        moved[index] += 1e-30j
        expected = reference_loss(loss.output_activation, moved, Y, sample_weight).imag / 1e-30
        assert delta[index] == pytest.approx(expected, rel=1e-12, abs=1e-14)


@BY_NAME
def test_log_proba_is_the_logarithm_of_proba(loss):
    z, _, _ = rows(loss)
    np.testing.assert_allclose(loss.log_proba(z), np.log(loss.proba(z)), rtol=1e-12)


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
    """Every pair of small, large and largest logits, one a row."""
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


@BY_NAME
def test_confident_mistakes_cost_their_logit(loss):
    z = np.array([[500.0, -500.0]])
    Y = np.array([[0.0, 1.0]])
    assert loss.value(z, Y, np.ones(1)) == pytest.approx(1000.0, rel=1e-15)


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
def test_losses_pickle_and_compare(loss):
    assert pickle.loads(pickle.dumps(loss)) == loss
    assert LOSSES.count(loss) == 1
