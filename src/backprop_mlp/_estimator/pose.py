"""From an estimator's keywords and the user's rows to the problem that they pose."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state

from .._network.network import Network
from .._objective.blocks import DataSet, RowBlocks, total_of_parts
from .._sklearn import _safe_indexing, validate_params
from .._targets.class_weight import weigh_rows
from .._targets.targets import Targets
from .._training.baseline import Baseline, find_baseline
from .._training.scoring import check_scorer
from .._training.start import training_theta
from .._training.validation import Validation, split_rows
from .adoption import earlier_training
from .assembly import build_network
from .fitted import fitted_network
from .rows import (
    PRECISIONS,
    Given,
    check_rows,
    check_validation_arguments,
    errors_of_validation_rows,
    row_weights,
)
from .seeds import draw_seeds


class Problem(NamedTuple):
    """Rows and the network for them.

    Parameters
    ----------
    targets : Targets
    network : Network
        The training network, or the fitted one.
    blocks : DataSet
        The rows.
    validation : Validation or None, default=None
        The rows to validate on.
    class_weight : ndarray or None, default=None
        Factor of the row weights, per class; None for numbers.
    split_seed : int or None, default=None
        Of the draw of the rows that are held out.
    baseline : Baseline, default=Baseline()
        What is known of constant predictions.
    """

    targets: Targets
    network: Network
    blocks: DataSet
    validation: Validation | None = None
    class_weight: np.ndarray | None = None
    split_seed: int | None = None
    baseline: Baseline = Baseline()

    @property
    def y_differs(self):
        """Whether y holds more than one number."""
        return len(self.baseline.constant_outputs) < self.targets.n_outputs


def pose(estimator, given, given_val, rng, earlier=None, precisions=PRECISIONS):
    """The problem that keywords and training rows pose; an error before any work.

    Parameters
    ----------
    estimator : BackpropMLP
        Its keywords are read, its features noted, and its targets compared if training
        goes on.
    given, given_val : Given
        The rows to train and to validate on.
    rng : numpy.random.RandomState
        Source of the seed by which rows are held out.
    earlier : Earlier or None, default=None
        What training goes on from: rows that were held out stay held out.
    precisions : dtype or sequence of dtype, default=PRECISIONS

    Returns
    -------
    problem : Problem
    """
    check_validation_arguments(*given_val)
    checked = _Rows.checked(estimator, given, earlier is None, precisions)
    targets = estimator._targets_of(checked.y)
    if earlier is not None:
        targets = targets.continuing(fitted_network(estimator).targets, "warm_start")
    network = training_network(estimator, checked.X.shape[1], targets, earlier, "warm_start")
    rows = checked.encoded(targets)
    chosen = held_out = None
    seed = None if earlier is None else earlier.memory.get("split_seed")
    if estimator.early_stopping and given_val.X is None:
        seed = draw_seeds(rng, 1)[0] if seed is None else seed
        stratify = targets.exclusive_classes is not None
        fraction = estimator.validation_fraction
        chosen, held_out = split_rows(rows.codes, rows.weights, stratify, fraction, seed)
    totals = rows.total(targets.totals, chosen)
    if earlier is None and not targets.has_classes:
        targets = targets.scaled_by(totals)
        rows = checked.encoded(targets)
    class_weight = estimator._class_weights(targets, totals)
    rows = rows.times(class_weight)
    scoring = estimator.scoring
    if scoring not in (None, "loss"):
        scoring = check_scoring(estimator, scoring)
    validation = None
    if given_val.X is not None:
        with errors_of_validation_rows():
            checked_val = _Rows.checked(estimator, given_val, y_name="y_val")
            rows_val = checked_val.encoded(targets).times(class_weight)
            validation = rows_val.validation(estimator, network, scoring)
    elif held_out is not None:
        validation = rows.validation(estimator, network, scoring, held_out)
    if validation is not None and validation.scorer_rows is not None:
        check_scorer(scoring, validation.scorer_rows[1])

    blocks = rows.blocks(network, chosen)
    total, m = partial(rows.total, chosen=chosen), blocks.total_weight
    baseline = find_baseline(targets, network.loss, totals, class_weight, m, total)
    return Problem(targets, network, blocks, validation, class_weight, seed, baseline)


class _Rows(NamedTuple):
    """Checked rows, then encoded, then times class weights: only these come in blocks.

    Parameters
    ----------
    given : object
        X as the user gave it.
    X : {ndarray, csr_matrix} of shape (n_rows, n_features)
    y : {ndarray, sparse matrix} of shape (n_rows,) or (n_rows, n_outputs)
    weights : ndarray of shape (n_rows,), float64
    are_weighted : bool
        Whether the user gave weights.
    targets : Targets or None, default=None
        What y stands for, once it is known.
    codes : {ndarray, csr_matrix} or None, default=None
        See `Targets`.
    weighed : tuple or None, default=None
        What `weigh_rows` returns.
    """

    given: Any
    X: Any
    y: Any
    weights: np.ndarray
    are_weighted: bool
    targets: Any = None
    codes: Any = None
    weighed: Any = None

    @classmethod
    def checked(cls, estimator, given, reset=False, precisions=PRECISIONS, *, y_name="y"):
        """What the user gives, checked."""
        X, y = check_rows(
            estimator, given.X, given.y, reset=reset, precisions=precisions, y_name=y_name
        )
        weights = row_weights(given.sample_weight, X)
        return cls(given.X, X, y, weights, given.sample_weight is not None)

    def encoded(self, targets):
        """The same rows with the codes of their targets."""
        codes = targets.codes(self.y, self.weights, self.X.dtype)
        return self._replace(targets=targets, codes=codes)

    def times(self, class_weight):
        """The same rows, their weights multiplied by those of their classes."""
        weighed = weigh_rows(self.targets, self.codes, self.weights, class_weight)
        return self._replace(weighed=weighed)

    def blocks(self, network, chosen=None):
        """The chosen rows in blocks."""
        weights, weigh = self.weighed
        encode = self.targets.encode
        return RowBlocks.of(network, self.X, self.codes, weights, encode, chosen, weigh)

    def total(self, function, chosen=None):
        """Sum of ``function(codes, sample_weight)`` over the chosen rows, without class weights."""
        return total_of_parts(function, self.codes, self.weights, chosen)

    def validation(self, estimator, network, scoring, chosen=None):
        """The chosen rows to validate on."""
        targets = self.targets
        scorer_rows = self._for_scorer(estimator, chosen) if callable(scoring) else None
        totals = None if targets.has_classes else self.total(targets.totals, chosen)
        return Validation(self.blocks(network, chosen), targets, scoring, scorer_rows, totals)

    def _for_scorer(self, estimator, chosen):
        """What a scorer is given after the estimator: rows with their names, if they have any."""
        X = self.given if hasattr(estimator, "feature_names_in_") else self.X
        # What a scorer does with a number of zero weight is not known: it might overflow.
        y = self.y if self.targets.has_classes else self.codes
        weights = self.weights
        if chosen is not None:
            X, y, weights = _safe_indexing(X, chosen), y[chosen], weights[chosen]
        return (X, y), {"sample_weight": weights} if self.are_weighted else {}


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
    checked = _Rows.checked(estimator, Given(X, y, sample_weight), earlier is None)
    before = None if earlier is None else fitted_network(estimator).targets
    targets = estimator._chunk_targets(checked.y, classes, before)
    network = training_network(estimator, checked.X.shape[1], targets, earlier, "partial_fit")
    rows = checked.encoded(targets)
    baseline = Baseline()
    if not targets.has_classes:
        totals = rows.total(targets.totals)
        baseline = Baseline(constant_outputs=totals.constant)
        if earlier is None:
            targets = targets.scaled_by(totals)
            rows = checked.encoded(targets)
            weight = checked.weights.sum()
            baseline = find_baseline(targets, network.loss, totals, None, weight, rows.total)
    class_weight = estimator._class_weights(targets, None)
    blocks = rows.times(class_weight).blocks(network)
    seed = None if earlier is None else earlier.memory.get("split_seed")
    return Problem(targets, network, blocks, None, class_weight, seed, baseline)


def pose_fitted(estimator, X, y, sample_weight, precisions=PRECISIONS):
    """Given rows as a problem for the fitted network, and its packed parameters, finite."""
    fitted = fitted_network(estimator)
    fitted.check_finite()
    targets, network = fitted.targets, fitted.network
    checked = _Rows.checked(estimator, Given(X, y, sample_weight), precisions=precisions)
    rows = checked.encoded(targets).times(getattr(estimator, "class_weight_", None))
    return Problem(targets, network, rows.blocks(network)), fitted.theta()


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
    return pose_unfitted(estimator, X, y, sample_weight, np.float64)[0], None


def pose_unfitted(estimator, X, y, sample_weight, precisions=PRECISIONS):
    """The problem that all of the rows pose to an estimator as if it were not fitted.

    Returns
    -------
    problem : Problem
    rng : numpy.random.RandomState
        What a fit would draw from; the estimator's own is not advanced.
    """
    unfitted = clone(estimator)
    # Not by set_params: the __init__ of a subclass need not take it.
    unfitted.early_stopping = False
    validate_params(unfitted)
    rng = check_random_state(unfitted.random_state)
    given = Given(X, y, sample_weight)
    problem = pose(unfitted, given, Given(), rng, precisions=precisions)
    return problem, rng


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
