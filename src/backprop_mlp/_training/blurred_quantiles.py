"""Quantiles that the rounded kink of the pinball loss moves: where y is crowded next to it."""

from functools import partial

import numpy as np

from .._network.regression_losses import Quantile
from .._objective.overflow import IGNORE_OVERFLOW

BINS = 2000
"""Of the numbers within the rounding: those of one bin count as equal, such as zeros."""

MAX_SHARE = 0.2
"""Share of the rows beyond a quantile that may lie between it and the best constant."""

MAX_SMOOTHING = 0.1
"""Of the deviation of y, without ``normalize_y``."""


def find_blurred_outputs(targets, loss, z, moments, total_of_codes):
    """Columns of y whose quantile another number would be predicted for.

    Parameters
    ----------
    targets : Numbers
    loss : RegressionLoss
        Only the pinball loss is rounded.
    z : ndarray of shape (n_outputs,)
        The constant that costs least.
    moments : Moments
        Of all rows.
    total_of_codes : callable(function) -> object
        Sum of ``function(codes, sample_weight)`` over all rows.

    Returns
    -------
    columns : list of int
    """
    if not isinstance(loss, Quantile) or not np.isfinite(z).all():
        return []
    weights = total_of_codes(partial(weigh_bins, targets, loss.smoothing, z))
    deviations = moments.deviation / targets.scale
    return [
        k
        for k, (of_bins, deviation) in enumerate(zip(weights, deviations, strict=True))
        if deviation > 0.0
        and (
            loss.smoothing > MAX_SMOOTHING * deviation
            or _share_between(of_bins / moments.weight, loss.quantile)
            > MAX_SHARE * min(loss.quantile, 1.0 - loss.quantile)
        )
    ]


def weigh_bins(targets, smoothing, z, codes, sample_weight):
    """The weight of the rows below, in each bin of, and above what is rounded around logits z.

    Returns
    -------
    weights : ndarray of shape (n_outputs, BINS + 2)
        Those of parts add up.
    """
    with np.errstate(**IGNORE_OVERFLOW):
        places = (targets.encode(codes, np.float64) - z) / smoothing
    numbers = np.floor((places.clip(-2.0, 2.0) + 1.0) * (BINS / 2)).clip(-1, BINS).astype(int) + 1
    return np.stack([np.bincount(of_one, sample_weight, BINS + 2) for of_one in numbers.T])


def _share_between(shares, quantile):
    """The share of the rows between the bin of their quantile and the middle one."""
    up_to = np.cumsum(shares)
    own, middle = np.searchsorted(up_to, quantile), BINS // 2
    below = slice(own + 1, middle + 1) if own < middle else slice(middle + 1, own)
    return shares[below].sum()
