"""The rows of Dask collections: checked, encoded and summed up where they lie, on the workers."""

import copy
from contextlib import nullcontext
from functools import cached_property, partial
from typing import Any, NamedTuple

import dask
import numpy as np
from sklearn.utils.validation import check_array, check_consistent_length, check_non_negative

from .._estimator.rows import check_rows
from .._objective.blocks import RowBlocks, add_up, rows_per_block
from .._objective.overflow import IGNORE_OVERFLOW
from .._objective.threads import block_map
from .._targets.class_weight import weigh_rows
from .._targets.targets import Targets, targets_of
from .collections import gathered

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
        return sum(
            gathered(self.client, self.client.map(_class_totals, self.partitions, pure=False))
        )

    @cached_property
    def _sizes(self):
        sizes = gathered(self.client, self.client.map(_size, self.partitions, pure=False))
        n_rows, totals, largest = zip(*sizes, strict=True)
        return sum(n_rows), sum(totals), max(largest)

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
    return gathered(client, sums)


# Passes over the partitions


class Summary(NamedTuple):
    """What a worker reports of a partition that has rows."""

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
    summaries = gathered(client, client.map(_summarise, checked, pure=False))
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
    return Checked(X, y, partition_weights(sample_weight, X.shape[0]), features)


def partition_weights(sample_weight, n_rows):
    """Weights of a partition's rows, float64: unlike those of all rows they may all be zero."""
    if sample_weight is None:
        return np.ones(n_rows)
    weights = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    check_non_negative(weights, "`sample_weight`")
    return weights


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
    return len(partition.sample_weight), total, _blocks(partition).largest_weight


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
