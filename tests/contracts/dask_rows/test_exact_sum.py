"""Sums without rounding errors."""

import math

import numpy as np
import pytest

pytest.importorskip("distributed")

from backprop_mlp._dask.exact import ExactSum, add_exactly


def exact(terms):
    total = ExactSum()
    for term in terms:
        total.add(term)
    return total


@pytest.mark.parametrize("spread", [0, 20, 200])
def test_each_number_is_the_nearest_to_the_sum(spread):
    rng = np.random.default_rng(spread)
    terms = rng.normal(size=(30, 500)) * 10.0 ** rng.uniform(-spread, spread, (30, 500))
    # Half of them cancel.
    terms[15:] = np.where(np.arange(500) < 250, -terms[:15], terms[15:])
    terms[15:, :100] *= 1 + 1e-15
    np.testing.assert_array_equal(exact(terms).value(), [math.fsum(column) for column in terms.T])


def test_ties_are_broken_by_what_lies_beyond():
    ulp = np.finfo(float).eps
    cases = [
        [1.0, ulp / 2, 1e-40],
        [1.0, ulp / 2, -1e-40],
        [1.0 + ulp, ulp / 2, -1e-40],
        [-1.0, -ulp / 2, -1e-40],
        [1.0, ulp / 2],
        [1e-40, 1.0, -1.0],
        [0.0, 0.0, 5e-324],
    ]
    for case in cases:
        for order in (case, case[::-1], np.roll(case, 1)):
            assert exact(order).value() == math.fsum(case)


def test_the_order_and_the_groups_do_not_matter():
    rng = np.random.default_rng(0)
    terms = rng.normal(size=(40, 1000)) * 10.0 ** rng.integers(-9, 9, (40, 1000))
    expected = exact(terms).value()
    for _ in range(5):
        groups = np.array_split(terms[rng.permutation(40)], sorted(rng.integers(1, 40, 4)))
        found = add_exactly(exact(group) for group in groups).value()
        np.testing.assert_array_equal(found, expected)


def test_tuples_are_added_entry_by_entry():
    terms = [(1.5, (np.arange(3.0), 2)), (0.25, (np.ones(3), 3))]
    cost, (array, count) = add_exactly([exact(terms[:1]), exact(terms[1:])]).value()
    assert (cost, count) == (1.75, 5)
    assert isinstance(cost, float)
    np.testing.assert_array_equal(array, [1.0, 2.0, 3.0])


def test_what_overflows_is_not_finite_and_spoils_nothing_else():
    with np.errstate(all="raise"):
        infinite = np.array([np.inf, 1e308, 1.0, np.nan])
        found = exact([infinite, infinite, np.array([-1.0, 1e308, 2.0, 1.0])]).value()
    np.testing.assert_array_equal(found, [np.inf, np.inf, 4.0, np.nan])
    assert np.isnan(exact([np.inf, -np.inf]).value())


def test_terms_are_not_changed():
    terms = np.ones((3, 4))
    total = exact(terms)
    total.add_sum(total)
    np.testing.assert_array_equal(total.value(), 6.0)
    np.testing.assert_array_equal(terms, 1.0)
