"""The rows of Dask collections: encoded and summed up where they lie, on the workers."""

import copy
from contextlib import contextmanager
from functools import partial, reduce
from operator import add
from typing import Any, NamedTuple

import dask
import numpy as np

from .._cached import cached_property
from .._objective.blocks import RowBlocks, add_up, rows_per_block, total_of_parts
from .._objective.overflow import IGNORE_OVERFLOW
from .._objective.threads import block_map, one_blas_thread
from .._targets.class_weight import weigh_rows
from .._targets.targets import Targets
from .collections import gather
from .exact import ExactSum, add_exactly
from .memory import keep_freed_memory
from .placement import group_partitions, workers_of

_FAN_IN = 16
"""Sums that are added in one place: they bound the memory of an addition."""

_SENT_WITH_TASKS = 12_500
"""Parameters up to which they are sent with the task of each group: at once, where as the
result of a task they would come some ten milliseconds later."""


class Partition(NamedTuple):
    """A partition's rows, ready to be computed on a worker: see ``RowBlocks``."""

    X: Any
    codes: Any
    sample_weight: np.ndarray
    targets: Targets
    weigh: Any = None


class Size(NamedTuple):
    """What the client has to know of a partition: see `DataSet`."""

    n_rows: int
    total_weight: float
    largest_weight: float
    n_weighted_rows: int


class PartitionedRows:
    """A `DataSet` on the workers of a cluster.

    Partitions are in groups: a group is the result of one task, and each pass has one
    task per group. Partitions are numbered in the order of the collection. No result
    depends on how they are grouped, nor on where they are.

    Parameters
    ----------
    client : distributed.Client
    groups : list of distributed.Future of list of Partition
        None of them empty.
    members : list of list of int
        The numbers of each group's partitions.
    dtype : dtype
        The precision in which the rows are computed.
    """

    input_moments: Any = None
    """`InputMoments` of the rows, once an `Objective` has measured them."""

    def __init__(self, client, groups, members, dtype):
        self.client = client
        self.groups = groups
        self.members = members
        self.dtype = dtype

    @classmethod
    def encode(cls, client, checked, targets, *, together):
        """The rows of checked partitions, with numbers for labels.

        Parameters
        ----------
        client : distributed.Client
        checked : list of (Future of Checked, Summary)
        targets : Targets
        together : bool
            Whether the partitions of a worker are in a group, for passes over all of
            them; otherwise each is a group of its own.
        """
        futures, summaries = zip(*checked, strict=True)
        dtype = np.result_type(*(summary.dtype for summary in summaries))
        if together:
            found = client.who_has(list(futures))
            addresses = [next(iter(found.get(future.key, ())), None) for future in futures]
            sizes = [summary.n_bytes for summary in summaries]
            shares = group_partitions(sizes, addresses, workers_of(client))
        else:
            shares = [(None, [number]) for number in range(len(futures))]
        groups = [
            client.submit(
                _encode,
                [futures[number] for number in numbers],
                targets=targets,
                dtype=dtype,
                pure=False,
                workers=address,
                allow_other_workers=address is not None,
            )
            for address, numbers in shares
        ]
        return cls(client, groups, [numbers for _, numbers in shares], dtype)

    def times(self, class_weight):
        """The same rows, their weights multiplied by those of their classes."""
        if class_weight is None or np.all(class_weight == 1.0):
            return self
        weighed = self._map(_weigh, class_weight=class_weight)
        return PartitionedRows(self.client, weighed, self.members, self.dtype)

    def scaled_by(self, targets):
        """The same rows with the mean and scale of y in given targets."""
        scaled = self._map(_scale, targets=targets)
        return PartitionedRows(self.client, scaled, self.members, self.dtype)

    def each(self, function):
        """What a function returns for each partition, in their order."""
        found: dict = {}
        results = gather(self.client, self._map(_each, function=function))
        for numbers, group in zip(self.members, results, strict=True):
            found.update(zip(numbers, group, strict=True))
        return [found[number] for number in sorted(found)]

    def total_of_codes(self, function):
        """Sum of ``function(codes, sample_weight)`` over the rows: see `total_of_parts`."""
        return reduce(add, self.each(partial(_total_of_codes, function)))

    @cached_property
    def _sizes(self):
        return self.each(_measure)

    @property
    def part_sizes(self):
        """Numbers of rows of the parts that mini-batches are cut from: the partitions."""
        return [size.n_rows for size in self._sizes]

    @property
    def n_rows(self):
        """Number of rows."""
        return sum(size.n_rows for size in self._sizes)

    @property
    def total_weight(self):
        """Sum of the row weights: m."""
        return sum(size.total_weight for size in self._sizes)

    @property
    def largest_weight(self):
        """The largest weight that the loss gets."""
        return max(size.largest_weight for size in self._sizes)

    @property
    def n_weighted_rows(self):
        """Number of rows whose weight is above 0."""
        return sum(size.n_weighted_rows for size in self._sizes)

    @contextmanager
    def open_map(self, network):
        """Context that gives the ``map`` of an objective over these rows.

        This process only works on parameters, as it does where all rows are in memory: with
        one BLAS thread. Others would spin, and take time from workers on the same machine.
        """
        with one_blas_thread:
            yield partial(_sum_over, network)

    def first(self, function):
        """What a function returns for the first block, of the first partition with weights."""
        numbers = (number for number, size in enumerate(self._sizes) if size.total_weight > 0.0)
        group, index = self._places[next(numbers)]
        result = self.client.submit(_of_first_block, group, index, function, pure=False)
        return gather(self.client, [result])[0]

    def fold(self, function, objective, state, visits):
        """What becomes of a state that goes from partition to partition.

        The function and the state travel to the partitions, one task after another.
        """
        client = self.client
        with _large_graphs():
            step = client.submit(identity, (function, objective.over(None)), pure=False)
            for number, values in visits:
                group, index = self._places[number]
                state = client.submit(_visit, step, state, group, index, list(values), pure=False)
        return gather(client, [state])[0]

    @cached_property
    def _places(self):
        """The group and the index in it of each partition."""
        return {
            number: (group, index)
            for group, numbers in zip(self.groups, self.members, strict=True)
            for index, number in enumerate(numbers)
        }

    def _map(self, task, /, **keywords):
        return self.client.map(task, self.groups, **keywords, pure=False)


def _sum_over(network, function, rows):
    """The sum of ``function(block)`` over all blocks, for Objective.

    The function holds the parameters. Where they are many it is the result of a task, so
    that it goes to each worker once, and survives the loss of one. Where there are many
    groups, workers add their sums up.
    """
    client = rows.client
    shared: Any = (function, network)
    with _large_graphs():
        if network.n_params > _SENT_WITH_TASKS:
            shared = client.submit(identity, shared, pure=False)
        sums = client.map(_sum_over_group, rows.groups, shared=shared, pure=False)
    while len(sums) > _FAN_IN:
        parts = [sums[start : start + _FAN_IN] for start in range(0, len(sums), _FAN_IN)]
        sums = client.map(add_exactly, parts, pure=False)
    return [add_exactly(gather(client, sums)).value()]


def _large_graphs():
    """Context without Dask's warning of large graphs: parameters are as large as they are."""
    return dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TiB"})


# What runs on the workers


def identity(value):
    return value


def _encode(group, targets, dtype):
    return [
        Partition(
            _aligned(checked.X.astype(dtype, copy=False)),
            targets.codes(checked.y, checked.sample_weight, dtype),
            checked.sample_weight,
            targets,
        )
        for checked in group
    ]


def _scale(group, targets):
    return [
        partition._replace(
            targets=targets,
            codes=targets.codes(partition.codes, partition.sample_weight, partition.X.dtype),
        )
        for partition in group
    ]


def _weigh(group, class_weight):
    return [_weigh_partition(partition, class_weight) for partition in group]


def _weigh_partition(partition, class_weight):
    weights, weigh = weigh_rows(
        partition.targets, partition.codes, partition.sample_weight, class_weight
    )
    return partition._replace(sample_weight=weights, weigh=weigh)


def _each(group, function):
    return [function(partition) for partition in group]


def _total_of_codes(function, partition):
    return total_of_parts(function, partition.codes, partition.sample_weight)


def _measure(partition):
    # The client's `Objective` refuses a sum that overflows.
    with np.errstate(over="ignore"):
        total = float(partition.sample_weight.sum())
    blocks = _blocks(partition, 10_000)
    return Size(blocks.n_rows, total, blocks.largest_weight, blocks.n_weighted_rows)


def _blocks(partition, max_rows):
    X, codes, weights, targets, weigh = partition
    return RowBlocks(X, codes, weights, targets.encode, max_rows, weigh=weigh)


def _sum_over_group(group, shared):
    """Sum of ``function(block)`` over all blocks of a group's partitions."""
    function, network = shared
    if isinstance(function, partial):
        function = partial(function.func, *map(_aligned, function.args), **function.keywords)
    total = ExactSum()
    with keep_freed_memory:
        for partition in group:
            total.add(_sum_over_blocks(partition, function, network))
    return total


def _sum_over_blocks(partition, function, network):
    """Sum of ``function(block)`` over a partition's blocks, which bound the memory."""
    blocks = _blocks(partition, rows_per_block(network, partition.X))
    # The worker's threads take a group each: one thread for this one.
    with block_map(0.0) as map_blocks, np.errstate(**IGNORE_OVERFLOW):
        return add_up(
            map_blocks(lambda block: function(block._replace(X=_aligned(block.X))), blocks)
        )


def _of_first_block(group, index, function):
    with np.errstate(**IGNORE_OVERFLOW):
        return function(_blocks(group[index], 1_000)[0])


def _visit(step, state, group, index, values):
    """The state after a partition was visited; what other tasks were given is not changed."""
    function, objective = step
    X, codes, weights, targets, weigh = group[index]
    blocks = RowBlocks.of(objective.network, X, codes, weights, targets.encode, weigh=weigh)
    with keep_freed_memory, blocks.open_map(objective.network) as map_blocks:
        return function(objective.over(blocks, map_blocks), copy.deepcopy(state), values)


def _aligned(value):
    """An array's copy if it does not lie in memory as NumPy's own arrays do, else the value.

    Arrays that come from another process often do not. NumPy computes with them
    in other ways, slower and with another rounding.
    """
    return np.require(value, requirements="A") if isinstance(value, np.ndarray) else value
