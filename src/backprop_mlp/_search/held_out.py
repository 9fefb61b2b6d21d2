"""What rows cost that a fold of a search leaves out, whose network may not know all classes.

The rows on which early stopping validates are held out in `_training/validation.py`.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array

from .._objective.blocks import Block
from .._objective.overflow import IGNORE_OVERFLOW
from .._objective.row_sums import measure_inputs
from .._sklearn import _safe_indexing
from .._targets.continuous import Numbers
from .._targets.targets import ClassTargets
from .._training.scoring import AllClasses

LOG_LOSS = "log_loss"
"""Name of the scoring."""

SMALLEST_PROBABILITY = np.finfo(np.float64).eps
"""Probabilities below it count as this one, as in `sklearn.metrics.log_loss`: so does that of
a class that is in no training row of a fold."""

NEGLIGIBLE_DEVIATION = 1e-3
"""Deviation of predictions, as a share of that of y, that counts for little."""


class HeldOut(Protocol):
    """What a network says of rows that it was not trained on, and what that costs."""

    @property
    def shape(self) -> tuple:
        """Of a row's outputs."""

    def outputs(self, network, X) -> Any:
        """What the network says, of shape (n_rows, *shape), float64."""

    def row_losses(self, y, outputs, sample_weight=None) -> Any:
        """Each row's loss, of shape (n_rows,), without its weight."""

    def in_units(self, outputs) -> Any:
        """Outputs as `variance` measures them, of shape (n_rows, n_columns)."""

    def variance(self, y, sample_weight) -> float:
        """That of y, summed over its columns."""


@dataclass(frozen=True)
class HeldOutProbabilities:
    """Probabilities of classes, and their log-loss: see `HeldOut`.

    Parameters
    ----------
    targets : ClassTargets
        Of all rows.
    """

    targets: ClassTargets

    def outputs(self, classifier, X):
        """Probabilities of all classes, of shape (n_rows, n_classes), float64."""
        classes = self.targets.exclusive_classes
        if classes is not None and not np.array_equal(classifier.classes_, classes):
            classifier = AllClasses(classifier, classes)
        P = classifier.predict_proba(X)
        if classes is not None and P.dtype != np.float64:
            # Metrics expect rows that sum to one in their own precision.
            P = P.astype(np.float64)
            P /= P.sum(axis=1, keepdims=True)
        return P.astype(np.float64, copy=False)

    @property
    def shape(self):
        """Of a row's outputs."""
        return (len(self.targets.classes),)

    def row_losses(self, y, P, sample_weight=None):
        """Each row's log-loss: of its class, or the sum over its labels."""
        codes = self.targets.codes(y)
        if self.targets.multilabel:
            Y = codes.toarray() if issparse(codes) else codes
            return -_logarithms(np.where(Y > 0, P, 1.0 - P)).sum(axis=1)
        return -_logarithms(P[np.arange(len(P)), codes])

    def in_units(self, P):
        """Probabilities, as `variance` measures them."""
        return P

    def variance(self, y, sample_weight):
        """That of the classes' 0 or 1 in y, summed over the classes."""
        codes, weights = self.targets.codes(y), _weights(y, sample_weight)
        totals = self.targets.totals(codes, weights)
        present = totals[:, 1] if self.targets.multilabel else totals
        shares = present / weights.sum()
        return float((shares * (1.0 - shares)).sum())


@dataclass(frozen=True)
class HeldOutNumbers:
    """Predicted numbers, and what they cost: see `HeldOut`.

    Parameters
    ----------
    targets : Numbers
        With the mean and scale of y of all rows, so that losses of all folds have the same
        units.
    """

    targets: Numbers

    def outputs(self, regressor, X):
        """Predictions, shaped as y, float64."""
        return regressor.predict(X).astype(np.float64)

    @property
    def shape(self):
        """Of a row's outputs."""
        return self.targets.shape

    def row_losses(self, y, predictions, sample_weight=None):
        """Each row's loss, summed over its outputs, in normalised units of y."""
        targets, loss = self.targets, self.targets.loss
        Y = targets.encode(targets.codes(y, sample_weight), np.float64)
        z = loss.link(targets.encode(predictions, np.float64))
        return loss.terms(z, Y).sum(axis=1)

    def in_units(self, predictions):
        """Predictions, as `variance` measures them, of shape (n_rows, n_outputs)."""
        return self.targets.encode(predictions, np.float64)

    def variance(self, y, sample_weight):
        """That of y, summed over the outputs, in normalised units."""
        Y = self.in_units(self.targets.codes(y, sample_weight))
        return _variance(Y, _weights(y, sample_weight))


def are_constant(held_out: HeldOut, networks, X, y, sample_weight=None):
    """Whether all networks predict next to the same for every row, though y differs.

    Parameters
    ----------
    held_out : HeldOut
    networks : list of BackpropMLP
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_features)
        All rows, also those that a fold leaves out: it may leave out a single one.
    y
    sample_weight : ndarray of shape (n_rows,) or None
    """
    variance = held_out.variance(y, sample_weight)
    if not 0.0 < variance < np.inf:
        return False
    weights = _weights(y, sample_weight)
    counted = weights > 0.0

    def spread(network):
        with np.errstate(**IGNORE_OVERFLOW):
            outputs = held_out.in_units(outputs_or_nan(held_out, network, X, sample_weight))
        return _variance(outputs[counted], weights[counted])

    # Not so of nan: what overflows varies.
    return all(spread(network) <= NEGLIGIBLE_DEVIATION**2 * variance for network in networks)


def measure_columns(X, sample_weight=None):
    """Means and deviations of the features of all rows, as `measure_inputs` has them.

    Parameters
    ----------
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_features)
    sample_weight : ndarray of shape (n_rows,) or None
    """
    X = check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32])
    weights = _weights(X, sample_weight)
    block = Block(X, np.empty((X.shape[0], 0)), weights, weights)
    return measure_inputs(lambda function: function(block), weights.sum())


def _logarithms(P):
    return np.log(P.clip(SMALLEST_PROBABILITY, 1.0 - SMALLEST_PROBABILITY))


def _variance(values, weights):
    """That of rows, summed over their columns."""
    with np.errstate(**IGNORE_OVERFLOW):
        mean = np.average(values, axis=0, weights=weights)
        return float(np.average((values - mean) ** 2, axis=0, weights=weights).sum())


def _weights(y, sample_weight):
    return np.ones(y.shape[0]) if sample_weight is None else sample_weight


def outputs_or_nan(held_out: HeldOut, network, X, sample_weight=None):
    """What a network says of rows that it may not have been trained on, nan if it overflows.

    An outlying row, which another fold trains on, is no reason to end a search. If it overflows
    in rows of zero weight alone, these are nan.

    Parameters
    ----------
    held_out : HeldOut
    network : BackpropMLP
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_features)
    sample_weight : ndarray of shape (n_rows,) or None, default=None

    Returns
    -------
    outputs : ndarray of shape (n_rows, ...)
    """
    try:
        return held_out.outputs(network, X)
    except FloatingPointError:
        outputs = np.full((X.shape[0], *held_out.shape), np.nan)
    if sample_weight is not None and 0 < np.count_nonzero(sample_weight) < X.shape[0]:
        rows = np.flatnonzero(sample_weight)
        outputs[rows] = outputs_or_nan(held_out, network, _safe_indexing(X, rows))
    return outputs


def mean_loss(held_out: HeldOut, y, outputs, sample_weight=None):
    """Weighted mean of the rows' losses; nan for rows without weight.

    It is infinite if the loss or the outputs of a row with weight are not finite.

    Parameters
    ----------
    held_out : HeldOut
    y
    outputs : ndarray
        As `outputs_or_nan` returns them for the same rows.
    sample_weight : ndarray of shape (n_rows,) or None
        Rows with zero weight are ignored.
    """
    with np.errstate(**IGNORE_OVERFLOW):
        losses = held_out.row_losses(y, outputs, sample_weight)
        losses[np.isnan(losses)] = np.inf
        if sample_weight is None:
            return float(losses.mean())
        counted = sample_weight > 0.0
        total = sample_weight.sum()
        return float(losses[counted] @ sample_weight[counted] / total) if total > 0.0 else np.nan


def out_of_fold(n_rows, tests, outputs):
    """Each row's outputs by the networks that it did not train, nan where there are none.

    Parameters
    ----------
    n_rows : int
    tests : list of ndarray
        Numbers of the rows that each fold leaves out; a row may be in several, whose outputs
        are averaged.
    outputs : list of ndarray of shape (n_test, n_columns) or (n_test,)

    Returns
    -------
    outputs : ndarray of shape (n_rows, n_columns) or (n_rows,)
    """
    total = np.zeros((n_rows, *outputs[0].shape[1:]))
    counts = np.zeros(n_rows)
    for test, part in zip(tests, outputs, strict=True):
        np.add.at(total, test, part)
        np.add.at(counts, test, 1.0)
    counts[counts == 0.0] = np.nan
    return (total.T / counts).T
