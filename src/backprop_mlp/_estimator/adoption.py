"""Fitted attributes: set from what training leaves behind, read by what goes on from it."""

from contextlib import contextmanager

import numpy as np

from .._network.network import plain_network
from .._training.monitor import SoFar
from .._training.start import Earlier
from .assembly import activation_names
from .fit_warnings import warn_after
from .fitted import fitted_network, output_in_units
from .seeds import drawn_again_after_failure


@contextmanager
def unchanged_on_failure(estimator):
    """Context that leaves the estimator as it was if what is done in it fails."""
    before = dict(vars(estimator))
    try:
        with drawn_again_after_failure(before.get("random_state")):
            yield
    except BaseException:
        estimator.__dict__ = before
        raise


def adopt_network(estimator, network, targets, theta, dtype):
    """Set the attributes that describe a fitted network.

    Parameters
    ----------
    estimator : BackpropMLP
    network : Network
        A plain one.
    targets : Targets
    theta : ndarray of shape (network.n_params,)
        In the units of training.
    dtype : dtype
        Of the fitted parameters.
    """
    dense = [(W.astype(dtype), b.astype(dtype)) for W, b in network.dense_views(theta)]
    estimator._adopt_targets(targets, dense[-1])
    dense[-1] = output_in_units(targets, dense[-1])
    estimator._activations = [activation.name for activation in network.hidden_activations]
    estimator.coefs_ = [W for W, _ in dense]
    estimator.intercepts_ = [b for _, b in dense]
    estimator.n_layers_ = len(dense) + 1
    estimator.n_outputs_ = targets.n_outputs
    estimator.out_activation_ = network.loss.output_activation
    estimator._loss = network.loss
    estimator._memory = {}


def adopt_thetas(estimator, thetas, targets):
    """Set the attributes of a network that was not trained here.

    Parameters
    ----------
    estimator : BackpropMLP
        Its keywords fit the matrices, but for what is checked here.
    thetas : list of ndarray of shape (n_out, 1 + n_in)
    targets : Targets

    Raises
    ------
    ValueError
        If keywords do not fit the matrices or the targets.
    """
    sizes = [thetas[0].shape[1] - 1, *map(len, thetas)]
    names = activation_names(estimator, len(thetas) - 1)
    network = plain_network(tuple(sizes), tuple(names), estimator._loss_for(targets))
    theta = network.pack([t[:, 1:].T for t in thetas], [t[:, 0] for t in thetas])
    adopt_network(estimator, network, targets, theta, np.float64)
    estimator.n_features_in_ = sizes[0]
    adopt_no_record(estimator)


def adopt_best(estimator, outcomes, problem, earlier):
    """Adopt the best outcome, and warn of how it ended."""
    best = min(outcomes, key=lambda outcome: outcome.rank)
    warn_after(estimator, problem, outcomes, best, earlier)
    adopt_outcome(estimator, best, problem, earlier)


def adopt_outcome(estimator, outcome, problem, earlier):
    """Set all fitted attributes: the network, and how it was trained.

    Parameters
    ----------
    estimator : BackpropMLP
    outcome : Outcome
        Of the best run.
    problem : Problem
    earlier : Earlier or None
        What the run went on from.
    """
    _adopt_training(estimator, outcome, problem, earlier)
    estimator._memory = outcome.memory | {
        "split_seed": problem.split_seed,
        "constant_outputs": still_constant(problem, earlier),
    }


def still_constant(problem, earlier):
    """Outputs whose y has not varied in any rows so far, and is not scaled."""
    so_far = problem.baseline.constant_outputs
    if earlier is not None:
        so_far = earlier.memory.get("constant_outputs", ())
    return [k for k in so_far if k in problem.baseline.constant_outputs]


def _adopt_training(estimator, so_far: SoFar, problem, earlier):
    """Set the fitted attributes that are known after any iteration."""
    _adopt_problem(estimator, problem, so_far.network, so_far.theta)
    history = so_far.history
    estimator.loss_ = so_far.cost
    estimator.loss_curve_ = history.costs
    # With early stopping the score says which parameters are best, as in MLPClassifier.
    lowest = min([*estimator.loss_curve_, so_far.cost])
    estimator.best_loss_ = None if estimator.early_stopping else lowest
    estimator.validation_scores_ = history.scores
    estimator.validation_loss_curve_ = history.losses
    estimator.best_validation_score_ = so_far.best_score
    estimator.n_iter_ = history.n_iter
    n_fun, n_rows_seen = (0, 0) if earlier is None else (earlier.n_fun, earlier.n_rows_seen)
    estimator.n_fun_ = n_fun + so_far.n_fun
    estimator.t_ = n_rows_seen + so_far.n_passes * problem.blocks.n_rows
    estimator.converged_ = so_far.stopping.converged


def _adopt_problem(estimator, problem, network, theta):
    """Set the attributes that describe a network fitted to a problem."""
    adopt_network(estimator, network, problem.targets, theta, problem.blocks.dtype)
    if problem.class_weight is not None:
        estimator.class_weight_ = problem.class_weight


def adopt_no_record(estimator):
    """Keep the parameters and forget how they came about: record and schedules start at zero.

    A mini-batch solver keeps what its rule remembers, such as Adam's averages.
    """
    estimator.loss_curve_ = []
    estimator.n_iter_ = estimator.n_fun_ = estimator.t_ = 0
    estimator.validation_scores_ = estimator.validation_loss_curve_ = None
    estimator.best_validation_score_ = None
    memory = getattr(estimator, "_memory", {})
    state = memory.get("state")
    if state is not None:
        state = state | {"clock": dict.fromkeys(state["clock"], 0)}
    estimator._memory = memory | {"state": state, "rate_factor": 1.0, "progress": None}


def earlier_training(estimator):
    """What a fitted estimator hands to the training that goes on from it."""
    fitted = fitted_network(estimator)
    fitted.check_finite()
    curves = (
        estimator.loss_curve_,
        estimator.validation_scores_,
        estimator.validation_loss_curve_,
    )
    # Files of version 0.1 have no memory that is still understood.
    memory = getattr(estimator, "_memory", {})
    theta = fitted.theta().astype(fitted.dtype)
    return Earlier(fitted.network, theta, curves, estimator.n_fun_, estimator.t_, memory)


_RECORD = (
    "loss_",
    "best_loss_",
    "loss_curve_",
    "validation_scores_",
    "validation_loss_curve_",
    "best_validation_score_",
    "n_iter_",
    "n_fun_",
    "t_",
    "converged_",
)
"""Fitted attributes that tell of a whole call of `fit`."""


def fitted_copy(estimator, problem, network, theta):
    """This estimator as if it were fitted to a problem with a plain network; without a record."""
    twin = fitted_twin(estimator)
    for name in _RECORD:
        # Of an earlier fit.
        vars(twin).pop(name, None)
    _adopt_problem(twin, problem, network, theta)
    return twin


def trained_copy(estimator, problem, earlier, so_far):
    """This estimator as if its training had ended after an iteration."""
    twin = fitted_twin(estimator)
    _adopt_training(twin, so_far, problem, earlier)
    return twin


def fitted_twin(estimator):
    """This estimator as it is: training one of the two does not change the other."""
    # Not copy.copy, in which a subclass may leave out what can't be pickled.
    twin = object.__new__(type(estimator))
    twin.__dict__ = dict(vars(estimator))
    return twin
