"""The rows of Dask collections: checked, encoded and summed up where they lie, on the workers."""

import copy
from contextlib import nullcontext
from functools import cached_property, partial
from typing import Any, NamedTuple

import dask
import dask.array as da
import numpy as np
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_array, check_consistent_length, check_non_negative

from .._estimator.rows import check_rows
from .._objective.blocks import RowBlocks, add_up, rows_per_block
from .._objective.overflow import IGNORE_OVERFLOW
from .._objective.threads import block_map
from .._targets.class_weight import weigh_rows
from .._targets.targets import Targets, targets_of

_FAN_IN = 16
"""Sums that are added in one place: they bound the memory of an addition."""

FEATURES = ("n_features_in_", "feature_names_in_")
"""Fitted attributes that describe the features."""


class PartitionedRows:
    """The rows of a data set on the workers of a cluster, in place of ``RowBlocks``.

    Parameters
    ----------
    client : distributed.Client
    partitions : list of distributed.Future of Partition
        None of them empty.
    dtype : dtype
        The precision in which the rows are computed.
    """

    def __init__(self, client, partitions, dtype):
        self.client = client
        self.partitions = partitions
        self.dtype = dtype

    @classmethod
    def encode(cls, client, checked, targets):
        """The rows of checked partitions, with numbers for labels."""
        futures, summaries = zip(*checked, strict=True)
        dtype = np.result_type(*(summary.dtype for summary in summaries))
        partitions = client.map(_encode, futures, targets=targets, dtype=dtype, pure=False)
        return cls(client, partitions, dtype)

    def times(self, class_weight):
        """The same rows, their weights multiplied by those of their classes."""
        if np.all(class_weight == 1.0):
            return self
        weighed = self.client.map(_weigh, self.partitions, class_weight=class_weight, pure=False)
        return PartitionedRows(self.client, weighed, self.dtype)

    def class_totals(self):
        """As ``Targets.class_totals`` of all rows."""
        return sum(self.client.gather(self.client.map(_class_totals, self.partitions, pure=False)))

    @cached_property
    def _sizes(self):
        sizes = self.client.gather(self.client.map(_size, self.partitions, pure=False))
        n_rows, totals, largest, smallest = zip(*sizes, strict=True)
        return sum(n_rows), sum(totals), max(largest), min(smallest)

    @property
    def n_rows(self):
        """Number of rows."""
        return self._sizes[0]

    @property
    def total_weight(self):
        """Sum of the row weights: m."""
        return self._sizes[1]

    @property
    def largest_weight(self):
        """The largest weight that the loss gets."""
        return self._sizes[2]

    @property
    def smallest_weight(self):
        """The smallest row weight above zero."""
        return self._sizes[3]

    def open_map(self, network):
        """Context that gives the ``map`` of an objective over these rows."""
        return nullcontext(partial(_sums_over, network))


def _sums_over(network, function, rows):
    """Sums of ``function(block)`` over the blocks of one or several partitions, for Objective.

    The function, which holds the parameters, is the result of a task, so that
    it goes to each worker once and survives the loss of one. Where there are
    many partitions, workers add their sums up, always the same ones.
    """
    client = rows.client
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TiB"}):
        function = client.submit(itself, function, pure=False)
    sums = client.map(
        _sum_over_blocks, rows.partitions, function=function, network=network, pure=False
    )
    while len(sums) > _FAN_IN:
        groups = [sums[start : start + _FAN_IN] for start in range(0, len(sums), _FAN_IN)]
        sums = client.map(add_up, groups, pure=False)
    return client.gather(sums)


# What is checked before any work


def delayed_rows(X, y, sample_weight):
    """One delayed (X, y, sample_weight) a partition."""
    X = whole_rows("X", X, (2,))
    parts = [_delayed(X)]
    for name, other, ndims in (("y", y, (1, 2)), ("sample_weight", sample_weight, (1,))):
        if other is None and name != "y":
            parts.append([None] * len(parts[0]))
            continue
        other = whole_rows(name, other, ndims)
        if isinstance(X, da.Array) and isinstance(other, da.Array):
            n_rows, n_others = X.shape[0], other.shape[0]
            if not np.isnan(n_rows + n_others):
                if n_rows != n_others:
                    raise ValueError(f"{name} must have {n_rows} rows, as X has; got {n_others}.")
                other = other.rechunk({0: X.chunks[0]})
        parts.append(_delayed(other))
        if len(parts[-1]) != len(parts[0]):
            raise ValueError(
                f"{name} must have {len(parts[0])} partitions, as X has; got {len(parts[-1])}."
            )
    return [dask.delayed(rows) for rows in zip(*parts, strict=True)]


def whole_rows(name, collection, ndims):
    """The collection, with whole rows in each partition."""
    if not dask.is_dask_collection(collection) or getattr(collection, "ndim", 0) not in ndims:
        raise TypeError(
            f"{name} must be a Dask array or dataframe with {' or '.join(map(str, ndims))} "
            f"dimensions; got {type(collection).__name__}"
            f"{f' with {collection.ndim}' if hasattr(collection, 'ndim') else ''}. Data in "
            "memory are BackpropMLPClassifier's; dask.array.from_array makes them a Dask array."
        )
    if isinstance(collection, da.Array) and collection.ndim == 2:
        return collection.rechunk({1: -1})
    return collection


def _delayed(collection):
    """One delayed object a partition."""
    partitions = collection.to_delayed()
    return partitions.ravel().tolist() if isinstance(collection, da.Array) else list(partitions)


# Passes over the partitions


class Summary(NamedTuple):
    """What the client is told of a partition that has rows."""

    targets: Targets
    dtype: Any
    features: dict


class Checked(NamedTuple):
    """A partition's rows after validation, on a worker."""

    X: Any
    y: Any
    sample_weight: np.ndarray
    features: dict


class Partition(NamedTuple):
    """A partition's rows, ready to be computed on a worker: see ``RowBlocks``."""

    X: Any
    codes: Any
    sample_weight: np.ndarray
    targets: Targets
    weigh: Any = None


def check_partitions(client, given, classifier, *, reset):
    """Have the workers check partitions; a pair (future of Checked, Summary) for each with rows."""
    rows = client.compute(given)
    checked = client.map(_check_rows, rows, classifier=classifier, reset=reset, pure=False)
    summaries = client.gather(client.map(_summarise, checked, pure=False))
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


# What runs on the workers


def itself(value):
    return value


def _check_rows(rows, classifier, reset):
    """Validate one partition as the plain classifier would."""
    X, y, sample_weight = rows
    check_consistent_length(X, y, sample_weight)
    if X.shape[0] == 0:
        return None
    # Workers in threads of one process are given the same object.
    seen = copy.copy(classifier)
    X, y = check_rows(seen, X, y, reset=reset)
    features = {name: getattr(seen, name) for name in FEATURES if hasattr(seen, name)}
    if sample_weight is None:
        weights = np.ones(X.shape[0])
    else:
        # Unlike those of all rows, the weights of a partition may all be zero.
        weights = check_array(
            sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
        )
        check_non_negative(weights, "`sample_weight`")
    return Checked(X, y, weights, features)


def _summarise(checked):
    if checked is None:
        return None
    return Summary(targets_of(checked.y), checked.X.dtype, checked.features)


def _encode(checked, targets, dtype):
    X = _aligned(checked.X.astype(dtype, copy=False))
    return Partition(X, targets.codes(checked.y), checked.sample_weight, targets)


def _weigh(partition, class_weight):
    weights, weigh = weigh_rows(
        partition.targets, partition.codes, partition.sample_weight, class_weight
    )
    return partition._replace(sample_weight=weights, weigh=weigh)


def _class_totals(partition):
    return partition.targets.class_totals(partition.codes, partition.sample_weight)


def _size(partition):
    # The client's `Objective` refuses a sum that overflows.
    with np.errstate(over="ignore"):
        total = float(partition.sample_weight.sum())
    blocks = _blocks(partition)
    return blocks.n_rows, total, blocks.largest_weight, blocks.smallest_weight


def _blocks(partition, max_rows=10_000):
    X, codes, weights, targets, weigh = partition
    return RowBlocks(X, codes, weights, targets.encode, max_rows, weigh=weigh)


def _sum_over_blocks(partition, function, network):
    """Sum of ``function(block)`` over a partition's blocks, which bound the memory."""
    blocks = _blocks(partition, rows_per_block(network, partition.X))
    if isinstance(function, partial):
        function = partial(function.func, *map(_aligned, function.args), **function.keywords)
    # The worker's threads take a partition each: one thread for this one.
    with block_map(0.0) as map_blocks, np.errstate(**IGNORE_OVERFLOW):
        return add_up(
            map_blocks(lambda block: function(block._replace(X=_aligned(block.X))), blocks)
        )


def _aligned(value):
    """An array's copy if it does not lie in memory as NumPy's own arrays do, else the value.

    Arrays that come from another process often do not. NumPy computes with them
    in other ways, slower and with another rounding.
    """
    return np.require(value, requirements="A") if isinstance(value, np.ndarray) else value


def count_hits(rows, classifier):
    """Weight of the rows that are predicted right, and of all."""
    X, y, sample_weight = rows
    check_consistent_length(X, y, sample_weight)
    if X.shape[0] == 0:
        return 0.0, 0.0
    right = accuracy_score(y, classifier.predict(X), normalize=False, sample_weight=sample_weight)
    return float(right), float(X.shape[0] if sample_weight is None else sample_weight.sum())
