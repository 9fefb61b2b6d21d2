"""Rows in blocks: what a block is, how long it is, and how results of blocks are added up.

A block's rows are computed together. Where rows are cut depends on the rows and
the network alone, never on the number of threads, so that sums over blocks do not
depend on it either.
"""

import math
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy.sparse import issparse

from .._cached import cached_property
from .._network.layers import Rows
from .._network.network import Network
from .threads import block_map

BYTES_PER_LAYER = 1_000_000
"""Memory of a block's rows in the widest layer: few enough rows that what is computed of them
stays in a core's cache, enough that calling NumPy costs little compared with computing."""

BYTES_PER_COLUMN = 10_000
"""Least memory of a block's column: enough rows for fast matrix products."""

BYTES_OF_OUTPUTS = 4_000_000
"""Most memory of the logits of a block: the loss passes over several such arrays, which takes
twice the time outside of the cache. A tenth of the rows is enough for the products."""

FLOPS_PER_PARAM = 100
"""Floating-point operations of a block per entry of its gradient, if there are enough rows: to
write and to add a gradient takes about as long as ten operations per entry. A block of dense
rows has thousands; one of sparse rows may have one."""

FLOPS_WORTH_CUTTING = 30_000_000
"""Floating-point operations of half the rows from which on two halves, on two threads, take
less time than one block: in float64. In float32, twice as fast, there must be twice as many."""

CODES_AT_ONCE = 100_000
"""Labels, or numbers of y, that are read at once where y alone is summed up."""


class Block(NamedTuple):
    """Rows that are computed together.

    Parameters
    ----------
    X : {ndarray, csr_matrix} of shape (n_rows, n_features)
    Y : ndarray of shape (n_rows, n_outputs)
    sample_weight : ndarray of shape (n_rows,), float64
        Of the rows, in the moments of batch normalisations and in all means over rows.
    loss_weight : ndarray of shape (n_rows,) or (n_rows, n_outputs), float64
        Of the losses of the rows, or of the single outputs.
    seed : int or None, default=None
        Of the dropout masks.
    """

    X: Any
    Y: np.ndarray
    sample_weight: np.ndarray
    loss_weight: np.ndarray
    seed: int | None = None

    @property
    def rows(self):
        """The rows as a training pass describes them to the layers."""
        rng = None if self.seed is None else np.random.default_rng(self.seed)
        return Rows(self.sample_weight, rng)


# Where rows are cut


def row_slices(n_rows, max_rows):
    """Slices of nearly equal length, at most ``max_rows``, that cover n_rows rows."""
    return _equal_slices(n_rows, math.ceil(n_rows / max_rows))


def block_slices(n_rows, max_rows):
    """Slices of the blocks that cover n_rows rows: like ``row_slices``, but one or an even number.

    So two threads have equal shares, whether there are two or not: what is
    computed depends on the rows alone.
    """
    n_blocks = math.ceil(n_rows / max_rows)
    if n_blocks > 1:
        n_blocks = min(n_blocks + n_blocks % 2, n_rows)
    return _equal_slices(n_rows, n_blocks)


def _equal_slices(n_rows, n_slices):
    edges = [n_rows * index // n_slices for index in range(n_slices + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def flops(network: Network, X, n_rows):
    """Floating-point operations of one evaluation of n_rows rows like those of X, roughly."""
    return evaluation_flops(network, n_rows, n_rows * _stored_per_row(X))


def evaluation_flops(network: Network, n_rows, n_inputs):
    """Floating-point operations of one evaluation of J and its gradient, roughly.

    Three matrix products per layer, and two in the first, which needs no derivative of X.

    Parameters
    ----------
    network : Network
    n_rows : float
    n_inputs : float
        Numbers that these rows of X hold.
    """
    first = network.layers[0]
    others = network.n_weights - first.n_weights
    return 2.0 * (2.0 * n_inputs * _outputs(network)[0] + 3.0 * n_rows * others)


def rows_per_block(network: Network, X) -> int:
    """How many rows like those of X fit into a block.

    1250 dense ones in float64 where the widest layer, the inputs being one, has
    100 units or more, and the more the narrower it is; twice as many in float32. Fewer,
    down to 125, where there are more than 400 outputs: see `BYTES_OF_OUTPUTS`.
    Wide sparse rows may be more, until computing them takes much longer than
    writing a gradient, or their activations and deltas as much memory as one.
    """
    outputs = _outputs(network)
    widest = max(_stored_per_row(X), *outputs)
    enough = min(BYTES_PER_COLUMN, max(BYTES_PER_COLUMN // 10, BYTES_OF_OUTPUTS // outputs[-1]))
    bytes_per_column = max(enough, int(BYTES_PER_LAYER // widest))
    # Sparse rows may hold nothing at all.
    row_flops = max(flops(network, X, 1), 1.0)
    worth_a_gradient = math.ceil(FLOPS_PER_PARAM * network.n_params / row_flops)
    as_large_as_a_gradient = network.n_params // (2 * sum(outputs))
    return max(bytes_per_column // X.dtype.itemsize, min(worth_a_gradient, as_large_as_a_gradient))


def max_block_rows(network: Network, X, n_rows) -> int:
    """The largest number of n_rows rows like those of X that are computed together.

    As `rows_per_block` says, but half of them where a single block would keep one
    thread busy for long, and leave the others idle.
    """
    max_rows = rows_per_block(network, X)
    half = math.ceil(n_rows / 2)
    enough = FLOPS_WORTH_CUTTING * 8 / X.dtype.itemsize
    if n_rows <= max_rows and flops(network, X, half) >= enough:
        return half
    return max_rows


def _outputs(network):
    """Number of units of each dense layer."""
    return [layer.n_out for layer in network.dense_layers]


def _stored_per_row(X):
    """Number of inputs that a row of X holds in memory."""
    return X.nnz / X.shape[0] if issparse(X) else X.shape[1]


# Data sets in blocks


class DataSet(Protocol):
    """The rows that an objective sums over: the contract of rows in memory and on workers."""

    input_moments: Any
    """`InputMoments` of the rows, once an `Objective` has measured them; None before."""

    @property
    def dtype(self) -> Any:
        """The precision in which the rows are computed."""

    @property
    def n_rows(self) -> int:
        """Number of rows."""

    @property
    def n_weighted_rows(self) -> int:
        """Number of rows whose weight is above 0."""

    @property
    def total_weight(self) -> float:
        """Sum of the row weights: m."""

    @property
    def largest_weight(self) -> float:
        """The largest weight that the loss gets."""

    @property
    def part_sizes(self) -> Sequence[int]:
        """Numbers of rows of the parts that mini-batches are cut from."""

    def open_map(self, network: Network) -> Any:
        """Context that gives the ``map(function, data_set)`` of an objective over these rows.

        It yields what the function returns for each `Block`, in their order, or sums of that.
        """

    def first(self, function) -> Any:
        """What a function returns for the first block that has a row with weight."""

    def fold(self, function, objective, state, visits) -> Any:
        """What becomes of a state that goes from part to part of the rows.

        Parameters
        ----------
        function : callable(objective, state, values) -> state
            The objective is one over the part's rows. The state may be changed.
        objective : Objective
            Over these rows.
        state : object
        visits : iterable of (int, iterable)
            Number of the part to go to next, and the values that the function is given
            there. Only a visit to a part in another process takes them all at once.

        Returns
        -------
        state : object
        """


class RowBlocks(Sequence):
    """A `DataSet` in memory, cut into blocks when they are needed; a single block once.

    Parameters
    ----------
    X : {ndarray, csr_matrix} of shape (n_all, n_features)
        Read block by block and never copied as a whole: a memory map will do.
    codes : {ndarray, csr_matrix} of shape (n_all,) or (n_all, n_labels)
        The rows' labels; they become targets when a block needs them.
    sample_weight : ndarray of shape (n_all,)
    encode : callable(codes, dtype) -> ndarray of shape (rows of the codes, n_outputs)
    max_rows : int
        Largest number of rows of a block.
    chosen : ndarray of int of shape (n_rows,) or None, default=None
        The rows that belong to the data set; None means all. It is kept as it is: 32
        bits take half the memory of 64.
    weigh : callable(codes, sample_weight) -> ndarray or None, default=None
        The weights that the loss gets, of shape (rows of the codes,) or (rows of
        the codes, n_outputs), >= 0; made block by block. None means the row weights.
    """

    input_moments: Any = None
    """`InputMoments` of the rows, once an `Objective` has measured them."""
    row_space: Any = None
    """`RowSpace` of the rows, once a full-batch solver has asked for it."""

    def __init__(self, X, codes, sample_weight, encode, max_rows, chosen=None, weigh=None):
        self.X = X
        self.codes = codes
        self.sample_weight = sample_weight
        self.encode = encode
        self.chosen = chosen
        self.weigh = weigh
        self.n_rows = X.shape[0] if chosen is None else len(chosen)
        slices = block_slices(self.n_rows, max_rows)
        # A block has no rows without weight (see `block`), and there are none of no rows.
        weighted = [rows for rows in slices if sample_weight[self._numbers(rows)].any()]
        self.slices = weighted or slices[:1]

    @classmethod
    def of(cls, network: Network, X, codes, sample_weight, encode, chosen=None, weigh=None):
        """The rows in blocks as they suit a network: see `max_block_rows`."""
        n_rows = X.shape[0] if chosen is None else len(chosen)
        max_rows = max_block_rows(network, X, n_rows)
        return cls(X, codes, sample_weight, encode, max_rows, chosen, weigh)

    @property
    def dtype(self):
        """The precision in which the rows are computed."""
        return self.X.dtype

    @cached_property
    def total_weight(self):
        """Sum of the row weights: m."""
        # `Objective` refuses a sum that overflows.
        with np.errstate(over="ignore"):
            if self.chosen is None:
                return float(self.sample_weight.sum())
            return float(sum(self._chosen_weights(np.sum)))

    @cached_property
    def n_weighted_rows(self):
        """Number of rows whose weight is above 0."""
        return sum(
            np.count_nonzero(self.sample_weight[self._numbers(rows)]) for rows in self.slices
        )

    @cached_property
    def largest_weight(self):
        """The largest weight that the loss gets."""
        if self.weigh is None:
            if self.chosen is None:
                return float(self.sample_weight.max())
            return float(max(self._chosen_weights(np.max)))
        with np.errstate(over="ignore"):
            return max(float(self._weights(self._numbers(rows))[1].max()) for rows in self.slices)

    def _chosen_weights(self, function):
        """A function of the chosen rows' weights, block by block: a copy would take memory."""
        return [function(self.sample_weight[self.chosen[rows]]) for rows in self.slices]

    @property
    def part_sizes(self):
        """Numbers of rows of the parts that mini-batches are cut from: there is one."""
        return (self.n_rows,)

    def fold(self, function, objective, state, visits):
        """What becomes of a state that goes from part to part of the rows: there is one."""
        for _, values in visits:
            state = function(objective, state, values)
        return state

    def first(self, function):
        """What a function returns for the first block."""
        return function(self[0])

    def open_map(self, network: Network):
        """Context that gives the ``map`` of an objective over these rows."""
        block_flops = flops(network, self.X, self.n_rows / len(self))
        return block_map(block_flops, network.n_params * self.dtype.itemsize)

    def block(self, rows, seed=None):
        """The block of some rows: a slice, or an array of numbers below ``n_rows``.

        Those of zero weight are left out: their numbers may overflow, and 0 * inf is nan.
        """
        rows = self._weighted(self._numbers(rows))
        Y = self.encode(self.codes[rows], self.X.dtype)
        sample_weight, loss_weight = self._weights(rows)
        return Block(_rows_of(self.X, rows), Y, sample_weight, loss_weight, seed)

    @property
    def weighted_rows(self):
        """Numbers of the rows with a weight, among all rows: a slice or an array."""
        return self._weighted(self._numbers(slice(0, self.n_rows)))

    def with_inputs(self, network: Network, rows, X):
        """Some of all rows, for a network that is given other inputs for them.

        Parameters
        ----------
        network : Network
        rows : {slice, ndarray of int}
            Among all rows.
        X : ndarray of shape (n_rows, n_features)
        """
        codes, sample_weight = self.codes[rows], self.sample_weight[rows]
        return RowBlocks.of(network, X, codes, sample_weight, self.encode, weigh=self.weigh)

    def _numbers(self, rows):
        """The numbers of rows of the data set among all rows."""
        return rows if self.chosen is None else self.chosen[rows]

    def _weighted(self, rows):
        """The numbers of those of some of all rows that have a weight."""
        weighted = self.sample_weight[rows] > 0.0
        if weighted.all():
            return rows  # as they are: a slice of X is no copy
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self.sample_weight)))
        return rows[weighted]

    def _weights(self, rows):
        """The weights of some of all rows, and those that the loss gets."""
        weights = self.sample_weight[rows]
        return weights, weights if self.weigh is None else self.weigh(self.codes[rows], weights)

    def __len__(self):
        return len(self.slices)

    def __getitem__(self, index):
        rows = self.slices[index]  # an IndexError beyond the last one ends iterations
        return self._only_block if len(self) == 1 else self.block(rows)

    @cached_property
    def _only_block(self):
        # While it is computed it is in memory anyway: cutting it out once is enough.
        return self.block(self.slices[0])


def _rows_of(X, rows):
    """Some rows of X: a view where they are a slice."""
    if isinstance(rows, slice) or not isinstance(X, np.ndarray) or not X.flags.c_contiguous:
        return X[rows]
    return X.take(rows, axis=0)  # twice as fast, but copies all of X that lies otherwise


# Sums over blocks


def add_up(results: Iterable):
    """Sum of what a function returned for each block.

    Parameters
    ----------
    results : iterable of {float, ndarray, tuple of these}
        At least one, all of the same shape. They are not changed.

    Returns
    -------
    total : {float, ndarray, tuple of these}
        Arrays are added in the order of the results, in float64.
    """
    results = iter(results)
    total = _start(next(results))
    for result in results:
        total = _plus(total, result)
        # It may be large, and must not wait for the next one.
        del result
    return total


def total_of_parts(function, codes, sample_weight, chosen=None):
    """Sum of what a function returns for the codes and weights of parts of the chosen rows.

    Only of one part at a time there is a copy.

    Parameters
    ----------
    function : callable(codes, sample_weight) -> object that can be added
    codes : {ndarray, csr_matrix} of shape (n_all,) or (n_all, n_outputs)
    sample_weight : ndarray of shape (n_all,)
    chosen : ndarray of int of shape (n_rows,) or None, default=None
        None means all.

    Returns
    -------
    total : object
    """
    codes_per_row = max(1, math.ceil(codes.size / codes.shape[0]))
    n_rows = codes.shape[0] if chosen is None else len(chosen)
    slices: Any = row_slices(n_rows, max(1, CODES_AT_ONCE // codes_per_row))
    parts = slices if chosen is None else (chosen[part] for part in slices)
    return reduce(add, (function(codes[rows], sample_weight[rows]) for rows in parts))


def _start(result):
    """A result, with copies of its arrays, to which others may be added."""
    if isinstance(result, tuple):
        return tuple(map(_start, result))
    return np.array(result, dtype=np.float64) if isinstance(result, np.ndarray) else result


def _plus(total, result):
    """A total and a result; its arrays are added in place."""
    if isinstance(total, tuple):
        return tuple(map(_plus, total, result))
    total += result
    return total
