"""The loss of held-out rows, whose network may not know all classes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse

from .._targets.exclusive import ExclusiveClasses
from .._training.scoring import AllClasses

LOG_LOSS = "log_loss"
"""Name of the scoring."""

SMALLEST = np.finfo(np.float64).eps
"""Probabilities below it count as this one, as in `sklearn.metrics.log_loss`: so does that of
a class that is in no training row of a fold."""


@dataclass(frozen=True)
class HeldOutProbabilities:
    """What a classifier says of rows that it was not trained on, and what that costs.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,) or None
        Sorted labels of all rows; None for multilabel problems.
    """

    classes: np.ndarray | None

    def outputs(self, classifier, X):
        """Probabilities of all classes, of shape (n_rows, n_classes), float64."""
        if self.classes is not None and not np.array_equal(classifier.classes_, self.classes):
            classifier = AllClasses(classifier, self.classes)
        P = classifier.predict_proba(X)
        if self.classes is not None and P.dtype != np.float64:
            # Metrics expect rows that sum to one in their own precision.
            P = P.astype(np.float64)
            P /= P.sum(axis=1, keepdims=True)
        return P.astype(np.float64, copy=False)

    def row_losses(self, y, P):
        """Each row's log-loss: of its class, or the sum over its labels."""
        if self.classes is None:
            Y = y.toarray() if issparse(y) else np.asarray(y)
            return -_logarithms(np.where(Y > 0, P, 1.0 - P)).sum(axis=1)
        return -_logarithms(P[np.arange(len(P)), ExclusiveClasses(self.classes).codes(y)])


@dataclass(frozen=True)
class HeldOutNumbers:
    """What a regressor says of rows that it was not trained on, and what that costs.

    Parameters
    ----------
    targets : Numbers
        With the mean and scale of y of all rows, so that losses of all folds have the same
        units.
    """

    targets: Any

    def outputs(self, regressor, X):
        """Predictions, shaped as y, float64."""
        return regressor.predict(X).astype(np.float64)

    def row_losses(self, y, predictions):
        """Each row's loss, summed over its outputs, in normalised units of y."""
        targets, loss = self.targets, self.targets.loss
        Y = targets.encode(targets.codes(y), np.float64)
        z = loss.link(targets.encode(predictions, np.float64))
        return loss.terms(z, Y).sum(axis=1)


def _logarithms(P):
    return np.log(P.clip(SMALLEST, 1.0 - SMALLEST))


def mean_loss(losses, sample_weight=None):
    """Weighted mean of the rows' losses; nan for rows without weight."""
    if sample_weight is None:
        return float(losses.mean())
    sample_weight = np.asarray(sample_weight, dtype=np.float64)
    total = sample_weight.sum()
    return float(losses @ sample_weight / total) if total > 0.0 else np.nan


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
