"""From an estimator's keywords and the user's rows to the problem that they pose."""

from functools import reduce
from operator import add
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state

from .._network.network import Network
from .._objective.blocks import RowBlocks, row_slices
from .._sklearn import _safe_indexing, validate_params
from .._targets.class_weight import weigh_rows
from .._targets.targets import Targets
from .._training.baseline import constant_cost, cost_of_the_mean, loss_of_a_constant
from .._training.start import training_theta
from .._training.validation import ROWS_AT_ONCE, Validation, split_rows
from .adoption import earlier_training
from .assembly import build_network
from .fitted import fitted_network
from .rows import (
    PRECISIONS,
    check_rows,
    check_validation_arguments,
    errors_of_validation_rows,
    row_weights,
)


class Problem(NamedTuple):
    """Rows and the network for them.

    Parameters
    ----------
    targets : Targets
    network : Network
        The training network, or the fitted one.
    blocks : RowBlocks
        The rows.
    validation : Validation or None, default=None
        The rows to validate on.
    class_weight : ndarray or None, default=None
        Factor of the row weights, per class; None for numbers.
    split_seed : int or None, default=None
        Of the draw of the rows that are held out.
    constant_cost : float, default=inf
        J of the best constant prediction, if all rows are known.
    """

    targets: Targets
    network: Network
    blocks: Any
    validation: Validation | None = None
    class_weight: Any = None
    split_seed: int | None = None
    constant_cost: float = np.inf


def pose(
    estimator, X, y, sample_weight, given_validation, rng, earlier=None, precisions=PRECISIONS
):
    """The problem that keywords and training rows pose; an error before any work.

    Parameters
    ----------
    estimator : BackpropMLP
        Its keywords are read, its features noted, and its targets compared if training
        goes on.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : array-like of shape (n_samples,) or None
    given_validation : tuple of X_val, y_val and sample_weight_val
        Each may be None.
    rng : numpy.random.RandomState
        Source of the seed by which rows are held out.
    earlier : Earlier or None, default=None
        What training goes on from: rows that were held out stay held out.
    precisions : dtype or sequence of dtype, default=PRECISIONS

    Returns
    -------
    problem : Problem
    """
    check_validation_arguments(*given_validation)
    given = X
    X, y = check_rows(estimator, X, y, reset=earlier is None, precisions=precisions)
    targets = estimator._targets_of(y)
    if earlier is not None:
        targets = targets.continuing(fitted_network(estimator).targets, "warm_start=True")
    network = training_network(estimator, X.shape[1], targets, earlier, "warm_start=True")
    weights = row_weights(sample_weight, X)
    codes = targets.codes(y, weights, X.dtype)
    chosen = held_out = None
    seed = None if earlier is None else earlier.memory.get("split_seed")
    if estimator.early_stopping and given_validation[0] is None:
        seed = int(rng.randint(np.iinfo(np.int32).max)) if seed is None else seed
        stratify = targets.exclusive_classes is not None
        chosen, held_out = split_rows(codes, weights, stratify, estimator.validation_fraction, seed)
    totals = _totals(targets, codes, weights, chosen)
    if earlier is None and not targets.has_classes:
        targets = targets.scaled_by(totals)
        codes = targets.codes(y, weights, X.dtype)
    class_weight = estimator._class_weights(targets, totals)
    factored, weigh = weigh_rows(targets, codes, weights, class_weight)
    blocks = RowBlocks.of(network, X, codes, factored, targets.encode, chosen, weigh)
    scoring = estimator.scoring
    if scoring not in (None, "loss"):
        scoring = check_scoring(estimator, scoring)
    validation = None
    if given_validation[0] is not None:
        with errors_of_validation_rows():
            validation = _given_validation(
                estimator, given_validation, targets, network, class_weight, scoring
            )
    elif held_out is not None:
        blocks_val = RowBlocks.of(network, X, codes, factored, targets.encode, held_out, weigh)
        scorer_rows: Any = None
        if callable(scoring):
            weights_val = None if sample_weight is None else weights[held_out]
            scorer_rows = _scorer_rows(estimator, given, X, y[held_out], weights_val, held_out)
        totals_val = _totals_of_numbers(targets, codes, weights, held_out)
        validation = Validation(blocks_val, targets, scoring, scorer_rows, totals_val)
    if targets.has_classes:
        constant = constant_cost(targets, network.loss, totals, class_weight, blocks.total_weight)
    else:
        constant = cost_of_the_mean(
            targets,
            network.loss,
            totals,
            lambda z: sum(
                loss_of_a_constant(targets, network.loss, z, *part)
                for part in _in_parts(codes, weights, chosen)
            ),
        )
    return Problem(targets, network, blocks, validation, class_weight, seed, constant)


def _given_validation(estimator, given_validation, targets, network, class_weight, scoring):
    """The validation rows that the user gives."""
    given, y, sample_weight = given_validation
    X, y = check_rows(estimator, given, y)
    row_weight = row_weights(sample_weight, X)
    codes = targets.codes(y, row_weight, X.dtype)
    weights, weigh = weigh_rows(targets, codes, row_weight, class_weight)
    blocks = RowBlocks.of(network, X, codes, weights, targets.encode, weigh=weigh)
    # What scorers do with a number of zero weight is not known: it might overflow.
    scored = y if targets.has_classes else codes
    scorer_rows = _scorer_rows(estimator, given, X, scored, sample_weight)
    totals = _totals_of_numbers(targets, codes, row_weight)
    return Validation(blocks, targets, scoring, scorer_rows, totals)


def pose_chunk(estimator, X, y, sample_weight, classes, earlier):
    """The problem of one call of ``partial_fit``.

    Parameters
    ----------
    estimator : BackpropMLP
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : array-like of shape (n_samples,) or None
    classes : array-like of shape (n_classes,) or None
    earlier : Earlier or None
        None in the first call.

    Returns
    -------
    problem : Problem
    """
    X, y = check_rows(estimator, X, y, reset=earlier is None)
    before = None if earlier is None else fitted_network(estimator).targets
    targets = estimator._chunk_targets(y, classes, before)
    network = training_network(estimator, X.shape[1], targets, earlier, "partial_fit")
    row_weight = row_weights(sample_weight, X)
    codes = targets.codes(y, row_weight, X.dtype)
    if earlier is None and not targets.has_classes:
        targets = targets.scaled_by(_totals(targets, codes, row_weight))
        codes = targets.codes(y, row_weight, X.dtype)
    class_weight = estimator._class_weights(targets, None)
    weights, weigh = weigh_rows(targets, codes, row_weight, class_weight)
    blocks = RowBlocks.of(network, X, codes, weights, targets.encode, weigh=weigh)
    seed = None if earlier is None else earlier.memory.get("split_seed")
    return Problem(targets, network, blocks, None, class_weight, seed)


def pose_fitted(estimator, X, y, sample_weight, precisions=PRECISIONS):
    """Given rows as a problem for the fitted network, and its packed parameters."""
    fitted = fitted_network(estimator)
    X, y = check_rows(estimator, X, y, precisions=precisions)
    targets, network = fitted.targets, fitted.network
    weights = row_weights(sample_weight, X)
    codes = targets.codes(y, weights, X.dtype)
    class_weight = getattr(estimator, "class_weight_", None)
    weights, weigh = weigh_rows(targets, codes, weights, class_weight)
    blocks = RowBlocks.of(network, X, codes, weights, targets.encode, weigh=weigh)
    return Problem(targets, network, blocks), fitted.theta()


def pose_check(estimator, X, y, sample_weight):
    """Given rows in float64, the network that training sees, and the parameters it has.

    Returns
    -------
    problem : Problem
    theta : ndarray of shape (problem.network.n_params,), float64, or None
        None for an estimator that is not fitted.
    """
    if hasattr(estimator, "coefs_"):
        problem, theta = pose_fitted(estimator, X, y, sample_weight, np.float64)
        earlier = earlier_training(estimator)
        network = training_network(
            estimator, len(estimator.coefs_[0]), problem.targets, earlier, "a check"
        )
        if network.training_only:
            theta, _ = training_theta(network, earlier, goes_on=True)
            return problem._replace(network=network), theta.astype(np.float64)
        return problem, theta
    unfitted = clone(estimator).set_params(early_stopping=False)
    validate_params(unfitted)
    rng = check_random_state(unfitted.random_state)
    problem = pose(unfitted, X, y, sample_weight, (None, None, None), rng, precisions=np.float64)
    return problem, None


def training_network(estimator, n_features, targets, earlier, what):
    """The network that the keywords describe; an error if training can't go on with it.

    Parameters
    ----------
    estimator : BackpropMLP
    n_features : int
    targets : Targets
    earlier : Earlier or None
        What training goes on from.
    what : str
        What needs the earlier network's sizes, for the message.
    """
    network = build_network(estimator, n_features, targets)
    if earlier is None:
        return network
    sizes = [b.size for _, b in earlier.network.dense_views(earlier.theta)]
    if [b.size for _, b in network.dense_views(network.blank())] != sizes:
        raise ValueError(
            f"{what} needs the hidden_layer_sizes of the previous fit: {sizes[:-1]}; "
            f"got {estimator.hidden_layer_sizes!r}."
        )
    return network


def _totals(targets, codes, sample_weight, chosen=None):
    """``targets.totals`` of the chosen rows; None means all."""
    return reduce(add, (targets.totals(*part) for part in _in_parts(codes, sample_weight, chosen)))


def _totals_of_numbers(targets, codes, sample_weight, chosen=None):
    """The totals that R2 needs; None for labels."""
    return None if targets.has_classes else _totals(targets, codes, sample_weight, chosen)


def _in_parts(codes, sample_weight, chosen):
    """Codes and weights of the chosen rows, in parts: only of one at a time there is a copy."""
    if chosen is None:
        parts: Any = row_slices(codes.shape[0], ROWS_AT_ONCE)
    else:
        parts = (chosen[part] for part in row_slices(len(chosen), ROWS_AT_ONCE))
    return ((codes[part], sample_weight[part]) for part in parts)


def _scorer_rows(estimator, given, X, y, sample_weight, chosen=None):
    """What a scorer is given after the estimator: rows with their names, if they have any."""
    if hasattr(estimator, "feature_names_in_"):
        X = given
    if chosen is not None:
        X = _safe_indexing(X, chosen)
    return (X, y), {} if sample_weight is None else {"sample_weight": sample_weight}
