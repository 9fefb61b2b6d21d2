"""What a fit warns of: keywords that nothing reads, a penalty too strong, training cut short.

A `fit` of a search of ours leaves it to the search: see `leaves_warnings`.
"""

import warnings
from collections.abc import Callable
from functools import lru_cache
from inspect import signature
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._objective.objective import check_row_weights
from .._objective.overflow import IGNORE_OVERFLOW
from .._solvers.full_batch import METHODS
from .._training.advice import advise, are_scaled, columns_differ
from .._training.baseline import costs_more, costs_the_same
from .._training.history import counted
from .._training.interruption import alpha_is_chosen, leaves_warnings, search_fit
from .assembly import MINI_BATCH_SOLVERS, open_objective

FEW = 0.1
"""Total weight per row below which the penalty is out of proportion."""


class IgnoredKeywordWarning(UserWarning):
    """A keyword was set that the chosen solver or loss never reads.

    A search over several solvers or losses may silence it.

    Examples
    --------
    >>> import warnings
    >>> from backprop_mlp import IgnoredKeywordWarning
    >>> warnings.simplefilter("ignore", IgnoredKeywordWarning)
    """


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


# Keywords that nothing reads


class Readers(NamedTuple):
    """Who reads a keyword.

    Parameters
    ----------
    solvers : tuple of str
    where : str, default=""
        Under which other keywords they read it; empty if under all.
    reads : callable(estimator) -> bool, default=always
        Whether they do under an estimator's.
    """

    solvers: tuple
    where: str = ""
    reads: Callable = lambda estimator: True


READERS = {
    "max_fun": Readers(tuple(METHODS)),
    "batch_size": Readers(MINI_BATCH_SOLVERS),
    "learning_rate": Readers(MINI_BATCH_SOLVERS),
    "learning_rate_init": Readers(
        MINI_BATCH_SOLVERS,
        "where learning_rate is a schedule's name",
        lambda estimator: isinstance(estimator.learning_rate, str),
    ),
    "power_t": Readers(
        MINI_BATCH_SOLVERS,
        "where learning_rate='invscaling'",
        lambda estimator: estimator.learning_rate == "invscaling",
    ),
    "shuffle": Readers(MINI_BATCH_SOLVERS),
    "momentum": Readers(("sgd",)),
    "nesterovs_momentum": Readers(("sgd",)),
    "beta_1": Readers(("adam",)),
    "beta_2": Readers(("adam", "rmsprop")),
    "epsilon": Readers(("adam", "rmsprop")),
    "max_grad_norm": Readers(MINI_BATCH_SOLVERS),
}
"""Keywords that only some solvers read. ``dropout`` and ``batch_norm`` are not among them:
what a full-batch solver can't train is an error."""

LOSS_READING = {"huber_threshold": "huber", "quantile": "quantile"}
"""Keywords that only one loss reads, and its name."""

CHOICES = {"solver": "solver", "learning_rate": "schedule (learning_rate)", "loss": "loss"}
"""Keywords whose values decide what is read, and what they choose, for the message."""


def ignored_keywords(estimator):
    """Keywords, away from their defaults, that the estimator's solver or loss never reads.

    Parameters
    ----------
    estimator : BackpropMLP

    Returns
    -------
    ignored : list of str
    """
    defaults = _defaults(estimator.__class__)

    return [
        keyword
        for keyword in (*READERS, *LOSS_READING)
        if keyword in defaults
        and getattr(estimator, keyword) != defaults[keyword]
        and _not_reading(estimator, keyword)
    ]


def _not_reading(estimator, keyword):
    """Names of the keywords whose values keep another one from being read."""
    if keyword in LOSS_READING:
        return set() if estimator.loss == LOSS_READING[keyword] else {"loss"}
    readers = READERS[keyword]
    by_solver = set() if estimator.solver in readers.solvers else {"solver"}
    return by_solver if readers.reads(estimator) else by_solver | {"learning_rate"}


@lru_cache
def _defaults(estimator_class):
    """Keyword -> its default: reading a signature takes as long as some evaluations."""
    keywords = signature(estimator_class).parameters
    return {name: keyword.default for name, keyword in keywords.items()}


def warn_of_ignored_keywords(estimator):
    """Warn once of all keywords that the estimator's solver or loss never reads."""
    ignored = ignored_keywords(estimator)
    if not ignored:
        return
    causes = set().union(*(_not_reading(estimator, keyword) for keyword in ignored))
    named = causes | {"solver"} if "learning_rate" in causes else causes
    chosen = _listed([_as_set(estimator, name) for name in CHOICES if name in named])
    *others, last = [what for name, what in CHOICES.items() if name in causes]
    choices = f"{', '.join(others)} or {last}" if others else last
    readers = "; ".join(f"{keyword} is read by {_readers(keyword)}" for keyword in ignored)
    warnings.warn(
        f"With {chosen}, {_listed(ignored)} {_do(ignored)} nothing: {readers}. "
        f"Leave out what does nothing, or choose a {choices} that reads it.",
        IgnoredKeywordWarning,
        stacklevel=2,
    )


def warn_of_adaptive_chunks(estimator):
    """Warn that `partial_fit` never lowers an adaptive learning rate."""
    if isinstance(estimator.learning_rate, str) and estimator.learning_rate == "adaptive":
        warnings.warn(
            "learning_rate='adaptive' does nothing in partial_fit: the costs of chunks, whose "
            "rows may differ, are not compared, and the rate stays as it is. Choose a schedule "
            "that counts calls or rows, such as 'invscaling' or 'exponential'.",
            IgnoredKeywordWarning,
            stacklevel=2,
        )


def _as_set(estimator, name):
    """A keyword with its value, for the message; a function has no short name."""
    value = getattr(estimator, name)
    return f"a callable {name}" if callable(value) else f"{name}={value!r}"


def _readers(keyword):
    """What reads a keyword, for the message."""
    if keyword in LOSS_READING:
        return f"loss={LOSS_READING[keyword]!r}"
    readers = READERS[keyword]
    return _listed(readers.solvers) + (f" {readers.where}" if readers.where else "")


def _listed(names):
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _do(names):
    return "does" if len(names) == 1 else "do"


# The penalty


def are_light(alpha, total_weight, n_rows):
    """Whether rows weigh so little that the penalty is out of proportion.

    Not if alpha makes up for it: if rows of weight 1 would need the default or less for
    the same balance.
    """
    share = total_weight / n_rows
    return share < FEW and alpha > share * (1.0 + 1e-9)


def warn_of_light_rows(alpha, total_weight, n_rows):
    """Warn if rows weigh so little that the penalty is out of proportion.

    Parameters
    ----------
    alpha : float
    total_weight : float
    n_rows : int
        Number of rows whose weight is above 0.
    """
    if not are_light(alpha, total_weight, n_rows):
        return
    warnings.warn(
        f"The rows' total weight, {total_weight:.6g}, is under a tenth of their number, {n_rows}. "
        f"The penalty is divided by it, so alpha={alpha:g} is stronger than it seems: for the "
        "balance that it has without weights, multiply alpha by total weight / number of rows "
        f"(alpha={alpha * total_weight / n_rows:.3g}), or scale the weights to a mean of 1.",
        StrongPenaltyWarning,
        stacklevel=2,
    )


def warn_of_a_constant_model(estimator, problem, outcome, from_constant):
    """Warn that a fit has come to hardly more than a constant prediction.

    Parameters
    ----------
    estimator : BackpropMLP
    problem : Problem
    outcome : Outcome
    from_constant : bool
        Whether it went on from parameters that were no better.
    """
    of_what = _rows_or_weight(problem.blocks.total_weight, problem.blocks.n_weighted_rows)
    warnings.warn(
        f"The network predicts next to the same for every row: its cost, {outcome.cost:.6g}, is "
        f"within 0.1 % of {problem.constant_cost:.6g}, that of a constant prediction. "
        + (
            _from_new_weights(estimator.alpha, of_what)
            if from_constant
            else _other_than_constant(estimator, of_what, alpha_is_chosen())
        ),
        StrongPenaltyWarning,
        stacklevel=2,
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


def _other_than_constant(estimator, of_what, is_chosen):
    """What to do for more than a constant prediction.

    Parameters
    ----------
    estimator : BackpropMLP
    of_what : str
        What the penalty is divided by: rows, or a weight.
    is_chosen : bool
        Whether a search preferred its alpha to smaller ones.
    """
    alpha = float(estimator.alpha)
    if is_chosen:
        return (
            f"The search has tried smaller alphas than {alpha:g}, and they score no better: "
            "the features, as they are, may tell little of y."
        )
    if alpha == 0.0:
        return (
            "With alpha=0 it is not the penalty that keeps it there: change the initializer or "
            "the random_state, or scale the features."
        )
    advice = f"Lower alpha: {_too_strong(alpha, of_what)}"
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


def _rows_or_weight(total_weight, n_rows):
    """What the penalty is divided by, for the message: a weight only if that is another number."""
    if total_weight == n_rows:
        return counted(n_rows, "row")
    return f"a total weight of {total_weight:g}"


def warn_of_folds(networks, total_weight, n_rows, is_chosen, are_constant):
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
        Whether the networks predict next to the same for every row.
    """
    alpha = networks[0].alpha
    warn_of_ignored_keywords(networks[0])
    if are_light(alpha, total_weight, n_rows):
        warn_of_light_rows(alpha, total_weight, n_rows)
    elif all(network.converged_ for network in networks) and are_constant():
        warnings.warn(
            "The network of every fold predicts next to the same for every row: its predictions "
            "vary by less than 0.1 % of what y does. "
            + _other_than_constant(networks[0], _rows_or_weight(total_weight, n_rows), is_chosen),
            StrongPenaltyWarning,
            stacklevel=2,
        )


# Training that ends


def _ended_early(problem, outcome):
    """Whether numbers were too small for tol: a constant prediction would have cost less.

    For labels, whose loss has one unit, tol says what is little.
    """
    return not problem.targets.has_classes and outcome.cost > problem.constant_cost


def warn_of_a_large_tol(problem, outcome):
    """Warn that training has ended at a gradient, or a gain, that is small for its unit alone."""
    tol = "estimator__tol" if search_fit() else "tol"
    warnings.warn(
        f"Training ended because {outcome.stopping.message}, but the cost, {outcome.cost:.6g}, is "
        f"above {problem.constant_cost:.6g}, that of a constant prediction: tol is too "
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
    warn_of_light_rows(estimator.alpha, blocks.total_weight, blocks.n_weighted_rows)
    warn_of_a_scale_that_was_unknown(estimator, problem, earlier)


def warn_of_a_first_chunk(estimator, problem):
    """Warn where y does not vary in the first chunk of a stream, whose scale all others keep."""
    if problem.constant_outputs and _scales_y(estimator, problem):
        warnings.warn(
            f"y{_of_outputs(problem.constant_outputs, problem)} does not vary in this first call "
            f"of partial_fit, so {_NOT_SCALED} in all calls. Begin with more rows, in which y "
            f"varies, or {_SCALE_BEFOREHAND}.",
            stacklevel=2,
        )


def warn_of_a_scale_that_was_unknown(estimator, problem, earlier):
    """Warn where y did not vary in the fit that training goes on from, and does now."""
    before = () if earlier is None else earlier.memory.get("constant_outputs", ())
    unscaled = [k for k in before if k not in problem.constant_outputs]
    if unscaled and _scales_y(estimator, problem):
        warnings.warn(
            f"y{_of_outputs(unscaled, problem)} did not vary in the fit that training goes on "
            f"from, so {_NOT_SCALED}. Train from new weights (a new estimator, or `fit` with "
            f"warm_start=False) on rows in which y varies, or {_SCALE_BEFOREHAND}.",
            stacklevel=2,
        )


_NOT_SCALED = "normalize_y=True has no scale to divide it by: y_scale_ is 1"
_SCALE_BEFOREHAND = "set normalize_y=False and scale y beforehand"


def _scales_y(estimator, problem):
    return estimator.normalize_y and problem.targets.loss.has_identity_link


def _of_outputs(columns, problem):
    """Which outputs, for the message, where there are several."""
    if problem.targets.n_outputs == 1:
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
        return
    if best.stopping.by_user:
        # A callback may end training anywhere.
        return
    converged = best.stopping.converged
    if converged and not problem.y_differs:
        # The best is a constant prediction, from which nearly every cost differs.
        return
    is_constant = costs_the_same(best.cost, problem.constant_cost)
    if converged and not is_constant and _ended_early(problem, best):
        warn_of_a_large_tol(problem, best)
        return
    if converged and not is_constant:
        return
    with open_objective(problem, estimator.alpha) as objective:
        columns = objective.input_moments
        from_constant = (
            converged
            and earlier is not None
            and _no_better(objective.of(best.network), problem, earlier)
        )
    blocks = problem.blocks
    if not converged:
        message = advise(
            best,
            problem.constant_cost,
            estimator,
            n_rows=blocks.n_rows,
            scaled=are_scaled(columns),
            search=search_fit(),
        )
        warnings.warn(message, ConvergenceWarning, stacklevel=2)
    elif columns_differ(columns) and not are_light(
        estimator.alpha, blocks.total_weight, blocks.n_weighted_rows
    ):
        # Light rows were warned of before.
        warn_of_a_constant_model(estimator, problem, best, from_constant)


def _no_better(objective, problem, earlier):
    """Whether earlier parameters, without their penalty, cost no less than a constant."""
    with np.errstate(**IGNORE_OVERFLOW):
        loss = objective.value(earlier.theta) - objective.penalty(earlier.theta)
    constant = problem.constant_cost
    return costs_more(loss, constant, 0.0) or costs_the_same(loss, constant)
