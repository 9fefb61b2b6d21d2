"""Where most of y is crowded next to the units of a robust loss, which rows far away widen.

The kink of the pinball loss then is rounded where it has to tell numbers apart, and Huber's loss
turns straight only where outliers are the only rows.
"""

from functools import partial

import numpy as np

from .._network.regression_losses import Huber, Quantile
from .._objective.overflow import IGNORE_OVERFLOW

BINS = 2000
"""Of the numbers within the rounding: those of one bin count as equal, such as zeros."""

MAX_SHARE = 0.2
"""Share of the rows beyond a quantile that may lie between it and the best constant."""

MAX_SMOOTHING = 0.1
"""Of the deviation of y, without ``normalize_y``."""

NEAR = 0.05
"""Part of Huber's threshold within which half of the rows make it too large; of normal numbers
5 % are as near to the mean as that part of the default."""


def find_crowded_outputs(targets, loss, z, moments, total_of_codes):
    """Columns of y that are crowded next to what the loss rounds, or calls an outlier.

    Parameters
    ----------
    targets : Numbers
    loss : RegressionLoss
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
    of_loss = {Quantile: _blurred, Huber: _near}.get(type(loss))
    if of_loss is None or not np.isfinite(z).all():
        return []
    crowded = of_loss(targets, loss, z, moments, total_of_codes)
    return np.flatnonzero(crowded & (moments.deviation > 0.0)).tolist()


def _blurred(targets, loss, z, moments, total_of_codes):
    """In which outputs the constant is another quantile than the one that was asked for."""
    weights = total_of_codes(partial(weigh_bins, targets, loss.smoothing, z))
    between = [_share_between(shares, loss.quantile) for shares in weights / moments.weight]
    is_small = loss.smoothing > MAX_SMOOTHING * moments.deviation / targets.scale
    return is_small | (np.array(between) > MAX_SHARE * min(loss.quantile, 1.0 - loss.quantile))


def _near(targets, loss, z, moments, total_of_codes):
    """In which outputs half of the rows cost next to nothing, next to an outlier."""
    reach = NEAR * loss.threshold
    return total_of_codes(partial(weigh_near, targets, reach, z)) > 0.5 * moments.weight


def weigh_near(targets, reach, z, codes, sample_weight):
    """The weight of the rows within reach of logits z, of shape (n_outputs,); parts add up."""
    with np.errstate(**IGNORE_OVERFLOW):
        return sample_weight @ (np.abs(targets.encode(codes, np.float64) - z) < reach)


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
