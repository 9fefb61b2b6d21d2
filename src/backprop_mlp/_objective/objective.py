"""The objective that every solver minimises, over rows that come in blocks.

With m the total row weight and w_i the rows' weights,

    J(theta) = 1/m sum_i w_i loss_i(theta)  +  alpha / (2 m) * sum of squared weights

where biases stay out of the penalty. Block sums are *not* normalised; they are
added in float64, in block order, and divided once by m. So neither the size of
the blocks nor where they were computed matters beyond rounding, and the number
of threads does not matter at all.
"""

import math
from collections.abc import Callable, Sequence
from functools import cached_property, partial, reduce
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse

from .._network.layers import Rows
from .._network.network import Network

WORK_WORTH_CUTTING = 30_000_000
"""Floating-point operations of half the rows from which on two halves, side by side, take
less time than one block: in float64. In float32, twice as fast, there must be twice as many."""


class Block(NamedTuple):
    """Rows that are computed together.

    Parameters
    ----------
    X : {ndarray, csr_matrix} of shape (n_rows, n_features)
    Y : ndarray of shape (n_rows, n_outputs)
    sample_weight : ndarray of shape (n_rows,), float64
    seed : int or None, default=None
        Of the dropout masks.
    """

    X: Any
    Y: np.ndarray
    sample_weight: np.ndarray
    seed: int | None = None

    @property
    def rows(self):
        """What the layers are told about the rows."""
        rng = None if self.seed is None else np.random.default_rng(self.seed)
        return Rows(self.sample_weight, rng)


def row_slices(n_rows, longest):
    """Slices of nearly equal length, ``longest`` at the most, that cover n_rows rows."""
    return _equal_slices(n_rows, math.ceil(n_rows / longest))


def block_slices(n_rows, longest):
    """Slices of the blocks that cover n_rows rows: like ``row_slices``, but one or an even number.

    So two threads have equal shares, whether there are two or not: what is
    computed depends on the rows alone.
    """
    n_blocks = math.ceil(n_rows / longest)
    if n_blocks > 1:
        n_blocks = min(n_blocks + n_blocks % 2, n_rows)
    return _equal_slices(n_rows, n_blocks)


def _equal_slices(n_rows, n_slices):
    edges = [n_rows * index // n_slices for index in range(n_slices + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def work(network, X, n_rows):
    """Floating-point operations of one evaluation of n_rows rows like those of X, roughly."""
    inputs = X.nnz / X.shape[0] if issparse(X) else X.shape[1]
    first = network.layers[0].n_out
    return 2.0 * n_rows * (2 * inputs * first + 3 * (network.n_weights - X.shape[1] * first))


def longest_block(network: Network, X, n_rows):
    """How many of n_rows rows like those of X are computed together at the most.

    As `Network.rows_per_block` says, but half of them where a single block would
    keep one thread busy for long, and leave the others idle.
    """
    longest = network.rows_per_block(X.dtype)
    half = math.ceil(n_rows / 2)
    enough = WORK_WORTH_CUTTING * 8 / X.dtype.itemsize
    if n_rows <= longest and work(network, X, half) >= enough:
        return half
    return longest


class RowBlocks(Sequence):
    """The rows of a data set, cut into blocks when they are needed; a single block once.

    Parameters
    ----------
    X : {ndarray, csr_matrix} of shape (n_all, n_features)
        Read block by block and never copied as a whole: a memory map will do.
    codes : {ndarray, csr_matrix} of shape (n_all,) or (n_all, n_labels)
        The rows' labels; they become targets when a block needs them.
    sample_weight : ndarray of shape (n_all,)
    encode : callable(codes, dtype) -> ndarray of shape (rows of the codes, n_outputs)
    longest : int
        Rows of one block at the most.
    chosen : ndarray of int of shape (n_rows,) or None, default=None
        The rows that belong to the data set; None means all.
    """

    def __init__(self, X, codes, sample_weight, encode, longest, chosen=None):
        self.X = X
        self.codes = codes
        self.sample_weight = sample_weight
        self.encode = encode
        self.chosen = chosen
        self.n_rows = X.shape[0] if chosen is None else len(chosen)
        self.slices = block_slices(self.n_rows, longest)

    @classmethod
    def of(cls, network: Network, X, codes, sample_weight, encode, chosen=None):
        """The rows in blocks as they suit a network: see `longest_block`."""
        n_rows = X.shape[0] if chosen is None else len(chosen)
        return cls(X, codes, sample_weight, encode, longest_block(network, X, n_rows), chosen)

    @property
    def dtype(self):
        """The precision in which the rows are computed."""
        return self.X.dtype

    @property
    def total_weight(self):
        """Sum of the row weights."""
        weights = self.sample_weight
        # `Objective` refuses a sum that overflows.
        with np.errstate(over="ignore"):
            return float((weights if self.chosen is None else weights[self.chosen]).sum())

    @property
    def smallest_weight(self):
        """The smallest row weight above zero."""
        weights = self.sample_weight if self.chosen is None else self.sample_weight[self.chosen]
        return float(weights.min(initial=np.inf, where=weights > 0.0))

    def block(self, rows, seed=None):
        """The block of some rows: a slice, or an array of numbers below ``n_rows``."""
        if self.chosen is not None:
            rows = self.chosen[rows]
        Y = self.encode(self.codes[rows], self.X.dtype)
        return Block(self.X[rows], Y, self.sample_weight[rows], seed)

    def __len__(self):
        return len(self.slices)

    def __getitem__(self, index):
        rows = self.slices[index]
        return self._only_block if len(self) == 1 else self.block(rows)

    @cached_property
    def _only_block(self):
        # While it is computed it is in memory anyway: cutting it out once is enough.
        return self.block(self.slices[0])


def block_pass(network: Network, theta, block: Block):
    """Loss of one block's rows and its gradient, neither normalised nor penalised.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (n_params,)
        In the precision in which the block is to be computed.
    block : Block

    Returns
    -------
    value : float
    grad : ndarray of shape (n_params,), of theta's dtype
    moments : list of Moments
        One for each batch normalisation.
    """
    grad = np.empty_like(theta)
    params = network.views(theta)
    z, caches = network.forward(params, block.X, block.rows)
    value, delta = network.loss.value_and_delta(z, block.Y, block.sample_weight)
    network.backward(params, network.views(grad), caches, delta)
    return value, grad, network.moments(caches)


def block_value(network: Network, theta, block: Block):
    """Loss of one block's rows, neither normalised nor penalised: a float."""
    z, _ = network.forward(network.views(theta), block.X, block.rows)
    return network.loss.value(z, block.Y, block.sample_weight)


def block_hessian_product(network: Network, theta, direction, block: Block):
    """Hessian of one block's loss times a direction, neither normalised nor penalised."""
    product = np.empty_like(theta)
    network.write_hessian_product(
        network.views(theta),
        network.views(direction),
        network.views(product),
        block.X,
        block.Y,
        block.sample_weight,
    )
    return product


def _add(a, b):
    """Sum of what a function of a block returns: numbers, arrays, or tuples of them."""
    if isinstance(a, tuple):
        return tuple(map(_add, a, b))
    return np.add(a, b, dtype=np.float64) if isinstance(a, np.ndarray) else a + b


def block_weighted_inputs(weight, block: Block):
    """Sum of the block's inputs, each row times its share of the total weight."""
    return block.X.T @ (block.sample_weight / weight)


class Objective:
    """J and its gradient, as functions of theta alone.

    Parameters
    ----------
    network : Network
    blocks : RowBlocks or sequence of Block
        Each is taken once an evaluation; mini-batches need RowBlocks.
    total_weight : float
        m: the sum of all row weights, greater than zero.
    alpha : float
        Strength of the penalty: the course's lambda.
    dtype : dtype
        Precision of the blocks. theta, J and the gradient are float64.
    map : callable(function, blocks) -> iterable
        Runs the blocks and yields their results in order: the builtin ``map``,
        threads, or another machine. It may yield sums of them instead.

    Raises
    ------
    ValueError
        If the rows have no weight, or more than a float can hold.
    """

    def __init__(
        self,
        network: Network,
        blocks: Any,
        total_weight: float,
        alpha: float,
        dtype,
        map: Callable = map,
    ):
        if not 0.0 < total_weight < np.inf:
            raise ValueError(
                "sample_weight, times class_weight, must have a finite sum above 0; "
                f"got {total_weight}."
            )
        self.network = network
        self.blocks = blocks
        self.total_weight = total_weight
        self.alpha = alpha
        self.dtype = dtype
        self.map = map

    def value(self, theta):
        """J at theta, a float."""
        function = partial(block_value, self.network, theta.astype(self.dtype, copy=False))
        total = sum(self.map(function, self.blocks))
        return total / self.total_weight + self.penalty(theta)

    def value_and_grad(self, theta):
        """J at theta, and its gradient.

        Parameters
        ----------
        theta : ndarray of shape (n_params,), float64

        Returns
        -------
        value : float
        grad : ndarray of shape (n_params,), float64
        """
        function = partial(block_pass, self.network, theta.astype(self.dtype, copy=False))
        total = 0.0
        grad = np.zeros(theta.shape)
        for block_total, block_grad, _ in self.map(function, self.blocks):
            total += block_total
            grad += block_grad
        grad /= self.total_weight
        self._add_penalty_grad(grad, theta)
        return total / self.total_weight + self.penalty(theta), grad

    def hessian_product(self, theta, direction):
        """J's Hessian at theta times a direction.

        Parameters
        ----------
        theta, direction : ndarray of shape (n_params,), float64

        Returns
        -------
        product : ndarray of shape (n_params,), float64
        """
        function = partial(
            block_hessian_product,
            self.network,
            theta.astype(self.dtype, copy=False),
            direction.astype(self.dtype, copy=False),
        )
        product = np.zeros(theta.shape)
        for block_product in self.map(function, self.blocks):
            product += block_product
        product /= self.total_weight
        self._add_penalty_grad(product, direction)
        return product

    def minibatch(self, theta, rows, rng):
        """Estimate of J and its gradient from some of the rows.

        The data term is scaled up to all rows and the penalty is the full one,
        so that alpha means the same for every size of the batch.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            In the precision of the blocks.
        rows : {slice, ndarray of int}
            Numbers of the rows.
        rng : numpy.random.Generator
            Source of the dropout masks.

        Returns
        -------
        value : float
        grad : ndarray of shape (n_params,), of theta's dtype
        moments : list of Moments
            One for each batch normalisation.
        """
        if isinstance(rows, slice):
            rows = np.arange(rows.start, rows.stop)
        pieces = [rows]
        if self.network.row_wise:
            longest = longest_block(self.network, self.blocks.X, len(rows))
            pieces = [rows[piece] for piece in block_slices(len(rows), longest)]
        seeds = [None] * len(pieces)
        if self.network.random:
            seeds = rng.integers(2**63, size=len(pieces)).tolist()
        # Handing a single piece to a thread and waiting for it would only take time.
        run = self.map if len(pieces) > 1 else map
        total = 0.0
        grad = np.zeros_like(theta)
        moments: list = []

        def piece_pass(piece):
            return block_pass(self.network, theta, self.blocks.block(*piece))

        for block_total, block_grad, block_moments in run(
            piece_pass, list(zip(pieces, seeds, strict=True))
        ):
            total += block_total
            grad += block_grad
            moments = block_moments
        scale = self.blocks.n_rows / (len(rows) * self.total_weight)
        grad *= theta.dtype.type(scale)
        self._add_penalty_grad(grad, theta)
        return total * scale + self.penalty(theta), grad, moments

    def sum_over_blocks(self, function):
        """Sum of what a function of a block returns, over all blocks, in float64.

        Parameters
        ----------
        function : callable(block) -> float, ndarray or tuple of these
            On a cluster it is a `functools.partial` of a module's function.

        Returns
        -------
        total : float, ndarray or tuple of these
        """
        return reduce(_add, self.map(function, self.blocks))

    def _add_penalty_grad(self, grad, theta):
        weights = slice(0, self.network.n_weights)
        grad[weights] += theta.dtype.type(self.alpha / self.total_weight) * theta[weights]

    def penalty(self, theta):
        """The second term of J, a float."""
        weights = theta[: self.network.n_weights]
        return self.alpha / (2.0 * self.total_weight) * float(weights @ weights)

    def input_means(self):
        """Weighted mean of each input, of shape (n_features,), float64."""
        function = partial(block_weighted_inputs, self.total_weight)
        return sum(self.map(function, self.blocks))
