"""What a fit warns of, before and after training: which warning is due, and when none is.

The warnings themselves: `ignored_keywords`, `strong_penalty`, and here those of y's scale, of
interruption, and of training that did not converge, with what `_training/advice.py` says of it.
A `fit` of a search of ours leaves them to the search: see `leaves_warnings`.
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._network.regression_losses import Quantile
from .._objective.objective import check_row_weights
from .._objective.overflow import IGNORE_OVERFLOW
from .._training.advice import advise, are_scaled, columns_differ, need_no_scaler
from .._training.baseline import costs_more, costs_the_same
from .._training.search_fit import leaves_warnings, search_fit
from .assembly import open_objective
from .ignored_keywords import warn_of_ignored_keywords
from .strong_penalty import (
    are_light,
    warn_of_a_constant_model,
    warn_of_constant_folds,
    warn_of_light_rows,
)


def _ended_early(problem, outcome):
    """Whether numbers were too small for tol: a constant prediction would have cost less.

    For labels, whose loss has one unit, tol says what is little.
    """
    return not problem.targets.has_classes and outcome.cost > problem.baseline.cost


def _warn_of_a_large_tol(problem, outcome):
    """Warn that training has ended at a gradient, or a gain, that is small for its unit alone."""
    tol = "estimator__tol" if search_fit() else "tol"
    warnings.warn(
        f"Training ended because {outcome.stopping.message}, but the cost, {outcome.cost:.6g}, is "
        f"above {problem.baseline.cost:.6g}, that of a constant prediction: tol is too "
        f"large for so small a loss. Lower {tol}, or scale y if it holds small numbers.",
        ConvergenceWarning,
        stacklevel=2,
    )


def warn_of_interruption(outcomes):
    """Warn, once, that Ctrl-C ended one run of training or several."""
    for outcome in outcomes:
        if outcome.interrupted:
            warnings.warn(
                f"Training was interrupted after {outcome.history.iterations}; the best "
                "parameters so far are kept.",
                stacklevel=2,
            )
            return


def warn_before(estimator, problem, earlier=None):
    """Warn of what is known before training.

    Parameters
    ----------
    estimator : BackpropMLP
    problem : Problem
    earlier : Earlier or None, default=None
        What training goes on from.
    """
    if leaves_warnings():
        return
    blocks = problem.blocks
    check_row_weights(blocks)  # an error comes before advice
    warn_of_ignored_keywords(estimator)
    balance = estimator.alpha, blocks.total_weight, blocks.n_weighted_rows
    if are_light(*balance):
        warn_of_light_rows(*balance)
    warn_of_a_scale_that_was_unknown(estimator, problem, earlier)
    warn_of_a_crowded_y(estimator, problem.targets, problem.baseline)


def warn_of_a_first_chunk(estimator, problem):
    """Warn where y does not vary in the first chunk of a stream, whose scale all others keep."""
    unscaled = problem.baseline.constant_outputs
    if unscaled and _scales_y(estimator, problem):
        warnings.warn(
            f"y{_of_outputs(unscaled, problem.targets)} does not vary in this first call "
            f"of partial_fit, so {_NOT_SCALED} in all calls. Begin with more rows, in which y "
            f"varies, or {_SCALE_BEFOREHAND}.",
            stacklevel=2,
        )


def warn_of_a_scale_that_was_unknown(estimator, problem, earlier):
    """Warn where y did not vary in the fit that training goes on from, and does now."""
    before = () if earlier is None else earlier.memory.get("constant_outputs", ())
    unscaled = [k for k in before if k not in problem.baseline.constant_outputs]
    if unscaled and _scales_y(estimator, problem):
        warnings.warn(
            f"y{_of_outputs(unscaled, problem.targets)} did not vary in the fit that training "
            f"goes on from, so {_NOT_SCALED}. Train from new weights (a new estimator, or `fit` "
            f"with warm_start=False) on rows in which y varies, or {_SCALE_BEFOREHAND}.",
            stacklevel=2,
        )


def warn_of_a_crowded_y(estimator, targets, baseline):
    """Warn where a robust loss has too large units for most of y: see `find_crowded_outputs`."""
    crowded = baseline.crowded_outputs
    if not crowded:
        return
    loss, scale = targets.loss, targets.scale[crowded[0]]
    if isinstance(loss, Quantile):
        widened = ", which a few rows far away widen," if estimator.normalize_y else ""
        what = (
            f"is crowded where its quantile {loss.quantile:g} lies: within "
            f"{loss.smoothing * scale:.3g} of it{widened} the pinball loss is rounded off, so that "
            "another number is predicted. Scale"
        )
    else:
        deviations = f", {loss.threshold:g} deviations, which rows far away widen,"
        what = (
            f"is crowded next to the huber_threshold: that is {loss.threshold * scale:.3g} in y's "
            f"units{deviations if estimator.normalize_y else ''} and half of the rows are within a "
            "twentieth of it of their centre. So the others move predictions as they move means. "
            "Lower huber_threshold, or scale"
        )
    warnings.warn(
        f"y{_of_outputs(crowded, targets)} {what} y by its quartiles, with "
        "normalize_y=False: TransformedTargetRegressor(regressor, transformer=RobustScaler()).",
        stacklevel=2,
    )


_NOT_SCALED = "normalize_y=True has no scale to divide it by: y_scale_ is 1"
_SCALE_BEFOREHAND = "set normalize_y=False and scale y beforehand"


def _scales_y(estimator, problem):
    return estimator.normalize_y and problem.targets.loss.has_identity_link


def _of_outputs(columns, targets):
    """Which outputs, for the message, where there are several."""
    if targets.n_outputs == 1:
        return ""
    return f" of output {columns[0]}" if len(columns) == 1 else f" of outputs {columns}"


def warn_after(estimator, problem, outcomes, best, earlier):
    """Warn of how training ended: once for all starts.

    Parameters
    ----------
    estimator : BackpropMLP
    problem : Problem
    outcomes : list of Outcome
        One per start.
    best : Outcome
        The one that is kept.
    earlier : Earlier or None
        What they went on from.
    """
    if leaves_warnings():
        return
    if any(outcome.interrupted for outcome in outcomes):
        warn_of_interruption([best, *outcomes])
    elif best.stopping.by_user:
        pass  # A callback may end training anywhere.
    elif not best.stopping.converged:
        _warn_of_no_convergence(estimator, problem, best)
    elif not problem.y_differs:
        pass  # The best is a constant prediction, from which nearly every cost differs.
    elif costs_the_same(best.cost, problem.baseline.cost):
        # Next to a crowded y, which was warned of before, alpha and features are not to blame.
        if not problem.baseline.crowded_outputs:
            _warn_of_a_constant(estimator, problem, best, earlier)
    elif _ended_early(problem, best):
        _warn_of_a_large_tol(problem, best)


def _warn_of_no_convergence(estimator, problem, best):
    """Warn that training ended before it converged, with what may help."""
    with open_objective(problem, estimator.alpha) as objective:
        scaled = are_scaled(objective.input_moments)
    cost, n_rows = problem.baseline.cost, problem.blocks.n_rows
    message = advise(best, cost, estimator, n_rows=n_rows, scaled=scaled, search=search_fit())
    warnings.warn(message, ConvergenceWarning, stacklevel=3)


def _warn_of_a_constant(estimator, problem, best, earlier):
    """Warn that training converged to a constant prediction, where rows could be told apart."""
    with open_objective(problem, estimator.alpha) as objective:
        columns = objective.input_moments
        from_constant = earlier is not None and _no_better(
            objective.of(best.network), problem, earlier
        )
    blocks = problem.blocks
    # Light rows were warned of before.
    if columns_differ(columns) and not are_light(
        estimator.alpha, blocks.total_weight, blocks.n_weighted_rows
    ):
        scaled = need_no_scaler(columns, estimator.solver)
        warn_of_a_constant_model(estimator, problem, best, from_constant, scaled=scaled)


def _no_better(objective, problem, earlier):
    """Whether earlier parameters, without their penalty, cost no less than a constant."""
    with np.errstate(**IGNORE_OVERFLOW):
        loss = objective.value(earlier.theta) - objective.penalty(earlier.theta)
    constant = problem.baseline.cost
    return costs_more(loss, constant, 0.0) or costs_the_same(loss, constant)


# Searches


def warn_of_folds(networks, total_weight, n_rows, is_chosen, are_constant, measure_columns):
    """Warn, once, of what the fits of a search's folds left to it.

    Parameters
    ----------
    networks : list of BackpropMLP
        What the folds trained with the chosen alpha.
    total_weight : float
        Of all rows.
    n_rows : int
        Number of rows whose weight is above 0.
    is_chosen : bool
        Whether the search preferred this alpha to smaller ones.
    are_constant : callable() -> bool
        Whether the networks predict next to the same for every row, though y differs.
    measure_columns : callable() -> InputMoments
        Of all rows.
    """
    alpha = networks[0].alpha
    warn_of_ignored_keywords(networks[0])
    if are_light(alpha, total_weight, n_rows):
        warn_of_light_rows(alpha, total_weight, n_rows)
    elif all(network.converged_ for network in networks) and are_constant():
        columns = measure_columns()
        if columns_differ(columns):
            scaled = need_no_scaler(columns, networks[0].solver)
            warn_of_constant_folds(networks[0], total_weight, n_rows, is_chosen, scaled=scaled)
