"""The constant model: what predicting the same for every row costs, and what that says of a fit."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from .._network.losses import Loss
from .._objective.overflow import IGNORE_OVERFLOW
from .._targets.targets import ClassTargets
from .crowded import find_crowded_outputs

NEGLIGIBLE_DIFFERENCE = 1e-3
"""Relative difference of costs that counts for little."""

_MAX_PASSES = 64
"""Over the rows, to find the best constant; about a dozen are enough."""


class Baseline(NamedTuple):
    """What the best constant prediction says of a problem.

    Parameters
    ----------
    cost : float, default=inf
        J of the best constant prediction; inf where not all rows are known.
    cost_unit : float, default=1
        What ``tol`` is counted in.
    constant_outputs : sequence of int, default=()
        Columns of y that hold a single number; none for classes, whose constant cost tells it.
    crowded_outputs : sequence of int, default=()
        Columns of y most of which is close together next to the units of a robust loss.
    """

    cost: float = np.inf
    cost_unit: float = 1.0
    constant_outputs: Sequence[int] = ()
    crowded_outputs: Sequence[int] = ()


def find_baseline(targets, loss, totals, class_weight, total_weight, total_of_codes):
    """The best constant prediction of a problem whose rows are all known.

    Parameters
    ----------
    targets : Targets
    loss : Loss or RegressionLoss
    totals : ndarray or Moments
        As ``targets.totals`` of all rows.
    class_weight : ndarray or None
        Of classes.
    total_weight : float
        m.
    total_of_codes : callable(function) -> object
        Sum of ``function(codes, sample_weight)`` over all rows; called for numbers only.

    Returns
    -------
    baseline : Baseline
    """
    if targets.has_classes:
        return Baseline(constant_cost(targets, loss, totals, class_weight, total_weight))

    def sum_losses(z):
        return total_of_codes(partial(losses_of_a_constant, targets, loss, z))

    z, cost = best_constant(targets, loss, totals, sum_losses)
    crowded = find_crowded_outputs(targets, loss, z, totals, total_of_codes)
    unit = cost_unit_at_the_mean(targets, loss, totals)
    return Baseline(cost, unit, totals.constant, crowded)


def baseline_of_numbers(targets, codes, weights):
    """The best constant prediction of numbers, given as arrays, with their rows' weights."""

    def total_of_codes(function):
        return function(codes, weights)

    totals = targets.totals(codes, weights)
    return find_baseline(targets, targets.loss, totals, None, weights.sum(), total_of_codes)


def constant_cost(targets: ClassTargets, loss: Loss, totals, class_weight, total_weight):
    """J where all weights are zero and the outputs are how often their class or label occurs.

    No constant prediction costs less.

    Parameters
    ----------
    targets : ClassTargets
    loss : Loss
    totals : ndarray of shape (n_classes,), or (n_labels, 2) for labels
        Total weight of the rows of each class, or without and with each label.
    class_weight : ndarray, shaped as totals
        Factor of these weights in the loss.
    total_weight : float
        m.

    Returns
    -------
    cost : float
        inf if numbers overflow.
    """
    # One row stands for all rows of a class, or two for all that lack or have a label.
    n = len(totals)
    codes = np.repeat([[0], [1]], n, axis=1) if targets.multilabel else np.arange(n)
    Y = targets.encode(codes, np.float64)
    with np.errstate(**IGNORE_OVERFLOW, divide="ignore"):
        w = (totals / total_weight * class_weight).T
        per_output = np.broadcast_to(w if w.ndim == 2 else w[:, np.newaxis], Y.shape)
        h = (per_output * Y).sum(axis=0) / np.maximum(per_output.sum(axis=0), np.finfo(float).tiny)
        z = loss.logits(np.clip(h, np.finfo(float).tiny, 1.0 - np.finfo(float).epsneg))
        cost = loss.value(np.tile(z, (len(Y), 1)), Y, w)
    return cost if np.isfinite(cost) else np.inf


def best_constant(targets, loss, moments, sum_losses):
    """The constant that costs least, and J where all weights are zero and the outputs are it.

    Parameters
    ----------
    targets : Numbers
    loss : RegressionLoss
    moments : Moments
        Of all rows.
    sum_losses : callable(z) -> ndarray of shape (1 + n_outputs,)
        See `losses_of_a_constant`, of all rows.

    Returns
    -------
    z : ndarray of shape (n_outputs,)
        Logits.
    cost : float
        inf if numbers overflow.
    """
    with np.errstate(**IGNORE_OVERFLOW, divide="ignore"):
        z = _logits_of_the_mean(targets, loss, moments)
        if not loss.mean_is_best_constant:
            spread = np.where(moments.deviation > 0.0, moments.deviation / targets.scale, 1.0)
            z = _best_constant(z, spread, sum_losses)
        cost = sum_losses(z)[0] / np.float64(moments.weight)
    return z, cost if np.isfinite(cost) else np.inf


def _best_constant(z, step, sum_losses):
    """Constant logits of the least loss, which is convex in each of them.

    Each is bracketed in doubling steps, and then bisected, all in the same passes, until the
    slopes at the ends say that hardly anything is left to gain.
    """
    low, high = np.full_like(z, -np.inf), np.full_like(z, np.inf)
    rise_low, rise_high = low, high
    for _ in range(_MAX_PASSES):
        loss, *slopes = sum_losses(z)
        slope = np.array(slopes)
        falls, rises = slope <= 0.0, slope >= 0.0
        low, rise_low = np.where(falls, z, low), np.where(falls, slope, rise_low)
        high, rise_high = np.where(rises, z, high), np.where(rises, slope, rise_high)
        # By convexity; nan where numbers overflow.
        to_gain = (high - low) * np.minimum(-rise_low, rise_high)
        if not to_gain.sum() > 1e-2 * NEGLIGIBLE_DIFFERENCE * loss:
            break
        is_bracketed = np.isfinite(high - low)
        z = np.where(is_bracketed, low + 0.5 * (high - low), np.where(rises, z - step, z + step))
        step = np.where(is_bracketed, step, 2.0 * step)
    return np.where(-rise_low < rise_high, low, high)


def cost_unit_at_the_mean(targets, loss, moments):
    """What ``tol`` is counted in for the rows whose moments are given: see `RegressionLoss`."""
    with np.errstate(**IGNORE_OVERFLOW, divide="ignore"):
        return loss.cost_unit(_logits_of_the_mean(targets, loss, moments))


def _logits_of_the_mean(targets, loss, moments):
    """The loss's constant, of shape (n_outputs,)."""
    (mean,) = targets.encode(moments.mean[np.newaxis], np.float64)
    weight = np.float64(moments.weight)
    return loss.constant_logits(mean * weight, weight)


def losses_of_a_constant(targets, loss, z, codes, sample_weight):
    """The loss of some rows where all have the logits z, and its derivatives with respect to z.

    Returns
    -------
    sums : ndarray of shape (1 + n_outputs,), float64
        Those of parts add up.
    """
    Y = targets.encode(codes, np.float64)
    with np.errstate(**IGNORE_OVERFLOW):
        value, delta = loss.value_and_delta(np.broadcast_to(z, Y.shape), Y, sample_weight)
        return np.append(value, delta.sum(axis=0))


def costs_more(cost, constant, little):
    """Whether a cost is above the constant model's by more than ``little`` or rounding explains."""
    return cost > constant + max(NEGLIGIBLE_DIFFERENCE * constant, little)


def costs_the_same(cost, constant):
    """Whether a cost is hardly another than the constant model's."""
    return 0.0 < constant < np.inf and abs(cost - constant) <= NEGLIGIBLE_DIFFERENCE * constant
