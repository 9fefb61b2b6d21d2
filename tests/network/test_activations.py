"""Activation functions and the derivatives that are computed from their values."""

import pickle

import numpy as np
import pytest
from reference import FUNCTIONS, derivative
from scipy.special import expit

from backprop_mlp._network.activations import ACTIVATIONS

NAMES = sorted(ACTIVATIONS)
AWAY_FROM_KINKS = np.r_[np.linspace(-6.0, -0.1, 40), np.linspace(0.1, 6.0, 40)]


def applied(name, z):
    """f of numbers, as rows of one unit."""
    a = np.array(z)
    ACTIVATIONS[name].apply(a[:, np.newaxis])
    return a


def slope(name, z, dtype=np.float64):
    d = np.ones(np.shape(z), dtype)
    ACTIVATIONS[name].times_slope(applied(name, np.asarray(z, dtype)), d)
    return d


def test_the_names_are_those_of_the_documentation():
    assert sorted(FUNCTIONS) == NAMES
    assert all(ACTIVATIONS[name].name == name for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_gain_makes_the_slope_at_zero_one_where_there_is_one(name):
    function = ACTIVATIONS[name]
    at_zero = derivative(FUNCTIONS[name], np.zeros(1))[0]
    assert function.gain == pytest.approx(1.0 if function.kinked else 1.0 / at_zero, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_apply_overwrites_z_with_the_function(name):
    z = applied(name, AWAY_FROM_KINKS)
    np.testing.assert_allclose(z, FUNCTIONS[name](AWAY_FROM_KINKS), rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("name", NAMES)
def test_times_slope_multiplies_by_the_derivative(name):
    d = np.linspace(-2.0, 3.0, AWAY_FROM_KINKS.size)
    expected = d * derivative(FUNCTIONS[name], AWAY_FROM_KINKS)
    ACTIVATIONS[name].times_slope(applied(name, AWAY_FROM_KINKS), d)
    np.testing.assert_allclose(d, expected, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_times_slope_leaves_the_activation_alone(name):
    a = applied(name, AWAY_FROM_KINKS)
    a.setflags(write=False)
    ACTIVATIONS[name].times_slope(a, np.ones_like(a))


@pytest.mark.parametrize("name", NAMES)
def test_curvature_is_the_derivative_of_the_slope(name):
    h = 1e-5
    expected = (slope(name, AWAY_FROM_KINKS + h) - slope(name, AWAY_FROM_KINKS - h)) / (2 * h)
    curvature = ACTIVATIONS[name].curvature(applied(name, AWAY_FROM_KINKS))
    if curvature is None:
        np.testing.assert_array_equal(expected, 0.0)
    else:
        np.testing.assert_allclose(curvature, expected, atol=1e-9)


@pytest.mark.parametrize(("name", "left_slope"), [("relu", 0.0), ("leaky_relu", 0.01)])
def test_at_a_kink_the_slope_is_that_of_the_left_side(name, left_slope):
    assert ACTIVATIONS[name].kinked
    assert slope(name, [0.0]) == left_slope == slope(name, [-1.0])
    assert slope(name, [1.0]) == 1.0


@pytest.mark.parametrize("name", NAMES)
def test_functions_without_a_kink_have_one_slope_at_zero(name):
    h = 1e-9
    left, right = (FUNCTIONS[name](np.array([0.0, step]))[[0, 1]] for step in (-h, h))
    smooth = np.isclose((left[0] - left[1]) / h, (right[1] - right[0]) / h, atol=1e-6)
    assert ACTIVATIONS[name].kinked != smooth


def test_the_bends_of_the_logistic_function_and_of_tanh_are_one_form():
    """Tanh is the logistic function, stretched and moved."""
    ratio = ACTIVATIONS["logistic"].bend / ACTIVATIONS["tanh"].bend
    z = np.linspace(-3.0, 3.0, 13)
    np.testing.assert_allclose(2.0 * applied("logistic", ratio * z) - 1.0, applied("tanh", z))


@pytest.mark.parametrize("name", NAMES)
def test_kinks_and_they_alone_bend_at_a_point(name):
    assert ACTIVATIONS[name].kinked == (ACTIVATIONS[name].bend == 0.0)


@pytest.mark.parametrize("name", NAMES)
def test_the_centre_is_the_value_at_zero(name):
    assert ACTIVATIONS[name].centre == applied(name, [0.0])[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NAMES)
def test_the_largest_numbers_overflow_nowhere_and_keep_their_precision(name, dtype):
    largest = np.finfo(dtype).max
    a = applied(name, np.array([-largest, -100.0, 0.0, 100.0, largest], dtype))
    d = np.ones(a.shape, dtype)
    ACTIVATIONS[name].times_slope(a, d)
    assert a.dtype == d.dtype == dtype
    assert np.isfinite(a).all()
    assert np.isfinite(d).all()


def test_logistic_is_symmetric_and_saturates_at_0_and_1():
    z = np.linspace(0.0, 800.0, 97)
    np.testing.assert_allclose(applied("logistic", -z), 1.0 - applied("logistic", z), atol=1e-16)
    np.testing.assert_array_equal(applied("logistic", [-800.0, 800.0]), [0.0, 1.0])


def test_small_values_of_logistic_keep_their_digits():
    z = np.linspace(-700.0, 0.0, 71)
    np.testing.assert_allclose(applied("logistic", z), expit(z), rtol=1e-15)


def test_logistic_saturates_in_silence():
    with np.errstate(all="raise"):
        applied("logistic", [-800.0, -709.0, 800.0])


def test_the_sigmoid_gradient_has_the_values_of_the_exercise():
    values = slope("logistic", [-1.0, -0.5, 0.0, 0.5, 1.0])
    np.testing.assert_allclose(values, [0.196612, 0.235004, 0.25, 0.235004, 0.196612], atol=5e-7)


@pytest.mark.parametrize("name", NAMES)
def test_activations_pickle_and_compare(name):
    activation = ACTIVATIONS[name]
    assert pickle.loads(pickle.dumps(activation)) == activation
    assert all(activation != ACTIVATIONS[other] for other in NAMES if other != name)


@pytest.mark.parametrize("name", NAMES)
def test_the_bounds_are_the_smallest_interval_of_all_values(name):
    values = applied(name, [-1e9, -40.0, -1.0, 0.0, 1.0, 40.0, 1e9])
    lowest, highest = ACTIVATIONS[name].bounds
    assert lowest <= values.min() <= values.max() <= highest
    for bound, extreme in ((lowest, values.min()), (highest, values.max())):
        # A bound may be approached as slowly as by z / (1 + |z|).
        near = extreme == pytest.approx(bound, abs=1e-8)
        assert near if np.isfinite(bound) else abs(extreme) > 1e6
