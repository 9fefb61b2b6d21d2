"""What the rows say before any parameter is known: how classes and inputs are distributed.

Everything is a weighted sum over blocks: a weight of two is the row twice, and sparse rows
and partitions on other machines give the same as all rows in memory.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix, issparse

from .._network.sparse import merge_duplicates
from .blocks import Block, add_up, row_slices
from .overflow import IGNORE_OVERFLOW

STANDARDISED_TOLERANCE = 1e-7
"""Columns whose mean and deviation are within this of 0 and 1 count as standardised."""

ROUNDING = 1e-12
"""Deviation, as a share of the mean, that rounding may give to a constant column."""

NUMBERS_AT_ONCE = 30_000
"""Numbers of dense rows that are copied at once."""


class TargetSums(NamedTuple):
    """Weighted sums of the targets over rows.

    Parameters
    ----------
    totals : ndarray of shape (n_outputs,)
        Sum of each output's targets, times the weights that the loss gets.
    weights : ndarray of shape (n_outputs,)
        Sum of these weights.
    """

    totals: np.ndarray
    weights: np.ndarray


def block_target_sums(block: Block):
    """A block's share of `TargetSums`, as a tuple."""
    Y, weight = block.Y, block.loss_weight
    if weight.ndim == 1:
        return Y.T @ weight, np.full(Y.shape[1], weight.sum())
    return np.einsum("ij,ij->j", Y, weight), weight.sum(axis=0)


def block_input_sums(total_weight, block: Block):
    """Sums of the inputs, their absolute values and the number of them other than zero, each
    row times its share of m.
    """
    X, share = block.X, block.sample_weight / total_weight
    if issparse(X):
        X = merge_duplicates(X)
        # Stored zeros count for nothing: sparse and dense rows give the same.
        n_inputs = np.repeat(share, np.diff(X.indptr)) @ (X.data != 0)
        return X.T @ share, abs(X).T @ share, n_inputs
    return add_up(_dense_sums(X[rows], share[rows]) for rows in _few(X))


def block_moments(total_weight, centre, unit, block: Block):
    """Sums of d and of d squared, d = (inputs - centre) / unit, each row times its share of m."""
    X, share = block.X, block.sample_weight / total_weight
    if not issparse(X):
        return add_up(_dense_moments(X[rows], share[rows], centre, unit) for rows in _few(X))
    X = merge_duplicates(X)

    def sum_up(entries, weight):
        return csr_matrix((entries, X.indices, X.indptr), X.shape).T @ weight

    # Entries that are not stored are zero. Where all are, rounding must not leave a weight.
    ones = np.ones(X.nnz)
    n_missing = np.count_nonzero(share) - sum_up(ones, (share > 0.0).astype(np.float64))
    missing = np.where(n_missing > 0.0, np.maximum(share.sum() - sum_up(ones, share), 0.0), 0.0)
    deviations = X.data - centre[X.indices]
    deviations /= unit[X.indices]
    first = sum_up(deviations, share) - missing * (centre / unit)
    deviations *= deviations
    return first, sum_up(deviations, share) + missing * (centre / unit) ** 2


def _dense_sums(X, share):
    return share @ X, share @ np.abs(X), share @ np.count_nonzero(X, axis=1)


def _dense_moments(X, share, centre, unit):
    deviations = X - centre
    deviations /= unit
    first = share @ deviations
    deviations *= deviations
    return first, share @ deviations


def _few(X):
    """Slices of so few rows that copies in float64 take little memory, and stay in the cache."""
    # One slice of nothing where there are no rows: its sums are zeros of the right shape.
    return row_slices(max(1, X.shape[0]), max(1, NUMBERS_AT_ONCE // X.shape[1]))


class InputScale(NamedTuple):
    """What standardises the inputs, without enlarging any: (x - means) / scales.

    Parameters
    ----------
    means : ndarray of shape (n_features,)
        Weighted means; zeros where all columns are centred already.
    scales : ndarray of shape (n_features,)
        max(1, weighted standard deviation): small numbers keep their size. Of a constant
        column max(1, its size).
    """

    means: np.ndarray
    scales: np.ndarray

    def take_in(self, W, b):
        """Turn parameters for the standardised inputs into those for the inputs, in place.

        Parameters
        ----------
        W : ndarray of shape (n_features, n_out)
        b : ndarray of shape (n_out,)
        """
        with np.errstate(**IGNORE_OVERFLOW):
            W /= self.scales[:, np.newaxis]
            b -= self.means @ W


class InputMoments(NamedTuple):
    """Weighted mean and standard deviation of each input.

    Parameters
    ----------
    means, deviations : ndarray of shape (n_features,)
    n_inputs : float
        Weighted mean of how many inputs of a row are not zero.
    """

    means: np.ndarray
    deviations: np.ndarray
    n_inputs: float

    @property
    def constant(self):
        """Which inputs differ by no more than rounding: an array of bool."""
        return self.deviations <= ROUNDING * np.abs(self.means)

    def scale(self, dtype) -> InputScale:
        """What standardises the inputs, which are computed with in a given precision."""
        means, deviations, _ = self
        with np.errstate(**IGNORE_OVERFLOW):
            # What rounding makes of a constant far from 0 would outweigh all that is centred.
            is_constant = deviations <= 4.0 * np.finfo(dtype).eps * np.abs(means)
            spreads = np.where(is_constant, np.abs(means), deviations)
            scales = np.where(spreads > 1.0 + STANDARDISED_TOLERANCE, spreads, 1.0)
            scales[~np.isfinite(scales)] = 1.0
            if (np.abs(means) <= STANDARDISED_TOLERANCE * deviations).all():
                means = np.zeros_like(means)
        return InputScale(means, scales)


def measure_inputs(sum_over_blocks, total_weight) -> InputMoments:
    """The inputs' means and deviations, by two passes over the rows.

    Mean and variance are those of the deviations from the first pass's means, which
    corrects these (Chan, Golub & LeVeque, "Algorithms for computing the sample variance",
    1983): they are accurate for numbers far from zero. Deviations are taken in units of the
    mean absolute value, so that no square overflows.

    Parameters
    ----------
    sum_over_blocks : callable(function) -> tuple
    total_weight : float
    """
    centre, sizes, n_inputs = sum_over_blocks(partial(block_input_sums, total_weight))
    unit = np.maximum(sizes, 1.0)
    first, second = sum_over_blocks(partial(block_moments, total_weight, centre, unit))
    with np.errstate(**IGNORE_OVERFLOW):
        means = centre + unit * first
        deviations = unit * np.sqrt(np.maximum(second - first**2, 0.0))
    return InputMoments(means, deviations, float(n_inputs))
