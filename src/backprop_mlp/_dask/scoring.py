"""Scores of predictions, on the workers and on the client."""

import numpy as np
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_consistent_length

from .collections import gathered
from .rows import itself, partition_weights


def accuracy(client, given, classifier):
    """Share of the weight of given rows that a classifier predicts right.

    Parameters
    ----------
    client : distributed.Client
    given : list of Delayed of (X, y, sample_weight)
    classifier : BackpropMLPClassifier

    Returns
    -------
    accuracy : float

    Raises
    ------
    ValueError
        If there are no rows, or if their weights have no finite sum above 0.
    """
    rows = client.compute(given)
    classifier = client.submit(itself, classifier, pure=False)
    hits = gathered(client, client.map(_count_hits, rows, classifier=classifier, pure=False))
    n_rows, right, total = map(sum, zip(*hits, strict=True))
    if n_rows == 0:
        raise ValueError(f"X must have at least one row; got {len(given)} empty partitions.")
    if not 0.0 < total < np.inf:
        raise ValueError(f"sample_weight must have a finite sum above 0; got {total}.")
    return right / total


def _count_hits(rows, classifier):
    """Number of rows, weight of those that are predicted right, and of all."""
    X, y, sample_weight = rows
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
