"""Scores of predictions, on the workers and on the client."""

import warnings
from functools import partial, reduce
from operator import add

import dask
import numpy as np
import scipy.sparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_consistent_length

from .._estimator.fitted import fitted_network
from .._objective.overflow import IGNORE_OVERFLOW
from .._targets.continuous import as_numbers, average_r2
from .._targets.moments import Moments
from .._training.scoring import score_rows
from .checks import partition_weights
from .collections import gather


def score_classifier(client, given, classifier):
    """Share of the weight of given rows that a classifier predicts right.

    Parameters
    ----------
    client : distributed.Client
    given : list of tuple of Delayed
        As `delayed_rows` gives them.
    classifier : BackpropMLPClassifier

    Returns
    -------
    accuracy : float

    Raises
    ------
    ValueError
        If there are no rows, or if their weights have no finite sum above 0.
    """
    classifier, count = dask.delayed(classifier), dask.delayed(_count_hits, pure=False)
    hits = gather(client, client.compute([count(*rows, classifier=classifier) for rows in given]))
    n_rows, right, total = map(sum, zip(*hits, strict=True))
    _check_any_rows(n_rows, given)
    _check_total_weight(total)
    return right / total


def score_regressor(client, given, regressor):
    """R2 of what a regressor predicts for given rows, as `sklearn.metrics.r2_score` has it.

    Parameters
    ----------
    client : distributed.Client
    given : list of tuple of Delayed
        As `delayed_rows` gives them.
    regressor : BackpropMLPRegressor

    Returns
    -------
    score : float
        The mean over the outputs; nan, with a warning, of fewer than two rows.

    Raises
    ------
    ValueError
        If there are no rows, if their weights have no finite sum above 0, or if y has
        other outputs than the predictions.
    """
    regressor, measure = dask.delayed(regressor), dask.delayed(_measure_errors, pure=False)
    measured = gather(
        client, client.compute([measure(*rows, regressor=regressor) for rows in given])
    )
    parts = [part for part in measured if part is not None]
    _check_any_rows(len(parts), given)
    n_counted, numbers, errors = (reduce(add, terms) for terms in zip(*parts, strict=True))
    _check_total_weight(numbers.weight)
    if n_counted < 2:
        message = "R^2 score is not well-defined with less than two samples."
        warnings.warn(message, UndefinedMetricWarning, stacklevel=2)
        return np.nan
    roots = np.hypot(errors.mean, errors.deviation)
    with np.errstate(**IGNORE_OVERFLOW, divide="ignore"):
        scores = 1.0 - (roots / numbers.deviation) ** 2
    return average_r2(scores, roots, numbers.deviation)


def _check_any_rows(n, given):
    """An error if there are no rows to be scored."""
    if n == 0:
        raise ValueError(f"X must have at least one row; got {len(given)} empty partitions.")


def _check_total_weight(total):
    """An error if rows to be scored have no weight in total, or more than a number can say."""
    if not 0.0 < total < np.inf:
        raise ValueError(f"sample_weight must have a finite sum above 0; got {total}.")


def _count_hits(X, y, sample_weight, classifier):
    """Number of rows, weight of those that are predicted right, and of all."""
    check_consistent_length(X, y, sample_weight)
    n_rows = X.shape[0]
    if n_rows == 0:
        return 0, 0.0, 0.0
    weights = partition_weights(sample_weight, n_rows)
    predicted = classifier.predict(X)
    right = 0.0
    # scikit-learn refuses rows that have no weight in total.
    if np.any(weights > 0.0):
        right = accuracy_score(y, predicted, normalize=False, sample_weight=weights)
    return n_rows, float(right), float(weights.sum())


def _measure_errors(X, y, sample_weight, regressor):
    """Number of rows with weight, and `Moments` of y and of the errors; None without rows."""
    check_consistent_length(X, y, sample_weight)
    n_rows = X.shape[0]
    if n_rows == 0:
        return None
    weights = partition_weights(sample_weight, n_rows)
    y = as_numbers(y).astype(np.float64, copy=False).reshape(n_rows, -1)
    predicted = regressor.predict(X).reshape(n_rows, -1)
    if y.shape != predicted.shape:
        raise ValueError(
            f"y must have as many outputs as in training: {predicted.shape[1]}; got {y.shape[1]}."
        )
    # In units of 4, in which no difference of two numbers overflows.
    y, predicted = 0.25 * y, 0.25 * predicted
    n_counted = np.count_nonzero(weights)
    return n_counted, Moments.of(y, weights), Moments.of(y - predicted, weights)


# Scorers of scikit-learn


class GatheredScorer:
    """A scorer for rows on the workers: labels and logits are gathered, the rows are not.

    Labels are gathered once, logits for each score: of n_val rows n_val * n_outputs
    numbers in the precision of the rows.

    Parameters
    ----------
    scorer : callable(estimator, X, y, **metadata) -> score
        Made by `sklearn.metrics.make_scorer`: of X it needs predictions alone.
    rows : PartitionedRows
        Without class weights.
    """

    def __init__(self, scorer, rows):
        self.scorer = scorer
        self.rows = rows

    def labels_and_weights(self, targets, weighted):
        """What `Validation` gives the scorer: nothing for X, the labels, and the weights."""
        codes, weights = zip(*self.rows.each(_codes_and_weights), strict=True)
        if not targets.has_classes:
            y = np.concatenate(codes)
        elif targets.multilabel:
            stack = scipy.sparse.vstack if scipy.sparse.issparse(codes[0]) else np.vstack
            y = stack(codes)
        else:
            y = targets.classes[np.concatenate(codes)]
        return (None, y), {"sample_weight": np.concatenate(weights)} if weighted else {}

    def __call__(self, estimator, X, y, **metadata):
        """The score of a fitted estimator, for these rows."""
        fitted = fitted_network(estimator)
        z = np.concatenate(self.rows.each(partial(_logits, fitted)))
        classes = fitted.targets.exclusive_classes
        of_logits = _ClassesOfLogits if fitted.targets.has_classes else _NumbersOfLogits
        return score_rows(self.scorer, of_logits(fitted), z, y, classes, metadata)


class _NumbersOfLogits(RegressorMixin, BaseEstimator):
    """A fitted network's predictions as a function of its logits, given for X."""

    def __init__(self, fitted):
        self.fitted = fitted

    def predict(self, z):
        """Numbers."""
        return self.fitted.predict(z)


class _ClassesOfLogits(ClassifierMixin, BaseEstimator):
    """A fitted network's outputs and predictions as functions of its logits, given for X."""

    def __init__(self, fitted):
        self.fitted = fitted
        self.classes_ = fitted.targets.classes

    def decision_function(self, z):
        """Logits, of shape (n_samples,) for two classes."""
        binary = len(self.classes_) == 2 and not self.fitted.targets.multilabel
        return z[:, 0] if binary else z

    def predict(self, z):
        """Labels."""
        return self.fitted.predict(z)

    def predict_proba(self, z):
        """Probabilities of the classes."""
        return self.fitted.proba(z)

    def predict_log_proba(self, z):
        """Logarithms of the probabilities."""
        return self.fitted.log_proba(z)


def _codes_and_weights(partition):
    return partition.codes, partition.sample_weight


def _logits(fitted, partition):
    return fitted.map_rows(partition.X, _unchanged)


def _unchanged(z):
    return z
