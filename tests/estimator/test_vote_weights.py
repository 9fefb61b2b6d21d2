"""How much each search of a vote counts."""

import numpy as np
import pytest
from scipy.optimize import nnls

from backprop_mlp._estimator.vote_weights import find_vote_weights

RNG = np.random.default_rng(0)
Y = RNG.normal(size=200)
GOOD, BAD = Y + 0.1 * RNG.normal(size=200), Y + RNG.normal(size=200)


class Search:
    """One whose loss is the squared error."""

    def _held_out_loss(self, y, outputs, sample_weight):
        return np.average((outputs - y) ** 2, weights=sample_weight)


def weights_of(*outputs, y=Y, sample_weight=None):
    return find_vote_weights([Search()] * len(outputs), list(outputs), y, sample_weight)


def test_two_have_the_weights_of_least_squares():
    """Of two with a sum of one: the minimum is where the line that joins them is nearest to y."""
    along, to_y = BAD - GOOD, Y - GOOD
    share = to_y @ along / (along @ along)
    np.testing.assert_allclose(weights_of(GOOD, BAD), [1.0 - share, share], atol=1e-5)


def test_three_sum_to_one_and_are_next_to_the_best():
    third = Y + 0.3 * RNG.normal(size=200)
    weights = weights_of(BAD, third, GOOD)
    outputs = np.stack([BAD, third, GOOD])
    # With a row so heavy least squares without a sum of one have it.
    heavy = 1e6
    best, _ = nnls(np.vstack([outputs.T, np.full(3, heavy)]), np.append(Y, heavy))
    assert weights.sum() == pytest.approx(1.0)
    assert np.mean((weights @ outputs - Y) ** 2) <= 1.02 * np.mean((best @ outputs - Y) ** 2)


def test_a_weight_of_two_is_the_row_twice_and_none_is_no_row():
    counts = RNG.integers(0, 3, 200)
    weighed = weights_of(GOOD, BAD, sample_weight=counts)
    repeated = (np.repeat(numbers, counts) for numbers in (GOOD, BAD))
    np.testing.assert_allclose(weighed, weights_of(*repeated, y=np.repeat(Y, counts)), atol=1e-5)


def test_rows_that_a_search_leaves_out_in_no_fold_do_not_count():
    some = np.where(np.arange(200) < 50, np.nan, BAD)
    np.testing.assert_array_equal(weights_of(GOOD, some), weights_of(GOOD[50:], BAD[50:], y=Y[50:]))


@pytest.mark.parametrize("other", [np.full(200, np.nan), np.full(200, np.inf)])
def test_they_are_equal_where_nothing_is_known(other):
    np.testing.assert_array_equal(weights_of(GOOD, other), [0.5, 0.5])


def test_one_counts_alone():
    np.testing.assert_array_equal(weights_of(GOOD), [1.0])
