"""Partitions, checked where they lie: as the plain estimator checks its rows."""

import copy
from typing import Any, NamedTuple

import dask
import numpy as np
from dask.sizeof import sizeof
from sklearn.base import clone
from sklearn.utils.validation import check_array, check_consistent_length, check_non_negative

from .._estimator.rows import check_finite_weights, check_rows, errors_naming_weights
from .._targets.targets import Targets
from .collections import gather
from .prediction import copy_for_workers

FEATURES = ("n_features_in_", "feature_names_in_")
"""Fitted attributes that describe the features."""


class Summary(NamedTuple):
    """What a worker reports of a partition that has rows."""

    targets: Targets
    is_weighted: bool
    n_bytes: int
    dtype: Any
    features: dict


class Checked(NamedTuple):
    """A partition's rows after validation, on a worker."""

    X: Any
    y: Any
    sample_weight: np.ndarray
    is_weighted: bool
    features: dict
    targets: Targets


def check_partitions(client, given, estimator, *, reset):
    """Have the workers check partitions.

    Parameters
    ----------
    client : distributed.Client
    given : list of tuple of Delayed
        As `delayed_rows` gives them.
    estimator : BackpropMLP
    reset : bool
        Whether these rows define the features.

    Returns
    -------
    checked : list of (Future of Checked, Summary)
        A pair for each partition that has rows.

    Raises
    ------
    ValueError
        If no partition has rows, or if rows are not allowed.
    """
    bare = dask.delayed(_unfitted(estimator))
    check = dask.delayed(_check_rows, pure=False)
    checked = client.compute([check(*rows, estimator=bare, reset=reset) for rows in given])
    summaries = gather(client, client.map(_summarise, checked, pure=False))
    pairs = [pair for pair in zip(checked, summaries, strict=True) if pair[1] is not None]
    if not pairs:
        raise ValueError(f"X must have at least one row; got {len(given)} empty partitions.")
    return pairs


def features_of(checked):
    """The attributes that describe the features, which all partitions share."""
    first, *others = (summary.features for _, summary in checked)
    for other in others:
        if first.keys() != other.keys() or not all(
            np.array_equal(first[name], other[name]) for name in first
        ):
            raise ValueError(f"Partitions of X must have the same features; got {first}, {other}.")
    return first


def _unfitted(estimator):
    """What workers need of an estimator to check rows: none of its parameters."""
    bare = copy_for_workers(clone(estimator))
    for name in FEATURES:
        if hasattr(estimator, name):
            setattr(bare, name, getattr(estimator, name))
    return bare


# What runs on the workers


def _check_rows(X, y, sample_weight, estimator, reset):
    """Validate one partition as the plain estimator would."""
    check_consistent_length(X, y, sample_weight)
    if X.shape[0] == 0:
        return None
    # Workers in threads of one process are given the same object.
    seen = copy.copy(estimator)
    X, y = check_rows(seen, X, y, reset=reset)
    features = {name: getattr(seen, name) for name in FEATURES if hasattr(seen, name)}
    weights = partition_weights(sample_weight, X.shape[0])
    targets = estimator._targets_of(y)
    return Checked(X, y, weights, sample_weight is not None, features, targets)


def partition_weights(sample_weight, n_rows):
    """Weights of a partition's rows, float64: unlike those of all rows they may all be zero."""
    if sample_weight is None:
        return np.ones(n_rows)
    with errors_naming_weights():
        weights = check_array(
            sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
        )
        check_non_negative(weights, "`sample_weight`")
    check_finite_weights(weights)
    return weights


def _summarise(checked):
    if checked is None:
        return None
    X, _, _, is_weighted, features, targets = checked
    return Summary(targets, is_weighted, sizeof(X), X.dtype, features)
