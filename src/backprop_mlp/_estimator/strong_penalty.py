"""Penalties that leave a network little to learn, and the warning that says what to do."""

import warnings

from .._training.history import counted
from .._training.search_fit import alpha_is_chosen

LIGHT_WEIGHT = 0.1
"""Total weight per row below which the penalty is out of proportion."""


class StrongPenaltyWarning(UserWarning):
    """The penalty leaves the network little to learn: ``alpha`` is too large for the rows' weight.

    The penalty is divided by m, the number of rows or their total weight. Where that is
    small, as with weights that sum to one, the same ``alpha`` weighs more.

    Examples
    --------
    >>> import warnings
    >>> from backprop_mlp import StrongPenaltyWarning
    >>> warnings.simplefilter("ignore", StrongPenaltyWarning)
    """


def are_light(alpha, total_weight, n_rows):
    """Whether rows weigh so little that the penalty is out of proportion.

    Not if alpha makes up for it: if rows of weight 1 would need the default or less for
    the same balance.
    """
    share = total_weight / n_rows
    return share < LIGHT_WEIGHT and alpha > share * (1.0 + 1e-9)


def warn_of_light_rows(alpha, total_weight, n_rows):
    """Warn that rows weigh so little that the penalty is out of proportion: see `are_light`.

    Parameters
    ----------
    alpha : float
    total_weight : float
    n_rows : int
        Number of rows whose weight is above 0.
    """
    warnings.warn(
        f"The rows' total weight, {total_weight:.6g}, is under a tenth of their number, {n_rows}. "
        f"The penalty is divided by it, so alpha={alpha:g} is stronger than it seems: for the "
        "balance that it has without weights, multiply alpha by total weight / number of rows "
        f"(alpha={alpha * total_weight / n_rows:.3g}), or scale the weights to a mean of 1.",
        StrongPenaltyWarning,
        stacklevel=2,
    )


def warn_of_a_constant_model(estimator, problem, outcome, from_constant, *, scaled):
    """Warn that a fit has come to hardly more than a constant prediction.

    Parameters
    ----------
    estimator : BackpropMLP
    problem : Problem
    outcome : Outcome
    from_constant : bool
        Whether it went on from parameters that were no better.
    scaled : bool
        Whether the features need no scaler.
    """
    of_what = _penalty_divisor(problem.blocks.total_weight, problem.blocks.n_weighted_rows)
    # A robust loss grows no faster than the distance: rows far from all others may make up nearly
    # all of the cost of a network that is right about the others.
    is_robust = not (problem.targets.has_classes or problem.network.loss.mean_is_best_constant)
    warnings.warn(
        "The network predicts next to the same for every row"
        + (", or a few rows whose y is far away make up the cost" if is_robust else "")
        + f": its cost, {outcome.cost:.6g}, is within 0.1 % of {problem.baseline.cost:.6g}, that "
        "of a constant prediction. "
        + (
            _from_new_weights(estimator.alpha, of_what)
            if from_constant
            else _other_than_constant(estimator, of_what, alpha_is_chosen(), scaled=scaled)
        ),
        StrongPenaltyWarning,
        stacklevel=2,
    )


def warn_of_constant_folds(network, total_weight, n_rows, is_chosen, *, scaled):
    """Warn that the network of every fold of a search predicts a constant.

    Parameters
    ----------
    network : BackpropMLP
        That of a fold.
    total_weight, n_rows, is_chosen
        As `warn_of_folds` is given them.
    scaled : bool
        Whether the features need no scaler.
    """
    warnings.warn(
        "The network of every fold predicts next to the same for every row: its predictions "
        "vary by less than 0.1 % of what y does. "
        + _other_than_constant(
            network, _penalty_divisor(total_weight, n_rows), is_chosen, scaled=scaled
        ),
        StrongPenaltyWarning,
        stacklevel=3,
    )


def _from_new_weights(alpha, of_what):
    """What to do where training began at a constant prediction, and found no way out."""
    advice = (
        "Training went on from parameters that were no better: units that a strong penalty has "
        "taken out may not come back. Train from new weights (warm_start=False)"
    )
    if alpha > 0.0:
        advice += f"; if that ends here, too, lower alpha: {_too_strong(alpha, of_what)}"
    return f"{advice}."


def _other_than_constant(estimator, of_what, is_chosen, *, scaled):
    """What to do for more than a constant prediction.

    Parameters
    ----------
    estimator : BackpropMLP
    of_what : str
        What the penalty is divided by: rows, or a weight.
    is_chosen : bool
        Whether a search preferred its alpha to smaller ones.
    scaled : bool
        Whether the features need no scaler: see `need_no_scaler`.
    """
    alpha = float(estimator.alpha)
    if is_chosen:
        tried = f"The search has tried smaller alphas than {alpha:g}, and they score no better: "
        if not scaled:
            return tried + "scale the features (StandardScaler)."
        return tried + "the features, as they are, may tell little of y."
    if alpha == 0.0:
        return (
            "With alpha=0 it is not the penalty that keeps it there: change the initializer or "
            "the random_state, or scale the features."
        )
    advice = f"Lower alpha: {_too_strong(alpha, of_what)}"
    if not scaled:
        advice = (
            "Scale the features (StandardScaler); if that ends here, too, lower alpha: "
            + _too_strong(alpha, of_what)
        )
    if not isinstance(estimator.initializer, str):
        advice += "; or let the initializer give larger weights"
    if estimator.warm_start:
        advice += (
            ". Then train from new weights (warm_start=False): units that the penalty has taken "
            "out may not come back"
        )
    return f"{advice}."


def _too_strong(alpha, of_what):
    return f"{alpha:g} may be too strong for {of_what}"


def _penalty_divisor(total_weight, n_rows):
    """What the penalty is divided by, for the message: a weight only if that is another number."""
    if total_weight == n_rows:
        return counted(n_rows, "row")
    return f"a total weight of {total_weight:g}"
