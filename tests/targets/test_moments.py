"""Moments of y: of numbers anywhere, of any weights, and added up."""

import numpy as np
import pytest

from backprop_mlp._targets.moments import Moments


def test_a_number_of_weight_zero_leaves_the_moments_of_the_others():
    y, weight = np.array([[1.0], [2.0], [1e200]]), np.array([1.0, 1.0, 0.0])
    moments = Moments.of(y, weight)
    np.testing.assert_allclose([moments.mean[0], moments.deviation[0]], [1.5, 0.5], rtol=1e-15)


def test_numbers_far_from_zero_keep_their_deviation():
    moments = Moments.of(1e15 + np.arange(4.0)[:, np.newaxis], np.ones(4))
    np.testing.assert_allclose(moments.deviation, np.sqrt(1.25), rtol=1e-14)


@pytest.mark.parametrize("far", [1e200, -1e200])
def test_squares_of_large_numbers_do_not_overflow_on_either_side_of_zero(far):
    moments = Moments.of(np.array([[0.0], [far]]), np.ones(2))
    np.testing.assert_allclose([moments.mean[0], moments.deviation[0]], [far / 2.0, 5e199])


def test_rows_without_weight_add_nothing_on_either_side():
    some = Moments.of(np.array([[1.0], [2.0]]), np.ones(2))
    none = Moments.of(np.array([[7.0]]), np.zeros(1))
    for total in (some + none, none + some):
        assert (total.weight, total.mean[0], total.deviation[0]) == (2.0, 1.5, 0.5)


def test_parts_count_by_the_sum_of_their_weights():
    """However large the largest of them is."""
    weights = np.r_[np.full(4, 4.0), np.full(8, 0.25)]
    y = np.r_[np.full(4, 1.0), np.full(8, 8.0)][:, np.newaxis]
    both = Moments.of(y[:4], weights[:4]) + Moments.of(y[4:], weights[4:])
    assert both.weight == Moments.of(y, weights).weight == weights.sum()
    np.testing.assert_allclose(both.mean, np.average(y, axis=0, weights=weights))
    deviation = np.sqrt(np.average((y - both.mean) ** 2, axis=0, weights=weights))
    np.testing.assert_allclose(both.deviation, deviation, rtol=1e-14)


def test_a_far_number_of_next_to_no_weight_takes_no_digits_of_the_others():
    moments = Moments.of(np.array([[1e16], [0.1], [0.3]]), np.array([1e-300, 1.0, 1.0]))
    np.testing.assert_allclose([moments.mean[0], moments.deviation[0]], [0.2, 0.1], rtol=1e-14)


@pytest.mark.parametrize("unit", [1e-310, 1.0, 1e308])
def test_weights_may_be_in_any_unit(unit):
    moments = Moments.of(np.array([[1.0], [2.0]]), np.full(2, unit))
    assert (moments.mean[0], moments.deviation[0]) == (1.5, 0.5)
